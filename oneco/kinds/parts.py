"""How typed parts of objects are read from JSON and written back."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Any, TypeVar

import msgspec

from oneco.errors import Refused
from oneco.kube.objects import Json, dig

GROUP = "onepersoncompany.io"
VERSION = "v1alpha1"


class Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A typed, immutable part of an object; unknown fields are ignored when read."""


PartT = TypeVar("PartT", bound=Part)

_REMEMBERED = 50_000
_parsed: OrderedDict[tuple[int, type], tuple[Json, Any]] = OrderedDict()


def parse(kind: type[PartT], value: Json, where: str = "") -> PartT:
    """`value` as a `kind`; Refused names the path below `where` that does not fit.

    The answer is remembered by the identity of `value`: objects are never changed in place, so
    asking again for the same part of the same object costs nothing.
    """
    if value is None:
        return kind()
    key = (id(value), kind)
    found = _parsed.get(key)
    if found is not None:
        return found[1]  # type: ignore[no-any-return]
    try:
        part = msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        raise _refusal(str(error), value, where) from error
    # Holding `value` keeps its id from being given to another object.
    _parsed[key] = (value, part)
    if len(_parsed) > _REMEMBERED:
        _parsed.popitem(last=False)
    return part


def build(part: Part) -> dict[str, Any]:
    """`part` as JSON, without the fields that hold their default."""
    # Through JSON: `to_builtins` leaves tuples, and no tuple equals the list that comes back.
    built = msgspec.json.decode(msgspec.json.encode(part))
    assert isinstance(built, dict)
    return built


_WORDS = {
    "int": "an integer",
    "float": "a number",
    "str": "a string",
    "bool": "true or false",
    "array": "a list",
    "object": "a map",
}
_step = re.compile(r"\.(\w+)|\[(\d+)\]")


def _refusal(message: str, value: Json, where: str) -> Refused:
    text, _, path = message.partition(" - at `$")
    path = path.rstrip("`")
    place = (where + path).lstrip(".") or "the object"
    expected, _, got = text.partition(", got ")
    if not got:
        return Refused(f"{place}: {text}")
    kinds = expected.removeprefix("Expected ").strip("`").split(" | ")
    wanted = " or ".join(_WORDS.get(kind, kind) for kind in kinds if kind != "null")
    return Refused(place, found=_found(value, path), wanted=wanted)


def _found(value: Json, path: str) -> Json:
    steps = [name or int(index) for name, index in _step.findall(path)]
    found = dig(value, *steps)
    return "null" if found is None else found
