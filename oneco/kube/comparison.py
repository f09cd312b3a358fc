"""Which fields differ between two objects of one type, as field sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from oneco.kube.fieldsets import LEAF, FieldSet, Malformed, everything, item_key
from oneco.kube.objects import Json
from oneco.kube.types import ANY, Type


class Comparison(NamedTuple):
    """What became different: fields set or added, and fields that are gone."""

    changed: FieldSet | None
    removed: FieldSet | None
    is_moved: bool = False
    """Whether items of a list changed places; nobody owns an order, so no field says it."""


_SAME = Comparison(None, None)
_CHANGED = Comparison(LEAF, None)


def compare(old: Json, new: Json, kind: Type) -> Comparison:
    """How `new` differs from `old`; parts that are the same object cost nothing."""
    if old is new:
        return _SAME
    if not kind.atomic and (old or new):
        if kind.form == "list":
            if _fit(old, new, list):
                return _lists(old or (), new or (), kind)
        elif (kind.fields or kind.element) and _fit(old, new, dict):
            return _maps(old or {}, new or {}, kind)
    return _SAME if same(old, new) else _CHANGED


def _fit(old: Json, new: Json, form: type) -> bool:
    """Whether both are of that form, or one of them and the other null."""
    if isinstance(new, form):
        return old is None or isinstance(old, form)
    return new is None and isinstance(old, form)


def same(old: Json, new: Json) -> bool:
    """Whether two values are the same JSON; Python's `True == 1` is not."""
    return bool(old == new) and (old is True or old is False) == (new is True or new is False)


def _maps(old: Mapping[str, Json], new: Mapping[str, Json], kind: Type) -> Comparison:
    changed: dict[str, Any] = {}
    removed: dict[str, Any] = {}
    is_moved = False
    fields, element, always = kind.fields, kind.element or ANY, kind.always
    shared = 0
    for key, part in new.items():
        if key in old:
            shared += 1
            before = old[key]
            if before is part:
                continue
        elif key in always and part is not None:
            before = type(part)()
        else:
            changed["f:" + key] = everything(part, fields.get(key) or element)
            continue
        seen = compare(before, part, fields.get(key) or element)
        if seen is not _SAME:
            _note("f:" + key, seen, changed, removed)
            is_moved = is_moved or seen.is_moved
    if shared < len(old):
        gones = (
            ("f:" + key, _gone(part, fields.get(key) or element, key in always))
            for key, part in old.items()
            if key not in new
        )
        removed |= {key: gone for key, gone in gones if gone is not None}
    return _comparison(changed, removed, is_moved)


def _note(element: str, seen: Comparison, changed: dict[str, Any], removed: dict[str, Any]) -> None:
    if seen.changed is not None:
        changed[element] = seen.changed
    if seen.removed is not None:
        removed[element] = seen.removed


def _comparison(changed: FieldSet, removed: FieldSet, is_moved: bool) -> Comparison:
    if not changed and not removed and not is_moved:
        return _SAME
    return Comparison(changed or None, removed or None, is_moved)


def _gone(part: Json, kind: Type, is_always: bool) -> FieldSet | None:
    # A structure by value does not vanish, only what is in it does.
    return compare(part, None, kind).removed if is_always else everything(part, kind)


def _lists(old: Sequence[Json], new: Sequence[Json], kind: Type) -> Comparison:
    element = kind.element or ANY
    changed: dict[str, Any] = {}
    removed: dict[str, Any] = {}
    before, after = _grouped(old, kind), _grouped(new, kind)
    common = [key for key in after if key in before]
    is_moved = len(common) > 1 and common != [key for key in before if key in after]
    for key, items in after.items():
        past = before.get(key, ())
        if len(items) == 1 and len(past) == 1:
            seen = compare(past[0], items[0], element)
            if seen is not _SAME:
                _note(key, seen, changed, removed)
                is_moved = is_moved or seen.is_moved
        else:
            _duplicates(past, items, key, element, changed, removed)
    for key, past in before.items():
        if key not in after:
            removed[key] = everything(past[0], element) if len(past) == 1 else LEAF
    return _comparison(changed, removed, is_moved)


def _duplicates(  # noqa: PLR0913 - one branch of the loop above, taken almost never
    past: Sequence[Json],
    items: Sequence[Json],
    key: str,
    element: Type,
    changed: dict[str, Any],
    removed: dict[str, Any],
) -> None:
    """Items that share a key have no identity, so they are one field together."""
    if len(items) == 1:
        changed[key] = everything(items[0], element)
        if past:
            removed[key] = LEAF
    elif len(past) != 1:
        if list(past) != list(items):
            changed[key] = LEAF
    else:
        changed[key] = LEAF
        inner = {name: part for name, part in everything(past[0], element).items() if name != "."}
        if inner:
            removed[key] = inner


def _grouped(items: Sequence[Json], kind: Type) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for item in items:
        try:
            found.setdefault(item_key(item, kind), []).append(item)
        except Malformed:
            # What has no identity cannot be owned, so it is not compared either.
            continue
    return found
