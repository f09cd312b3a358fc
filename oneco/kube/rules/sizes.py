"""How large the values of a schema can be: what the cost of a rule is estimated from.

Where a schema sets no limit, the limit is what fits into a request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from oneco.kube.objects import Json
from oneco.kube.rules.fields import Schema, escaped, with_identity

LARGEST_REQUEST: Final = 3 * 1024 * 1024
_LONGEST_TEXT: Final = LARGEST_REQUEST - 2
_BYTES_OF_A_CHARACTER: Final = 4
# The least and the most bytes of the texts of a format.
_OF_FORMAT: Final = {"duration": (3, 32), "date": (12, 12), "date-time": (21, 32)}
_OF_TYPE: Final = {"boolean": 4, "number": 1, "integer": 1}


class Shape(NamedTuple):
    """What is known of the size of a value: its elements or letters, and its bytes as JSON."""

    most: int
    least_bytes: int
    fields: Mapping[str, Shape] = {}
    element: Shape | None = None
    is_map: bool = False

    @property
    def most_in_a_request(self) -> int:
        """How often such a value fits into a request."""
        return LARGEST_REQUEST // (self.least_bytes + 1)

    def below(self, step: str) -> Shape | None:
        """The shape of what `step` leads to; None if nothing is known of it."""
        if step in ("@items", "@values"):
            return self.element
        if step == "@keys":
            return _KEY if self.is_map else None
        return self.fields.get(step)


_KEY: Final = Shape(0, 2)


def shape_of(schema: Schema, *, is_root: bool = False) -> Shape | None:
    """The shape of the values of `schema`; None if rules cannot see them."""
    if schema.get("x-kubernetes-int-or-string"):
        return Shape(_longest(schema), 1)
    if is_root or schema.get("x-kubernetes-embedded-resource"):
        schema = with_identity(schema)
    kind = str(schema.get("type") or "")
    if kind == "array":
        return _of_list(schema)
    if kind == "object":
        values = schema.get("additionalProperties")
        return _of_map(schema, values) if isinstance(values, Mapping) else _of_object(schema)
    if kind == "string":
        return _of_text(schema)
    return Shape(0, _OF_TYPE[kind]) if kind in _OF_TYPE else None


def _of_list(schema: Schema) -> Shape | None:
    items = shape_of(schema["items"]) if schema.get("items") else None
    if items is None:
        return None
    most = _limit(schema, "maxItems", (LARGEST_REQUEST - 2) // (items.least_bytes + 1))
    return Shape(most, 2, element=items)


def _of_map(schema: Schema, values: Schema) -> Shape | None:
    inner = shape_of(values)
    if inner is None:
        return None
    # A key of two letters with its quotation marks, a colon and a comma.
    most = _limit(schema, "maxProperties", (LARGEST_REQUEST - 2) // (inner.least_bytes + 6))
    return Shape(most, 2, element=inner, is_map=True)


def _of_object(schema: Schema) -> Shape:
    required = schema.get("required") or ()
    fields, least = {}, 2
    for name, part in (schema.get("properties") or {}).items():
        inner, identifier = shape_of(part), escaped(name)
        if inner is None:
            continue
        if identifier is not None:
            fields[identifier] = inner
        if name in required and part.get("default") is None:
            least += len(name.encode()) + inner.least_bytes + 4
    return Shape(0, least, fields)


def _of_text(schema: Schema) -> Shape:
    kind = schema.get("format") or ""
    if kind == "byte":
        return Shape(_limit(schema, "maxLength", _LONGEST_TEXT), 2)
    if kind in _OF_FORMAT:
        least, most = _OF_FORMAT[kind]
        return Shape(most, least)
    choices = schema.get("enum")
    if choices and schema.get("maxLength") is None:
        return Shape(max(map(_length, choices)), 2)
    return Shape(_longest(schema), 2)


def _longest(schema: Schema) -> int:
    if schema.get("maxLength") is None:
        return _LONGEST_TEXT
    return _limit(schema, "maxLength", 0) * _BYTES_OF_A_CHARACTER


def _length(value: Json) -> int:
    return len(value.encode()) if isinstance(value, str) else 0


def _limit(schema: Schema, name: str, otherwise: int) -> int:
    given = schema.get(name)
    return otherwise if given is None else max(int(given), 0)
