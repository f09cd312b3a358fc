"""OpenAPI v3 documents from the tables of types and texts and the schemas of CRDs.

Enough for `kubectl explain` and for clients that look up which parameters a write takes.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from oneco.kube import types
from oneco.kube.objects import Object, dig
from oneco.kube.refs import Address, Kind, Resource, ResourceInfo
from oneco.kube.types import Type
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.embedded import texts
from oneco.worlds.embedded.discovery import Discovery

_ROOT = "/openapi/v3"
_DEFINITIONS = Address(Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions"))
_COMMON = Kind("apps", "v1", "Deployment")
_FORMS: dict[str, dict[str, Any]] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "num": {"type": "number"},
    "bool": {"type": "boolean"},
    "quantity": {"type": "string"},
    "int-or-string": {
        "oneOf": [{"type": "integer"}, {"type": "string"}],
        "format": "int-or-string",
    },
    "any": {"type": "object"},
    "untyped": {"type": "object"},
}
_WRITE_PARAMETERS = [
    {"in": "query", "name": name, "schema": {"type": "string", "uniqueItems": True}}
    for name in ("dryRun", "fieldManager", "fieldValidation")
]


class OpenApi:
    """The documents of one server, built when first asked for."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server

    def document(self, path: str, present: Discovery) -> dict[str, Any] | None:
        """The index at `/openapi/v3`, or the document of one group and version below it."""
        wanted = path.removeprefix(_ROOT).strip("/")
        known = {
            _place(group, version): (group, version) for group, version in present.group_versions()
        }
        if not wanted:
            return {"paths": {place: self._entry(place, present) for place in known}}
        if wanted not in known:
            return None
        group, version = known[wanted]
        return self._group_version(group, version, present)

    def _entry(self, place: str, present: Discovery) -> dict[str, str]:
        served = [info for info in present.served if _place(*info.resource[:2]) == place]
        version = max((self._schema_version(info) for info in served), default="")
        digest = hashlib.sha256(f"{served}{version}".encode()).hexdigest()[:32].upper()
        return {"serverRelativeURL": f"{_ROOT}/{place}?hash={digest}"}

    def _schema_version(self, info: ResourceInfo) -> str:
        definition = self._definition(info)
        return dig(definition, "metadata", "resourceVersion", default="") if definition else ""

    def _group_version(self, group: str, version: str, present: Discovery) -> dict[str, Any]:
        schemas: dict[str, Any] = {}
        paths: dict[str, Any] = {}
        for info in present.served:
            if info.resource[:2] == (group, version):
                name = self._add(info, schemas)
                paths.update(_paths(info, name))
        return {
            "openapi": "3.0.0",
            "info": {"title": "oneco", "version": version},
            "paths": paths,
            "components": {"schemas": schemas},
        }

    def _add(self, info: ResourceInfo, schemas: dict[str, Any]) -> str:
        kind = Kind(info.resource.group, info.resource.version, info.kind)
        mark = {"group": kind.group, "version": kind.version, "kind": kind.kind}
        found = types.of(kind)
        if found is not None:
            name = _schema_name(found)
            schemas[name] = {
                **_structure(found, schemas),
                "x-kubernetes-group-version-kind": [mark],
            }
            return name
        schema = self._custom(info)
        # What every kind has is told as of a built-in one.
        common = types.of(_COMMON)
        assert common is not None, "the table has Deployments"
        described = dict(schema.get("properties") or {})
        for key in ("apiVersion", "kind", "metadata"):
            described[key] = _field(common, key, schemas)
        name = f"{kind.group}.{kind.version}.{kind.kind}"
        marks = {"properties": described, "x-kubernetes-group-version-kind": [mark]}
        schemas[name] = {**schema, **marks}
        return name

    def _custom(self, info: ResourceInfo) -> dict[str, Any]:
        definition = self._definition(info)
        versions = dig(definition, "spec", "versions", default=()) if definition else ()
        for one in versions:
            if one.get("name") == info.resource.version:
                return dict(dig(one, "schema", "openAPIV3Schema", default={"type": "object"}))
        return {"type": "object"}

    def _definition(self, info: ResourceInfo) -> Object | None:
        if "." not in info.resource.group or types.of(Kind(*info.resource[:2], info.kind)):
            return None
        name = f"{info.resource.plural}.{info.resource.group}"
        found = self._server.list(_DEFINITIONS).items
        return next((one for one in found if dig(one, "metadata", "name") == name), None)


def _place(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"


def _schema_name(found: Type) -> str:
    return f"io.k8s.{found.name}"


def _reference(found: Type, schemas: dict[str, Any]) -> dict[str, Any]:
    """How a field says that it has this type; a named structure is added to `schemas` once."""
    if not found.name or found.form != "map":
        return _structure(found, schemas)
    name = _schema_name(found)
    if name not in schemas:
        # Taken before it is built: types refer to themselves.
        schemas[name] = {}
        schemas[name] = _structure(found, schemas)
    return {"allOf": [{"$ref": f"#/components/schemas/{name}"}], "default": {}}


def _field(owner: Type, key: str, schemas: dict[str, Any]) -> dict[str, Any]:
    """How a field of a built-in type is described."""
    one = owner.fields[key]
    text, target = texts.of(owner.name, key)
    schema = _special(one, target, schemas) if target else _reference(one, schemas)
    return {"description": text, **schema} if text else schema


def _special(found: Type, target: str, schemas: dict[str, Any]) -> dict[str, Any]:
    """A field, or the items of one, whose type has a name and no structure."""
    schemas[target] = texts.schemas()[target]
    reference = {"allOf": [{"$ref": f"#/components/schemas/{target}"}]}
    if found.form == "list":
        return {"type": "array", "items": reference}
    if found.form == "map":
        return {"type": "object", "additionalProperties": reference}
    return reference


def _structure(found: Type, schemas: dict[str, Any]) -> dict[str, Any]:
    if found.form in _FORMS:
        simple = dict(_FORMS[found.form])
        if found.format:
            simple["format"] = found.format
        if found.enum:
            simple["enum"] = list(found.enum)
        if found.default is not msgspec.UNSET:
            simple["default"] = found.default
        return simple
    element = _reference(found.element, schemas) if found.element else {"type": "object"}
    if found.form == "list":
        return {"type": "array", "items": element}
    schema: dict[str, Any] = {"type": "object"}
    text, _ = texts.of(found.name)
    if text:
        schema["description"] = text
    if found.fields:
        schema["properties"] = {key: _field(found, key, schemas) for key in found.fields}
    elif found.element is not None:
        schema["additionalProperties"] = element
    if found.required:
        schema["required"] = list(found.required)
    return schema


def _paths(info: ResourceInfo, schema: str) -> dict[str, Any]:
    group, version, plural = info.resource
    mark = {"group": group, "version": version, "kind": info.kind}
    base = f"/{_place(group, version)}/" + ("namespaces/{namespace}/" if info.namespaced else "")
    answer = {"$ref": f"#/components/schemas/{schema}"}
    responses = {"200": {"description": "OK", "content": {"application/json": {"schema": answer}}}}
    actions = {"get": "get", "put": "put", "patch": "patch", "delete": "delete"}
    one = {
        method: {
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": mark,
            "parameters": _WRITE_PARAMETERS if method in ("put", "patch") else [],
            "responses": responses,
        }
        for method, action in actions.items()
    }
    collection = {
        method: {
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": mark,
            "parameters": _WRITE_PARAMETERS if method == "post" else [],
            "responses": responses,
        }
        for method, action in (("get", "list"), ("post", "post"))
    }
    return {f"{base}{plural}": collection, f"{base}{plural}/{{name}}": one}
