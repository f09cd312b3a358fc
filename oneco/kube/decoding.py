"""Whether an object can be read as its kind at all: types of fields, and fields nobody knows."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from oneco.kube import quantity, times, types
from oneco.kube.errors import BadRequest
from oneco.kube.objects import Json, Object
from oneco.kube.refs import kind_of
from oneco.kube.schema_checks import type_name

_QUANTITY_WORDS: Final = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)
_GO_NAMES: Final = {"str": "string", "bool": "bool", "num": "float64"}
_INTEGERS: Final = {"int32": 2**31, "int64": 2**63}


def check(obj: Object, kind: types.Type) -> None:
    """Raise BadRequest, as a decoder does, where a value is not of its field's type."""
    if is_clean(obj, kind):
        return
    fault = _fault(obj, kind, _Place("", "", "", "v1"))
    if fault:
        named = kind_of(obj)
        raise BadRequest(
            f'{named.kind} in version "{named.version}" cannot be handled as a '
            f"{named.kind}: {fault}"
        )


def unknown_fields(obj: Object, kind: types.Type) -> list[str]:
    """What strict decoding says of fields that `kind` does not have: `unknown field "spec.foo"`."""
    if is_clean(obj, kind):
        return []
    return [f'unknown field "{path}"' for path in _unknown(obj, kind, "")]


def is_clean(obj: Object, kind: types.Type) -> bool:
    """Whether every value is of its field's type and every field is known: both, in one pass."""
    return _acceptor(kind)(obj)


_Acceptor = Callable[[Json], bool]
_acceptors: dict[types.Type, _Acceptor] = {}


def _acceptor(kind: types.Type) -> _Acceptor:
    """A function that looks at values of `kind` as fast as Python can, and says only yes or no."""
    found = _acceptors.get(kind)
    if found is None:
        found = _acceptors[kind] = _make_acceptor(kind)
    return found


def _make_acceptor(kind: types.Type) -> _Acceptor:
    if kind.form == "map":
        return _map_acceptor(kind)
    if kind.form == "list":
        return _list_acceptor(kind)
    checker = _CHECKS.get(kind.form)
    if checker is None:
        return lambda value: True
    if kind.form == "str" and not kind.format:
        return lambda value: type(value) is str
    if kind.form == "bool":
        return lambda value: type(value) is bool
    nowhere = _Place("", "", "", "")
    return lambda value: not checker(value, kind, nowhere)


def _map_acceptor(kind: types.Type) -> _Acceptor:
    # Filled when first used, because types contain themselves.
    known: dict[str, _Acceptor] = {}
    fields, element, keeps_unknown = kind.fields, kind.element, kind.keeps_unknown

    def accepts(value: Json) -> bool:
        if not isinstance(value, Mapping):
            return False
        for key, part in value.items():
            inner = known.get(key)
            if inner is None:
                child = fields.get(key) or element
                if child is None:
                    if keeps_unknown:
                        continue
                    return False
                inner = _acceptor(child)
                if key in fields:
                    known[key] = inner
            if part is not None and not inner(part):
                return False
        return True

    return accepts


def _list_acceptor(kind: types.Type) -> _Acceptor:
    element = kind.element

    def accepts(value: Json) -> bool:
        if not isinstance(value, list):
            return False
        if element is None:
            return True
        inner = _acceptor(element)
        return all(item is None or inner(item) for item in value)

    return accepts


class _Place:
    """Where a value stands, in the words of a Go decoder: no indexes, the struct by its name."""

    def __init__(self, struct: str, path: str, key: str, version: str) -> None:
        self.struct, self.path, self.key, self.version = struct, path, key, version

    def field(self, struct: str, key: str) -> _Place:
        path = f"{self.path}.{key}" if self.path else key
        return _Place(struct, path, key, self.version)

    def __str__(self) -> str:
        return f"Go struct field {self.struct}.{self.path}"


def _fault(value: Json, kind: types.Type, place: _Place) -> str:
    if value is None:
        return ""
    checker = _CHECKS.get(kind.form)
    if checker is not None:
        return checker(value, kind, place)
    if kind.form == "map":
        return _map_fault(value, kind, place)
    if kind.form == "list":
        return _list_fault(value, kind, place)
    return ""


def _map_fault(value: Json, kind: types.Type, place: _Place) -> str:
    if not isinstance(value, Mapping):
        return _mismatch(value, kind, place)
    struct = kind.name.rpartition(".")[2]
    for key, part in value.items():
        child = kind.child(key)
        if child is None:
            continue
        inner = place.field(struct, key) if key in kind.fields else place
        fault = _fault(part, child, inner)
        if fault:
            return fault
    return ""


def _list_fault(value: Json, kind: types.Type, place: _Place) -> str:
    if not isinstance(value, list):
        return _mismatch(value, kind, place)
    if kind.element is None:
        return ""
    for item in value:
        fault = _fault(item, kind.element, place)
        if fault:
            return fault
    return ""


def _text_fault(value: Json, kind: types.Type, place: _Place) -> str:
    if not isinstance(value, str):
        return _mismatch(value, kind, place)
    if kind.format == "byte":
        return _base64_fault(value)
    if kind.format == "date-time":
        return _instant_fault(value, kind)
    return ""


def _number_fault(value: Json, kind: types.Type, place: _Place) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _mismatch(value, kind, place)
    limit = _INTEGERS.get(kind.format or "int32", 2**31)
    if isinstance(value, float) and not value.is_integer():
        return _mismatch(value, kind, place, shown=str(value))
    return "" if -limit <= value < limit else _mismatch(value, kind, place, shown=str(value))


def _float_fault(value: Json, kind: types.Type, place: _Place) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return "" if is_number else _mismatch(value, kind, place)


def _bool_fault(value: Json, kind: types.Type, place: _Place) -> str:
    return "" if isinstance(value, bool) else _mismatch(value, kind, place)


def _int_or_text_fault(value: Json, kind: types.Type, place: _Place) -> str:
    return "" if isinstance(value, str) else _number_fault(value, kind, place)


def _quantity_fault(value: Json, kind: types.Type, place: _Place) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return _QUANTITY_WORDS
    try:
        quantity.parse(value)
    except ValueError:
        return _QUANTITY_WORDS
    return ""


def _base64_fault(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        wrong = next((at for at, letter in enumerate(text) if letter not in _BASE64), len(text))
        return f"illegal base64 data at input byte {wrong}"
    return ""


def _instant_fault(text: str, kind: types.Type) -> str:
    try:
        times.from_text(text)
    except ValueError:
        layout = "2006-01-02T15:04:05Z07:00"
        return f'parsing time "{text}" as "{layout}": cannot parse "{text}" as "2006"'
    return ""


def _mismatch(value: Json, kind: types.Type, place: _Place, shown: str = "") -> str:
    found = {"integer": "number", "boolean": "bool"}.get(type_name(value), type_name(value))
    found = f"{found} {shown}" if shown else found
    return f"json: cannot unmarshal {found} into {place} of type {_go_type(kind, place)}"


def _go_type(kind: types.Type, place: _Place) -> str:
    if kind.form == "list":
        return f"[]{_go_type(kind.element or types.ANY, place)}"
    if kind.form == "map" and kind.element is not None and not kind.fields:
        return f"map[string]{_go_type(kind.element, place)}"
    if kind.form == "map":
        return f"{place.version}.{kind.name.rpartition('.')[2]}"
    if kind.form in ("int", "int-or-string"):
        return kind.format if kind.format in _INTEGERS else "int32"
    if kind.form == "str" and kind.format == "byte":
        return "[]uint8"
    return _GO_NAMES.get(kind.form, "interface {}")


def _unknown(value: Json, kind: types.Type, path: str) -> Iterator[str]:
    if isinstance(value, list) and kind.form == "list" and kind.element is not None:
        for index, item in enumerate(value):
            yield from _unknown(item, kind.element, f"{path}[{index}]")
    if not isinstance(value, Mapping) or kind.form != "map":
        return
    for key, part in value.items():
        child = kind.child(key)
        where = f"{path}.{key}" if path else key
        if child is not None:
            yield from _unknown(part, child, where)
        elif not kind.keeps_unknown:
            yield where


_BASE64: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
_CHECKS: Final = {
    "str": _text_fault,
    "int": _number_fault,
    "num": _float_fault,
    "bool": _bool_fault,
    "quantity": _quantity_fault,
    "int-or-string": _int_or_text_fault,
}
