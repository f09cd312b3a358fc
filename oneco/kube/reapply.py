"""An apply that follows an earlier one by the same manager: only what the two differ in is done.

It holds where the live object still has every value of the earlier manifest, which the ownership
of all its fields proves. Nothing else is decided here: whatever was left out, moved or cannot be
followed goes the long way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oneco.kube.comparison import same
from oneco.kube.fieldsets import item_key
from oneco.kube.merging import merge
from oneco.kube.objects import Json
from oneco.kube.types import ANY, Type


class Lost(Exception):
    """The difference is more than changed and added values."""


_MISSING = object()


def follow(live: Json, before: Json, after: Json, kind: Type) -> Json:
    """`live`, to which `before` was applied, after `after` was; Lost where that takes more."""
    if before is after:
        return live
    if kind.atomic or after is None or before is None:
        if after is None or before is None:
            raise Lost
        return live if same(live, after) else after
    if isinstance(after, dict) and (kind.fields or kind.element):
        if not isinstance(before, dict) or not isinstance(live, dict):
            raise Lost
        return _follow_map(live, before, after, kind)
    if isinstance(after, list) and kind.form == "list":
        if not isinstance(before, list) or not isinstance(live, list):
            raise Lost
        return _follow_list(live, before, after, kind)
    if isinstance(before, (dict, list)):
        raise Lost
    return live if same(live, after) else after


def _follow_map(
    live: Mapping[str, Json], before: Mapping[str, Json], after: Mapping[str, Json], kind: Type
) -> Json:
    changes: dict[str, Json] = {}
    fields, element = kind.fields, kind.element or ANY
    kept = 0
    for key, part in after.items():
        earlier = before.get(key, _MISSING)
        kept += earlier is not _MISSING
        if earlier is part:
            continue
        here = live.get(key, _MISSING)
        child = fields.get(key) or element
        if earlier is not _MISSING:
            if here is _MISSING:
                raise Lost
            merged = follow(here, earlier, part, child)
        elif part is None:
            raise Lost
        else:
            merged = part if here is _MISSING else merge(here, part, child)
        if merged is not here:
            changes[key] = merged
    if kept < len(before):
        raise Lost
    return {**live, **changes} if changes else live


def _follow_list(
    live: Sequence[Json], before: Sequence[Json], after: Sequence[Json], kind: Type
) -> Json:
    if len(before) != len(after):
        raise Lost
    keys = [item_key(item, kind) for item in after]
    if any(
        old is not new and item_key(old, kind) != key
        for old, new, key in zip(before, after, keys, strict=True)
    ):
        raise Lost
    wanted = {key: place for place, key in enumerate(keys)}
    merged = list(live)
    found = []
    for place, item in enumerate(live):
        key = item_key(item, kind)
        at = wanted.get(key)
        if at is not None:
            found.append(at)
            if before[at] is not after[at]:
                merged[place] = follow(item, before[at], after[at], kind.element or ANY)
    if found != list(range(len(after))):
        # Missing, doubled or in another order than the manifest has them.
        raise Lost
    unchanged = all(new is old for new, old in zip(merged, live, strict=True))
    return live if unchanged else merged
