"""What a kind's JSON means: which lists are keyed, which values are atomic, what merges how.

Built-in kinds come from the generated table, custom ones from their CRD's schema; both become
the same `Type`, which every patch and merge in this room walks.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from oneco.generated import builtin
from oneco.kube.objects import Object
from oneco.kube.refs import Kind, Resource, ResourceInfo


class Type(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """The meaning of one place in an object.

    `form` is one of: map, list, str, int, num, bool, quantity, int-or-string, any (free-form; its
    maps merge key by key), untyped (free-form and atomic). Types refer to themselves through
    `fields`, so they are compared by identity.
    """

    form: str
    name: str = ""
    fields: dict[str, Type] = msgspec.field(default_factory=dict)
    element: Type | None = None
    """The type of a list's items, or of the values of a map's keys that are not in `fields`."""
    atomic: bool = False
    """Whether a map or list is owned and replaced as a whole."""
    list_type: str = ""
    """For a list: atomic, set or map."""
    list_map_keys: tuple[str, ...] = ()
    key_defaults: tuple[tuple[str, Any], ...] = ()
    """Of `list_map_keys`, those whose field has a default, with it."""
    merge_key: str = ""
    patch_strategies: tuple[str, ...] = ()
    """For strategic merge patch: merge, replace, retainKeys."""
    format: str = ""
    enum: tuple[Any, ...] = ()
    required: tuple[str, ...] = ()
    default: Any = msgspec.UNSET
    is_nullable: bool = False
    is_embedded: bool = False
    """Whether the value is a whole Kubernetes object."""
    keeps_unknown: bool = False
    """Whether keys that are not in `fields` are kept although no element type describes them."""
    always: frozenset[str] = frozenset()
    """Of `fields`, those that a built-in kind shows even when nobody set them: `{}` or null."""

    def child(self, key: str) -> Type | None:
        """The type of the value at `key`, None where nothing may stand there."""
        return self.fields.get(key) or self.element


ANY = Type(form="any")
"""A free-form value: its maps merge key by key, its lists are atomic."""
UNTYPED = Type(form="untyped", atomic=True)
"""A free-form value that is owned and replaced as a whole."""
msgspec.structs.force_setattr(ANY, "element", ANY)
_WORDS = {"any": ANY, "untyped": UNTYPED} | {
    word: Type(form=word) for word in ("str", "int", "num", "bool", "quantity", "int-or-string")
}


@functools.cache
def of(kind: Kind) -> Type | None:
    """The type of a built-in kind, None for any other."""
    name = builtin.KINDS.get(f"{kind.api_version}/{kind.kind}")
    return _named(name) if name else None


@functools.cache
def resources() -> tuple[ResourceInfo, ...]:
    """What a kube-apiserver serves by itself, as its discovery tells it."""
    return tuple(_resource(msgspec.json.decode(row)) for row in builtin.RESOURCES)


def object_meta() -> Type:
    """The type of every object's `metadata`."""
    return _named("apimachinery.pkg.apis.meta.v1.ObjectMeta")


def from_schema(openapi_schema: Object) -> Type:
    """The type that a CRD's `openAPIV3Schema` describes, with metadata typed as everywhere."""
    return _from_schema({**openapi_schema, "x-kubernetes-embedded-resource": True})


def _resource(row: list[Any]) -> ResourceInfo:
    group, version, plural, kind, singular, namespaced, *lists = row
    short_names, categories, subresources, verbs = map(tuple, lists)
    return ResourceInfo(
        Resource(group, version, plural), kind, namespaced, singular, short_names, categories,
        subresources, verbs,
    )  # fmt: skip


_named_types: dict[str, Type] = {}


def _named(name: str) -> Type:
    found = _named_types.get(name)
    if found is None:
        compact = msgspec.json.decode(builtin.TYPES[name])
        compact = {"form": compact} if isinstance(compact, str) else compact
        fields: dict[str, Type] = {}
        found = _named_types[name] = Type(
            name=name, fields=fields, always=_always(compact), **_attributes(compact)
        )
        # Filled after it is known, because types refer to themselves.
        fields.update((key, _read(part)) for key, part in compact.get("fields", {}).items())
    return found


def _read(compact: Any) -> Type:
    """The type of one field of the table."""
    if isinstance(compact, str):
        return _named(compact[1:]) if compact.startswith("#") else _WORDS[compact]
    if "ref" not in compact:
        fields = {key: _read(part) for key, part in compact.get("fields", {}).items()}
        return Type(fields=fields, always=_always(compact), **_attributes(compact))
    target = _named(compact["ref"])
    changes = {key: value for key, value in _attributes(compact).items() if key != "form" and value}
    # The default of a structure says only that it is always there: `always` of its parent.
    changes.pop("default", None)
    return msgspec.structs.replace(target, **changes) if changes else target


def _always(compact: Mapping[str, Any]) -> frozenset[str]:
    """Fields that Go's encoder cannot leave out: structures by value, required lists and maps."""
    fields, required = compact.get("fields", {}), compact.get("required", ())
    parts = {key: part for key, part in fields.items() if isinstance(part, dict)}
    structures = {key for key, part in parts.items() if part.get("default") == {} and "ref" in part}
    holders = {key for key, part in parts.items() if part.get("form") in ("list", "map")}
    return frozenset(structures | holders.intersection(required))


def _attributes(compact: Mapping[str, Any]) -> dict[str, Any]:
    strategies = tuple(filter(None, compact.get("strategy", "").split(",")))
    element = _read(compact["of"]) if "of" in compact else None
    attributes = {
        "form": compact.get("form", "map"),
        "element": element,
        "merge_key": compact.get("merge_key", ""),
        "patch_strategies": strategies,
        "format": compact.get("format", ""),
        "enum": tuple(compact.get("enum", ())),
        "required": tuple(compact.get("required", ())),
        "default": compact.get("default", msgspec.UNSET),
        "atomic": compact.get("map") == "atomic",
    }
    if attributes["form"] == "list":
        # Without a list type the patch strategy says whether items have an identity.
        merged = ("map" if compact.get("merge_key") else "set") if "merge" in strategies else ""
        list_type = compact.get("list") or merged or "atomic"
        keys = compact.get("keys") or ([compact["merge_key"]] if list_type == "map" else [])
        attributes |= _list_attributes(list_type, keys, element)
    return attributes


def _list_attributes(list_type: str, keys: list[str], element: Type | None) -> dict[str, Any]:
    fields = element.fields if element else {}
    defaults = {key: fields[key].default for key in keys if key in fields}
    defaults = {key: value for key, value in defaults.items() if value is not msgspec.UNSET}
    return {
        "list_type": list_type,
        "atomic": list_type == "atomic",
        "list_map_keys": tuple(sorted(keys)),
        "key_defaults": tuple(defaults.items()),
    }


_SCHEMA_FORMS = {"integer": "int", "string": "str", "boolean": "bool", "number": "num"}


def _from_schema(schema: Object) -> Type:
    kind = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        return Type(form="int-or-string", **_schema_attributes(schema))
    if kind == "array":
        element = _from_schema(schema.get("items") or {})
        keys = list(schema.get("x-kubernetes-list-map-keys") or ())
        list_type = schema.get("x-kubernetes-list-type") or "atomic"
        return Type(
            form="list", element=element, **_list_attributes(list_type, keys, element),
            **_schema_attributes(schema),
        )  # fmt: skip
    if kind in _SCHEMA_FORMS:
        return Type(form=_SCHEMA_FORMS[kind], **_schema_attributes(schema))
    return _map_from_schema(schema, _from_schema)


def _map_from_schema(schema: Object, read: Callable[[Object], Type]) -> Type:
    embedded = bool(schema.get("x-kubernetes-embedded-resource"))
    fields = {key: read(part) for key, part in (schema.get("properties") or {}).items()}
    if embedded:
        # Whatever the CRD says about these, the server's own types hold.
        fields |= {"apiVersion": _WORDS["str"], "kind": _WORDS["str"], "metadata": object_meta()}
    extra = schema.get("additionalProperties")
    keeps_unknown = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    free = keeps_unknown or extra is True or not (schema.get("properties") or extra)
    element = read(extra) if isinstance(extra, Mapping) else ANY if free else None
    return Type(
        form="any" if "type" not in schema and not fields else "map",
        fields=fields,
        element=element,
        atomic=schema.get("x-kubernetes-map-type") == "atomic",
        keeps_unknown=keeps_unknown,
        is_embedded=embedded,
        **_schema_attributes(schema),
    )


def _schema_attributes(schema: Object) -> dict[str, Any]:
    return {
        "format": schema.get("format") or "",
        "enum": tuple(schema.get("enum") or ()),
        "required": tuple(schema.get("required") or ()),
        "default": schema.get("default", msgspec.UNSET),
        "is_nullable": bool(schema.get("nullable")),
    }
