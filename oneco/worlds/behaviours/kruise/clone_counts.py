"""The arithmetic of a CloneSet: how many pods to make, to end and to update."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from oneco.kube.objects import Object
from oneco.worlds.behaviours.kruise import amounts

_ANY = 2**31 - 1


class Clone(NamedTuple):
    """One pod as it counts."""

    pod: Object
    is_new: bool
    is_available: bool
    is_doomed: bool
    """Whether it is marked to be deleted."""


class Side(NamedTuple):
    """The pods of the newest revision, or all others."""

    pods: int
    unavailable: int
    doomed: int


class Bounds(NamedTuple):
    """What a CloneSet's spec allows."""

    replicas: int
    kept_old: int
    surge: int
    unavailable: int
    scale_unavailable: int


class Counts(NamedTuple):
    """What the next step is; zero where there is nothing to do."""

    is_short: bool
    """Whether pods are missing, even if none may be made now."""
    make: int
    make_old: int
    end: int
    end_old: int
    ready_to_end: int
    """So many of the pods that are ended may be ready ones."""
    update: int
    may_miss: int
    """So many pods may be unavailable during the update."""


def bounds(spec: Object) -> Bounds:
    """What the spec allows at its size."""
    replicas = 1 if spec.get("replicas") is None else int(spec["replicas"])
    strategy, scale = spec.get("updateStrategy") or {}, spec.get("scaleStrategy") or {}
    surge = amounts.scaled(strategy.get("maxSurge", 0), replicas, is_up=True)
    surge = 0 if strategy.get("paused") else surge
    missing = strategy.get("maxUnavailable", "20%")
    return Bounds(
        replicas=replicas,
        kept_old=amounts.kept_old(strategy.get("partition", 0), replicas),
        surge=surge,
        unavailable=amounts.scaled(missing, replicas, is_up=surge == 0),
        scale_unavailable=amounts.scaled(scale.get("maxUnavailable", _ANY), replicas, is_up=True),
    )


def count(given: Bounds, clones: Iterable[Clone]) -> Counts:
    """The next step of a CloneSet with these pods."""
    all_ = list(clones)
    new = _side(one for one in all_ if one.is_new)
    old = _side(one for one in all_ if not one.is_new)
    missing, doomed = new.unavailable + old.unavailable, new.doomed + old.doomed
    too_old = max(0, old.pods - given.kept_old)
    too_new = min(0, new.pods - (given.replicas - given.kept_old))
    update = min(too_old, -too_new)
    surge, old_surge = _surge(given, (new, old), missing, update)
    total, total_old = given.replicas + surge, given.kept_old + old_surge
    make = max(0, total - len(all_))
    end = max(0, len(all_) - doomed - total)
    spare = given.unavailable + len(all_) - given.replicas
    return Counts(
        is_short=make > 0,
        make=min(make, max(0, given.scale_unavailable - missing)),
        make_old=max(0, total_old - old.pods) if make else 0,
        end=end,
        end_old=max(0, old.pods - old.doomed - total_old) if end else 0,
        ready_to_end=max(0, spare - missing) if doomed or end else 0,
        update=update,
        may_miss=spare,
    )


def _side(clones: Iterable[Clone]) -> Side:
    total = unavailable = doomed = 0
    for one in clones:
        total += 1
        doomed += one.is_doomed
        unavailable += not one.is_doomed and not one.is_available
    return Side(total, unavailable, doomed)


def _surge(given: Bounds, sides: tuple[Side, Side], missing: int, update: int) -> tuple[int, int]:
    """How many surplus pods to use, and how many of these of an old revision."""
    if given.surge <= 0:
        return 0, 0
    new, old = sides
    doomed = new.doomed + old.doomed
    scale = min(max(missing + doomed - given.unavailable, 0), doomed)
    if scale < update:
        return min(given.surge, update), 0
    surge = min(given.surge, scale)
    return surge, min(surge, max(0, scale - new.doomed))
