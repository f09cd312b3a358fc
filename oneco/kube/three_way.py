"""Patches as `kubectl apply` makes them: what a person changed since the last time, and drift."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from oneco.kube import merge_patch
from oneco.kube.comparison import same
from oneco.kube.objects import Json, Object
from oneco.kube.types import ANY, Type


@dataclasses.dataclass(frozen=True, slots=True)
class _Wanted:
    """Which half of the difference is asked for."""

    additions: bool
    deletions: bool


class _Keyed(NamedTuple):
    """How the items of a list are told apart, and what they are."""

    merge_key: str
    element: Type


_ADDITIONS = _Wanted(additions=True, deletions=False)
_DELETIONS = _Wanted(additions=False, deletions=True)


def three_way(original: Object, modified: Object, current: Object, type: Type | None) -> Object:
    """The patch that brings `current` to `modified`, deleting what only `original` had.

    A strategic merge patch for a built-in kind; with None for its type, as for custom resources,
    a JSON merge patch. An empty patch means that nothing is to be done.
    """
    if type is None:
        return _plain(original, modified, current)
    deletions = _diff_maps(original, modified, type, _DELETIONS)
    additions = _diff_maps(current, modified, type, _ADDITIONS)
    return _joined(deletions, additions, type)


def _plain(original: Object, modified: Object, current: Object) -> Object:
    additions = _without_nulls(merge_patch.diff(current, modified))
    deletions = _only_nulls(merge_patch.diff(original, modified))
    merged: Object = _union(deletions, additions)
    return merged


def _union(deletions: Json, additions: Json) -> Json:
    """Both patches in one; where both speak about one value the additions win."""
    if not isinstance(deletions, dict) or not isinstance(additions, dict):
        return additions
    joined = dict(deletions)
    for key, part in additions.items():
        joined[key] = _union(deletions[key], part) if key in deletions else part
    return joined


def _without_nulls(patch: Json) -> Json:
    if not isinstance(patch, dict):
        return patch
    kept = {key: _without_nulls(part) for key, part in patch.items() if part is not None}
    return {key: part for key, part in kept.items() if part != {} or patch[key] == {}}


def _only_nulls(patch: Json) -> Json:
    if not isinstance(patch, dict):
        return {}
    kept = {key: None if part is None else _only_nulls(part) for key, part in patch.items()}
    return {key: part for key, part in kept.items() if part is None or part}


def _diff_maps(
    old: Mapping[str, Json], new: Mapping[str, Json], kind: Type, wanted: _Wanted
) -> dict[str, Json]:
    patch: dict[str, Json] = {}
    if old is new:
        return patch
    for key, part in new.items():
        if key not in old:
            if wanted.additions:
                patch[key] = part
        elif old[key] is not part:
            patch |= _diff_part(key, old[key], part, kind.child(key) or ANY, wanted)
    if wanted.deletions:
        patch |= {key: None for key in old if key not in new}
    keep = sorted(key for key, part in new.items() if part is not None)
    if "retainKeys" in kind.patch_strategies and keep and (patch or any(k not in new for k in old)):
        patch["$retainKeys"] = keep
    return patch


def _diff_part(key: str, old: Json, new: Json, kind: Type, wanted: _Wanted) -> dict[str, Json]:
    if isinstance(old, dict) and isinstance(new, dict) and "replace" not in kind.patch_strategies:
        inner = _diff_maps(old, new, kind, wanted)
        return {key: inner} if inner else {}
    if isinstance(old, list) and isinstance(new, list) and "merge" in kind.patch_strategies:
        if not old:
            return {key: new} if new and wanted.additions else {}
        if kind.merge_key:
            return _diff_keyed(key, old, new, kind, wanted)
        return _diff_scalars(key, old, new, wanted)
    return {key: new} if wanted.additions and not same(old, new) else {}


def _diff_keyed(
    key: str, old: Sequence[Any], new: Sequence[Any], kind: Type, wanted: _Wanted
) -> dict[str, Json]:
    merge_key, element = kind.merge_key, kind.element or ANY
    if "retainKeys" in kind.patch_strategies:
        element = _retaining(element)
    keyed = _Keyed(merge_key, element)
    changed, gone = _diff_items(_by_key(old, merge_key), _by_key(new, merge_key), keyed, wanted)
    places = {item[merge_key]: place for place, item in reversed(list(enumerate(new)))}
    changed.sort(key=lambda item: places.get(item[merge_key], len(places)))
    changed += [{"$patch": "delete", merge_key: name} for name in gone]
    patch: dict[str, Json] = {key: changed} if changed else {}
    order = [{merge_key: item[merge_key]} for item in new]
    moved = [item[merge_key] for item in old] != [item[merge_key] for item in new]
    if order and (changed or (wanted.additions and moved)):
        patch[f"$setElementOrder/{key}"] = order
    return patch


def _by_key(items: Sequence[Any], merge_key: str) -> list[tuple[str, Json, Json]]:
    keyed = ((str(item[merge_key]), item[merge_key], item) for item in items)
    return sorted(keyed, key=lambda entry: entry[0])


def _diff_items(
    old: Sequence[tuple[str, Json, Json]],
    new: Sequence[tuple[str, Json, Json]],
    keyed: _Keyed,
    wanted: _Wanted,
) -> tuple[list[Json], list[Json]]:
    """The items to change or add, and the keys to delete; both lists come sorted by key."""
    changed: list[Json] = []
    gone: list[Json] = []
    here = there = 0
    while here < len(old) or there < len(new):
        if here == len(old) or (there < len(new) and old[here][0] > new[there][0]):
            if wanted.additions:
                changed.append(new[there][2])
            there += 1
        elif there == len(new) or old[here][0] < new[there][0]:
            if wanted.deletions:
                gone.append(old[here][1])
            here += 1
        else:
            inner = _diff_maps(old[here][2], new[there][2], keyed.element, wanted)
            if inner:
                changed.append({**inner, keyed.merge_key: new[there][1]})
            here, there = here + 1, there + 1
    return changed, gone


_retaining_types: dict[int, Type] = {}


def _retaining(element: Type) -> Type:
    """The item type of a list whose items are to be retained by key."""
    found = _retaining_types.get(id(element))
    if found is None:
        found = msgspec.structs.replace(element, patch_strategies=("retainKeys",))
        _retaining_types[id(element)] = found
    return found


def _diff_scalars(
    key: str, old: Sequence[Any], new: Sequence[Any], wanted: _Wanted
) -> dict[str, Json]:
    patch: dict[str, Json] = {}
    added = [item for item in new if item not in old] if wanted.additions else []
    gone = sorted({item for item in old if item not in new}, key=str) if wanted.deletions else []
    if added:
        patch[key] = added
    if gone:
        patch[f"$deleteFromPrimitiveList/{key}"] = gone
    if new and (gone or (wanted.additions and list(old) != list(new))):
        patch[f"$setElementOrder/{key}"] = list(new)
    return patch


def _joined(deletions: Object, additions: Object, kind: Type) -> Object:
    """Both patches in one; they speak about different things except for the order of lists."""
    joined = dict(deletions)
    for key, part in additions.items():
        if key not in joined or key.startswith("$"):
            joined[key] = part
            continue
        here, child = joined[key], kind.child(key) or ANY
        if isinstance(here, dict) and isinstance(part, dict):
            joined[key] = _joined(here, part, child)
        elif isinstance(here, list) and isinstance(part, list) and child.merge_key:
            joined[key] = _joined_items(here, part, child)
        else:
            joined[key] = part
    return joined


def _joined_items(deletions: Sequence[Json], additions: Sequence[Json], kind: Type) -> list[Json]:
    merge_key, element = kind.merge_key, kind.element or ANY
    nested = {item[merge_key]: item for item in deletions if "$patch" not in item}
    result = []
    for item in additions:
        inner = nested.pop(item[merge_key], None)
        result.append(item if inner is None else _joined(inner, item, element))
    return [*result, *nested.values(), *(item for item in deletions if "$patch" in item)]
