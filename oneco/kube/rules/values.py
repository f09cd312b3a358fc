"""JSON values as rules see them."""

from __future__ import annotations

import base64
import binascii
import datetime
import re
from collections.abc import Mapping
from typing import Any, Final

from google.protobuf import duration_pb2, timestamp_pb2

from oneco.kube.objects import Json
from oneco.kube.rules.fields import Schema, form_of, visible

_UNITS: Final = {
    "h": 3_600_000_000_000, "m": 60_000_000_000, "s": 1_000_000_000, "ms": 1_000_000, "us": 1000,
    "µs": 1000, "ns": 1,
}  # fmt: skip
_PART: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(h|ms|m|s|us|µs|ns)")


def seen(value: Json, schema: Schema) -> Any:
    """`value` as a rule on `schema` sees it; what does not fit is left as it is."""
    form = form_of(schema)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value, form)
    if isinstance(value, Mapping):
        return _map(value, schema, form)
    if isinstance(value, list):
        items = schema.get("items") or {}
        return [seen(item, items) for item in value]
    return float(value) if form == "number" else value


def _map(value: Mapping[str, Json], schema: Schema, form: str) -> Any:
    if form == "map":
        values = schema["additionalProperties"]
        return {key: seen(part, values) for key, part in value.items()}
    if form != "object":
        return value
    return {
        identifier: seen(value[name], part)
        for name, identifier, part in visible(schema)
        if name in value
    }


def _text(value: str, form: str) -> Any:
    if form == "timestamp":
        return _timestamp(value)
    if form == "duration":
        nanoseconds = duration_nanoseconds(value)
        if nanoseconds is None:
            return value
        made = duration_pb2.Duration()
        made.FromNanoseconds(nanoseconds)
        return made
    if form == "byte":
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error:
            return value
    return value


def _timestamp(value: str) -> Any:
    try:
        instant = datetime.datetime.fromisoformat(value)
    except ValueError:
        return value
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=datetime.UTC)
    made = timestamp_pb2.Timestamp()
    made.FromDatetime(instant)
    return made


def duration_nanoseconds(text: str) -> int | None:
    """The length that Go's notation for durations says; None if it is none."""
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if rest == "0":
        return 0
    if not rest or _PART.sub("", rest):
        return None
    parts = _PART.findall(rest)
    return sign * int(sum(float(number) * _UNITS[unit] for number, unit in parts))
