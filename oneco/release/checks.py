"""When a unit asks its checks, and what the answers mean."""

from __future__ import annotations

from typing import NamedTuple

from oneco.clock import Instant
from oneco.decision import Action, Reason
from oneco.kinds import durations
from oneco.kinds.release import CheckPolicy, CheckRunStatus, ObjectRef, UnitStatus
from oneco.kube import times
from oneco.release import questions
from oneco.release.seen import UnitSeen

INTERVAL_SECONDS = 300.0
"""How often a check is asked during a silence, besides at its end."""
_BEFORE_SECONDS = 60.0
"""So long a first batch waits to hear how the old pods do; what is not known then stays so."""
_ROUNDING_SECONDS = 0.001
"""What is asked in time may read a little early: instants are written to the microsecond."""


class Asked(NamedTuple):
    """What the checks say now: to be asked, waited for, failed, or (all empty) passed."""

    actions: tuple[Action, ...] = ()
    failed: Reason | None = None
    waiting: Reason | None = None
    wake_at: Instant | None = None


PASSED = Asked()


def ask_before(seen: UnitSeen, now: Instant) -> Asked:
    """Ask how the old pods do before the first of them goes: later there may be none to ask."""
    if _has_nothing_to_compare(seen):
        return PASSED
    asked: list[Action] = []
    until = now
    for question in questions.find(seen):
        if question.spec is None:
            asked += questions.ask_before(seen, question, now)
            until = Instant(now + _BEFORE_SECONDS)
        elif not question.answer.verdict:
            until = max(until, Instant(question.asked_at + _BEFORE_SECONDS))
    if not asked and until <= now:
        return PASSED
    reason = Reason("CheckRunning", "the old pods are measured before the first of them goes")
    return Asked(tuple(asked), waiting=reason, wake_at=until)


def ask(seen: UnitSeen, status: UnitStatus, now: Instant, until: Instant) -> Asked:
    """Ask every check that is due in the silence that ends at `until`, and judge the answers."""
    if _has_nothing_to_compare(seen):
        return Asked(wake_at=until)
    reached = times.from_text(status.batch_reached_at)
    due = _last_due(reached, now, until)
    workloads = [
        ObjectRef(
            api_version=row.api_version, kind=row.kind, namespace=row.namespace, name=row.name
        )
        for row in status.workloads
    ]
    actions: list[Action] = []
    waiting: Reason | None = None
    since = now
    for question in questions.find(seen):
        policy, answer = question.policy, question.answer
        if question.asked_at < due - _ROUNDING_SECONDS:
            actions += questions.ask(seen, question, workloads, now)
            waiting = Reason("CheckRunning", f"check {policy.name} is being made")
        elif answer.verdict == "Failed":
            return Asked(failed=Reason("CheckFailed", f"check {policy.name}: {answer.message}"))
        elif answer.verdict != "Passed":
            waiting = _missing(policy, answer)
            since = min(since, question.first_asked_at)
            if now >= question.asked_at + INTERVAL_SECONDS:
                actions += questions.repeat(seen, question, workloads, now)
    patience = durations.parse(seen.policy.progress_deadline, "spec.policy.progressDeadline")
    if waiting is not None and now >= max(until, since) + patience:
        return Asked(failed=waiting)
    if waiting is not None and now >= until:
        return Asked(tuple(actions), waiting=waiting, wake_at=Instant(now + INTERVAL_SECONDS))
    return Asked(tuple(actions), wake_at=_next_due(reached, now, until))


def _has_nothing_to_compare(seen: UnitSeen) -> bool:
    """Without checks; or on a first installation, which cannot be worse than what was before."""
    is_first = seen.before is None or not seen.before.manifests
    return is_first or not seen.policy.checks


def _missing(policy: CheckPolicy, answer: CheckRunStatus) -> Reason:
    if answer.verdict == "NoData":
        return Reason("CheckHasNoData", f"check {policy.name} has no data: {answer.message}")
    return Reason("CheckRunning", f"check {policy.name} waits for its answer")


def _last_due(reached: Instant, now: Instant, until: Instant) -> Instant:
    if now >= until:
        return until
    return Instant(reached + (now - reached) // INTERVAL_SECONDS * INTERVAL_SECONDS)


def _next_due(reached: Instant, now: Instant, until: Instant) -> Instant:
    return min(until, Instant(_last_due(reached, now, until) + INTERVAL_SECONDS))
