"""The plan of a release: which units it changes, in which waves; and how it claims them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from oneco.decision import Action, Create, Replace
from oneco.kinds.naming import release_key, unit_name, wave_key
from oneco.kinds.parts import build, parse
from oneco.kinds.release import (
    APPLICATION_ANNOTATION,
    RELEASE_LABEL,
    UNIT_LABEL,
    UNITS,
    WAVE_LABEL,
    UnitSpec,
    UnitStatus,
    WaveStatus,
)
from oneco.kube import objects
from oneco.kube.objects import Object
from oneco.kube.refs import Address
from oneco.release import order
from oneco.release.order import Candidate, Wave
from oneco.release.returning import UNIT_FINALIZER
from oneco.release.seen import ReleaseSeen


class Claim(NamedTuple):
    """One unit's place in the plan."""

    unit: Candidate
    wave: int
    order: int


def plan(seen: ReleaseSeen) -> tuple[Wave, ...]:
    """The waves of the units that the release would change."""
    by_name = {objects.name(cluster): cluster for cluster in seen.clusters}
    candidates = [
        order.candidate(by_name[name], target.variant)
        for target in seen.spec.targets
        for name in target.clusters
        if not _runs_already(seen.claimed.get(name), target.variant)
    ]
    return order.waves(seen.spec.policy, candidates)


def statuses(waves: Sequence[Wave]) -> tuple[WaveStatus, ...]:
    """The counters of a release that begins."""
    made: list[WaveStatus] = []
    first = 0
    for wave in waves:
        made.append(WaveStatus(name=wave.name, first=first, units=len(wave.units)))
        first += len(wave.units)
    return tuple(made)


def claims(seen: ReleaseSeen, waves: Sequence[Wave]) -> tuple[Action, ...]:
    """The writes that claim every unit of the plan, each fenced by the unit's own version."""
    made = (_claim(seen, claim) for claim in _claims(waves))
    return tuple(action for action in made if action is not None)


def _claims(waves: Sequence[Wave]) -> Iterator[Claim]:
    place = 0
    for number, wave in enumerate(waves):
        for one in wave.units:
            yield Claim(one, number, place)
            place += 1


def _claim(seen: ReleaseSeen, claim: Claim) -> Action | None:
    namespace, release = objects.namespace(seen.release), objects.name(seen.release)
    cluster = claim.unit.cluster
    spec = build(
        UnitSpec(
            application=seen.spec.application,
            application_namespace=namespace,
            cluster=cluster,
            release=release,
            revision=seen.spec.revision,
            variant=claim.unit.variant,
            wave=claim.wave,
            order=claim.order,
        )
    )
    name = unit_name(namespace, seen.spec.application, cluster)
    labels = {
        UNIT_LABEL: name,
        "app.oam.dev/name": seen.spec.application,
        RELEASE_LABEL: release_key(namespace, release),
        WAVE_LABEL: wave_key(namespace, release, claim.wave),
    }
    old = seen.claimed.get(cluster)
    if old is None:
        meta = {
            "name": name,
            "namespace": cluster,
            "labels": labels,
            # From the beginning: a unit that was never touched lets go of it at once.
            "finalizers": [UNIT_FINALIZER],
            "annotations": {APPLICATION_ANNOTATION: f"{namespace}/{seen.spec.application}"},
        }
        return Create(Address(UNITS, cluster), _unit(meta, spec))
    if old.get("spec") == spec:
        return None
    meta = {**objects.metadata(old), "labels": {**objects.labels(old), **labels}}
    return Replace(Address(UNITS, cluster, name), {**old, "metadata": meta, "spec": spec})


def _unit(meta: Object, spec: Object) -> Object:
    return {
        "apiVersion": UNITS.api_version,
        "kind": "ReleaseUnit",
        "metadata": meta,
        "spec": spec,
    }


def _runs_already(unit: Object | None, variant: str) -> bool:
    """Whether the last release that touched the unit ended well, with this very variant.

    A release that claimed it and never came to it left the status of the one before.
    """
    if unit is None:
        return variant == ""
    status = parse(UnitStatus, unit.get("status"), "status")
    if status.phase not in ("Succeeded", "RolledBack"):
        return False
    return (status.good.variant if status.good else "") == variant
