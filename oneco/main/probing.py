"""Answers check runs from a fleet whose metrics are known in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from oneco.clock import Instant
from oneco.control.shell import Controller, Source
from oneco.decision import NOTHING, Decision, Reader, Reason, StatusWrite
from oneco.kinds.parts import build, parse
from oneco.kinds.release import CHECK_RUNS, CheckRunSpec, CheckRunStatus
from oneco.kube import objects, times
from oneco.kube.objects import Object
from oneco.kube.refs import Address
from oneco.main import wakes


class Rates(NamedTuple):
    """The share of failed requests on old and new pods; None where there are none."""

    old: float | None
    new: float | None


Probe = Callable[[CheckRunSpec], Rates]


def runner(probe: Probe) -> Controller:
    """A runner that answers each check run as `probe` measures it."""

    def decide(run: Object, now: Instant) -> Decision:
        spec = parse(CheckRunSpec, run.get("spec"), "spec")
        status = parse(CheckRunStatus, run.get("status"), "status")
        if not spec.asked_at or status.answered_at >= spec.asked_at:
            return NOTHING
        answer = _answer(spec, probe(spec), status, now)
        address = Address(CHECK_RUNS, objects.namespace(run), objects.name(run))
        return Decision(
            statuses=(StatusWrite(address, build(answer)),),
            reasons=(Reason(f"Check{answer.verdict}", answer.message),),
        )

    return Controller(
        name="checks",
        sources=(Source(resource=CHECK_RUNS, wakes=wakes.itself),),
        gather=_gather,
        decide=decide,
    )


def _gather(reader: Reader, key: tuple[str, str]) -> Object | None:
    return reader.get(Address(CHECK_RUNS, *key))


def _answer(
    spec: CheckRunSpec, rates: Rates, before: CheckRunStatus, now: Instant
) -> CheckRunStatus:
    at = times.to_micro_text(now)
    if spec.is_before:
        return _measured(spec, rates, at)
    # When no old pod is left, the last value measured on them is what there is to compare with.
    old = rates.old if rates.old is not None else before.old_value
    if rates.new is None or old is None:
        missing = "new" if rates.new is None else "old"
        message = f"no {spec.check.metric} of {missing} pods"
        return CheckRunStatus(verdict="NoData", message=message, answered_at=at, old_value=old)
    allowed = old * (1 + spec.check.max_increase)
    verdict: Literal["Passed", "Failed"] = "Passed" if rates.new <= allowed else "Failed"
    message = (
        f"{spec.check.metric} {rates.new:.2%} on new pods, {old:.2%} on old ones; "
        f"at most {allowed:.2%} is accepted"
    )
    return CheckRunStatus(
        verdict=verdict,
        message=message,
        answered_at=at,
        old_value=old,
        new_value=rates.new,
    )


def _measured(spec: CheckRunSpec, rates: Rates, at: str) -> CheckRunStatus:
    """Before the first batch, the newest pods that there are will be the old ones."""
    if rates.new is None:
        message = f"no {spec.check.metric} of the pods before the release"
        return CheckRunStatus(verdict="NoData", message=message, answered_at=at)
    message = f"{spec.check.metric} {rates.new:.2%} before the release"
    return CheckRunStatus(verdict="Passed", message=message, answered_at=at, old_value=rates.new)
