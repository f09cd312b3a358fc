"""The questions that a unit asks during a silence, and what the answers mean."""

from __future__ import annotations

from typing import NamedTuple

from oneco.clock import Instant
from oneco.decision import Action, Change, Create, Reason
from oneco.kinds import durations
from oneco.kinds.parts import build
from oneco.kinds.release import (
    CHECK_RUNS,
    UNIT_LABEL,
    CheckPolicy,
    CheckRunSpec,
    CheckRunStatus,
    ObjectRef,
    UnitStatus,
)
from oneco.kube import objects, times
from oneco.kube.api import Patch
from oneco.kube.objects import Object
from oneco.kube.refs import Address
from oneco.release.seen import UnitSeen

INTERVAL_SECONDS = 300.0
"""How often a check is asked during a silence, besides at its end."""
_ROUNDING_SECONDS = 0.001
"""What is asked in time may read a little early: instants are written to the microsecond."""


class Asked(NamedTuple):
    """What the checks say now: to be asked, waited for, failed, or (all empty) passed."""

    actions: tuple[Action, ...] = ()
    failed: Reason | None = None
    waiting: Reason | None = None
    wake_at: Instant | None = None


def ask(seen: UnitSeen, status: UnitStatus, now: Instant, until: Instant) -> Asked:
    """Ask every check that is due in the silence that ends at `until`, and judge the answers."""
    policies = seen.policy.checks
    is_first = seen.before is None or not seen.before.manifests
    if not policies or is_first:  # there is nothing yet that the new version could be worse than
        return Asked(wake_at=until)
    reached = times.from_text(status.batch_reached_at)
    due = _last_due(reached, now, until)
    actions: list[Action] = []
    waiting: Reason | None = None
    for policy in policies:
        run, spec, answer = _run(seen, policy)
        if spec is None or _asked_at(spec) < due - _ROUNDING_SECONDS:
            actions.append(_question(seen, status, policy, run=run, at=now))
            waiting = Reason("CheckRunning", f"check {policy.name} is being made")
        elif answer.verdict == "Failed":
            return Asked(failed=Reason("CheckFailed", f"check {policy.name}: {answer.message}"))
        elif answer.verdict != "Passed":
            waiting = _missing(policy, answer)
            if now >= _asked_at(spec) + INTERVAL_SECONDS:
                actions.append(_question(seen, status, policy, run=run, at=now))
    patience = durations.parse(seen.policy.progress_deadline, "spec.policy.progressDeadline")
    if waiting is not None and now >= until + patience:
        return Asked(failed=waiting)
    if waiting is not None and now >= until:
        return Asked(tuple(actions), waiting=waiting, wake_at=Instant(now + INTERVAL_SECONDS))
    return Asked(tuple(actions), wake_at=_next_due(reached, now, until))


def _missing(policy: CheckPolicy, answer: CheckRunStatus) -> Reason:
    if answer.verdict == "NoData":
        return Reason("CheckHasNoData", f"check {policy.name} has no data: {answer.message}")
    return Reason("CheckRunning", f"check {policy.name} waits for its answer")


def _run(
    seen: UnitSeen, policy: CheckPolicy
) -> tuple[Object | None, CheckRunSpec | None, CheckRunStatus]:
    for run, spec, status in seen.checks:
        if spec.check.name == policy.name:
            is_answer = bool(status.answered_at) and status.answered_at >= spec.asked_at
            return run, spec, status if is_answer else CheckRunStatus()
    return None, None, CheckRunStatus()


def _question(
    seen: UnitSeen, status: UnitStatus, policy: CheckPolicy, *, run: Object | None, at: Instant
) -> Action:
    spec = CheckRunSpec(
        check=policy,
        cluster=seen.spec.cluster,
        release=seen.spec.release,
        application=seen.spec.application,
        application_namespace=seen.spec.application_namespace,
        new_revision=seen.spec.revision,
        asked_at=times.to_micro_text(at),
        workloads=tuple(
            ObjectRef(kind=row.kind, namespace=row.namespace, name=row.name)
            for row in status.workloads
        ),
    )
    namespace, name = objects.namespace(seen.unit), f"{seen.name}-{policy.name}"
    if run is not None:
        patch = Patch("merge", {"spec": build(spec)})
        return Change(Address(CHECK_RUNS, namespace, name), patch)
    body = {
        "apiVersion": CHECK_RUNS.api_version,
        "kind": "CheckRun",
        "metadata": {"name": name, "namespace": namespace, "labels": {UNIT_LABEL: seen.name}},
        "spec": build(spec),
    }
    return Create(Address(CHECK_RUNS, namespace), body)


def _asked_at(spec: CheckRunSpec) -> Instant:
    return times.from_text(spec.asked_at) if spec.asked_at else Instant(0)


def _last_due(reached: Instant, now: Instant, until: Instant) -> Instant:
    if now >= until:
        return until
    return Instant(reached + (now - reached) // INTERVAL_SECONDS * INTERVAL_SECONDS)


def _next_due(reached: Instant, now: Instant, until: Instant) -> Instant:
    return min(until, Instant(_last_due(reached, now, until) + INTERVAL_SECONDS))
