"""The arithmetic of a DaemonSet's rolling update: which pods go, which nodes get a second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from oneco.kube.objects import Object
from oneco.worlds.behaviours.rolling import Fence


class Place(NamedTuple):
    """One node with its new and its old pod, neither of them on its way out."""

    node: str
    new: Object | None
    old: Object | None
    is_new_available: bool
    is_old_available: bool


class Plan(NamedTuple):
    """What the next step of the update is."""

    deletions: Sequence[Object] = ()
    creations: Sequence[str] = ()


def fence(spec: Object, nodes: int) -> Fence:
    """What the strategy allows on so many nodes: both round up, and not both are zero."""
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return Fence(0, 0)
    rolling = strategy.get("rollingUpdate") or {}
    surge = _resolved(rolling.get("maxSurge", 0), nodes)
    unavailable = _resolved(rolling.get("maxUnavailable", 1), nodes)
    return Fence(surge, unavailable or (0 if surge else 1))


def plan(places: Sequence[Place], bounds: Fence) -> Plan:
    """The next step within the bounds: old pods that do not serve anyhow are always replaced."""
    return _surging(places, bounds.surge) if bounds.surge else _taking(places, bounds.unavailable)


def _taking(places: Sequence[Place], most: int) -> Plan:
    missing, free, candidates = 0, list[Object](), list[Object]()
    for place in places:
        if (place.new is None) == (place.old is None):
            missing += 1
        elif place.new is not None:
            missing += not place.is_new_available
        elif place.old is not None and not place.is_old_available:
            free.append(place.old)
            missing += 1
        elif place.old is not None:
            candidates.append(place.old)
    return Plan(deletions=[*free, *candidates[: max(0, most - missing)]])


def _surging(places: Sequence[Place], most: int) -> Plan:
    surging, deletions, free, candidates = 0, list[Object](), list[str](), list[str]()
    for place in places:
        if place.old is None:
            continue
        if place.new is not None:
            if place.is_new_available:
                deletions.append(place.old)
            else:
                surging += 1
        elif place.is_old_available:
            candidates.append(place.node)
        else:
            free.append(place.node)
    room = max(0, most - surging)
    return Plan(deletions, [*free, *candidates[:room]])


def _resolved(value: int | str, whole: int) -> int:
    return value if isinstance(value, int) else -(-int(value.rstrip("%")) * whole // 100)
