"""Kubernetes objects as values: plain JSON dictionaries that nobody ever changes in place.

A change makes a new outer dictionary that shares every untouched part with the old one, so
identity (`is`) is a quick proof of equality and a cache may hand out what it holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

Json = Any
"""What JSON can say: dict, list, str, int, float, bool or None."""
Object = Mapping[str, Any]
"""One Kubernetes object, or a part of one. Never changed in place."""

DEEPEST: Final = 200
"""So many levels may an object have inside one another: who walks it must not run out of stack."""

_encoder = msgspec.json.Encoder(order="deterministic")


def dig(value: Json, *path: str | int, default: Json = None) -> Json:
    """The part of `value` at `path`, or `default` where any step is missing or null."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return default
    return default if value is None else value


def number(value: Json, *path: str, default: int = 0) -> int:
    """The number at `path`, or `default` where there is none, or none that counts things."""
    found = dig(value, *path)
    is_count = isinstance(found, int) and not isinstance(found, bool) and found >= 0
    return found if is_count else default


def mapping(value: Json, *path: str) -> Object:
    """The object at `path`, empty where there is none."""
    found = dig(value, *path)
    return found if isinstance(found, Mapping) else {}


def has_room(value: Json, *path: str) -> bool:
    """Whether what stands on the way to `path`, and there, is missing or can hold fields."""
    for step in path:
        value = dig(value, step)
        if value is not None and not isinstance(value, Mapping):
            return False
    return True


def put(value: Object, path: Sequence[str], part: Json) -> Object:
    """`value` with `part` at `path`; missing dictionaries on the way are made."""
    head, rest = path[0], path[1:]
    return {**value, head: put(value.get(head) or {}, rest, part) if rest else part}


def drop(value: Object, path: Sequence[str]) -> Object:
    """`value` without what stands at `path`; `value` itself where nothing stands there."""
    head, rest = path[0], path[1:]
    if head not in value:
        return value
    if not rest:
        return {key: part for key, part in value.items() if key != head}
    inner = value[head]
    if not isinstance(inner, Mapping):
        return value
    left = drop(inner, rest)
    return value if left is inner else {**value, head: left}


def metadata(obj: Object) -> Object:
    """The metadata of `obj`, empty if it has none."""
    return obj.get("metadata") or {}


def name(obj: Object) -> str:
    """The name of `obj`, empty if it has none yet."""
    return metadata(obj).get("name") or ""


def namespace(obj: Object) -> str:
    """The namespace of `obj`, empty for a cluster-scoped object."""
    return metadata(obj).get("namespace") or ""


def uid(obj: Object) -> str:
    """The uid that the API server gave to `obj`, empty before."""
    return metadata(obj).get("uid") or ""


def resource_version(obj: Object) -> str:
    """The version of `obj` as its API server counts, empty before it was stored."""
    return metadata(obj).get("resourceVersion") or ""


def generation(obj: Object) -> int:
    """How often the desired part of `obj` changed, 0 before it was stored."""
    return metadata(obj).get("generation") or 0


def labels(obj: Object) -> Mapping[str, str]:
    """The labels of `obj`."""
    return metadata(obj).get("labels") or {}


def annotations_of(obj: Object) -> Mapping[str, str]:
    """The annotations of `obj`."""
    return metadata(obj).get("annotations") or {}


def is_deleting(obj: Object) -> bool:
    """Whether `obj` was deleted and only waits for its finalizers."""
    return metadata(obj).get("deletionTimestamp") is not None


def controller_of(obj: Object) -> Object | None:
    """The owner reference of `obj` that is marked as its controller."""
    for owner in metadata(obj).get("ownerReferences") or ():
        if owner.get("controller"):
            return owner  # type: ignore[no-any-return]
    return None


def is_too_deep(value: Json, encoded: bytes) -> bool:
    """Whether `value`, which is `encoded` as JSON, has more than `DEEPEST` levels."""
    # Whoever opens fewer brackets than that cannot be deeper: most objects are not walked at all.
    if encoded.count(b"{") + encoded.count(b"[") <= DEEPEST:
        return False
    level = [value]
    for _ in range(DEEPEST):
        level = [part for one in level for part in _parts(one)]
        if not level:
            return False
    return True


def _parts(value: Json) -> list[Json]:
    """The parts of `value` that have parts themselves."""
    parts = value.values() if isinstance(value, dict) else value
    return [part for part in parts if isinstance(part, dict | list)]


def encode(value: Json) -> bytes:
    """`value` as JSON with sorted keys: equal values give equal bytes."""
    return _encoder.encode(value)
