"""What a runner answers to a check, measured on new and old pods."""

from __future__ import annotations

import pytest

from oneco.kinds.parts import build, parse
from oneco.kinds.release import CheckPolicy, CheckRunSpec, CheckRunStatus
from oneco.kube import times
from oneco.main import probing
from oneco.main.probing import Rates

NOW = times.from_text("2026-11-21T08:00:00Z")
UNASKED = CheckRunStatus()
ASKED = times.to_micro_text(NOW)


def answer(rates: Rates, *, before: CheckRunStatus = UNASKED, **spec) -> CheckRunStatus:
    check = CheckPolicy(name="errors", max_increase=0.5)
    run = {
        "metadata": {"name": "run", "namespace": "here"},
        "spec": build(CheckRunSpec(check=check, asked_at=ASKED, **spec)),
        "status": build(before),
    }
    (written,) = probing.runner(lambda _: rates).decide(run, NOW).statuses
    return parse(CheckRunStatus, written.status)


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        (0.02, 0.03, "Passed"),
        (0.02, 0.031, "Failed"),
        (0.0, 0.0, "Passed"),
        (0.0, 0.001, "Failed"),
        (None, 0.01, "NoData"),
        (0.01, None, "NoData"),
    ],
)
def test_new_pods_may_fail_half_as_much_again_as_old_ones(old, new, verdict):
    assert answer(Rates(old, new)).verdict == verdict


def test_where_no_old_pod_is_left_the_last_that_was_measured_counts():
    before = CheckRunStatus(verdict="Passed", old_value=0.02, answered_at="2026-11-21T07:00:00Z")
    assert answer(Rates(None, 0.03), before=before).verdict == "Passed"
    assert answer(Rates(None, 0.04), before=before).verdict == "Failed"


def test_what_was_measured_on_old_pods_is_not_lost_while_there_is_no_answer():
    before = CheckRunStatus(verdict="Passed", old_value=0.02, answered_at="2026-11-21T07:00:00Z")
    found = answer(Rates(None, None), before=before)
    assert (found.verdict, found.old_value) == ("NoData", 0.02)


def test_before_a_release_the_pods_that_are_there_are_the_old_ones():
    found = answer(Rates(None, 0.02), is_before=True)
    assert (found.verdict, found.old_value) == ("Passed", 0.02)
    assert found.message == "errors 2.00% before the release"
    assert answer(Rates(None, None), is_before=True).verdict == "NoData"


def test_a_question_is_answered_once():
    run = {
        "metadata": {"name": "run", "namespace": "here"},
        "spec": build(CheckRunSpec(check=CheckPolicy(name="errors"), asked_at=ASKED)),
        "status": {"verdict": "Passed", "answeredAt": ASKED},
    }
    assert not probing.runner(lambda _: Rates(1.0, 1.0)).decide(run, NOW).statuses
