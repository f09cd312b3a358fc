"""What the deciders of this room look at, gathered from the cache."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from oneco.decision import Failure, Reader
from oneco.kinds import agents, ocm
from oneco.kinds.naming import release_key, unit_name, wave_key
from oneco.kinds.oam import REVISIONS
from oneco.kinds.parts import parse
from oneco.kinds.release import (
    CHECK_RUNS,
    FINAL_PHASES,
    OBSERVATIONS,
    RELEASE_LABEL,
    RELEASES,
    UNITS,
    WAVE_LABEL,
    CheckRunSpec,
    CheckRunStatus,
    Observed,
    PolicySpec,
    ReleaseSpec,
    ReleaseStatus,
    UnitSpec,
    UnitStatus,
    sequence_of,
)
from oneco.kube import objects
from oneco.kube.objects import Object
from oneco.kube.refs import Address
from oneco.release import feedback, variants
from oneco.release.foreign import Foreign
from oneco.release.ports import Steps
from oneco.release.variants import Variant

Key = tuple[str, str]
NO_STEPS: Steps = {}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UnitSeen:
    """One unit with everything its next step depends on."""

    unit: Object
    spec: UnitSpec
    status: UnitStatus
    release: Object | None
    asked: ReleaseSpec
    course: ReleaseStatus
    work: Object | None
    observed: Observed | None
    target: Variant | None
    before: Variant | None
    checks: Sequence[tuple[Object, CheckRunSpec, CheckRunStatus]]
    is_reachable: bool
    failures: Sequence[Failure] = ()
    foreign: Foreign | None = None
    """How the cluster is led where its agent is not ours."""
    is_accepted: bool = True
    """Whether the hub accepts the cluster; one that was denied is told nothing more."""

    @property
    def name(self) -> str:
        """The common name of unit, work and observation."""
        return objects.name(self.unit)

    @property
    def policy(self) -> PolicySpec:
        """The release's policy; without one, everything at once."""
        return self.asked.policy or AT_ONCE


AT_ONCE = PolicySpec(batches=("100%",))


class Change(NamedTuple):
    """What a release changes in one cluster."""

    cluster: str
    target: Variant
    before: Variant


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseSeen:
    """One release with the units of its waves so far.

    `claimed` are the units by cluster, whoever holds them, and only while the release is planned;
    `units` are those of the waves up to the current one.
    """

    release: Object
    spec: ReleaseSpec
    status: ReleaseStatus
    is_overtaken: bool
    waits_for: str
    clusters: Sequence[Object]
    claimed: dict[str, Object]
    units: Sequence[tuple[UnitSpec, UnitStatus]]
    failures: Sequence[Failure] = ()
    foreign: Sequence[Change] = ()
    """While the release is planned: what it changes where the agents are not ours."""


def unit(reader: Reader, key: Key, steps: Steps = NO_STEPS) -> UnitSeen | None:
    """The unit at `key` (cluster, name), or None where there is none."""
    namespace, name = key
    found = reader.get(Address(UNITS, namespace, name))
    if found is None:
        return None
    spec = parse(UnitSpec, found.get("spec"), "spec")
    status = parse(UnitStatus, found.get("status"), "status")
    release = reader.get(Address(RELEASES, spec.application_namespace, spec.release))
    is_ours = status.release == spec.release
    before = status.before if is_ours else status.good
    cluster = reader.get(Address(ocm.CLUSTERS, "", spec.cluster))
    work = reader.get(Address(ocm.WORKS, namespace, name))
    observation = reader.get(Address(OBSERVATIONS, namespace, name))
    is_foreign = _is_foreign(cluster, work, observation)
    return UnitSeen(
        unit=found,
        spec=spec,
        status=status if is_ours else UnitStatus(release=spec.release, good=before, before=before),
        release=release,
        asked=parse(ReleaseSpec, (release or {}).get("spec") or _NO_RELEASE, "spec"),
        course=parse(ReleaseStatus, (release or {}).get("status"), "status"),
        work=work,
        observed=_told(work, cluster, steps) if is_foreign else _observed(observation, cluster),
        target=_variant(reader, spec.application_namespace, spec.revision, spec.variant),
        before=_before(reader, spec, before),
        checks=_checks(reader, namespace, name, release),
        is_reachable=_is_reachable(cluster),
        failures=reader.failures(),
        foreign=Foreign(spec.cluster, steps) if is_foreign else None,
        is_accepted=objects.dig(cluster or {}, "spec", "hubAcceptsClient") is True,
    )


def _is_foreign(cluster: Object | None, work: Object | None, observation: Object | None) -> bool:
    """Whether somebody else's agent serves the unit: by what it says of the cluster, or else by
    its answering to a work without the observation that ours writes first.
    """
    agent = agents.of(cluster)
    return agent == "foreign" or (not agent and observation is None and feedback.is_answered(work))


def _told(work: Object | None, cluster: Object | None, steps: Steps) -> Observed | None:
    marks = objects.annotations_of(cluster or {})
    epoch = marks.get(ocm.HUB_EPOCH_ANNOTATION, "")
    is_confirmed = marks.get(ocm.CONFIRMED_EPOCH_ANNOTATION, epoch) == epoch
    return feedback.observed(work, epoch, is_confirmed=is_confirmed, steps=steps)


def _observed(observation: Object | None, cluster: Object | None) -> Observed | None:
    """What the agent says to this life of the hub, if it has said anything to it yet."""
    if observation is None:
        return None
    observed = parse(Observed, observation.get("observed"))
    epoch = objects.annotations_of(cluster or {}).get(ocm.HUB_EPOCH_ANNOTATION, "")
    return observed if observed.hub_epoch == epoch else None


def release(reader: Reader, key: Key) -> ReleaseSeen | None:
    """The release at `key` (namespace, name), or None where there is none."""
    namespace, name = key
    found = reader.get(Address(RELEASES, namespace, name))
    if found is None:
        return None
    spec = parse(ReleaseSpec, found.get("spec"), "spec")
    status = parse(ReleaseStatus, found.get("status"), "status")
    others = _others(reader, found, spec.application)
    is_planned = status.phase == "Pending"
    claimed = _claimed(reader, spec, namespace) if is_planned else {}
    return ReleaseSeen(
        release=found,
        spec=spec,
        status=status,
        is_overtaken=any(_is_newer(one, found) for one in others),
        waits_for=_running_before(found, others),
        clusters=_clusters(reader, spec) if is_planned else (),
        claimed=claimed,
        units=_units(reader, key, status),
        failures=reader.failures(),
        foreign=tuple(_foreign(reader, namespace, spec, claimed)) if is_planned else (),
    )


def _foreign(
    reader: Reader, namespace: str, spec: ReleaseSpec, claimed: dict[str, Object]
) -> Iterator[Change]:
    """The changes of clusters that run something already and whose agents are not ours."""
    for target in spec.targets:
        for name in target.clusters:
            good = parse(UnitStatus, (claimed.get(name) or {}).get("status"), "status").good
            cluster = reader.get(Address(ocm.CLUSTERS, "", name))
            if good is None or agents.of(cluster) != "foreign":
                continue
            after = _variant(reader, namespace, spec.revision, target.variant)
            before = _variant(reader, namespace, good.revision, good.variant)
            if after is not None and before is not None:
                yield Change(name, after, before)


def _variant(reader: Reader, namespace: str, revision: str, variant: str) -> Variant | None:
    found = reader.get(Address(REVISIONS, namespace, revision))
    return variants.find(found, variant)


def _before(reader: Reader, spec: UnitSpec, before: object) -> Variant | None:
    if before is None:
        return variants.NOTHING
    revision, variant = getattr(before, "revision", ""), getattr(before, "variant", "")
    return _variant(reader, spec.application_namespace, revision, variant)


def _checks(
    reader: Reader, namespace: str, name: str, release: Object | None
) -> tuple[tuple[Object, CheckRunSpec, CheckRunStatus], ...]:
    policy = objects.dig(release or {}, "spec", "policy", "checks", default=())
    rows = []
    for check in policy:
        run = reader.get(Address(CHECK_RUNS, namespace, f"{name}-{check.get('name')}"))
        if run is not None:
            spec, status = run.get("spec"), run.get("status")
            rows.append((run, parse(CheckRunSpec, spec), parse(CheckRunStatus, status)))
    return tuple(rows)


def _is_reachable(cluster: Object | None) -> bool:
    for condition in objects.dig(cluster or {}, "status", "conditions", default=()):
        if condition.get("type") == "ManagedClusterConditionAvailable":
            return bool(condition.get("status") == "True")
    # Nobody has said yet: what counts is what its agent reports.
    return cluster is not None


def _others(reader: Reader, found: Object, application: str) -> list[Object]:
    label = ("app.oam.dev/name", application)
    namespace = objects.namespace(found)
    return [
        one
        for one in reader.labelled(RELEASES, label)
        if objects.namespace(one) == namespace and objects.name(one) != objects.name(found)
    ]


def _age(found: Object) -> tuple[int, str, str]:
    # Two that somebody made without a number must not wait for each other.
    created = objects.metadata(found).get("creationTimestamp") or ""
    return sequence_of(found), created, objects.name(found)


def _is_newer(one: Object, than: Object) -> bool:
    return _age(one) > _age(than)


def _running_before(found: Object, others: Sequence[Object]) -> str:
    for one in others:
        phase = objects.dig(one, "status", "phase", default="Pending")
        if not _is_newer(one, found) and phase not in FINAL_PHASES:
            return objects.name(one)
    return ""


def _clusters(reader: Reader, spec: ReleaseSpec) -> tuple[Object, ...]:
    found = (
        reader.get(Address(ocm.CLUSTERS, "", name)) or {"metadata": {"name": name}}
        for target in spec.targets
        for name in target.clusters
    )
    return tuple(found)


def _claimed(reader: Reader, spec: ReleaseSpec, namespace: str) -> dict[str, Object]:
    names = [name for target in spec.targets for name in target.clusters]
    found = (
        (name, reader.get(Address(UNITS, name, unit_name(namespace, spec.application, name))))
        for name in names
    )
    return {name: unit for name, unit in found if unit is not None}


def _units(
    reader: Reader, key: Key, status: ReleaseStatus
) -> tuple[tuple[UnitSpec, UnitStatus], ...]:
    if status.phase == "RollingBack":
        found = reader.labelled(UNITS, (RELEASE_LABEL, release_key(*key)))
        return tuple(_typed(one) for one in found)
    rows: list[tuple[UnitSpec, UnitStatus]] = []
    for number in range(min(status.wave + 1, len(status.waves))):
        rows.extend(
            _typed(one) for one in reader.labelled(UNITS, (WAVE_LABEL, wave_key(*key, number)))
        )
    return tuple(rows)


def _typed(unit: Object) -> tuple[UnitSpec, UnitStatus]:
    spec = parse(UnitSpec, unit.get("spec"), "spec")
    status = parse(UnitStatus, unit.get("status"), "status")
    return spec, status if status.release == spec.release else UnitStatus()


_NO_RELEASE: Object = {"application": "", "revision": ""}
