"""JSON merge patch, RFC 7386."""

from __future__ import annotations

from oneco.kube.comparison import same
from oneco.kube.objects import Json


def merge(value: Json, patch: Json) -> Json:
    """`value` with `patch` merged in; `value` itself where that changes nothing."""
    if not isinstance(patch, dict):
        return value if same(value, patch) else patch
    if not isinstance(value, dict):
        return {key: merge(None, part) for key, part in patch.items() if part is not None}
    gone = {key for key, part in patch.items() if part is None and key in value}
    changes = {}
    for key, part in patch.items():
        if part is not None:
            before = value.get(key)
            after = merge(before, part)
            if after is not before or key not in value:
                changes[key] = after
    if not changes and not gone:
        return value
    return {key: part for key, part in value.items() if key not in gone} | changes


def diff(old: Json, new: Json) -> Json:
    """The patch that makes `new` of `old`; nulls inside maps of `new` cannot be expressed."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    patch: dict[str, Json] = {key: None for key in old if key not in new}
    for key, part in new.items():
        if key not in old:
            patch[key] = part
        elif old[key] is not part and not same(old[key], part):
            patch[key] = diff(old[key], part)
    return patch
