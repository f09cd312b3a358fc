"""A structural schema as a tree that can be asked about values."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Final

from oneco.kube import causes, schema_checks
from oneco.kube.errors import Cause
from oneco.kube.objects import Json

MISSING: Final = object()
"""Stands where there is no earlier value."""

_TYPES: Final[dict[str, type[Any] | tuple[type[Any], ...]]] = {
    "object": Mapping,
    "array": list,
    "string": str,
    "boolean": bool,
    "number": (int, float),
    "integer": (int, float),
}


@dataclasses.dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Node:
    """The schema of one place in an object."""

    type: str = ""
    format: str = ""
    is_nullable: bool = False
    is_int_or_string: bool = False
    is_embedded: bool = False
    keeps_unknown: bool = False
    properties: Mapping[str, Node] = dataclasses.field(default_factory=dict)
    additional: Node | None = None
    items: Node | None = None
    required: tuple[str, ...] = ()
    default: Json = MISSING
    list_type: str = ""
    list_keys: tuple[str, ...] = ()
    is_atomic: bool = False
    """Whether managers own a map as a whole."""
    checks: tuple[schema_checks.Check, ...] = ()
    all_of: tuple[Node, ...] = ()
    any_of: tuple[Node, ...] = ()
    one_of: tuple[Node, ...] = ()
    negated: Node | None = None
    has_defaults: bool = False

    def child(self, key: str) -> Node | None:
        """The schema of the value at `key`, None where the schema says nothing about it."""
        found = self.properties.get(key)
        return self.additional if found is None else found

    def validate(self, value: Json, path: str, old: Json) -> list[Cause]:
        """What is wrong with `value`, which stands at `path` and was `old` before."""
        if old is not MISSING and (value is old or value == old):
            return []
        if value is None and self.is_nullable:
            return []
        found = self._validate_type(value, path)
        if self.all_of or self.any_of or self.one_of or self.negated is not None:
            found += self._validate_combined(value, path)
        if value is not None:
            for check in self.checks:
                found += check(value, path)
        if isinstance(value, Mapping):
            found += self._validate_object(value, path, old)
        elif isinstance(value, list) and self.items is not None:
            for index, item in enumerate(value):
                before = self._item_before(item, index, old)
                found += self.items.validate(item, f"{path}[{index}]", before)
        return found

    def _validate_type(self, value: Json, path: str) -> list[Cause]:
        if self.is_int_or_string:
            is_right = isinstance(value, int | str) and not isinstance(value, bool)
            return [] if is_right else schema_checks.wrong_type(value, path, "integer,string")
        if not self.type or _is_of(self.type, value):
            return []
        return schema_checks.wrong_type(value, path, self.type, self.format)

    def _validate_object(self, value: Mapping[str, Json], path: str, old: Json) -> list[Cause]:
        found = []
        for key in self._required_keys():
            if key not in value:
                found.append(causes.required(_join(path, key)))
        before = old if isinstance(old, Mapping) else {}
        properties, additional = self.properties, self.additional
        if not properties and additional is None:
            return found
        for key, part in value.items():
            node = properties.get(key, additional)
            if node is not None:
                found += node.validate(part, _join(path, key), before.get(key, MISSING))
        return found

    def _required_keys(self) -> Iterable[str]:
        return (*self.required, "apiVersion", "kind") if self.is_embedded else self.required

    def _item_before(self, item: Json, index: int, old: Json) -> Json:
        """The earlier value of an item; only items with keys can be told apart."""
        if self.list_type != "map" or not isinstance(old, list) or not isinstance(item, Mapping):
            return MISSING
        for earlier in old:
            if isinstance(earlier, Mapping) and all(
                earlier.get(key) == item.get(key) for key in self.list_keys
            ):
                return earlier
        return MISSING

    def _validate_combined(self, value: Json, path: str) -> list[Cause]:
        found = self._validate_all_of(value, path)
        if self.any_of:
            attempts = [node.validate(value, path, MISSING) for node in self.any_of]
            if all(attempts):
                words = f'"{path}" must validate at least one schema (anyOf)'
                found += [schema_checks.nowhere(words), *attempts[0]]
        if self.one_of:
            found += self._validate_one_of(value, path)
        if self.negated is not None and not self.negated.validate(value, path, MISSING):
            found.append(schema_checks.nowhere(f'"{path}" must not validate the schema (not)'))
        return found

    def _validate_all_of(self, value: Json, path: str) -> list[Cause]:
        attempts = [node.validate(value, path, MISSING) for node in self.all_of]
        failed = sum(1 for attempt in attempts if attempt)
        if not failed:
            return []
        suffix = ". None validated" if failed == len(attempts) else ""
        words = f'"{path}" must validate all the schemas (allOf){suffix}'
        return [*(cause for attempt in attempts for cause in attempt), schema_checks.nowhere(words)]

    def _validate_one_of(self, value: Json, path: str) -> list[Cause]:
        attempts = [node.validate(value, path, MISSING) for node in self.one_of]
        valid = sum(1 for attempt in attempts if not attempt)
        if valid == 1:
            return []
        seen = f"Found {valid} valid alternatives" if valid else "Found none valid"
        words = f'"{path}" must validate one and only one schema (oneOf). {seen}'
        return [schema_checks.nowhere(words), *([] if valid else attempts[0])]


def node_of(schema: Mapping[str, Any]) -> Node:
    """The tree of `schema` and of everything in it."""
    properties = {key: node_of(part) for key, part in (schema.get("properties") or {}).items()}
    additional = _nested(schema.get("additionalProperties"))
    items = _nested(schema.get("items"))
    below = [*properties.values(), *(one for one in (additional, items) if one is not None)]
    return Node(
        type=schema.get("type") or "",
        format=schema.get("format") or "",
        is_nullable=schema.get("nullable") is True,
        is_int_or_string=schema.get("x-kubernetes-int-or-string") is True,
        is_embedded=schema.get("x-kubernetes-embedded-resource") is True,
        keeps_unknown=schema.get("x-kubernetes-preserve-unknown-fields") is True,
        properties=properties,
        additional=additional,
        items=items,
        required=tuple(schema.get("required") or ()),
        default=schema.get("default", MISSING),
        list_type=schema.get("x-kubernetes-list-type") or "",
        list_keys=tuple(schema.get("x-kubernetes-list-map-keys") or ()),
        is_atomic=schema.get("x-kubernetes-map-type") == "atomic",
        checks=schema_checks.checks_of(dict(schema)),
        all_of=tuple(node_of(part) for part in schema.get("allOf") or ()),
        any_of=tuple(node_of(part) for part in schema.get("anyOf") or ()),
        one_of=tuple(node_of(part) for part in schema.get("oneOf") or ()),
        negated=_nested(schema.get("not")),
        has_defaults="default" in schema or any(node.has_defaults for node in below),
    )


def _nested(schema: Json) -> Node | None:
    if schema is True:
        return _ANYTHING
    return node_of(schema) if isinstance(schema, Mapping) else None


_ANYTHING: Final = Node(keeps_unknown=True)


def _is_of(name: str, value: Json) -> bool:
    if not isinstance(value, _TYPES.get(name, object)):
        return False
    if name == "integer" and not isinstance(value, bool):
        return schema_checks.type_name(value) == "integer"
    return not isinstance(value, bool) or name == "boolean"


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
