"""Bodies that Go clients send as protobuf, read as the JSON that the same client could have sent.

Generated clients of built-in kinds send it and fall back to nothing else; answers are JSON, which
all of them read.
"""

from __future__ import annotations

import base64
import functools
import struct
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from oneco.clock import Instant
from oneco.generated import wire
from oneco.kube.errors import BadRequest, UnsupportedMediaType
from oneco.kube.objects import Json
from oneco.kube.refs import split_api_version
from oneco.kube.times import to_micro_text, to_text

CONTENT_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\0"
_DEEPEST = 40
_OPTIONS = "DeleteOptions"
_Raw = int | bytes


class _Field(NamedTuple):
    name: str
    type: str
    omits_zero: bool


def decode(body: bytes) -> Json:
    """The object in `body`; UnsupportedMediaType for a kind that is not built in."""
    if not body.startswith(_MAGIC):
        raise BadRequest("the body of the request is not Kubernetes protobuf")
    try:
        envelope = dict(_fields(body[len(_MAGIC) :]))
        kind = {number: _text(value) for number, value in _fields(_bytes(envelope[1]))}
        message = _message_name(kind.get(1, ""), kind.get(2, ""))
        found = _message(message, _bytes(envelope.get(2, b"")), 0)
    except (
        LookupError,
        ValueError,
        OSError,
        OverflowError,
        RecursionError,
        struct.error,
    ) as failure:
        # OSError and OverflowError are what a time far from any calendar gives.
        raise BadRequest(f"the body of the request is not valid protobuf: {failure}") from failure
    return {"apiVersion": kind.get(1, ""), "kind": kind.get(2, ""), **found}


def _message_name(api_version: str, kind: str) -> str:
    group, version = split_api_version(api_version)
    package = group.partition(".")[0] or "core"
    name = f"meta/v1.{kind}" if kind == _OPTIONS else f"{package}/{version}.{kind}"
    if name not in wire.MESSAGES:
        raise UnsupportedMediaType(
            f"{kind} of {api_version} is not read from protobuf - accepted media types include:"
            " application/json, application/yaml"
        )
    return name


@functools.cache
def _layout(name: str) -> dict[int, _Field]:
    rows = msgspec.json.decode(wire.MESSAGES[name])
    return {number: _Field(key, kind, bool(omits)) for number, key, kind, omits in rows}


def _message(name: str, data: bytes, depth: int) -> dict[str, Any]:
    if depth > _DEEPEST:
        raise ValueError("it is nested too deeply")
    layout = _layout(name)
    found: dict[str, Any] = {}
    for number, raw in _fields(data):
        field = layout.get(number)
        if field is None:
            # A newer client's field; JSON of that client would have it dropped as unknown.
            continue
        _place(found, field, raw, depth)
    return found


def _place(found: dict[str, Any], field: _Field, raw: _Raw, depth: int) -> None:
    if field.type.startswith("{}"):
        entry = dict(_fields(_bytes(raw)))
        value = entry.get(2, 0 if field.type[2:] in ("int", "bool") else b"")
        key = _text(entry.get(1, b""))
        found.setdefault(field.name, {})[key] = _value(field.type[2:], value, depth)
    elif field.type.startswith("[]"):
        found.setdefault(field.name, []).append(_value(field.type[2:], raw, depth))
    elif not field.name:
        found.update(_value(field.type, raw, depth))
    else:
        value = _value(field.type, raw, depth)
        # Go writes every field that is no pointer; its JSON leaves out those that are zero.
        is_zero = value in ("", 0, None) and not isinstance(value, dict)
        if value is not None and not (is_zero and field.omits_zero):
            found[field.name] = value


def _value(kind: str, raw: _Raw, depth: int) -> Any:
    if kind.startswith("#"):
        return _message(kind[1:], _bytes(raw), depth + 1)
    if kind.startswith("@"):
        items = (value for number, value in _fields(_bytes(raw)) if number == 1)
        return [_value(kind[1:], value, depth + 1) for value in items]
    return _SCALARS[kind](raw)


def _fields(data: bytes) -> Iterator[tuple[int, _Raw]]:
    """The numbers and raw values of one message, in order."""
    place, end = 0, len(data)
    while place < end:
        tag, place = _varint(data, place)
        number, form = tag >> 3, tag & 7
        if form == 0:
            value, place = _varint(data, place)
            yield number, value
            continue
        if form == 2:
            size, place = _varint(data, place)
        elif form in (1, 5):
            size = 8 if form == 1 else 4
        else:
            raise ValueError(f"field {number} has the unknown form {form}")
        if place + size > end:
            raise ValueError(f"field {number} is cut off")
        yield number, data[place : place + size]
        place += size


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 70:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
    raise ValueError("a number is too long")


def _bytes(raw: _Raw) -> bytes:
    if isinstance(raw, int):
        raise ValueError("found a number in place of a structure")
    return raw


def _text(raw: _Raw) -> str:
    return _bytes(raw).decode()


def _integer(raw: _Raw) -> int:
    if not isinstance(raw, int):
        raise ValueError("found a structure in place of a number")
    value = raw & (2**64 - 1)
    return value - 2**64 if value >= 2**63 else value


def _time(raw: _Raw) -> str | None:
    seconds = dict(_fields(_bytes(raw))).get(1)
    return None if seconds is None else to_text(Instant(_integer(seconds)))


def _micro_time(raw: _Raw) -> str | None:
    parts = dict(_fields(_bytes(raw)))
    if 1 not in parts:
        return None
    return to_micro_text(Instant(_integer(parts[1]) + _integer(parts.get(2, 0)) / 1e9))


def _int_or_string(raw: _Raw) -> int | str:
    parts = dict(_fields(_bytes(raw)))
    return _text(parts.get(3, b"")) if parts.get(1) else _integer(parts.get(2, 0))


def _embedded(raw: _Raw) -> Any:
    text = dict(_fields(_bytes(raw))).get(1, b"")
    return msgspec.json.decode(_bytes(text)) if text else None


def _quantity(raw: _Raw) -> str:
    return _text(dict(_fields(_bytes(raw))).get(1, b"0"))


def _double(raw: _Raw) -> float:
    return float(struct.unpack("<d", _bytes(raw))[0])


_SCALARS: dict[str, Callable[[_Raw], Any]] = {
    "str": _text,
    "int": _integer,
    "bool": lambda raw: _integer(raw) != 0,
    "bytes": lambda raw: base64.b64encode(_bytes(raw)).decode(),
    "double": _double,
    "time": _time,
    "micro-time": _micro_time,
    "int-or-string": _int_or_string,
    "raw": _embedded,
    "quantity": _quantity,
}
