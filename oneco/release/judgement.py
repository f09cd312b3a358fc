"""Whether what an agent saw is good enough: pure, and only ever about the newest generation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from oneco.decision import Reason
from oneco.kinds.naming import kind_label
from oneco.kinds.release import Observed, ObservedObject, WorkloadProgress
from oneco.kube import objects
from oneco.kube.objects import Object
from oneco.kube.refs import Kind, kind_of, split_api_version
from oneco.release import health
from oneco.release.ports import Workloads
from oneco.release.seen import UnitSeen
from oneco.release.variants import Identity, identity

State = Literal["Unseen", "Progressing", "Paused", "Reached", "Failed"]
"""`Paused`: somebody in the cluster holds a workload, which is nobody's failure."""

OUTDATED = "StatusOutdated"
"""A workload whose controller has not looked at it since it was written."""


class Judgement(NamedTuple):
    """What the cluster's state means for the batch that is under way."""

    state: State
    reason: Reason
    workloads: tuple[WorkloadProgress, ...] = ()


def stand(
    seen: UnitSeen, targets: Mapping[Identity, int], workloads: Workloads, *, is_strict: bool
) -> Judgement:
    """Where the unit stands with its work as it is now; what cannot be reached is not known."""
    if not seen.is_reachable:
        message = "the cluster does not answer; its state is unknown"
        return Judgement("Unseen", Reason("ClusterUnreachable", message))
    found = judge(seen.observed, seen.work or {}, targets, workloads, is_strict=is_strict)
    if seen.foreign is not None and found.reason.code == "PodsNotReady":
        message = f"{found.reason.message}; why is not seen: the agent there is not oneco's"
        return found._replace(reason=Reason(found.reason.code, message))
    return found


def judge(
    observed: Observed | None,
    work: Object,
    targets: Mapping[Identity, int],
    workloads: Workloads,
    *,
    is_strict: bool,
) -> Judgement:
    """Where the cluster stands with this very generation of this very work.

    `targets` are the workloads that are held back, each at so many new pods; all others must be
    whole. `is_strict` makes trouble of new pods a failure at once; on a first installation pods
    may well crash until what they need is there, so then only the deadline counts.
    """
    if observed is None or not is_about(observed, work):
        return Judgement(
            "Unseen", Reason("AgentNotSeen", "waits for the cluster's agent to report")
        )
    if not observed.is_confirmed:
        message = "this hub started from a copy: see oneco clusters confirm"
        return Judgement("Unseen", Reason("NotConfirmed", message))
    progress = _progress(observed.objects, work, targets, workloads)
    failure = _failure(observed.objects, is_strict)
    if failure is not None:
        return Judgement("Failed", failure, progress)
    paused = _first_paused(observed.objects, progress)
    if paused is not None:
        return Judgement("Paused", paused, progress)
    waiting = _first_waiting(observed.objects, progress)
    if waiting is not None:
        return Judgement("Progressing", waiting, progress)
    return Judgement("Reached", Reason("Healthy", "updated and ready"), progress)


def identity_of(one: ObservedObject) -> Identity:
    """The object that was observed, by what a cluster tells it apart."""
    group, version = split_api_version(one.ref.api_version)
    return Identity(Kind(group, version, one.ref.kind), one.ref.namespace, one.ref.name)


def is_about(observed: Observed, work: Object) -> bool:
    """Whether an agent speaks of this very generation of this very work, or of a later one."""
    # A work that was deleted and made again counts its generations from one again.
    is_same = observed.work_uid in ("", objects.uid(work))
    return is_same and observed.work_generation >= objects.generation(work)


def _failure(seen: Sequence[ObservedObject], is_strict: bool) -> Reason | None:
    for one in seen:
        if one.is_refused:
            message = f"{label(one)} was refused by the cluster: {one.message}"
            return Reason("ApplyRefused", message)
        broken = health.failure(one)
        if broken is not None:
            return broken
    for one in seen if is_strict else ():
        for problem in one.problems:
            pods = f"{problem.pods} new pod{'s' if problem.pods != 1 else ''}"
            detail = f": {problem.message}" if problem.message else ""
            message = f"{pods} of {label(one)}: {problem.reason}{detail}"
            return Reason(problem.reason, message)
    return None


def _first_waiting(
    seen: Sequence[ObservedObject], progress: Sequence[WorkloadProgress]
) -> Reason | None:
    for one in seen:
        if not one.is_applied:
            detail = f": {one.message}" if one.message else ""
            return Reason("NotApplied", f"{label(one)} is not applied yet{detail}")
        if not one.is_current:
            message = f"{label(one)}: the cluster has not looked at the newest version yet"
            return Reason(OUTDATED, message)
        unfinished = health.unfinished(one)
        if unfinished is not None:
            return unfinished
    names = [row.name for row in progress]
    for row in progress:
        if row.updated < row.target or row.ready < row.target:
            is_alone = names.count(row.name) == 1
            place = row.name if is_alone else f"{kind_label(row.api_version, row.kind)} {row.name}"
            message = f"{row.ready} of {row.target} new pods of {place} are ready"
            return Reason("PodsNotReady", message)
    return None


def _first_paused(
    seen: Sequence[ObservedObject], progress: Sequence[WorkloadProgress]
) -> Reason | None:
    """The first that is paused with pods to update; what its own manifest pauses has none."""
    short = {
        (row.api_version, row.kind, row.namespace, row.name)
        for row in progress
        if row.updated < row.target
    }
    for one in seen:
        ref = one.ref
        if one.is_paused and (ref.api_version, ref.kind, ref.namespace, ref.name) in short:
            message = f"{label(one)} is paused in the cluster: nothing goes on until it is resumed"
            return Reason("WorkloadPaused", message)
    return None


def _progress(
    seen: Sequence[ObservedObject],
    work: Object,
    targets: Mapping[Identity, int],
    workloads: Workloads,
) -> tuple[WorkloadProgress, ...]:
    manifests = objects.dig(work, "spec", "workload", "manifests", default=())
    by_identity = {identity(one): one for one in manifests if kind_of(one) in workloads}
    return tuple(
        WorkloadProgress(
            api_version=one.ref.api_version,
            kind=one.ref.kind,
            name=one.ref.name,
            namespace=one.ref.namespace,
            replicas=one.replicas,
            target=_target(one, targets, by_identity.get(identity_of(one)), workloads),
            updated=one.updated,
            ready=one.updated_ready,
        )
        for one in seen
        if identity_of(one).kind in workloads
    )


def _target(
    one: ObservedObject,
    targets: Mapping[Identity, int],
    manifest: Object | None,
    workloads: Workloads,
) -> int:
    # A workload that this batch does not hold back must be whole; one that was scaled down
    # meanwhile cannot have more new pods than it has pods, nor than its owner lets it have.
    wanted = min(targets.get(identity_of(one), one.replicas), one.replicas)
    if manifest is None:
        return wanted
    return min(wanted, workloads[kind_of(manifest)].reach(manifest, one.replicas))


def label(one: ObservedObject) -> str:
    """The object's kind and name, for people."""
    return f"{kind_label(one.ref.api_version, one.ref.kind)} {one.ref.name}"
