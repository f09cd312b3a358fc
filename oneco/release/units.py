"""The next step of one unit: its batch, its silence, its checks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from oneco.clock import Instant
from oneco.decision import NOTHING, Change, Decision, Reason, Replace
from oneco.kinds import durations
from oneco.kinds.parts import build
from oneco.kinds.release import FINAL_PHASES, Good, UnitStatus
from oneco.kube import objects, times
from oneco.kube.api import Patch
from oneco.release import checks, courses, foreign, returning, stepping, works
from oneco.release.courses import Course
from oneco.release.judgement import OUTDATED, Judgement, stand
from oneco.release.ports import Workloads
from oneco.release.seen import UnitSeen
from oneco.release.unit_writes import (
    address,
    bring,
    changed,
    decided,
    show,
    tells,
    wait,
    with_status,
)
from oneco.release.variants import Identity

_REPORT_SECONDS = 5.0
_DENIED = Reason("ClusterDenied", "the hub does not accept the cluster: nothing is brought to it")


def decide(seen: UnitSeen, now: Instant, workloads: Workloads) -> Decision:
    """The next step of one unit in the release that claimed it, or why there is none."""
    decision = _next(seen, now, workloads)
    if not seen.is_accepted and any(map(tells, decision.actions)):
        # A watch that its agent opened before may go on: nothing more must come through it.
        return wait(seen, _DENIED)
    if not seen.failures or not decision.actions:
        return decision
    # The write will be tried again, but whoever looks should read why it did not happen.
    refusal = seen.failures[-1]
    reason = Reason("WriteRefused", f"the hub refused {refusal.address}: {refusal.message}")
    if seen.status.message == reason.message:
        return decision
    patch = Patch("merge", {"status": build(changed(seen.status, reason))})
    told = Change(address(seen)._replace(subresource="status"), patch)
    return dataclasses.replace(decision, actions=(told, *decision.actions))


def _next(seen: UnitSeen, now: Instant, workloads: Workloads) -> Decision:
    if objects.is_deleting(seen.unit):
        return returning.end(seen)
    if seen.release is None:
        return NOTHING
    phase = seen.course.phase
    if phase == "RollingBack":
        return returning.roll_back(seen, now, workloads)
    if phase in FINAL_PHASES or phase in ("Pending", "Blocked"):
        return NOTHING
    if seen.spec.order >= seen.course.opened:
        return NOTHING
    is_paused = seen.asked.paused or phase == "Paused"
    if seen.spec.variant == "":
        return NOTHING if is_paused else returning.remove(seen, now)
    mended = returning.mend(seen, workloads)
    return mended or _advance(seen, now, workloads, is_paused=is_paused)


def _advance(seen: UnitSeen, now: Instant, workloads: Workloads, *, is_paused: bool) -> Decision:
    if seen.target is None or seen.before is None:
        missing = seen.spec.revision if seen.target is None else "the last good revision"
        return wait(seen, Reason("RevisionMissing", f"{missing} is not there (any more)"))
    if seen.status.phase == "Failed":
        return NOTHING
    course = courses.of(seen, workloads)
    if is_paused:
        return _hold(seen, now, workloads, course)
    if course is None:
        return wait(seen, Reason("AgentNotSeen", "waits for the cluster's agent to count pods"))
    if returning.is_leaving(seen):
        return wait(seen, returning.LEAVING)
    fault = _obstacle(seen, workloads)
    if fault is not None:
        return _refuse(seen, fault, now)
    resized = courses.shrunk(seen, course, workloads) if seen.status.is_touched else None
    if resized is not None:
        return _resize(seen, resized)
    wanted = _content(seen, course, workloads)
    if not seen.status.is_touched:
        return _begin(seen, now, wanted, course)
    if not works.is_current(seen.work, wanted):
        return _write(seen, now, wanted, course)
    return _follow_batch(seen, now, workloads, course)


def _write(seen: UnitSeen, now: Instant, wanted: works.Content, course: Course) -> Decision:
    """Have the work say what the batch, or the next step of it, wants."""
    if not course.is_first_step:
        return _take_step(seen, wanted, course)
    if not seen.status.batch_started_at:
        asked = checks.ask_before(seen, now)
        if asked.waiting is not None:
            status = changed(seen.status, asked.waiting)
            return show(seen, status, actions=asked.actions, wake_at=asked.wake_at)
    return _start_batch(seen, now, wanted, course)


def _content(seen: UnitSeen, course: Course, workloads: Workloads) -> works.Content:
    assert seen.target is not None, "asked without a version"
    if seen.foreign is not None:
        return foreign.content(seen.target, course.gates, seen.foreign)
    return works.content(seen.target, course.gates, workloads)


def _obstacle(seen: UnitSeen, workloads: Workloads) -> Reason | None:
    """What stands in the way of batches where the hub has only fields, if anything does."""
    if seen.foreign is None or seen.target is None or seen.before is None:
        return None
    amounts, drivers = seen.policy.batches, seen.foreign.steps
    fault = stepping.obstacle(seen.target, seen.before, amounts, workloads, drivers)
    return Reason("CannotBeHeld", f"{seen.spec.cluster}: {fault}") if fault else None


def _refuse(seen: UnitSeen, fault: Reason, now: Instant) -> Decision:
    if seen.status.is_touched:
        # It began under another agent: nothing more is updated, and nobody is told it went well.
        return wait(seen, fault)
    return _fail(seen, seen.status, fault, now)


def _resize(seen: UnitSeen, count: courses.Count) -> Decision:
    """Count the batch anew: a share of fewer pods is fewer pods."""
    sizes = ", ".join(map(str, count.pods))
    reason = Reason("BatchResized", f"there are only {sizes} pods now: the batch is counted anew")
    return decided(
        seen, seen.status, reason,
        phase="Progressing", pods=count.pods, reached=count.reached, steps=(),
        batches=courses.length_after(seen, seen.status.batch - 1, count),
        batch_reached_at="", progress=0, progressed_at="",
    )  # fmt: skip


def _take_step(seen: UnitSeen, wanted: works.Content, course: Course) -> Decision:
    opened = ", ".join(str(gate.updated) for gate in course.gates.values())
    message = f"lets {opened} pods be new; the ones before are ready"
    if course.is_opening:
        message = "all pods are new: their workloads get their own fields back"
    reason = Reason("StepStarted", message)
    write = bring(seen, wanted, seen.spec.revision)
    return decided(seen, seen.status, reason, write, phase="Progressing")


def _begin(seen: UnitSeen, now: Instant, wanted: works.Content, course: Course) -> Decision:
    """Write down that this unit will be touched: what is not known to be is never put back."""
    reason = Reason("BatchPlanned", f"{seen.spec.revision} comes in {_batches(course.length)}")
    status = changed(
        seen.status,
        reason,
        phase="Progressing",
        batch=1,
        batches=course.length,
        pods=course.count.pods,
        reached=course.count.reached,
        steps=course.steps,
        is_touched=True,
        started_at=times.to_micro_text(now),
    )
    finalizers = objects.metadata(seen.unit).get("finalizers") or []
    if returning.UNIT_FINALIZER in finalizers:
        return _bring_first(seen, status, now, wanted) or show(seen, status)
    # Before its first work, a unit gets the finalizer that takes that work off again.
    patch = Patch("merge", {"metadata": {"finalizers": [*finalizers, returning.UNIT_FINALIZER]}})
    return show(seen, status, actions=(Change(address(seen), patch),))


def _bring_first(
    seen: UnitSeen, status: UnitStatus, now: Instant, wanted: works.Content
) -> Decision | None:
    """The first batch right behind the note that it comes; None where something was there before.

    Most units are new, and where nothing was, nothing has to be asked of it or put back: so the
    one write says both, and comes before the work all the same.
    """
    assert seen.before is not None, "asked without the version before"
    if seen.work is not None or seen.before.manifests or checks.ask_before(seen, now).waiting:
        return None
    status, reason = _started(seen, status, now)
    told = Replace(address(seen)._replace(subresource="status"), with_status(seen, status))
    return Decision(
        actions=(told, bring(seen, wanted, seen.spec.revision)),
        reasons=(reason,),
        wake_at=_deadline(seen, now),
    )


def _start_batch(seen: UnitSeen, now: Instant, wanted: works.Content, course: Course) -> Decision:
    status, reason = _started(seen, changed(seen.status, batches=course.length), now)
    decision = decided(seen, status, reason, bring(seen, wanted, seen.spec.revision))
    return dataclasses.replace(decision, wake_at=_deadline(seen, now))


def _started(seen: UnitSeen, status: UnitStatus, now: Instant) -> tuple[UnitStatus, Reason]:
    """The status of a batch that begins now, and what is said of it."""
    message = f"batch {status.batch} of {status.batches} of {seen.spec.revision} begins"
    reason = Reason("BatchStarted", message)
    begun = changed(
        status,
        reason,
        phase="Progressing",
        batch_started_at=times.to_micro_text(now),
        batch_reached_at="",
        progress=0,
        progressed_at="",
        workloads=(),
    )
    return begun, reason


def _follow_batch(seen: UnitSeen, now: Instant, workloads: Workloads, course: Course) -> Decision:
    found = _judge(seen, workloads, course.held)
    status = changed(seen.status, workloads=found.workloads or seen.status.workloads)
    if found.state == "Failed":
        return _fail(seen, status, found.reason, now)
    if status.phase == "Succeeded":
        return _keep_watch(seen, status, now)
    is_new = found.state == "Unseen" or found.reason.code == OUTDATED
    if is_new and now < (grace := _grace(seen)):
        return Decision(wake_at=grace)
    if found.state in ("Unseen", "Paused"):
        # What nobody sees or lets happen is neither good nor bad, and its time does not count.
        status = changed(status, progressed_at="", batch_reached_at="")
        return show(seen, changed(status, found.reason, phase="Progressing"))
    status = _progressed(status, now)
    if found.state == "Progressing":
        return _await_pods(seen, status, found.reason, now)
    if course.steps != course.next_steps:
        reason = Reason("StepHealthy", "the pods that may be new are ready: more may follow")
        return decided(seen, status, reason, phase="Progressing", steps=course.next_steps)
    count = courses.counted_anew(seen, course, workloads)
    if course.gates and courses.is_all_new(seen, count):
        return _open(seen, status, count)
    if not status.batch_reached_at:
        status = changed(status, batch_reached_at=times.to_micro_text(now))
    decision = _keep_silence(seen, status, now)
    if decision is not None:
        return decision
    return _next_batch(seen, status, count) if course.gates else _succeed(seen, status, now)


def _open(seen: UnitSeen, status: UnitStatus, count: courses.Count) -> Decision:
    """Nothing is left to hold back, and it is certain that there are no more pods than counted."""
    reason = Reason("StepHealthy", "as many pods as there are, are new and ready")
    return decided(
        seen, status, reason,
        phase="Progressing", pods=count.pods, reached=count.pods, steps=(),
        progress=0, progressed_at="",
    )  # fmt: skip


def _progressed(status: UnitStatus, now: Instant) -> UnitStatus:
    """Patience begins anew with every new pod that is ready, but not with one that was before."""
    ready = sum(min(row.ready, row.target) for row in status.workloads)
    if status.progressed_at and ready <= status.progress:
        return status
    return changed(
        status, progress=max(ready, status.progress), progressed_at=times.to_micro_text(now)
    )


def _await_pods(seen: UnitSeen, status: UnitStatus, reason: Reason, now: Instant) -> Decision:
    if status.batch_reached_at:
        # Pods that were ready are not any more: the batch has to be reached anew. Only the time in
        # which they were does not count, or pods that come and go would have patience for ever.
        ready = now - times.from_text(status.batch_reached_at)
        since = Instant(times.from_text(status.progressed_at) + ready)
        status = changed(status, batch_reached_at="", progressed_at=times.to_micro_text(since))
    deadline = _deadline(seen, times.from_text(status.progressed_at))
    if now >= deadline:
        allowed = seen.policy.progress_deadline
        message = f"batch {status.batch} got no further within {allowed}: {reason}"
        return _fail(seen, status, Reason("ProgressDeadlineExceeded", message), now)
    return show(seen, changed(status, reason, phase="Progressing"), wake_at=deadline)


def _keep_silence(seen: UnitSeen, status: UnitStatus, now: Instant) -> Decision | None:
    """Wait until the batch has been quiet for long enough; None once it has."""
    reached = times.from_text(status.batch_reached_at)
    silence = durations.parse(seen.policy.batch_silence, "spec.policy.batchSilence")
    until = Instant(reached + silence)
    asked = checks.ask(seen, status, now, until)
    if asked.failed is not None:
        return _fail(seen, status, asked.failed, now)
    # What was just written is a whole microsecond, which may be later than now.
    if (silence and now < until) or asked.waiting is not None:
        reason = asked.waiting or _silence(status, until)
        status = changed(status, reason, phase="Silence")
        return show(seen, status, actions=asked.actions, wake_at=asked.wake_at)
    return None


def _keep_watch(seen: UnitSeen, status: UnitStatus, now: Instant) -> Decision:
    """Go on asking in the silence of the unit's wave: what fails then has failed in time."""
    if not seen.policy.checks or seen.course.wave != seen.spec.wave:
        return show(seen, status)
    # When that silence ends is for the release to say.
    asked = checks.ask(seen, status, now, Instant(now + 2 * checks.INTERVAL_SECONDS))
    if asked.failed is not None:
        return _fail(seen, status, asked.failed, now)
    return show(seen, status, actions=asked.actions, wake_at=asked.wake_at)


def _next_batch(seen: UnitSeen, status: UnitStatus, count: courses.Count) -> Decision:
    done = status.batch
    reason = Reason("BatchHealthy", f"batch {done} of {status.batches} is healthy")
    return decided(
        seen, status, reason,
        phase="Progressing", batch=done + 1, batches=courses.length_after(seen, done, count),
        pods=count.pods, reached=count.reached, steps=(),
        batch_reached_at="", progress=0, progressed_at="",
    )  # fmt: skip


def _succeed(seen: UnitSeen, status: UnitStatus, now: Instant) -> Decision:
    spec = seen.spec
    reason = Reason("UnitSucceeded", f"all pods run {spec.revision} and are healthy")
    good = Good(release=spec.release, revision=spec.revision, variant=spec.variant)
    finished = times.to_micro_text(now)
    return decided(seen, status, reason, phase="Succeeded", finished_at=finished, good=good)


def _fail(seen: UnitSeen, status: UnitStatus, reason: Reason, now: Instant) -> Decision:
    finished = times.to_micro_text(now)
    return decided(seen, status, reason, phase="Failed", finished_at=finished, good=status.before)


def _hold(seen: UnitSeen, now: Instant, workloads: Workloads, course: Course | None) -> Decision:
    """Look, but raise nothing: what fails during a pause is still a failure."""
    if not seen.status.is_touched or course is None:
        return NOTHING
    found = _judge(seen, workloads, course.held)
    status = changed(seen.status, workloads=found.workloads or seen.status.workloads)
    if found.state == "Failed":
        return _fail(seen, status, found.reason, now)
    if status.phase == "Succeeded":
        return NOTHING
    if found.state != "Reached":
        # A pause costs nobody patience: what is not there yet gets its whole time afterwards.
        status = changed(status, progressed_at="", batch_reached_at="")
    reason = Reason("Paused", "the release is paused: nothing more is updated until it resumes")
    return show(seen, changed(status, reason))


def _judge(seen: UnitSeen, workloads: Workloads, held: Mapping[Identity, int]) -> Judgement:
    is_update = seen.before is not None and bool(seen.before.manifests)
    return stand(seen, held, workloads, is_strict=is_update)


def _silence(status: UnitStatus, until: Instant) -> Reason:
    message = f"batch {status.batch} is ready; silence until {times.to_text(until)}"
    return Reason("Silence", message)


def _grace(seen: UnitSeen) -> Instant:
    """Until when nobody wonders that agent or cluster have not looked at the present batch."""
    started = seen.status.batch_started_at
    # Killed between the work and its status, a hub does not know: nobody is waited for then.
    return Instant(times.from_text(started) + _REPORT_SECONDS) if started else Instant(0.0)


def _deadline(seen: UnitSeen, since: Instant) -> Instant:
    allowed = durations.parse(seen.policy.progress_deadline, "spec.policy.progressDeadline")
    return Instant(since + allowed)


def _batches(count: int) -> str:
    return "1 batch" if count == 1 else f"{count} batches"
