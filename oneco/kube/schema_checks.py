"""Checks of one value against the keywords of its JSON schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from oneco.kube import causes, schema_formats
from oneco.kube.errors import Cause
from oneco.kube.objects import Json

Check = Callable[[Json, str], list[Cause]]
"""What is wrong with a value that stands at a path."""

_INTEGERS: Final = {"int32": 2**31, "int64": 2**63}
_NUMBERS: Final = (int, float)


def checks_of(schema: dict[str, Any]) -> tuple[Check, ...]:
    """The checks that the keywords of `schema` ask for, apart from types and structure."""
    made = [make(schema) for keyword, make in _MAKERS.items() if keyword in schema]
    on_text = [make(schema) for keyword, make in _TEXT_MAKERS.items() if keyword in schema]
    return (_first_of(on_text), *made) if on_text else tuple(made)


def type_name(value: Json) -> str:
    """The JSON type of `value` as an API server says it."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "integer" if value == int(value) and abs(value) < 2**63 else "number"
    return "array" if isinstance(value, Sequence) else "object"


def wrong_type(value: Json, path: str, wanted: str, format_name: str = "") -> list[Cause]:
    """The causes that say that `value` is not of type `wanted`."""
    found = type_name(value)
    if wanted == "integer" and found == "number":
        shown = "float64" if format_name else found
        words = f'{path} in body must be of type {format_name or wanted}: "{shown}"'
        return [causes.type_invalid(path, shown, words), _out_of_format(path, format_name)]
    if wanted == "integer" and found in ("boolean", "object") and format_name:
        return [causes.type_invalid(path, "", f'{path} in body must be of type {format_name}: ""')]
    words = f'{path} in body must be of type {wanted}: "{found}"'
    return [causes.type_invalid(path, found, words)]


def nowhere(words: str) -> Cause:
    """A mistake that the API server reports without a field."""
    return causes.invalid("<nil>", "", words)


def compile_pattern(pattern: str) -> re.Pattern[str] | None:
    """`pattern` with the meaning it has in Go; None where Python cannot say it."""
    try:
        return re.compile(_end_only_at_the_end(pattern), re.ASCII)
    except re.error:
        return None


def _end_only_at_the_end(pattern: str) -> str:
    """`$` also matches before a final line break in Python, and only at the end in Go."""
    parts, in_class, escaped = [], False, False
    for letter in pattern:
        if escaped:
            parts.append("Z" if letter == "z" and not in_class else letter)
            escaped = False
            continue
        escaped = letter == "\\"
        if letter == "[":
            in_class = True
        elif letter == "]":
            in_class = False
        parts.append(r"\Z" if letter == "$" and not in_class else letter)
    return "".join(parts)


def _first_of(checks: Sequence[Check]) -> Check:
    """The checks of a text end with the first mistake."""

    def check(value: Json, path: str) -> list[Cause]:
        for one in checks:
            found = one(value, path)
            if found:
                return found
        return []

    return check


def _out_of_format(path: str, format_name: str) -> Cause:
    shown = f"with format {format_name}" if format_name else "(default format)"
    return nowhere(f"Checked value must be of type integer {shown} in {path}")


def _min_length(schema: dict[str, Any]) -> Check:
    limit = schema["minLength"]

    def check(value: Json, path: str) -> list[Cause]:
        if not isinstance(value, str) or len(value) >= limit:
            return []
        words = f"{path} in body should be at least {limit} chars long"
        return [causes.invalid(path, value, words)]

    return check


def _max_length(schema: dict[str, Any]) -> Check:
    limit = schema["maxLength"]

    def check(value: Json, path: str) -> list[Cause]:
        if not isinstance(value, str) or len(value) <= limit:
            return []
        return [causes.too_long(path, limit)]

    return check


def _pattern(schema: dict[str, Any]) -> Check:
    pattern = schema["pattern"]
    compiled = compile_pattern(pattern)

    def check(value: Json, path: str) -> list[Cause]:
        if compiled is None or not isinstance(value, str) or compiled.search(value):
            return []
        return [causes.invalid(path, value, f"{path} in body should match '{pattern}'")]

    return check


def _format(schema: dict[str, Any]) -> Check:
    name = schema["format"]
    limit = _INTEGERS.get(name, 0)

    def check_integer(value: Json, path: str) -> list[Cause]:
        # What is no integer is said by the check of types.
        if type_name(value) != "integer":
            return []
        return [] if -limit <= value < limit else [_out_of_format(path, name)]

    def check_text(value: Json, path: str) -> list[Cause]:
        if not isinstance(value, str) or schema_formats.is_valid(name, value):
            return []
        words = f"{path} in body must be of type {name}: {causes.shown(value)}"
        return [causes.type_invalid(path, value, words)]

    return check_integer if limit else check_text


def _minimum(schema: dict[str, Any]) -> Check:
    limit, exclusive = schema["minimum"], schema.get("exclusiveMinimum") is True
    relation = "greater than" if exclusive else "greater than or equal to"

    def check(value: Json, path: str) -> list[Cause]:
        if not _is_number(value) or value > limit or (value == limit and not exclusive):
            return []
        words = f"{path} in body should be {relation} {causes.shown(limit)}"
        return [causes.invalid(path, value, words)]

    return check


def _maximum(schema: dict[str, Any]) -> Check:
    limit, exclusive = schema["maximum"], schema.get("exclusiveMaximum") is True
    relation = "less than" if exclusive else "less than or equal to"

    def check(value: Json, path: str) -> list[Cause]:
        if not _is_number(value) or value < limit or (value == limit and not exclusive):
            return []
        words = f"{path} in body should be {relation} {causes.shown(limit)}"
        return [causes.invalid(path, value, words)]

    return check


def _multiple_of(schema: dict[str, Any]) -> Check:
    factor = schema["multipleOf"]

    def check(value: Json, path: str) -> list[Cause]:
        if not _is_number(value):
            return []
        if isinstance(value, int) and not int(factor):
            # The server cuts the factor to a whole number for whole values.
            words = f"factor MultipleOf declared for {path} must be positive: 0"
            return [causes.invalid(path, 0, words)]
        times = value / factor
        if abs(times - round(times)) < 1e-9:
            return []
        words = f"{path} in body should be a multiple of {causes.shown(factor)}"
        return [causes.invalid(path, value, words)]

    return check


def _sized(keyword: str, kind: type[Any], words: str) -> Callable[[dict[str, Any]], Check]:
    """A maker of checks that hold the number of items or properties to a limit."""
    is_minimum = keyword.startswith("min")

    def make(schema: dict[str, Any]) -> Check:
        limit = schema[keyword]

        def check(value: Json, path: str) -> list[Cause]:
            if not isinstance(value, kind):
                return []
            size = len(value)
            if is_minimum and size < limit:
                detail = f"{path} in body should have at least {limit} {words}"
                return [causes.invalid(path, size, detail)]
            return [causes.too_many(path, size, limit)] if not is_minimum and size > limit else []

        return check

    return make


def _enum(schema: dict[str, Any]) -> Check:
    choices = schema["enum"]

    def check(value: Json, path: str) -> list[Cause]:
        # Python takes True for 1.
        if any(value == choice and type_name(value) == type_name(choice) for choice in choices):
            return []
        texts = [choice if isinstance(choice, str) else causes.shown(choice) for choice in choices]
        return [causes.unsupported(path, value, texts)]

    return check


def _unique_items(schema: dict[str, Any]) -> Check:
    def check(value: Json, path: str) -> list[Cause]:
        if schema["uniqueItems"] is not True or not isinstance(value, list):
            return []
        if len({causes.shown(item) for item in value}) == len(value):
            return []
        return [causes.invalid(path, value, f"{path} in body shouldn't contain duplicates")]

    return check


def _is_number(value: Json) -> bool:
    return isinstance(value, _NUMBERS) and not isinstance(value, bool)


_TEXT_MAKERS: Final[dict[str, Callable[[dict[str, Any]], Check]]] = {
    "maxLength": _max_length,
    "minLength": _min_length,
    "pattern": _pattern,
}
_MAKERS: Final[dict[str, Callable[[dict[str, Any]], Check]]] = {
    "format": _format,
    "minimum": _minimum,
    "maximum": _maximum,
    "multipleOf": _multiple_of,
    "minItems": _sized("minItems", list, "items"),
    "maxItems": _sized("maxItems", list, "items"),
    "uniqueItems": _unique_items,
    "minProperties": _sized("minProperties", dict, "properties"),
    "maxProperties": _sized("maxProperties", dict, "properties"),
    "enum": _enum,
}
