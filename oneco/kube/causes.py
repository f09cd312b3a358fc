"""One field's mistake in the words of a Kubernetes API server."""

from __future__ import annotations

import json
from collections.abc import Sequence

import msgspec

from oneco.kube.errors import Cause, Invalid
from oneco.kube.objects import Json
from oneco.kube.refs import Kind


def invalid(field: str, value: Json, detail: str) -> Cause:
    """The value is of the right type and wrong."""
    words = f"Invalid value: {shown(value)}"
    return Cause(field, f"{words}: {detail}" if detail else words)


def type_invalid(field: str, value: Json, detail: str) -> Cause:
    """The value is of the wrong type."""
    return Cause(field, f"Invalid value: {shown(value)}: {detail}", "FieldValueTypeInvalid")


def required(field: str, detail: str = "") -> Cause:
    """The value is missing."""
    return Cause(field, f"Required value: {detail}" if detail else "Required value", _REQUIRED)


def unsupported(field: str, value: Json, choices: Sequence[str]) -> Cause:
    """The value is none of `choices`, which are shown in the order given."""
    wanted = ", ".join(shown(choice) for choice in choices)
    message = f"Unsupported value: {shown(value)}" + (
        f": supported values: {wanted}" if wanted else ""
    )
    return Cause(field, message, "FieldValueNotSupported")


def duplicate(field: str, value: Json) -> Cause:
    """The value stands there twice and may only once."""
    return Cause(field, f"Duplicate value: {shown(value)}", "FieldValueDuplicate")


def forbidden(field: str, detail: str) -> Cause:
    """The field may not be set here."""
    return Cause(field, f"Forbidden: {detail}", "FieldValueForbidden")


def not_found(field: str, value: Json) -> Cause:
    """The value names something that is not there."""
    return Cause(field, f"Not found: {shown(value)}", "FieldValueNotFound")


def too_long(field: str, limit: int) -> Cause:
    """The text is longer than `limit` bytes."""
    return Cause(field, f"Too long: may not be more than {limit} bytes", "FieldValueTooLong")


def too_many(field: str, found: int, limit: int) -> Cause:
    """There are more than `limit` items."""
    items = "item" if limit == 1 else "items"
    return Cause(
        field, f"Too many: {found}: must have at most {limit} {items}", "FieldValueTooMany"
    )


def refusal(kind: Kind, name: str, causes: Sequence[Cause]) -> Invalid:
    """The one error that carries `causes`; equal lines are said once."""
    lines = list(dict.fromkeys(f"{cause.field}: {cause.message}" for cause in causes))
    said = lines[0] if len(lines) == 1 else f"[{', '.join(lines)}]"
    about = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    details = {"name": name, "group": kind.group, "kind": kind.kind}
    return Invalid(
        f'{about} "{name}" is invalid: {said}',
        causes=tuple(dict.fromkeys(causes)),
        details={key: value for key, value in details.items() if value},
    )


def shown(value: Json) -> str:
    """`value` as a person finds it again in the file: text quoted, the rest as JSON."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return msgspec.json.encode(value).decode().translate(_ESCAPED)


_ESCAPED = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&"}
"""As Go writes JSON."""
_REQUIRED = "FieldValueRequired"


def text(found: Sequence[Cause]) -> str:
    """All of it in one line: each field with what is wrong with it."""
    return "; ".join(f"{one.field}: {one.message}" if one.field else one.message for one in found)
