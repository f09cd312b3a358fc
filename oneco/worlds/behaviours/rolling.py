"""The arithmetic of a rolling update: numbers in, numbers out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from oneco.kube.objects import Object


class Fence(NamedTuple):
    """How far a rollout may go: so many pods beyond the wanted ones, so many fewer available."""

    surge: int
    unavailable: int


class Part(NamedTuple):
    """One ReplicaSet's share of a Deployment that is scaled in the middle of a rollout."""

    replicas: int
    most_before: int
    """How many pods the whole Deployment could have had when this share was given."""


def fence(spec: Object, replicas: int) -> Fence:
    """What the strategy allows at this size: surge rounds up, unavailable down, not both zero."""
    strategy = spec.get("strategy") or {}
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return Fence(0, 0)
    rolling = strategy.get("rollingUpdate") or {}
    surge = _resolved(rolling.get("maxSurge", "25%"), replicas, is_up=True)
    unavailable = _resolved(rolling.get("maxUnavailable", "25%"), replicas, is_up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return Fence(surge, min(unavailable, replicas))


def _resolved(value: int | str, whole: int, *, is_up: bool) -> int:
    if isinstance(value, int):
        return value
    percent = int(value.rstrip("%"))
    # Whole numbers, because 0.07 * 100 is not 7.
    return -(-percent * whole // 100) if is_up else percent * whole // 100


def new_replicas(wanted: int, new: int, total: int, surge: int) -> int:
    """How many pods the new ReplicaSet may want, when all of them together want `total`."""
    room = wanted + surge - total
    return new if room <= 0 else new + min(room, wanted - new)


def proportions(parts: Sequence[Part], wanted: int, surge: int) -> Sequence[int]:
    """The sizes of `parts`, largest first when growing, so that they fill a changed Deployment.

    Each keeps its share of the whole; what rounding leaves over goes to the first.
    """
    allowed = wanted + surge if wanted > 0 else 0
    to_add = allowed - sum(part.replicas for part in parts)
    sizes, added = [], 0
    for part in parts:
        change = _proportion(part, wanted, surge, to_add, added) if to_add else 0
        sizes.append(part.replicas + change)
        added += change
    if sizes and to_add:
        sizes[0] = max(0, sizes[0] + to_add - added)
    return sizes


def _proportion(part: Part, wanted: int, surge: int, to_add: int, added: int) -> int:
    if part.replicas == 0 or to_add == added:
        return 0
    change, left = _fraction(part, wanted, surge), to_add - added
    return min(change, left) if to_add > 0 else max(change, left)


def _fraction(part: Part, wanted: int, surge: int) -> int:
    if wanted == 0:
        return -part.replicas
    if part.most_before == 0:
        return 0
    size = part.replicas * (wanted + surge) / part.most_before
    return math.floor(size + 0.5) - part.replicas
