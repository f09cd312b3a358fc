"""Values drawn from a structural schema: mostly right, at times wrong in every way there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

TEXTS = st.sampled_from(
    ["a", "b", "x-y", "", "1", "10m", "5s", "2020-01-01T00:00:00Z", "1.1.1.1", "50%"]
)
NUMBERS = st.sampled_from([0, 1, 2, -1, 7, 100, 1.5, 70000])
STRANGE: Any = st.sampled_from([None, 1, "x", True, [], {}, ["x"], {"x": "y"}, [None], 1.5])
DEEPEST = 7
_MOST_FIELDS = 4


@st.composite
def objects_of(draw: Any, schema: Mapping[str, Any], *, rough: int = 12) -> Any:
    """A value of `schema`; about one in `rough` places is null, unknown or of another type."""
    return _value(draw, schema, rough if draw(st.booleans()) else 0, 0)


def _value(draw: Any, schema: Mapping[str, Any], rough: int, depth: int) -> Any:
    if rough and draw(st.integers(0, rough)) == 0:
        return draw(STRANGE)
    if schema.get("enum"):
        return draw(st.sampled_from(schema["enum"]))
    if schema.get("x-kubernetes-int-or-string"):
        return draw(st.one_of(NUMBERS, TEXTS))
    kind = schema.get("type")
    if kind == "object":
        return _object(draw, schema, rough, depth)
    if kind == "array":
        return _array(draw, schema, rough, depth)
    if kind == "string":
        return draw(TEXTS)
    if kind in ("integer", "number"):
        return draw(NUMBERS if kind == "number" or rough else NUMBERS.map(int))
    return draw(st.booleans()) if kind == "boolean" else draw(STRANGE)


def _object(draw: Any, schema: Mapping[str, Any], rough: int, depth: int) -> Any:
    properties, values = schema.get("properties") or {}, schema.get("additionalProperties")
    found = {}
    if properties and depth < DEEPEST:
        names = list(properties)
        chosen = draw(st.lists(st.sampled_from(names), max_size=_MOST_FIELDS, unique=True))
        required = [] if rough and draw(st.integers(0, 5)) == 0 else schema.get("required") or []
        for name in dict.fromkeys([*required, *chosen]):
            if name in properties:
                found[name] = _value(draw, properties[name], rough, depth + 1)
    if isinstance(values, Mapping):
        for name in draw(st.lists(st.sampled_from(["a", "b", "c.d/e"]), max_size=2, unique=True)):
            found[name] = _value(draw, values, rough, depth + 1)
    if rough and draw(st.integers(0, 3)) == 0:
        found["unknown"] = draw(st.sampled_from([1, {"x": None}, [{"y": 1}], None]))
    return found


def _array(draw: Any, schema: Mapping[str, Any], rough: int, depth: int) -> Any:
    if depth >= DEEPEST:
        return []
    items = schema.get("items") or {}
    return [_value(draw, items, rough, depth + 1) for _ in range(draw(st.integers(0, 2)))]
