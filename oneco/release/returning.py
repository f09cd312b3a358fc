"""How a unit gives back what a release brought: rollback, removal, the end of the unit itself."""

from __future__ import annotations

from oneco.clock import Instant
from oneco.decision import NOTHING, Change, Decision, Reason
from oneco.kinds.release import UnitStatus
from oneco.kube import objects, times
from oneco.kube.api import Patch
from oneco.kube.refs import kind_of
from oneco.release import foreign, works
from oneco.release.judgement import is_about, label, stand
from oneco.release.ports import Workloads
from oneco.release.seen import UnitSeen
from oneco.release.unit_writes import address, bring, changed, decided, show, take_away, wait
from oneco.release.variants import Variant

UNIT_FINALIZER = "onepersoncompany.io/work"

LEAVING = Reason("WorkLeaving", "waits until the cluster has taken off what was there")


def roll_back(seen: UnitSeen, now: Instant, workloads: Workloads) -> Decision:
    """Put back what last succeeded here, or nothing where nothing did."""
    if seen.status.phase == "RolledBack" or not seen.status.is_touched:
        return NOTHING
    before = seen.before
    if before is None:
        return wait(seen, Reason("RevisionMissing", "the last good revision is not there any more"))
    if not before.manifests:
        return _roll_back_to_nothing(seen, now)
    if is_leaving(seen):
        return wait(seen, LEAVING)
    wanted = _whole(seen, before, workloads)
    if not works.is_current(seen.work, wanted):
        reason = Reason("RollbackStarted", f"puts {before.revision} back")
        write = bring(seen, wanted, before.revision)
        return decided(seen, seen.status, reason, write, phase="RollingBack", workloads=())
    return _follow(seen, before, now, workloads)


def _whole(seen: UnitSeen, variant: Variant, workloads: Workloads) -> works.Content:
    """The variant with nothing held back, as the cluster's agent takes it."""
    if seen.foreign is not None:
        return foreign.content(variant, {}, seen.foreign)
    return works.content(variant, {}, workloads)


def _follow(seen: UnitSeen, before: Variant, now: Instant, workloads: Workloads) -> Decision:
    found = stand(seen, {}, workloads, is_strict=False)
    status = changed(seen.status, workloads=found.workloads or seen.status.workloads)
    if found.state != "Reached":
        reason = _with_obstacles(seen, before, found.reason)
        return show(seen, changed(status, reason, phase="RollingBack"))
    return _rolled_back(seen, status, f"all pods run {before.revision} again", now)


def _with_obstacles(seen: UnitSeen, before: Variant, reason: Reason) -> Reason:
    """The reason with what may need a person's hand where the hub has only fields."""
    if seen.foreign is None or reason.code != "PodsNotReady":
        return reason
    faults = [
        f"{kind_of(one).kind} {objects.name(one)}: {fault}"
        for one in before.manifests
        if (driver := seen.foreign.steps.get(kind_of(one))) and (fault := driver.obstacle(one))
    ]
    return Reason(reason.code, "; ".join((reason.message, *faults)))


def _roll_back_to_nothing(seen: UnitSeen, now: Instant) -> Decision:
    if seen.work is None:
        return _rolled_back(seen, seen.status, "there was nothing before: all is taken off", now)
    if is_leaving(seen):
        return NOTHING
    reason = Reason("RollbackStarted", "takes off what was not there before")
    return decided(seen, seen.status, reason, take_away(seen), phase="RollingBack")


def _rolled_back(seen: UnitSeen, status: UnitStatus, message: str, now: Instant) -> Decision:
    reason = Reason("UnitRolledBack", message)
    finished = times.to_micro_text(now)
    return decided(
        seen, status, reason, phase="RolledBack", finished_at=finished, good=status.before
    )


def mend(seen: UnitSeen, workloads: Workloads) -> Decision | None:
    """Put back what somebody deleted in the middle of a batch; None where nothing is to be mended.

    Of the batch's own making all of its pods would be new; so what was there before the release
    comes first, whole, and then the batch again.
    """
    status = seen.status
    if seen.before is None or not status.batch_started_at or status.phase == "Failed":
        return None
    good = _whole(seen, seen.before, workloads)
    if works.is_current(seen.work, good):
        return _await_mending(seen, workloads)
    is_told = seen.observed is not None and is_about(seen.observed, seen.work or {})
    gone = [one for one in seen.observed.objects if one.is_gone] if seen.observed else []
    if not is_told or not gone:
        return None
    names = ", ".join(map(label, gone))
    message = f"{names} was deleted in the cluster: puts {seen.before.revision} back first"
    return decided(
        seen, status, Reason("WorkloadDeleted", message),
        bring(seen, good, seen.before.revision),
        phase="Progressing", batch_reached_at="", progress=0, progressed_at="", workloads=(),
    )  # fmt: skip


def _await_mending(seen: UnitSeen, workloads: Workloads) -> Decision | None:
    found = stand(seen, {}, workloads, is_strict=False)
    return None if found.state == "Reached" else wait(seen, found.reason)


def remove(seen: UnitSeen, now: Instant) -> Decision:
    """Take the application off this cluster: a release that brings it nothing any more."""
    at = times.to_micro_text(now)
    if seen.status.phase == "Succeeded":
        return NOTHING
    if seen.work is None:
        reason = Reason("UnitSucceeded", "the application is taken off this cluster")
        return decided(
            seen, seen.status, reason,
            phase="Succeeded", is_touched=True, finished_at=at, good=None,
        )  # fmt: skip
    if is_leaving(seen):
        return NOTHING
    if not seen.status.is_touched:
        # First the intention: what is not known to be touched would never be put back.
        reason = Reason("RemovalStarted", "takes the application off this cluster")
        return decided(
            seen, seen.status, reason, phase="Progressing", is_touched=True, started_at=at
        )
    return Decision(actions=(take_away(seen),))


def end(seen: UnitSeen) -> Decision:
    """The unit is deleted: so is its work; the agent finishes when it can.

    The deleted work stays as a sign to a cluster that cannot be reached now; the unit does not.
    """
    finalizers = objects.metadata(seen.unit).get("finalizers") or []
    if UNIT_FINALIZER not in finalizers:
        return NOTHING
    if seen.work is not None and not is_leaving(seen):
        return Decision(
            actions=(take_away(seen),), reasons=(Reason("RemovalStarted", "takes it off"),)
        )
    left = [one for one in finalizers if one != UNIT_FINALIZER]
    patch = Patch("merge", {"metadata": {"finalizers": left or None}})
    return Decision(actions=(Change(address(seen), patch),))


def is_leaving(seen: UnitSeen) -> bool:
    """Whether the cluster is still taking off a deleted work: nothing can be brought by it."""
    return seen.work is not None and objects.is_deleting(seen.work)
