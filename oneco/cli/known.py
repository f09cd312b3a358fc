"""The kinds that can be checked without asking a server."""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from oneco.errors import Refused
from oneco.kinds import catalogue, crds
from oneco.kube import schema, types
from oneco.kube.documents import Document
from oneco.kube.objects import Object, dig
from oneco.kube.refs import Kind, Resource, ResourceInfo, kind_of


class Known(NamedTuple):
    """One kind; `schema` and the `shape` it was made of are there for custom ones."""

    info: ResourceInfo
    type: types.Type | None = None
    schema: schema.Schema | None = None
    shape: Object | None = None

    def fields_around(self, path: str) -> tuple[str, ...]:
        """The fields that may stand where `path` ends; empty where that is not known."""
        steps = _step.findall(path)[:-1]
        if self.shape is not None:
            return _shape_fields(self.shape, steps)
        return _type_fields(self.type, steps)


Kinds = Mapping[Kind, Known]
_step = re.compile(r"[^.\[\]]+")


@functools.cache
def everywhere() -> Kinds:
    """Kubernetes' own kinds and those of the product."""
    found: dict[Kind, Known] = {}
    for info in types.resources():
        kind = Kind(info.resource.group, info.resource.version, info.kind)
        found.setdefault(kind, Known(info, type=types.of(kind)))
    for custom in catalogue.KINDS:
        found |= _defined(crds.definition(custom))
    return found


def among(documents: Iterable[Document]) -> Kinds:
    """The same, and the kinds that these documents themselves define."""
    found = dict(everywhere())
    for document in documents:
        if document.object.get("kind") == "CustomResourceDefinition":
            found = {**_defined(document.object), **found}
    return found


def find(document: Document, kinds: Kinds) -> Known | None:
    """The kind of a document, None where only a server can know it.

    Refused if it looks like a kind that is known under another version or name.
    """
    kind = kind_of(document.object)
    found = kinds.get(kind)
    if found is not None:
        return found
    groups = {one.group for one in kinds}
    if kind.group not in groups and "." in kind.group:
        return None
    versions = sorted({one.api_version for one in kinds if one.kind == kind.kind})
    if versions:
        wanted = " or ".join(versions)
        raise Refused(document.where("apiVersion"), found=kind.api_version, wanted=wanted)
    near = difflib.get_close_matches(kind.kind, {one.kind for one in kinds}, 1, 0.7)
    if not near and kind.group in {one.group for one in everywhere()} and kind.group:
        of_group = sorted({one.kind for one in kinds if one.group == kind.group})
        raise Refused(document.where("kind"), found=kind.kind, wanted=" or ".join(of_group))
    if near or not kind.group:
        meant = f'; did you mean "{near[0]}"?' if near else ""
        raise Refused(document.where("kind"), found=kind.kind, wanted=f"a kind that exists{meant}")
    return None


def _defined(definition: Mapping[str, object]) -> dict[Kind, Known]:
    """The kinds that a CustomResourceDefinition makes."""
    group = dig(definition, "spec", "group", default="")
    names = dig(definition, "spec", "names", default={})
    namespaced = dig(definition, "spec", "scope") != "Cluster"
    found: dict[Kind, Known] = {}
    versions = dig(definition, "spec", "versions", default=())
    for version in versions if isinstance(versions, list) else ():
        shape = dig(version, "schema", "openAPIV3Schema")
        name, kind, plural = dig(version, "name"), dig(names, "kind"), dig(names, "plural")
        if not (isinstance(shape, dict) and all(isinstance(x, str) for x in (name, kind, plural))):
            # What is wrong with the definition itself is for the server to say.
            continue
        info = ResourceInfo(Resource(str(group), name, plural), kind, namespaced)
        found[Kind(str(group), name, kind)] = Known(info, schema=schema.compile(shape), shape=shape)
    return found


def _shape_fields(shape: Object, steps: Sequence[str]) -> tuple[str, ...]:
    for step in steps:
        properties = shape.get("properties") or {}
        inner = properties.get(step) or shape.get("items") or shape.get("additionalProperties")
        if not isinstance(inner, dict):
            return ()
        shape = inner
    return tuple(shape.get("properties") or ())


def _type_fields(kind: types.Type | None, steps: Sequence[str]) -> tuple[str, ...]:
    for step in steps:
        kind = kind.child(step) if kind is not None else None
    return tuple(kind.fields) if kind is not None else ()
