"""What a custom object must have where its scale is read: whole numbers, none below zero."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from oneco.kube import causes, typed
from oneco.kube.errors import Cause
from oneco.kube.objects import Json, Object
from oneco.worlds.apiserver.customs import Scale

_LARGEST: Final = 2**31 - 1
_GO_TYPES: Final = {
    dict: "map[string]interface {}", list: "[]interface {}", str: "string", bool: "bool",
    int: "int64", float: "float64",
}  # fmt: skip


class _Elsewhere(Exception):
    """There is something else at the path."""


def faults(scale: Scale, obj: Object, *, is_status: bool = False) -> list[Cause]:
    """What is wrong at the paths of `scale` in `obj`; `is_status` leaves out what is desired."""
    found: list[Cause] = []
    paths = (scale.status_replicas,) if is_status else (scale.spec_replicas, scale.status_replicas)
    for path in paths:
        field = f".{'.'.join(path)}"
        try:
            number = _read(obj, path, int, "int64")
        except _Elsewhere as fault:
            found.append(causes.invalid(field, 0, str(fault)))
            continue
        if number is not None and number < 0:
            found.append(causes.invalid(field, number, "should be a non-negative integer"))
        elif number is not None and number > _LARGEST:
            words = f"should be less than or equal to {_LARGEST}"
            found.append(causes.invalid(field, number, words))
    if scale.selector:
        try:
            _read(obj, scale.selector, str, "string")
        except _Elsewhere as fault:
            found.append(causes.invalid(f".{'.'.join(scale.selector)}", "", str(fault)))
    return found


def _read(obj: Object, path: tuple[str, ...], kind: type, name: str) -> Any:
    value: Json = obj
    for number, step in enumerate(path):
        if not isinstance(value, Mapping):
            raise _elsewhere(path[: number + 1], value, "map[string]interface{}")
        if step not in value:
            return None
        value = value[step]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise _elsewhere(path, value, name)
    return value


def _elsewhere(path: tuple[str, ...], value: Json, wanted: str) -> _Elsewhere:
    go_type = _GO_TYPES.get(type(value), "<nil>")
    shown = f"{typed.printed(value)} is of the type {go_type}"
    return _Elsewhere(f".{'.'.join(path)} accessor error: {shown}, expected {wanted}")
