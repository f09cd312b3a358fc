"""One application's release as a tree of waves, clusters and batches; pure, from what was read.

Every part that waits says why in words. Waves that are over are folded to their counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from oneco.kinds.oam import ApplicationStatus
from oneco.kinds.parts import parse
from oneco.kinds.release import (
    FINAL_PHASES,
    PolicySpec,
    ReleaseSpec,
    ReleaseStatus,
    UnitSpec,
    UnitStatus,
    WaveStatus,
    sequence_of,
)
from oneco.kube import objects
from oneco.kube.objects import Object

State = Literal["waiting", "going", "done", "failed", "back", "held"]
SHOWN_CLUSTERS = 20
"""So many clusters of one wave are shown; those that need a look come first."""


class Value(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A part of the tree, as JSON shows it too."""


class Workload(Value, frozen=True):
    """One workload in one cluster, in pods."""

    api_version: str
    kind: str
    name: str
    replicas: int
    target: int
    updated: int
    ready: int


class Cluster(Value, frozen=True):
    """One cluster of a wave; `batch` counts from 1, and is 0 before the first."""

    name: str
    state: State
    phase: str
    reason: str
    message: str
    batch: int
    batches: int
    workloads: tuple[Workload, ...]


class Wave(Value, frozen=True):
    """One wave; `clusters` are those worth a look, `folded` counts the rest."""

    name: str
    state: State
    message: str
    units: int
    succeeded: int
    failed: int
    rolled_back: int
    started_at: str
    finished_at: str
    clusters: tuple[Cluster, ...]
    folded: int


class Release(Value, frozen=True):
    """One release with its waves."""

    name: str
    revision: str
    state: State
    phase: str
    reason: str
    message: str
    started_at: str
    finished_at: str
    waves: tuple[Wave, ...]


class Application(Value, frozen=True):
    """The whole tree."""

    name: str
    namespace: str
    state: State
    phase: str
    revision: str
    messages: tuple[str, ...]
    releases: tuple[Release, ...]

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.state in ("done", "failed", "back")


_STATES: Mapping[str, State] = {
    "Pending": "waiting",
    "Waiting": "waiting",
    "Progressing": "going",
    "Silence": "going",
    "Paused": "held",
    "Blocked": "failed",
    "Failed": "failed",
    "RollingBack": "back",
    "RolledBack": "back",
    "Succeeded": "done",
    "Aborted": "failed",
    "Superseded": "done",
}
_URGENCY: Mapping[State, int] = {
    "failed": 0, "back": 1, "held": 2, "going": 3, "waiting": 4, "done": 5,
}  # fmt: skip
_APPLICATION_STATES: Mapping[str, State] = {
    "running": "done",
    "workflowFailed": "failed",
    "workflowTerminated": "failed",
    "unhealthy": "failed",
    "workflowSuspending": "held",
    "": "waiting",
    "rendering": "waiting",
}


def tree(
    application: Object,
    releases: Sequence[Object],
    units: Iterable[Object],
    *,
    is_whole: bool = False,
) -> Application:
    """The tree of `application` with its newest revision's releases; `is_whole` folds nothing."""
    status = parse(ApplicationStatus, application.get("status"), "status")
    ordered = sorted(releases, key=sequence_of)
    newest = [one for one in ordered if _revision(one) == _revision(ordered[-1])]
    by_release: dict[str, list[tuple[UnitSpec, UnitStatus]]] = {}
    for unit in units:
        spec = parse(UnitSpec, unit.get("spec"), "spec")
        found = parse(UnitStatus, unit.get("status"), "status")
        # Until the unit has looked at its new release, its status speaks of the one before.
        is_current = found.release == spec.release
        rows = by_release.setdefault(spec.release, [])
        rows.append((spec, found if is_current else UnitStatus()))
    shown = tuple(_release(one, by_release.get(objects.name(one), []), is_whole) for one in newest)
    state = _state(application, status, shown)
    return Application(
        name=objects.name(application),
        namespace=objects.namespace(application),
        state=state,
        phase=status.status or "new",
        revision=_revision(ordered[-1]) if ordered else "",
        messages=_messages(application, status, shown),
        releases=shown,
    )


def _revision(release: Object) -> str:
    return str(objects.dig(release, "spec", "revision", default=""))


def _state(application: Object, status: ApplicationStatus, releases: Sequence[Release]) -> State:
    if objects.is_deleting(application):
        return "back"
    if status.observed_generation < objects.generation(application):
        return "waiting"
    if any(one.status == "False" and one.reason == "ReconcileError" for one in status.conditions):
        return "failed"
    ended = _APPLICATION_STATES.get(status.status, "going")
    last = releases[-1] if releases else None
    if last is not None and last.phase == "RolledBack":
        return "back"
    if last is not None and last.phase not in FINAL_PHASES and last.phase != "Blocked":
        return last.state if last.state != "back" else "going"
    return ended


def _messages(
    application: Object, status: ApplicationStatus, releases: Sequence[Release]
) -> tuple[str, ...]:
    if objects.is_deleting(application):
        return ("is being taken off its clusters",)
    if status.observed_generation < objects.generation(application):
        return ("the hub has not looked at its last change yet",)
    wrong = [one.message for one in status.conditions if one.status == "False" and one.message]
    known = {one.message for one in releases}
    found = dict.fromkeys(one for one in wrong if one not in known)
    if not releases and not found:
        return ("nothing is released yet",)
    return tuple(found)


def _release(release: Object, units: list[tuple[UnitSpec, UnitStatus]], is_whole: bool) -> Release:
    spec = parse(ReleaseSpec, release.get("spec"), "spec")
    status = parse(ReleaseStatus, release.get("status"), "status")
    by_wave: dict[int, list[tuple[UnitSpec, UnitStatus]]] = {}
    for row in sorted(units, key=lambda row: row[0].order):
        by_wave.setdefault(row[0].wave, []).append(row)
    waves = tuple(
        _wave(number, spec, status, by_wave.get(number, []), is_whole)
        for number in range(len(status.waves))
    )
    state = _STATES[status.phase]
    return Release(
        name=objects.name(release),
        revision=spec.revision,
        state="going" if status.phase == "RollingBack" else state,
        phase=status.phase,
        reason=status.reason,
        message=_with_request(spec, status),
        started_at=status.started_at,
        finished_at=status.finished_at,
        waves=waves,
    )


def _with_request(spec: ReleaseSpec, status: ReleaseStatus) -> str:
    if status.phase in FINAL_PHASES:
        return status.message
    if spec.request and status.phase != "RollingBack":
        return f"{spec.request.lower()} was asked for; the hub will act on it"
    if spec.paused and status.phase != "Paused":
        return "a pause was asked for; the hub will act on it"
    return status.message or "the hub has not looked at it yet"


def _wave(
    number: int,
    spec: ReleaseSpec,
    status: ReleaseStatus,
    units: Sequence[tuple[UnitSpec, UnitStatus]],
    is_whole: bool,
) -> Wave:
    wave = status.waves[number]
    state = _wave_state(number, status, wave)
    rows = [_cluster(unit, found, status) for unit, found in units]
    folds = not is_whole and state in ("done", "waiting")
    worth = sorted(rows, key=lambda one: _URGENCY[one.state])
    most = len(rows) if is_whole else SHOWN_CLUSTERS
    shown = () if folds else tuple(worth[:most])
    return Wave(
        name=wave.name,
        state=state,
        message=_wave_message(number, spec.policy, status, wave),
        units=wave.units,
        succeeded=sum(1 for one in rows if one.state == "done") if rows else wave.succeeded,
        failed=wave.failed,
        rolled_back=wave.rolled_back,
        started_at=wave.started_at,
        finished_at=wave.finished_at,
        clusters=shown,
        folded=max(0, wave.units - len(shown)),
    )


def _wave_state(number: int, status: ReleaseStatus, wave: WaveStatus) -> State:
    if status.phase in ("RollingBack", "RolledBack"):
        return "back" if wave.started_at else "waiting"
    if wave.finished_at:
        return "done"
    if not wave.started_at:
        return "waiting"
    if wave.failed:
        return "failed"
    return "held" if status.phase == "Paused" else "going"


def _wave_message(
    number: int, policy: PolicySpec | None, status: ReleaseStatus, wave: WaveStatus
) -> str:
    if wave.started_at:
        if status.phase == "Progressing" and number == status.wave and wave.finished_at:
            return status.message
        return ""
    if status.phase in FINAL_PHASES or status.phase in ("Blocked", "RollingBack"):
        return "never begun"
    before = status.waves[number - 1].name if number else ""
    if number == status.wave:
        return "begins next"
    if status.reason == "Silence" and number == status.wave + 1:
        return f"begins after the silence of wave {before}"
    return f"waits for wave {before}"


def _cluster(spec: UnitSpec, status: UnitStatus, release: ReleaseStatus) -> Cluster:
    return Cluster(
        name=spec.cluster,
        state="held" if status.reason == "WorkloadPaused" else _STATES[status.phase],
        phase=status.phase,
        reason=status.reason,
        message=_wait(spec, status, release),
        batch=status.batch,
        batches=status.batches,
        workloads=tuple(
            Workload(
                api_version=one.api_version,
                kind=one.kind,
                name=one.name,
                replicas=one.replicas,
                target=one.target,
                updated=one.updated,
                ready=one.ready,
            )
            for one in status.workloads
        ),
    )


def _wait(spec: UnitSpec, status: UnitStatus, release: ReleaseStatus) -> str:
    """Why the cluster is where it is; for one that was not begun, what it waits for."""
    if status.message or status.is_touched:
        return status.message
    if release.phase == "Paused":
        return "waits: the release is paused"
    if release.phase in ("Blocked", "RollingBack") or release.phase in FINAL_PHASES:
        return "not touched"
    if spec.order >= release.opened:
        return "waits for its turn: only so many clusters of a wave go at the same time"
    return "waits for the hub's next look"
