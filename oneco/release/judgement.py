"""Whether what an agent saw is good enough: pure, and only ever about the newest generation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from oneco.decision import Reason
from oneco.kinds.release import Observed, ObservedObject, WorkloadProgress
from oneco.kube.refs import Kind, split_api_version
from oneco.release.ports import Workloads
from oneco.release.variants import Identity

State = Literal["Unseen", "Progressing", "Reached", "Failed"]


class Judgement(NamedTuple):
    """What the cluster's state means for the batch that is under way."""

    state: State
    reason: Reason
    workloads: tuple[WorkloadProgress, ...] = ()


def judge(
    observed: Observed | None,
    generation: int,
    targets: Mapping[Identity, int],
    workloads: Workloads,
    *,
    is_strict: bool,
) -> Judgement:
    """Where the unit stands after generation `generation` of its work.

    `is_strict` makes trouble of new pods a failure at once; on a first installation pods may
    well crash until what they need is there, so then only the deadline counts.
    """
    if observed is None or observed.work_generation < generation:
        return Judgement(
            "Unseen", Reason("AgentNotSeen", "waits for the cluster's agent to report")
        )
    if not observed.is_confirmed:
        message = "this hub started from a copy: see oneco clusters confirm"
        return Judgement("Unseen", Reason("NotConfirmed", message))
    progress = _progress(observed.objects, targets, workloads)
    failure = _failure(observed.objects, is_strict)
    if failure is not None:
        return Judgement("Failed", failure, progress)
    waiting = _first_waiting(observed.objects, progress)
    if waiting is not None:
        return Judgement("Progressing", waiting, progress)
    return Judgement("Reached", Reason("Healthy", "updated and ready"), progress)


def _failure(seen: Sequence[ObservedObject], is_strict: bool) -> Reason | None:
    for one in seen:
        if one.is_refused:
            message = f"{_label(one)} was refused by the cluster: {one.message}"
            return Reason("ApplyRefused", message)
    for one in seen if is_strict else ():
        for problem in one.problems:
            pods = f"{problem.pods} new pod{'s' if problem.pods != 1 else ''}"
            detail = f": {problem.message}" if problem.message else ""
            message = f"{pods} of {_label(one)}: {problem.reason}{detail}"
            return Reason(problem.reason, message)
    return None


def _first_waiting(
    seen: Sequence[ObservedObject], progress: Sequence[WorkloadProgress]
) -> Reason | None:
    for one in seen:
        if not one.is_applied:
            detail = f": {one.message}" if one.message else ""
            return Reason("NotApplied", f"{_label(one)} is not applied yet{detail}")
        if not one.is_current:
            message = f"{_label(one)}: the cluster has not looked at the newest version yet"
            return Reason("StatusOutdated", message)
    for row in progress:
        if row.updated < row.target or row.ready < row.target:
            message = f"{row.ready} of {row.target} new pods of {row.name} are ready"
            return Reason("PodsNotReady", message)
    return None


def _progress(
    seen: Sequence[ObservedObject], targets: Mapping[Identity, int], workloads: Workloads
) -> tuple[WorkloadProgress, ...]:
    return tuple(
        WorkloadProgress(
            kind=one.ref.kind,
            name=one.ref.name,
            namespace=one.ref.namespace,
            replicas=one.replicas,
            target=_target(one, targets),
            updated=one.updated,
            ready=one.updated_ready,
        )
        for one in seen
        if _identity(one).kind in workloads
    )


def _target(one: ObservedObject, targets: Mapping[Identity, int]) -> int:
    # A workload that this batch does not hold back must be whole.
    return targets.get(_identity(one), one.replicas)


def _identity(one: ObservedObject) -> Identity:
    group, version = split_api_version(one.ref.api_version)
    return Identity(Kind(group, version, one.ref.kind), one.ref.namespace, one.ref.name)


def _label(one: ObservedObject) -> str:
    return f"{one.ref.kind} {one.ref.name}"
