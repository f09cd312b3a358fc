"""Reading a built-in kind's JSON as a kube-apiserver's structures would hold it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from oneco.kube.objects import Json, Object
from oneco.kube.types import Type


class Mistyped(Exception):
    """A value cannot be read into the field it stands at."""


class Reading:
    """One body being read; `unknown` collects the paths of fields that nobody knows."""

    __slots__ = ("unknown",)

    def __init__(self) -> None:
        self.unknown: list[str] = []

    def object(self, body: Object, kind: Type, known: Object | None = None) -> Object:
        """`body` without unknown fields and nulls; Mistyped if a value does not fit its field.

        Parts that `body` shares with `known` were read before and are kept as they are.
        """
        changes: dict[str, Json] = {}
        for key, part in body.items():
            if known is not None and known.get(key) is part:
                continue
            child = kind.fields.get(key)
            if child is None:
                self.unknown.append(key)
                changes[key] = None
                continue
            after = self._value(part, child, key, kind)
            if after is not part or part is None:
                changes[key] = after
        read: Object = _changed(body, changes)
        return read

    def _value(self, value: Json, kind: Type, path: str, owner: Type) -> Json:
        """`value` as a field of `owner` holds it; None is read as absent."""
        form = kind.form
        if value is None or form in ("any", "untyped"):
            return value
        if form == "map":
            return self._map(value, kind, path, owner)
        if form == "list":
            return self._list(value, kind, path, owner)
        if not isinstance(value, _ACCEPTED[form]) or (
            isinstance(value, bool) and form not in ("bool",)
        ):
            _refuse(value, kind, path, owner)
        return value

    def _map(self, value: Json, kind: Type, path: str, owner: Type) -> Json:
        if not isinstance(value, Mapping):
            _refuse(value, kind, path, owner)
        if not kind.fields:
            return self._entries(value, kind, path, owner)
        changes: dict[str, Json] = {}
        for key, part in value.items():
            child = kind.child(key)
            if child is None:
                if kind.keeps_unknown:
                    continue
                self.unknown.append(f"{path}.{key}")
                changes[key] = None
                continue
            after = self._value(part, child, f"{path}.{key}", kind)
            if after is not part or part is None:
                changes[key] = after
        return _changed(value, changes)

    def _entries(self, value: Any, kind: Type, path: str, owner: Type) -> Json:
        element = kind.element
        if element is None or element.form in ("any", "untyped"):
            return value
        changes = {}
        for key, part in value.items():
            # A map keeps its keys: a null becomes the zero of its values.
            after = self._value(part, element, path, owner)
            if after is None:
                after = _ZEROS.get(element.form)
            if after is not part:
                changes[key] = after
        return {**value, **changes} if changes else value

    def _list(self, value: Json, kind: Type, path: str, owner: Type) -> Json:
        if not isinstance(value, list | tuple):
            _refuse(value, kind, path, owner)
        element = kind.element
        if element is None:
            return value
        items, is_changed = [], False
        for index, part in enumerate(value):
            after = self._value(part, element, f"{path}[{index}]", owner)
            is_changed = is_changed or after is not part
            items.append(after)
        return items if is_changed else value


def _changed(value: Any, changes: Mapping[str, Json]) -> Any:
    if not changes:
        return value
    merged = {**value, **changes}
    return {key: part for key, part in merged.items() if part is not None or key not in changes}


def _refuse(value: Json, kind: Type, path: str, owner: Type) -> NoReturn:
    found = next(word for form, word in _FOUND if isinstance(value, form))
    struct = owner.name.rpartition(".")[2] or "Object"
    plain = "".join(part.partition("]")[2] if "]" in part else part for part in path.split("["))
    raise Mistyped(
        f"json: cannot unmarshal {found} into Go struct field {struct}.{plain} of type "
        f"{_go_type(kind)}"
    )


def _go_type(kind: Type) -> str:
    if kind.form == "list":
        return f"[]{_go_type(kind.element)}" if kind.element else "[]interface {}"
    if kind.form == "map":
        if kind.name:
            version, _, struct = kind.name.rpartition(".")
            return f"{version.rpartition('.')[2]}.{struct}"
        return f"map[string]{_go_type(kind.element)}" if kind.element else "map[string]interface {}"
    if kind.form == "int":
        return kind.format or "int32"
    return _GO_TYPES.get(kind.form, "string")


_ACCEPTED: Final[Mapping[str, Any]] = {
    "str": str,
    "int": int,
    "num": (int, float),
    "bool": bool,
    "quantity": (str, int, float),
    "int-or-string": (str, int),
}
_ZEROS: Final[Mapping[str, Json]] = {"str": "", "int": 0, "num": 0, "bool": False, "map": {}}
_GO_TYPES: Final = {"str": "string", "bool": "bool", "num": "float64"}
_FOUND: Final = (
    (bool, "bool"),
    (str, "string"),
    ((int, float), "number"),
    ((list, tuple), "array"),
    (object, "object"),
)
