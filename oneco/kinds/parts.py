"""How typed parts of objects are read from JSON and written back."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

from oneco.errors import Refused
from oneco.kube.objects import Json, dig
from oneco.kube.remembered import Remembered

GROUP = "onepersoncompany.io"
VERSION = "v1alpha1"


class Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A typed, immutable part of an object; unknown fields are ignored when read."""


PartT = TypeVar("PartT", bound=Part)

_parsed: Remembered[Any] = Remembered(50_000)


def parse(kind: type[PartT], value: Json, where: str = "") -> PartT:
    """`value` as a `kind`; Refused names the path below `where` that does not fit.

    The answer is remembered by the identity of `value`: objects are never changed in place, so
    asking again for the same part of the same object costs nothing.
    """
    if value is None:
        return kind()
    try:
        return _parsed.ask(_convert, kind, value)  # type: ignore[no-any-return]
    except msgspec.ValidationError as error:
        raise _refusal(str(error), value, where) from error


def _convert(kind: type[Part], value: Json) -> Part:
    return msgspec.convert(value, kind, strict=True)


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
