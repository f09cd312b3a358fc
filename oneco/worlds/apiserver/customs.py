"""Custom kinds: from the CustomResourceDefinition that is stored to what is served."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from oneco.kube import causes, types
from oneco.kube import schema as schemas
from oneco.kube.errors import Cause
from oneco.kube.objects import Object, dig, encode
from oneco.kube.refs import Kind, Resource, ResourceInfo
from oneco.kube.types import Type
from oneco.worlds.apiserver.registry import Served

COLLECTION: Final = "apiextensions.k8s.io/customresourcedefinitions"
KIND: Final = Kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
CLEANUP: Final = "customresourcecleanup.apiextensions.k8s.io"
_VERBS: Final = (
    "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch",
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """Where a custom kind keeps what its scale subresource shows."""

    spec_replicas: tuple[str, ...]
    status_replicas: tuple[str, ...]
    selector: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class CustomKind:
    """What one version of a CustomResourceDefinition says about its objects."""

    schema: schemas.Schema
    type: Type
    selectable_fields: tuple[str, ...]
    columns: Sequence[Object]
    scale: Scale | None


def completed(crd: Object) -> Object:
    """`crd` with the names and the strategy that it leaves to the server."""
    spec = crd.get("spec") or {}
    given = spec.get("names") or {}
    kind = given.get("kind") or ""
    names = {"singular": kind.lower(), "listKind": f"{kind}List"} | {
        key: value for key, value in given.items() if value
    }
    conversion = spec.get("conversion") or {"strategy": "None"}
    return {**crd, "spec": {**spec, "names": names, "conversion": conversion}}


def faults(crd: Object, old: Object | None = None) -> list[Cause]:
    """What an API server refuses about `crd`, as far as serving it depends on that.

    `old` is the definition that it replaces.
    """
    spec = crd.get("spec") or {}
    found = [
        causes.required(f"spec.{path}")
        for path in ("group", "scope", "names.plural", "names.kind")
        if not dig(spec, *path.split("."))
    ]
    wanted = f"{dig(spec, 'names', 'plural')}.{spec.get('group')}"
    name = crd["metadata"].get("name")
    if not found and name != wanted:
        words = 'must be spec.names.plural+"."+spec.group'
        found.append(causes.invalid("metadata.name", name, words))
    if spec.get("scope") not in (None, "Namespaced", "Cluster"):
        choices = ("Cluster", "Namespaced")
        found.append(causes.unsupported("spec.scope", spec["scope"], choices))
    before = dig(old, "spec", "versions", default=()) if old is not None else ()
    return found + _version_faults(spec.get("versions") or (), before)


def _version_faults(versions: Sequence[Object], before: Sequence[Object]) -> list[Cause]:
    found = []
    if sum(1 for version in versions if version.get("storage")) != 1:
        words = "must have exactly one version marked as storage version"
        found.append(causes.invalid("spec.versions", list(versions), words))
    for index, version in enumerate(versions):
        if not dig(version, "schema", "openAPIV3Schema"):
            field = f"spec.versions[{index}].schema.openAPIV3Schema"
            found.append(causes.required(field, "schemas are required"))
    return found or _rule_faults(versions, before)


def _rule_faults(versions: Sequence[Object], before: Sequence[Object]) -> list[Cause]:
    """What is wrong with the rules in CEL of the versions' schemas."""
    made = [dig(version, "schema", "openAPIV3Schema") for version in versions]
    known = [dig(version, "schema", "openAPIV3Schema") for version in before]
    # The server keeps a schema that all versions share in one place, and says so.
    is_shared = all(schema == made[0] for schema in made)
    found: list[Cause] = []
    for index, schema in enumerate(made[:1] if is_shared else made):
        if schemas.has_rules(schema):
            start = "spec.validation" if is_shared else f"spec.versions[{index}].schema"
            where, is_new = f"{start}.openAPIV3Schema", schema not in known
            found += _faults_of_rules(encode(schema), where, is_new)
    return found


@functools.lru_cache(maxsize=256)
def _faults_of_rules(encoded_schema: bytes, path: str, is_new: bool) -> tuple[Cause, ...]:
    # Only here, because the library for rules is large.
    from oneco.kube.rules import soundness

    return tuple(soundness.faults(msgspec.json.decode(encoded_schema), path, is_new=is_new))


def accepted_status(crd: Object, now: str) -> Object:
    """The status of a definition whose names are accepted and whose kind is served."""
    spec = crd["spec"]
    storage = next(version["name"] for version in spec["versions"] if version.get("storage"))
    stored = list(dig(crd, "status", "storedVersions", default=()))
    known = {one["type"]: one for one in dig(crd, "status", "conditions", default=())}
    fresh = {
        "NamesAccepted": ("NoConflicts", "no conflicts found"),
        "Established": ("InitialNamesAccepted", "the initial names have been accepted"),
    }
    for condition, (reason, message) in fresh.items():
        known.setdefault(
            condition,
            {
                "type": condition,
                "status": "True",
                "lastTransitionTime": now,
                "reason": reason,
                "message": message,
            },
        )
    return {
        "conditions": list(known.values()),
        "acceptedNames": spec["names"],
        "storedVersions": stored if storage in stored else [*stored, storage],
    }


def terminating(crd: Object, now: str) -> Object:
    """`crd` with the condition that says it goes."""
    condition = {
        "type": "Terminating",
        "status": "True",
        "lastTransitionTime": now,
        "reason": "InstanceDeletionPending",
        "message": _TERMINATING,
    }
    conditions = [
        one for one in dig(crd, "status", "conditions", default=()) if one["type"] != "Terminating"
    ]
    return {**crd, "status": {**(crd.get("status") or {}), "conditions": [*conditions, condition]}}


_known: dict[int, tuple[Object, tuple[Served, ...]]] = {}
_MOST_KNOWN: Final = 4096


def served_by(crd: Object) -> tuple[Served, ...]:
    """What is served because of `crd`; servers with equal definitions share it."""
    spec = crd["spec"]
    known = _known.get(id(spec))
    if known is not None and known[0] is spec:
        return known[1]
    found = _served(encode(spec))
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    _known[id(spec)] = (spec, found)
    return found


_completed: dict[int, tuple[Object, Object]] = {}


def shared(crd: Object) -> Object:
    """`crd` completed and at its first generation; the same object for every server."""
    known = _completed.get(id(crd))
    if known is not None and known[0] is crd:
        return known[1]
    meta = {key: value for key, value in crd["metadata"].items() if key in _GIVEN}
    body = {**completed(crd), "metadata": {**meta, "generation": 1}}
    if len(_completed) >= _MOST_KNOWN:
        _completed.clear()
    _completed[id(crd)] = (crd, body)
    return body


@functools.lru_cache(maxsize=1024)
def _served(encoded_spec: bytes) -> tuple[Served, ...]:
    spec = msgspec.json.decode(encoded_spec)
    # The storage version is first, so that a kind without version is found as it is stored.
    versions = sorted(spec["versions"], key=lambda version: not version.get("storage"))
    storage = versions[0]["name"]
    return tuple(
        _served_version(spec, version, storage) for version in versions if version.get("served")
    )


def _served_version(spec: Mapping[str, Any], version: Object, storage: str) -> Served:
    group, names = spec["group"], spec["names"]
    given = version.get("subresources") or {}
    subresources = tuple(name for name in ("status", "scale") if given.get(name) is not None)
    resource = Resource(group, version["name"], names["plural"])
    info = ResourceInfo(
        resource,
        names["kind"],
        spec["scope"] == "Namespaced",
        names.get("singular") or names["kind"].lower(),
        tuple(names.get("shortNames") or ()),
        tuple(names.get("categories") or ()),
        subresources,
        _VERBS,
    )
    return Served(
        resource=resource,
        kind=Kind(group, version["name"], names["kind"]),
        namespaced=info.namespaced,
        collection=f"{group}/{names['plural']}",
        storage=Kind(group, storage, names["kind"]),
        subresources=frozenset(subresources),
        verbs=frozenset(_VERBS),
        counts_generation=True,
        info=info,
        custom=_custom_kind(version, given.get("scale")),
    )


def _custom_kind(version: Object, scale: Object | None) -> CustomKind:
    schema = dig(version, "schema", "openAPIV3Schema", default={})
    fields = version.get("selectableFields") or ()
    return CustomKind(
        schema=schemas.compile(schema),
        type=types.from_schema(schema),
        selectable_fields=tuple(one["jsonPath"].lstrip(".") for one in fields),
        columns=version.get("additionalPrinterColumns") or (),
        scale=_scale(scale) if scale else None,
    )


def _scale(given: Object) -> Scale:
    paths = (given.get(key) or "" for key in _SCALE_PATHS)
    spec, status, selector = (tuple(path.strip(".").split(".")) if path else () for path in paths)
    return Scale(spec, status, selector)


_GIVEN: Final = frozenset({"name", "labels", "annotations"})
_SCALE_PATHS: Final = ("specReplicasPath", "statusReplicasPath", "labelSelectorPath")
_TERMINATING: Final = (
    "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
)
