"""When a unit asks its checks, and what the answers mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneco.clock import Instant
from oneco.kinds.release import (
    CheckPolicy,
    CheckRunSpec,
    CheckRunStatus,
    PolicySpec,
    WorkloadProgress,
)
from oneco.kube import times
from oneco.release import checks
from oneco.release.variants import NOTHING as NO_VARIANT
from tests.release.given import NOW, a_unit, at, kinds_of, later, observed, pods, replace

ERRORS = CheckPolicy(name="errors")
POLICY = PolicySpec(checks=(ERRORS,), batch_silence="10m", progress_deadline="10m")
UNTIL = later(600)


def a_run(asked: float, verdict: str = "", *, answered: bool = True, release: str = "shop-v2"):
    spec = CheckRunSpec(check=ERRORS, release=release, asked_at=at(asked))
    status = CheckRunStatus(
        verdict=verdict,  # type: ignore[arg-type]
        message="the words of the runner",
        answered_at=at(asked) if answered and verdict else "",
    )
    body = {"metadata": {"name": "run", "uid": "run-1"}, "spec": {"release": release}}
    return body, spec, status


def asked(seconds: float, *runs, **changes):
    seen = a_unit(policy=POLICY, checks=runs, **changes)
    status = replace(
        seen.status, batch_reached_at=at(0), workloads=(WorkloadProgress(kind="Deployment"),)
    )
    return checks.ask(seen, status, later(seconds), UNTIL)


def test_a_check_is_asked_as_soon_as_a_batch_is_ready():
    found = asked(0)
    assert kinds_of(found) == ["Create"]
    assert found.actions[0].body["spec"]["askedAt"] == at(0)
    assert found.wake_at == later(300)


def test_what_was_asked_and_passed_is_asked_again_every_five_minutes_and_at_the_end():
    assert asked(299, a_run(0, "Passed")).actions == ()
    assert kinds_of(asked(300, a_run(0, "Passed"))) == ["Change"]
    assert asked(301, a_run(300, "Passed")).wake_at == UNTIL
    assert kinds_of(asked(600, a_run(300, "Passed"))) == ["Change"]
    assert asked(600, a_run(300, "Passed")).waiting is not None


def test_a_check_that_passed_at_the_end_of_the_silence_has_passed():
    found = asked(601, a_run(600, "Passed"))
    assert (found.actions, found.failed, found.waiting) == ((), None, None)


def test_a_check_that_failed_fails_the_batch_at_once():
    found = asked(10, a_run(0, "Failed"))
    assert found.failed is not None
    assert found.failed.message == "check errors: the words of the runner"


def test_an_answer_to_an_older_question_is_none():
    assert kinds_of(asked(300, a_run(0, "Failed"))) == ["Change"]


def test_what_another_release_asked_is_thrown_away():
    found = asked(10, a_run(5, "Failed", release="shop-v1"))
    assert kinds_of(found) == ["Delete", "Create"]
    assert found.failed is None


def test_no_data_is_never_a_pass_and_is_asked_for_again():
    found = asked(600, a_run(600, "NoData"))
    assert found.waiting is not None
    assert found.waiting.code == "CheckHasNoData"
    assert kinds_of(asked(901, a_run(600, "NoData"))) == ["Change"]


def test_a_check_that_nobody_can_answer_fails_after_the_deadline():
    spec = CheckRunSpec(check=ERRORS, release="shop-v2", asked_at=at(900), first_asked_at=at(600))
    status = CheckRunStatus(verdict="NoData", answered_at=at(900))
    run = ({"metadata": {"name": "run"}}, spec, status)
    assert asked(1199, run).failed is None
    failed = asked(1200, run).failed
    assert failed is not None and failed.code == "CheckHasNoData"


def test_a_check_that_was_asked_late_has_its_whole_time():
    found = asked(9e4, a_run(0, "Passed"))
    assert (kinds_of(found), found.failed) == (["Change"], None)
    assert asked(9e4 + 599, a_run(9e4, answered=False)).failed is None


def test_a_first_installation_has_nothing_to_be_compared_with():
    found = asked(0, before=NO_VARIANT)
    assert (found.actions, found.wake_at) == ((), UNTIL)


def before(seconds: float, *runs, **changes):
    seen = a_unit(policy=POLICY, checks=runs, observed=observed(pods()), **changes)
    return checks.ask_before(seen, later(seconds))


def test_the_old_pods_are_measured_before_the_first_of_them_goes():
    found = before(0)
    (create,) = found.actions
    assert create.body["spec"]["isBefore"] is True
    assert [one["name"] for one in create.body["spec"]["workloads"]] == ["web"]
    assert found.wake_at == later(60)


@pytest.mark.parametrize("verdict", ["Passed", "NoData", "Failed"])
def test_any_answer_about_the_old_pods_lets_the_release_begin(verdict):
    assert before(1, a_run(0, verdict)) == checks.PASSED


def test_nobody_waits_longer_than_a_minute_to_hear_about_the_old_pods():
    assert before(59, a_run(0)).waiting is not None
    assert before(60, a_run(0)) == checks.PASSED


def test_a_first_installation_has_no_old_pods():
    assert before(0, before=NO_VARIANT) == checks.PASSED


@given(st.floats(0, 1e9), st.sampled_from([0.0, 299.0, 600.0, 601.7, 1e5]))
def test_what_was_asked_at_the_instant_it_was_due_is_not_asked_again(offset, silence):
    reached = Instant(NOW + offset)
    reached_at = times.to_micro_text(reached)
    until = Instant(times.from_text(reached_at) + silence)
    spec = CheckRunSpec(check=ERRORS, release="shop-v2", asked_at=times.to_micro_text(until))
    status = CheckRunStatus(verdict="Passed", answered_at=spec.asked_at)
    seen = a_unit(policy=POLICY, checks=(({"metadata": {"name": "run"}}, spec, status),))
    unit = replace(seen.status, batch_reached_at=reached_at)
    assert checks.ask(seen, unit, until, until).actions == ()
