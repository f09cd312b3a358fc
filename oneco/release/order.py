"""Which unit goes first: the least dangerous, and the waves that this makes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from oneco.kinds import ocm
from oneco.kinds.parts import parse
from oneco.kinds.release import LabelSelector, PolicySpec, WavePolicy
from oneco.kube import objects, selectors
from oneco.kube.objects import Object


class Candidate(NamedTuple):
    """A unit that a release will change, with what decides its place."""

    cluster: str
    variant: str
    environment: str
    nodes: int
    labels: tuple[tuple[str, str], ...] = ()


class Wave(NamedTuple):
    """Units that go together, in order."""

    name: str
    units: tuple[Candidate, ...]


def candidate(cluster: Object, variant: str) -> Candidate:
    """The unit that a ManagedCluster makes."""
    labels = objects.labels(cluster)
    return Candidate(
        objects.name(cluster),
        variant,
        # What nobody classified is treated as the most dangerous.
        labels.get(ocm.ENVIRONMENT_LABEL) or ocm.ENVIRONMENTS[-1],
        _nodes(cluster),
        tuple(sorted(labels.items())),
    )


def order(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Least dangerous first: by environment, then by size, then by name."""
    return tuple(
        sorted(candidates, key=lambda one: (_rank(one.environment), one.nodes, one.cluster))
    )


def waves(policy: PolicySpec | None, candidates: Sequence[Candidate]) -> tuple[Wave, ...]:
    """The waves of a release; every candidate is in exactly one of them.

    Without a policy everything goes at once. A policy that names no waves gets one for each
    environment. What no named wave takes goes last, in a wave of its own.
    """
    ordered = order(candidates)
    if policy is None:
        return (Wave("all", ordered),) if ordered else ()
    named = policy.waves or _by_environment(ordered)
    left = list(ordered)
    made: list[Wave] = []
    for number, wave in enumerate(named, 1):
        taken = _take(wave, ordered, left)
        if taken:
            made.append(Wave(wave.name or f"wave-{number}", taken))
            gone = set(taken)
            left = [one for one in left if one not in gone]
    if left:
        made.append(Wave("rest", tuple(left)))
    return tuple(made)


def names(policy: PolicySpec | None) -> tuple[str, ...]:
    """The names of the waves that the policy defines, in order."""
    defined = policy.waves if policy is not None else ()
    return tuple(wave.name or f"wave-{number}" for number, wave in enumerate(defined, 1))


def wave_policy(policy: PolicySpec | None, name: str) -> WavePolicy | None:
    """What the policy says of the wave called `name`, if it says anything."""
    if policy is None:
        return None
    return next(
        (wave for own, wave in zip(names(policy), policy.waves, strict=True) if own == name), None
    )


def _by_environment(ordered: Sequence[Candidate]) -> tuple[WavePolicy, ...]:
    names = dict.fromkeys(one.environment for one in ordered)
    return tuple(WavePolicy(name=name, environments=(name,)) for name in names)


def _take(
    wave: WavePolicy, ordered: Sequence[Candidate], left: Sequence[Candidate]
) -> tuple[Candidate, ...]:
    matching = [one for one in ordered if _matches(wave, one)]
    still = set(left)
    waiting = [one for one in matching if one in still]
    done = len(matching) - len(waiting)
    return tuple(waiting[: max(0, _bound(wave.up_to, len(matching)) - done)])


def _bound(up_to: str | int, count: int) -> int:
    if isinstance(up_to, int):
        return up_to
    return max(1, math.ceil(count * round(float(up_to.rstrip("%")) * 100) / 10_000))


def _matches(wave: WavePolicy, one: Candidate) -> bool:
    if wave.environments and one.environment not in wave.environments:
        return False
    if wave.cluster_selector is None:
        return True
    return _selector(wave.cluster_selector).matches(dict(one.labels))


def _selector(selector: LabelSelector) -> selectors.Selector:
    return selectors.from_object(
        {
            "matchLabels": selector.match_labels,
            "matchExpressions": list(selector.match_expressions),
        }
    )


def _rank(environment: str) -> tuple[int, str]:
    known = ocm.ENVIRONMENTS
    # A name of their own stands just before production: known to be less than that, no more.
    place = known.index(environment) if environment in known else len(known) - 1
    return (place * 2 if environment in known else place * 2 - 1, environment)


def _nodes(cluster: Object) -> int:
    status = parse(ocm.ClusterStatus, cluster.get("status"))
    for claim in status.cluster_claims:
        if claim.name == ocm.NODES_CLAIM and claim.value.isdecimal():
            return int(claim.value)
    return 0
