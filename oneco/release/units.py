"""The next step of one unit: its batch, its silence, its checks, its way back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import msgspec

from oneco.clock import Instant
from oneco.decision import (
    NOTHING,
    Action,
    Change,
    Create,
    Decision,
    Delete,
    Reason,
    Replace,
    StatusWrite,
)
from oneco.kinds import durations, ocm
from oneco.kinds.parts import build
from oneco.kinds.release import FINAL_PHASES, UNITS, Good, UnitStatus
from oneco.kube import objects, times
from oneco.kube.api import DeleteOptions, Patch
from oneco.kube.refs import Address, kind_of
from oneco.release import batches, checks, variants, works
from oneco.release.judgement import Judgement, judge
from oneco.release.ports import Workloads
from oneco.release.seen import UnitSeen
from oneco.release.variants import Identity, Variant

UNIT_FINALIZER = "onepersoncompany.io/work"


def decide(seen: UnitSeen, now: Instant, workloads: Workloads) -> Decision:
    """The next step of one unit in the release that claimed it, or why there is none."""
    decision = _next(seen, now, workloads)
    if not seen.failures or not decision.actions:
        return decision
    # The write will be tried again, but whoever looks should read why it did not happen.
    refusal = seen.failures[0]
    message = f"the hub refused {refusal.address}: {refusal.message}"
    status = _with(seen.status, reason="WriteRefused", message=message)
    told = Change(_address(seen), Patch("merge", {"status": build(status)}))
    at_status = told._replace(address=told.address._replace(subresource="status"))
    is_told = seen.status.message == message
    actions = decision.actions if is_told else (at_status, *decision.actions)
    return dataclasses.replace(decision, actions=actions)


def _next(seen: UnitSeen, now: Instant, workloads: Workloads) -> Decision:
    if objects.is_deleting(seen.unit):
        return _take_off(seen)
    if seen.release is None:
        return NOTHING
    phase = seen.course.phase
    if phase == "RollingBack":
        return _roll_back(seen, now, workloads) if seen.status.is_touched else NOTHING
    if phase in FINAL_PHASES or phase in ("Pending", "Blocked"):
        return NOTHING
    if seen.spec.order >= seen.course.opened:
        return NOTHING
    if seen.spec.variant == "":
        return _remove(seen, now)
    return _advance(seen, now, workloads)


def _advance(seen: UnitSeen, now: Instant, workloads: Workloads) -> Decision:
    if seen.target is None or seen.before is None:
        missing = seen.spec.revision if seen.target is None else "the last good revision"
        return _wait(seen, Reason("RevisionMissing", f"{missing} is not there (any more)"))
    divided = variants.divided(seen.target, seen.before, workloads)
    replicas = [workloads[kind_of(one)].replicas(one) for one in divided]
    steps = batches.plan(seen.policy.batches, replicas)
    batch = max(seen.status.batch, 1)
    targets = variants.targets_of(divided, steps[batch - 1])
    wanted = works.content(seen.target, targets, workloads)
    if seen.asked.paused or seen.course.phase == "Paused":
        return _hold(seen, now, workloads, targets)
    if seen.status.phase == "Failed":
        return NOTHING
    if not works.is_current(seen.work, wanted):
        return _start_batch(seen, now, wanted, len(steps))
    return _follow_batch(seen, now, workloads, (steps, targets))


def _start_batch(seen: UnitSeen, now: Instant, wanted: works.Content, count: int) -> Decision:
    batch = max(seen.status.batch, 1)
    reason = Reason("BatchStarted", f"batch {batch} of {count} of {seen.spec.revision} begins")
    status = _with(
        seen.status,
        phase="Progressing",
        reason=reason.code,
        message=reason.message,
        batch=batch,
        batches=count,
        is_touched=True,
        started_at=seen.status.started_at or times.to_micro_text(now),
        batch_started_at=times.to_micro_text(now),
        batch_reached_at="",
        workloads=(),
    )
    return Decision(
        actions=(*_claim_mark(seen), _write(seen, wanted, seen.spec.revision)),
        statuses=(_status(seen, status),),
        reasons=(reason,),
        wake_at=_deadline(seen, now),
    )


def _follow_batch(
    seen: UnitSeen,
    now: Instant,
    workloads: Workloads,
    plan: tuple[tuple[batches.Targets, ...], Mapping[Identity, int]],
) -> Decision:
    steps, targets = plan
    # A process that died between the two writes finds the work written and the status not.
    status = seen.status if seen.status.batch else _first_status(seen, now, len(steps))
    found = _judge(seen, workloads, targets)
    status = _with(status, workloads=found.workloads or status.workloads)
    if found.state == "Failed":
        return _fail(seen, status, found.reason, now)
    if status.phase == "Succeeded":
        return _show(seen, status)
    if found.state != "Reached":
        return _await_pods(seen, status, found, now)
    if not status.batch_reached_at:
        status = _with(status, batch_reached_at=times.to_micro_text(now))
    return _keep_silence(seen, status, now, len(steps))


def _await_pods(seen: UnitSeen, status: UnitStatus, found: Judgement, now: Instant) -> Decision:
    if status.batch_reached_at:
        # Pods that were ready are not any more: the batch has to be reached anew, in new time.
        status = _with(status, batch_reached_at="", batch_started_at=times.to_micro_text(now))
    deadline = _deadline_of(seen, status)
    if now >= deadline and found.state == "Progressing":
        allowed = seen.policy.progress_deadline
        message = f"batch {status.batch} did not get there within {allowed}: {found.reason}"
        return _fail(seen, status, Reason("ProgressDeadlineExceeded", message), now)
    reason = found.reason
    if found.state == "Unseen" and not seen.is_reachable:
        reason = Reason("ClusterUnreachable", "the cluster does not answer; its state is unknown")
    status = _with(status, phase="Progressing", reason=reason.code, message=reason.message)
    return _show(seen, status, wake_at=deadline if now < deadline else None)


def _keep_silence(seen: UnitSeen, status: UnitStatus, now: Instant, count: int) -> Decision:
    reached = times.from_text(status.batch_reached_at)
    until = Instant(
        reached + durations.parse(seen.policy.batch_silence, "spec.policy.batchSilence")
    )
    asked = checks.ask(seen, status, now, until)
    if asked.failed is not None:
        return _fail(seen, status, asked.failed, now)
    if now < until or asked.waiting is not None:
        reason = asked.waiting or _silence_reason(status, until)
        status = _with(status, phase="Silence", reason=reason.code, message=reason.message)
        return _show(seen, status, actions=asked.actions, wake_at=asked.wake_at)
    if status.batch < count:
        status = _with(status, batch=status.batch + 1, batch_reached_at="", phase="Progressing")
        return _next_batch(seen, status)
    return _succeed(seen, status, now)


def _next_batch(seen: UnitSeen, status: UnitStatus) -> Decision:
    reason = Reason("BatchHealthy", f"batch {status.batch - 1} of {status.batches} is healthy")
    status = _with(status, reason=reason.code, message=reason.message)
    return Decision(statuses=(_status(seen, status),), reasons=(reason,))


def _succeed(seen: UnitSeen, status: UnitStatus, now: Instant) -> Decision:
    spec = seen.spec
    reason = Reason("UnitSucceeded", f"all pods run {spec.revision} and are healthy")
    status = _with(
        status,
        phase="Succeeded",
        reason=reason.code,
        message=reason.message,
        finished_at=times.to_micro_text(now),
        good=Good(release=spec.release, revision=spec.revision, variant=spec.variant),
    )
    return Decision(statuses=(_status(seen, status),), reasons=(reason,))


def _fail(seen: UnitSeen, status: UnitStatus, reason: Reason, now: Instant) -> Decision:
    if status.phase == "Failed":
        return NOTHING
    status = _with(
        status,
        phase="Failed",
        reason=reason.code,
        message=reason.message,
        finished_at=times.to_micro_text(now),
        good=status.before,
    )
    return Decision(statuses=(_status(seen, status),), reasons=(reason,))


def _hold(
    seen: UnitSeen, now: Instant, workloads: Workloads, targets: Mapping[Identity, int]
) -> Decision:
    """Look, but raise nothing: what fails during a pause is still a failure."""
    if not seen.status.is_touched or seen.status.phase in ("Failed", "Succeeded"):
        return NOTHING
    found = _judge(seen, workloads, targets)
    if found.state == "Failed":
        return _fail(seen, _with(seen.status, workloads=found.workloads), found.reason, now)
    reason = Reason("Paused", "the release is paused: nothing more is updated until it resumes")
    changes: dict[str, object] = {"reason": reason.code, "message": reason.message}
    if found.workloads:
        changes["workloads"] = found.workloads
    return _show(seen, _with(seen.status, **changes))


def _roll_back(seen: UnitSeen, now: Instant, workloads: Workloads) -> Decision:
    if seen.status.phase == "RolledBack":
        return NOTHING
    before = seen.before
    if before is None:
        return _wait(
            seen, Reason("RevisionMissing", "the last good revision is not there any more")
        )
    if not before.manifests:
        return _roll_back_to_nothing(seen, now)
    wanted = works.content(before, {}, workloads)
    if not works.is_current(seen.work, wanted):
        reason = Reason("RollbackStarted", f"puts {before.revision} back")
        status = _with(
            seen.status,
            phase="RollingBack",
            reason=reason.code,
            message=reason.message,
            workloads=(),
        )
        return Decision(
            actions=(_write(seen, wanted, before.revision),),
            statuses=(_status(seen, status),),
            reasons=(reason,),
        )
    return _follow_rollback(seen, before, now, workloads)


def _follow_rollback(
    seen: UnitSeen, before: Variant, now: Instant, workloads: Workloads
) -> Decision:
    found = judge(
        seen.observed, objects.generation(seen.work or {}), {}, workloads, is_strict=False
    )
    status = _with(seen.status, workloads=found.workloads or seen.status.workloads)
    if found.state != "Reached":
        reason = found.reason
        return _show(
            seen,
            _with(status, phase="RollingBack", reason=reason.code, message=reason.message),
        )
    return _rolled_back(seen, status, f"all pods run {before.revision} again", now)


def _roll_back_to_nothing(seen: UnitSeen, now: Instant) -> Decision:
    if seen.work is None:
        return _rolled_back(seen, seen.status, "there was nothing before: all is taken off", now)
    if objects.is_deleting(seen.work):
        return NOTHING
    reason = Reason("RollbackStarted", "takes off what was not there before")
    status = _with(seen.status, phase="RollingBack", reason=reason.code, message=reason.message)
    return Decision(
        actions=(_delete_work(seen),), statuses=(_status(seen, status),), reasons=(reason,)
    )


def _rolled_back(seen: UnitSeen, status: UnitStatus, message: str, now: Instant) -> Decision:
    reason = Reason("UnitRolledBack", message)
    status = _with(
        status,
        phase="RolledBack",
        reason=reason.code,
        message=message,
        finished_at=times.to_micro_text(now),
        good=status.before,
    )
    return Decision(statuses=(_status(seen, status),), reasons=(reason,))


def _remove(seen: UnitSeen, now: Instant) -> Decision:
    if seen.status.phase == "Succeeded":
        return NOTHING
    if seen.work is None:
        reason = Reason("UnitSucceeded", "the application is taken off this cluster")
        status = _with(
            seen.status,
            phase="Succeeded",
            reason=reason.code,
            message=reason.message,
            is_touched=True,
            finished_at=times.to_micro_text(now),
            good=None,
        )
        return Decision(statuses=(_status(seen, status),), reasons=(reason,))
    if objects.is_deleting(seen.work):
        return NOTHING
    reason = Reason("RemovalStarted", "takes the application off this cluster")
    status = _with(
        seen.status,
        phase="Progressing",
        reason=reason.code,
        message=reason.message,
        is_touched=True,
        started_at=times.to_micro_text(now),
    )
    return Decision(
        actions=(_delete_work(seen),), statuses=(_status(seen, status),), reasons=(reason,)
    )


def _take_off(seen: UnitSeen) -> Decision:
    """The unit is deleted: so is its work; the agent finishes when it can."""
    finalizers = objects.metadata(seen.unit).get("finalizers") or []
    if UNIT_FINALIZER not in finalizers:
        return NOTHING
    if seen.work is not None and not objects.is_deleting(seen.work):
        return Decision(
            actions=(_delete_work(seen),), reasons=(Reason("RemovalStarted", "takes it off"),)
        )
    left = [one for one in finalizers if one != UNIT_FINALIZER]
    patch = Patch("merge", {"metadata": {"finalizers": left or None}})
    return Decision(actions=(Change(_address(seen), patch),))


def _judge(seen: UnitSeen, workloads: Workloads, targets: Mapping[Identity, int]) -> Judgement:
    is_update = seen.before is not None and bool(seen.before.manifests)
    generation = objects.generation(seen.work or {})
    return judge(seen.observed, generation, targets, workloads, is_strict=is_update)


def _write(seen: UnitSeen, wanted: works.Content, revision: str) -> Action:
    application = f"{seen.spec.application_namespace}/{seen.spec.application}"
    origin = works.Origin(objects.namespace(seen.unit), seen.name, application, revision)
    work = works.build(origin, wanted, seen.work)
    address = Address(ocm.WORKS, objects.namespace(seen.unit))
    if seen.work is None:
        return Create(address, work)
    return Replace(address._replace(name=seen.name), work)


def _claim_mark(seen: UnitSeen) -> tuple[Action, ...]:
    """Before its first work, a unit gets the finalizer that takes that work off again."""
    finalizers = objects.metadata(seen.unit).get("finalizers") or []
    if UNIT_FINALIZER in finalizers:
        return ()
    patch = Patch("merge", {"metadata": {"finalizers": [*finalizers, UNIT_FINALIZER]}})
    return (Change(_address(seen), patch),)


def _delete_work(seen: UnitSeen) -> Delete:
    assert seen.work is not None, "a work that is not there was to be deleted"
    address = Address(ocm.WORKS, objects.namespace(seen.unit), seen.name)
    return Delete(address, DeleteOptions(uid=objects.uid(seen.work)))


def _first_status(seen: UnitSeen, now: Instant, count: int) -> UnitStatus:
    at = times.to_micro_text(now)
    return _with(
        seen.status,
        phase="Progressing",
        batch=1,
        batches=count,
        is_touched=True,
        started_at=at,
        batch_started_at=at,
    )


def _silence_reason(status: UnitStatus, until: Instant) -> Reason:
    message = f"batch {status.batch} is ready; silence until {times.to_text(until)}"
    return Reason("Silence", message)


def _deadline(seen: UnitSeen, started: Instant) -> Instant:
    return Instant(
        started + durations.parse(seen.policy.progress_deadline, "spec.policy.progressDeadline")
    )


def _deadline_of(seen: UnitSeen, status: UnitStatus) -> Instant:
    return _deadline(seen, times.from_text(status.batch_started_at))


def _wait(seen: UnitSeen, reason: Reason) -> Decision:
    return _show(seen, _with(seen.status, reason=reason.code, message=reason.message))


def _show(
    seen: UnitSeen,
    status: UnitStatus,
    *,
    actions: tuple[Action, ...] = (),
    wake_at: Instant | None = None,
) -> Decision:
    return Decision(actions=actions, statuses=(_status(seen, status),), wake_at=wake_at)


def _status(seen: UnitSeen, status: UnitStatus) -> StatusWrite:
    return StatusWrite(_address(seen), build(status))


def _address(seen: UnitSeen) -> Address:
    return Address(UNITS, objects.namespace(seen.unit), seen.name)


def _with(status: UnitStatus, **changes: object) -> UnitStatus:
    return msgspec.structs.replace(status, **changes)
