"""Leaving out of a body what its kind does not have: unknown fields, and nulls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from oneco.kube.objects import Json, Object
from oneco.kube.types import Type

_FREE: Final = ("any", "untyped")
_ZEROS: Final[Mapping[str, Json]] = {"str": "", "int": 0, "num": 0, "bool": False, "map": {}}


def cleaned(body: Object, kind: Type) -> tuple[Object, Sequence[str]]:
    """`body`, whose types are right, as the kind holds it, and the paths of what it lost.

    Parts that lose nothing are shared, and so is `body` itself.
    """
    lost: list[str] = []
    clean: Object = _map(body, kind, "", lost)
    return clean, lost


def _value(value: Json, kind: Type, path: str, lost: list[str]) -> Json:
    if kind.form == "map" and isinstance(value, Mapping):
        if kind.fields:
            return _map(value, kind, f"{path}.", lost)
        return _entries(value, kind.element, path, lost)
    if kind.form == "list" and isinstance(value, list) and kind.element is not None:
        return _list(value, kind.element, path, lost)
    return value


def _map(value: Mapping[str, Json], kind: Type, prefix: str, lost: list[str]) -> Any:
    changes: dict[str, Json] = {}
    fields, element = kind.fields, kind.element
    for key, part in value.items():
        child = fields.get(key) or element
        if child is None:
            if not kind.keeps_unknown:
                lost.append(prefix + key)
                changes[key] = None
            continue
        if part is None:
            changes[key] = None
        elif child.form in ("map", "list"):
            after = _value(part, child, prefix + key, lost)
            if after is not part:
                changes[key] = after
    if not changes:
        return value
    return {
        key: changes.get(key, part)
        for key, part in value.items()
        if key not in changes or changes[key] is not None
    }


def _entries(value: Mapping[str, Json], element: Type | None, path: str, lost: list[str]) -> Any:
    if element is None or element.form in _FREE:
        return value
    changes = {}
    for key, part in value.items():
        # A map keeps its keys: a null becomes the zero of its values.
        after = _ZEROS.get(element.form) if part is None else _value(part, element, path, lost)
        if after is not part:
            changes[key] = after
    return {**value, **changes} if changes else value


def _list(value: Sequence[Json], element: Type, path: str, lost: list[str]) -> Any:
    if element.form not in ("map", "list"):
        return value
    # A null in the place of a structure is one with nothing in it.
    empty: Json = {} if element.form == "map" and element.fields else None
    items = [
        _value(empty if part is None else part, element, f"{path}[{index}]", lost)
        for index, part in enumerate(value)
    ]
    is_same = all(after is part for after, part in zip(items, value, strict=True))
    return value if is_same else items
