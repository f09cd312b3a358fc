"""How two objects differ, field by field, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from oneco.kube import objects, secrecy
from oneco.kube.objects import Json, Object

_SERVERS_OWN: Final = (
    ("status",),
    ("metadata", "managedFields"),
    ("metadata", "resourceVersion"),
    ("metadata", "generation"),
    ("metadata", "uid"),
    ("metadata", "creationTimestamp"),
    ("metadata", "selfLink"),
)
_KEYS: Final = ("name", "containerPort", "port", "mountPath", "key", "type", "ip", "topologyKey")


class Field(NamedTuple):
    """One difference; `old` or `new` is None where the field is not there."""

    path: str
    old: Json
    new: Json


def differences(old: Object | None, new: Object | None) -> tuple[Field, ...]:
    """The fields in which two objects differ, without those that a server sets itself.

    What a Secret holds is not shown, only that it differs.
    """
    left, right = secrecy.hidden(plain(old or {})), secrecy.hidden(plain(new or {}))
    return tuple(_masked(field) for field in _compare(left, right, ""))


def _masked(field: Field) -> Field:
    before, after = secrecy.MASK, secrecy.MASK
    if field.old is not None and field.new is not None:
        before, after = f"{before} (before)", f"{after} (after)"
    return Field(field.path, secrecy.shown(field.old, before), secrecy.shown(field.new, after))


def plain(obj: Object) -> Object:
    """`obj` without what only its server says."""
    for path in _SERVERS_OWN:
        obj = objects.drop(obj, path)
    return obj


def _compare(old: Json, new: Json, path: str) -> Iterator[Field]:
    if old is new or old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys((*old, *new)):
            yield from _compare(old.get(key), new.get(key), _under(path, str(key)))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _lists(old, new, path)
    else:
        yield Field(path, old, new)


def _lists(old: Sequence[Json], new: Sequence[Json], path: str) -> Iterator[Field]:
    key = _key_of((*old, *new))
    if key:
        before = {one[key]: one for one in old}
        after = {one[key]: one for one in new}
        if len(before) == len(old) and len(after) == len(new):
            for name in dict.fromkeys((*before, *after)):
                place = f"{path}[{name}]"
                yield from _compare(before.get(name), after.get(name), place)
            return
    if len(old) == len(new) and any(isinstance(one, Mapping) for one in old):
        for index, (left, right) in enumerate(zip(old, new, strict=True)):
            yield from _compare(left, right, f"{path}[{index}]")
        return
    yield Field(path, old, new)


def _key_of(items: Sequence[Any]) -> str:
    """The field that tells these items apart."""
    for key in _KEYS:
        if items and all(isinstance(one, Mapping) and one.get(key) is not None for one in items):
            return key
    return ""


def _under(path: str, key: str) -> str:
    if not path:
        return key
    return f'{path}["{key}"]' if "." in key or "/" in key else f"{path}.{key}"
