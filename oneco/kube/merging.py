"""How an applied configuration meets the live object: merging it in, pruning what it left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oneco.kube.comparison import same
from oneco.kube.fieldsets import FieldSet, index, is_member, item_key
from oneco.kube.objects import Json
from oneco.kube.types import ANY, Type


class _Gone:
    """Nothing is left of a value."""


_GONE = _Gone()


def merge(live: Json, applied: Json, kind: Type) -> Json:
    """`live` with `applied` on top; `live` itself where that changes nothing."""
    if applied is live:
        return live
    if isinstance(applied, dict):
        if isinstance(live, dict) and not kind.atomic and (kind.fields or kind.element):
            return _merge_maps(live, applied, kind)
    elif isinstance(applied, list):
        if isinstance(live, list) and kind.form == "list" and not kind.atomic:
            return _merge_lists(live, applied, kind) if live else applied or live
    elif applied is None and live and _is_granular(live, kind):
        return live
    return live if same(live, applied) else applied


def _is_granular(value: Json, kind: Type) -> bool:
    if isinstance(value, dict):
        return not kind.atomic and bool(kind.fields or kind.element)
    return isinstance(value, list) and kind.form == "list" and not kind.atomic


def _merge_maps(live: Mapping[str, Json], applied: Mapping[str, Json], kind: Type) -> Json:
    changes: dict[str, Json] = {}
    fields, element = kind.fields, kind.element or ANY
    for key, part in applied.items():
        if key not in live:
            changes[key] = part
            continue
        before = live[key]
        if before is not part:
            after = merge(before, part, fields.get(key) or element)
            if after is not before:
                changes[key] = after
    if not changes:
        return live
    merged = {**live, **changes}
    # An explicit null means the absence of the value.
    for key, part in changes.items():
        if part is None:
            del merged[key]
    return merged


def _merge_lists(live: Sequence[Json], applied: Sequence[Json], kind: Type) -> Json:
    element = kind.element or ANY
    old_keys = [item_key(item, kind) for item in live]
    new_keys = [item_key(item, kind) for item in applied]
    old, new = dict(zip(old_keys, live, strict=True)), dict(zip(new_keys, applied, strict=True))
    if len(old) < len(live):
        # Items of the live list that share a key are not merged into, but replaced.
        old = {key: item for key, item in old.items() if old_keys.count(key) == 1}
    merged = []
    for position, key in _merged_order(old_keys, new_keys):
        if key not in new:
            merged.append(live[position])
        elif key in old:
            merged.append(merge(old[key], new[key], element))
        else:
            merged.append(new[key])
    unchanged = len(merged) == len(live) and all(map(_is, merged, live))
    return live if unchanged else merged


def _is(left: object, right: object) -> bool:
    return left is right


def _merged_order(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, str]]:
    """The keys of the merged list, each with its position in `old` if it comes from there.

    Applied items keep the order of the configuration, others their place among the live ones.
    """
    if new == old:
        return list(enumerate(old))
    in_old, in_new = set(old), set(new)
    shared = iter([key for key in new if key in in_old])
    awaited = next(shared, None)
    order: list[tuple[int, str]] = []
    done: set[str] = set()
    left = right = 0
    while left < len(old) or right < len(new):
        both = left < len(old) and right < len(new)
        out_of_turn = both and old[left] in in_new and awaited not in (None, old[left])
        if out_of_turn and old[left] != new[right]:
            left += 1
            continue
        if left < len(old):
            key = old[left]
            if key not in in_new:
                order.append((left, key))
                left += 1
                continue
            if key in done or (right < len(new) and key == new[right]):
                left += 1
        if right < len(new):
            key = new[right]
            order.append((-1, key))
            done.add(key)
            right += 1
            if key == awaited:
                awaited = next(shared, None)
    return order


def prune(value: Json, last: FieldSet | None, owners: Sequence[FieldSet], kind: Type) -> Json:
    """`value` without what `last` held and none of `owners` holds; `value` itself if all stays.

    What is emptied by that becomes null, because its owners still own it; `swept` removes it.
    `last` is what the applying manager owned before, `owners` what it and all others own now.
    """
    if not last or any(owned is last for owned in owners):
        return value
    return _prune(value, last, owners, kind)


def _prune(value: Json, last: FieldSet, owners: Sequence[FieldSet], kind: Type) -> Json:
    if isinstance(value, dict) and not kind.atomic:
        parts: Mapping[str, Json] = {"f:" + key: part for key, part in value.items()}
    elif isinstance(value, list) and kind.form == "list" and not kind.atomic:
        parts = index(value, kind)
    else:
        return value
    changes: dict[str, Json] = {}
    for element, inner in last.items():
        if element in parts:
            kept = _prune_part(parts[element], element, inner, owners, kind)
            if kept is not parts[element]:
                changes[element] = kept
    if not changes:
        return value
    if isinstance(value, dict):
        after = {key: changes.get("f:" + key, part) for key, part in value.items()}
        return {key: part for key, part in after.items() if part is not _GONE} or None
    kept_items = [changes.get(item_key(item, kind), item) for item in value]
    return [item for item in kept_items if item is not _GONE] or None


def _prune_part(
    part: Json, element: str, last: FieldSet, owners: Sequence[FieldSet], kind: Type
) -> Json:
    """What stays of the part that `element` names."""
    # A named field belongs to whoever owns anything in it, a key or an item must be owned itself.
    named = element[0] == "f" and element[2:] in kind.fields
    inner = [owned[element] for owned in owners if element in owned]
    if any(owned is last for owned in inner):
        return part
    if not (named and inner) and not any(map(is_member, inner)):
        if named or is_member(last):
            return _GONE
        inner = []
    child = kind.element if element[0] != "f" else kind.child(element[2:])
    return _prune(part, last, inner, child or ANY) if last else part


def swept(value: Json, before: Json) -> Json:
    """`value` without the nulls that it has and `before`, of which it was made, has not."""
    if value is before:
        return value
    if isinstance(value, dict):
        earlier = before if isinstance(before, dict) else {}
        parts = ((key, swept(part, earlier.get(key))) for key, part in value.items())
        return {key: part for key, part in parts if part is not None}
    if isinstance(value, list) and isinstance(before, list):
        shared = {id(item) for item in before}
        return [item if id(item) in shared else swept(item, None) for item in value]
    return value
