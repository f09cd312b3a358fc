"""Whether an applied body fits its type: the first place that does not, in the server's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oneco.kube.fieldsets import Malformed, item_key, shown
from oneco.kube.objects import Json
from oneco.kube.types import ANY, Type

_WANTED: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "str": (str, "string"),
    "int": ((int, float), "numeric (int or float)"),
    "num": ((int, float), "numeric (int or float)"),
    "bool": (bool, "boolean"),
}


def check(value: Json, kind: Type) -> None:
    """Malformed unless `value` is of `kind` through and through; a null is of any."""
    if value is None:
        return
    if kind.form == "map":
        if not isinstance(value, dict):
            raise Malformed(f"expected map, got &{{{printed(value)}}}")
        _check_map(value, kind)
    elif kind.form == "list":
        if not isinstance(value, list):
            raise Malformed(f"expected list, got &{{{printed(value)}}}")
        _check_list(value, kind)
    elif kind.form in _WANTED:
        wanted, name = _WANTED[kind.form]
        if not isinstance(value, wanted) or (isinstance(value, bool) and kind.form != "bool"):
            raise Malformed(f"expected {name}, got &{{{printed(value)}}}")


def _check_map(value: Mapping[str, Json], kind: Type) -> None:
    if not kind.fields and kind.element in (None, ANY):
        return
    for key, part in value.items():
        child = kind.child(key)
        try:
            if child is None:
                raise Malformed("field not declared in schema")
            check(part, child)
        except Malformed as error:
            raise error.under("f:" + key) from None


def _check_list(value: Sequence[Json], kind: Type) -> None:
    element = kind.element
    if element is None:
        return
    seen: set[str] = set()
    for position, item in enumerate(value):
        key = f"i:{position}" if kind.atomic else _key(item, kind, position)
        if key in seen:
            raise Malformed(f"duplicate entries for key {shown(key)}")
        seen.add(key)
        try:
            check(item, element)
        except Malformed as error:
            raise error.under(key) from None


def _key(item: Json, kind: Type, position: int) -> str:
    try:
        return item_key(item, kind)
    except Malformed as error:
        error.message = f"element {position}: {error.message}"
        raise


def printed(value: Json) -> str:
    """`value` as Go prints it."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{printed(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(printed, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return "<nil>" if value is None else str(value)
