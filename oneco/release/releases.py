"""The next step of one release: claim, open waves, wait, stop, roll back, end."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from oneco.clock import Instant
from oneco.decision import NOTHING, Decision, Reason, StatusWrite
from oneco.kinds import durations
from oneco.kinds.parts import build
from oneco.kinds.release import (
    FINAL_PHASES,
    RELEASES,
    ReleaseStatus,
    UnitSpec,
    UnitStatus,
    WaveStatus,
)
from oneco.kube import objects, times
from oneco.kube.refs import Address
from oneco.release import order, planning, stepping
from oneco.release.order import Wave
from oneco.release.ports import Steps, Workloads
from oneco.release.seen import AT_ONCE, ReleaseSeen

Units = Sequence[tuple[UnitSpec, UnitStatus]]

_OVERTAKEN = Reason("Overtaken", "a newer release came after this one: roll that one back")


class Drivers(NamedTuple):
    """The kinds of workloads that can be held, by partition or by the hub's own steps."""

    workloads: Workloads
    steps: Steps


NO_DRIVERS = Drivers({}, {})


def decide(seen: ReleaseSeen, now: Instant, drivers: Drivers = NO_DRIVERS) -> Decision:
    """The next step of one release, or why there is none."""
    phase = seen.status.phase
    if phase == "RollingBack":
        return _follow_rollback(seen, now)
    if seen.spec.request == "Rollback" and phase not in ("RolledBack", "Pending"):
        if phase in FINAL_PHASES and seen.is_overtaken:
            return _show(
                seen, _with(seen.status, reason=_OVERTAKEN.code, message=_OVERTAKEN.message)
            )
        return _roll_back(seen, now, Reason("RollbackRequested", "somebody asked to roll back"))
    if phase in FINAL_PHASES:
        return NOTHING
    if seen.spec.request:
        message = "somebody ended it; what it had changed stays as it is"
        return _end(seen, now, "Aborted", Reason("Aborted", message))
    if seen.is_overtaken:
        message = "a newer release of the application takes over"
        return _end(seen, now, "Superseded", Reason("Superseded", message))
    if phase == "Pending":
        obstacle = _obstacle(seen, drivers)
        return _begin(seen, now) if obstacle is None else _refuse(seen, obstacle)
    if phase == "Blocked":
        return NOTHING
    return _progress(seen, now)


def _obstacle(seen: ReleaseSeen, drivers: Drivers) -> Reason | None:
    """What keeps the batches from some cluster, known before anything is touched anywhere."""
    amounts = (seen.spec.policy or AT_ONCE).batches
    for one in seen.foreign:
        fault = stepping.obstacle(one.target, one.before, amounts, *drivers)
        if fault:
            return Reason("CannotBeHeld", f"{one.cluster}: {fault}")
    return None


def _refuse(seen: ReleaseSeen, obstacle: Reason) -> Decision:
    """Blocked with nothing changed: what was asked for cannot be done as it was asked for."""
    return _turned(seen, _with(seen.status, phase="Blocked"), obstacle)


def _begin(seen: ReleaseSeen, now: Instant) -> Decision:
    if seen.waits_for:
        reason = Reason("WaitsForRelease", f"waits for release {seen.waits_for} to end")
        return _show(seen, _with(seen.status, reason=reason.code, message=reason.message))
    waves = planning.plan(seen)
    counters = planning.statuses(waves)
    units = sum(wave.units for wave in counters)
    if not units:
        message = "every cluster runs this already" if seen.spec.targets else "no cluster matches"
        return _end(seen, now, "Succeeded", Reason("NothingToDo", message))
    said = (f"{_clusters(units)} in {_count_of(len(counters), 'wave')}", *_idle(seen, waves))
    planned = Reason("Planned", "; ".join(said))
    status = _with(
        seen.status,
        phase="Progressing",
        units=units,
        waves=counters,
        started_at=times.to_micro_text(now),
    )
    # The units are claimed before the status opens the first wave: both in one look, since a
    # write for each is what a hub of many applications pays for.
    first = _paused(seen, status) if seen.spec.paused else _open(seen, status, now)
    return dataclasses.replace(
        first, actions=planning.claims(seen, waves), reasons=(planned, *first.reasons)
    )


def _idle(seen: ReleaseSeen, waves: Sequence[Wave]) -> Iterator[str]:
    """What is likely to be a slip of the pen: waves that the policy names and no cluster is in."""
    busy = {wave.name for wave in waves}
    for name in order.names(seen.spec.policy):
        if name not in busy:
            yield f"no cluster is in wave {name}"


def _progress(seen: ReleaseSeen, now: Instant) -> Decision:
    waves = tuple(_counted(wave, number, seen) for number, wave in enumerate(seen.status.waves))
    status = _with(seen.status, waves=waves)
    failed = sum(wave.failed for wave in waves)
    policy = seen.spec.policy or AT_ONCE
    if failed > policy.max_failures:
        return _stop(seen, status, now)
    if seen.spec.paused:
        return _paused(seen, status)
    if status.phase == "Paused":
        status = _with(status, phase="Progressing")
    wave = waves[status.wave]
    if not wave.started_at:
        return _open(seen, status, now)
    if wave.succeeded + wave.failed < wave.units:
        return _widen(seen, status)
    return _leave(seen, status, now)


def _paused(seen: ReleaseSeen, status: ReleaseStatus) -> Decision:
    reason = Reason("Paused", "somebody paused it; nothing more is updated until it resumes")
    return _decided(seen, _with(status, phase="Paused"), reason)


def _open(seen: ReleaseSeen, status: ReleaseStatus, now: Instant) -> Decision:
    wave = _with_wave(status.waves[status.wave], started_at=times.to_micro_text(now))
    status = _with(status, waves=_replaced(status, wave))
    status = _with(status, opened=_opened(seen, status))
    message = f"wave {status.wave + 1} of {len(status.waves)}, {wave.name}: {_clusters(wave.units)}"
    return _decided(seen, status, Reason("WaveStarted", message))


def _widen(seen: ReleaseSeen, status: ReleaseStatus) -> Decision:
    wave = status.waves[status.wave]
    status = _with(status, opened=max(status.opened, _opened(seen, status)))
    done = wave.succeeded
    if not done and not wave.failed and status.reason == "WaveStarted":
        # The wave has just said how many clusters it has: that none is done yet is no news.
        return _show(seen, status)
    message = f"wave {wave.name}: {done} of {_clusters(wave.units)} done"
    status = _with(status, reason="WaveProgressing", message=message)
    return _show(seen, status)


def _leave(seen: ReleaseSeen, status: ReleaseStatus, now: Instant) -> Decision:
    wave = status.waves[status.wave]
    if not wave.finished_at:
        wave = _with_wave(wave, finished_at=times.to_micro_text(now))
        status = _with(status, waves=_replaced(status, wave))
    is_last = status.wave + 1 == len(status.waves)
    silence = _silence(seen, wave)
    until = Instant(times.from_text(wave.finished_at) + silence)
    # Without silence there is nothing to tell of, even if its end is rounded to after now.
    if silence and now < until:
        message = f"wave {wave.name} is done; silence until {times.to_text(until)}"
        status = _with(status, reason="Silence", message=message)
        return Decision(statuses=(_status(seen, status),), wake_at=until)
    if is_last:
        reason = _success(seen, status)
        return _end(seen, now, "Succeeded", reason, status)
    return _open(seen, _with(status, wave=status.wave + 1), now)


def _success(seen: ReleaseSeen, status: ReleaseStatus) -> Reason:
    count = sum(one.succeeded for one in status.waves)
    message = f"{_clusters(count)} now at {seen.spec.revision}"
    failed = sum(one.failed for one in status.waves)
    if failed:
        return Reason("FailuresTolerated", f"{message}; {_clusters(failed)} failed")
    return Reason("AllWavesHealthy", message)


def _stop(seen: ReleaseSeen, status: ReleaseStatus, now: Instant) -> Decision:
    cause = _first_failure(seen.units)
    policy = seen.spec.policy or AT_ONCE
    if policy.on_failure == "Rollback":
        return _roll_back(seen, now, cause, status)
    message = f"{cause.message}; nothing more is updated until somebody rolls back or aborts"
    return _turned(seen, _with(status, phase="Blocked"), Reason(cause.code, message))


def _roll_back(
    seen: ReleaseSeen, now: Instant, cause: Reason, status: ReleaseStatus | None = None
) -> Decision:
    status = _with(status or seen.status, phase="RollingBack", finished_at="")
    return _turned(seen, status, Reason(cause.code, f"rolls back: {cause.message}"))


def _follow_rollback(seen: ReleaseSeen, now: Instant) -> Decision:
    touched = [status for _, status in seen.units if status.is_touched]
    back = [status for status in touched if status.phase == "RolledBack"]
    waves = tuple(
        _with_wave(wave, rolled_back=_count(seen.units, number, "RolledBack"))
        for number, wave in enumerate(seen.status.waves)
    )
    status = _with(seen.status, waves=waves)
    if len(back) < len(touched):
        return _show(seen, status)
    cause = seen.status.message.removeprefix("rolls back: ")
    message = f"{_clusters(len(back))} rolled back: {cause}"
    status = _with(status, phase="RolledBack", finished_at=times.to_micro_text(now))
    return _turned(seen, status, Reason(seen.status.reason, message))


def _counted(wave: WaveStatus, number: int, seen: ReleaseSeen) -> WaveStatus:
    if number > seen.status.wave:
        return wave
    return _with_wave(
        wave,
        succeeded=_count(seen.units, number, "Succeeded"),
        failed=_count(seen.units, number, "Failed"),
    )


def _count(units: Units, wave: int, phase: str) -> int:
    return sum(1 for spec, status in units if spec.wave == wave and status.phase == phase)


def _first_failure(units: Units) -> Reason:
    for spec, status in units:
        if status.phase == "Failed":
            place = f"{spec.cluster}, batch {status.batch} of {status.batches}"
            return Reason(status.reason, f"{place}: {status.message}")
    raise AssertionError("a release stopped for failures, but no unit has failed")


def _opened(seen: ReleaseSeen, status: ReleaseStatus) -> int:
    wave = status.waves[status.wave]
    policy = order.wave_policy(seen.spec.policy, wave.name)
    most = policy.max_concurrency if policy else 0
    if not most:
        return wave.first + wave.units
    return wave.first + min(wave.units, wave.succeeded + wave.failed + most)


def _silence(seen: ReleaseSeen, wave: WaveStatus) -> float:
    policy = seen.spec.policy or AT_ONCE
    own = order.wave_policy(policy, wave.name)
    text = own.silence if own is not None and own.silence else policy.wave_silence
    return durations.parse(text, "spec.policy.waveSilence")


def _end(
    seen: ReleaseSeen,
    now: Instant,
    phase: str,
    reason: Reason,
    status: ReleaseStatus | None = None,
) -> Decision:
    status = _with(status or seen.status, phase=phase, finished_at=times.to_micro_text(now))
    return _decided(seen, status, reason)


def _decided(seen: ReleaseSeen, status: ReleaseStatus, reason: Reason) -> Decision:
    status = _with(status, reason=reason.code, message=reason.message)
    return Decision(statuses=(_status(seen, status),), reasons=(reason,))


def _turned(seen: ReleaseSeen, status: ReleaseStatus, cause: Reason) -> Decision:
    """A turn for the worse: the status keeps the cause, the event is called like the turn."""
    status = _with(status, reason=cause.code, message=cause.message)
    turn = Reason(status.phase, cause.message)
    return Decision(statuses=(_status(seen, status),), reasons=(turn,))


def _show(seen: ReleaseSeen, status: ReleaseStatus) -> Decision:
    return Decision(statuses=(_status(seen, status),))


def _status(seen: ReleaseSeen, status: ReleaseStatus) -> StatusWrite:
    release = seen.release
    address = Address(RELEASES, objects.namespace(release), objects.name(release))
    status = _with(status, observed_generation=objects.generation(release))
    return StatusWrite(address, build(status))


def _replaced(status: ReleaseStatus, wave: WaveStatus) -> tuple[WaveStatus, ...]:
    return (*status.waves[: status.wave], wave, *status.waves[status.wave + 1 :])


def _with(status: ReleaseStatus, **changes: object) -> ReleaseStatus:
    return msgspec.structs.replace(status, **changes)


def _with_wave(wave: WaveStatus, **changes: object) -> WaveStatus:
    return msgspec.structs.replace(wave, **changes)


def _clusters(count: int) -> str:
    return _count_of(count, "cluster")


def _count_of(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
