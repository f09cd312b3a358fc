"""Whether what an agent saw is good enough."""

from __future__ import annotations

import pytest

from oneco.release.judgement import judge, stand
from oneco.release.variants import identity
from tests.release.given import (
    V2,
    WORKLOADS,
    a_unit,
    a_work,
    an_object,
    crashing,
    observed,
    pods,
)

WEB = identity(V2.manifests[0])


def judged(seen, *, held=None, work=None, is_strict=True):
    found = judge(
        seen, work or a_work(), {WEB: held} if held is not None else {}, WORKLOADS,
        is_strict=is_strict,
    )  # fmt: skip
    return found.state, found.reason.code


def test_nobody_has_reported_yet():
    assert judged(None) == ("Unseen", "AgentNotSeen")


def test_what_was_seen_of_an_older_generation_of_the_work_is_not_believed():
    rows = pods(updated=10, ready=10)
    assert judged(observed(rows, generation=2)) == ("Unseen", "AgentNotSeen")
    assert judged(observed(rows, generation=3)) == ("Reached", "Healthy")


def test_what_was_seen_of_a_work_that_was_deleted_is_not_believed_of_the_one_made_after_it():
    seen = observed(pods(updated=10, ready=10), generation=9)
    assert judged(seen, work=a_work(uid="work-2", generation=1)) == ("Unseen", "AgentNotSeen")


def test_a_status_of_an_older_generation_of_the_workload_is_not_believed():
    stale = pods(updated=10, ready=10, is_current=False)
    assert judged(observed(stale)) == ("Progressing", "StatusOutdated")


def test_a_batch_is_reached_when_its_pods_are_updated_and_ready():
    assert judged(observed(pods(updated=3, ready=2)), held=3) == ("Progressing", "PodsNotReady")
    assert judged(observed(pods(updated=2, ready=3)), held=3) == ("Progressing", "PodsNotReady")
    assert judged(observed(pods(updated=3, ready=3)), held=3) == ("Reached", "Healthy")


def test_a_workload_that_is_not_held_back_must_be_whole():
    assert judged(observed(pods(updated=9, ready=9))) == ("Progressing", "PodsNotReady")
    assert judged(observed(pods(updated=10, ready=10))) == ("Reached", "Healthy")


def test_a_workload_that_was_scaled_below_its_batch_cannot_have_more_new_pods_than_pods():
    seen = observed(pods(replicas=2, updated=2, ready=2))
    assert judged(seen, held=5) == ("Reached", "Healthy")


def test_new_pods_that_crash_fail_an_update_at_once():
    seen = observed(pods(updated=1, problems=crashing()))
    assert judged(seen, held=1) == ("Failed", "CrashLoopBackOff")


def test_pods_that_crash_on_a_first_installation_may_still_come_up():
    seen = observed(pods(updated=1, problems=crashing()))
    assert judged(seen, held=1, is_strict=False) == ("Progressing", "PodsNotReady")


def test_an_object_that_is_not_applied_yet_is_waited_for():
    seen = observed(pods(updated=10, ready=10), an_object("ConfigMap", is_applied=False))
    assert judged(seen) == ("Progressing", "NotApplied")


def test_an_object_that_the_cluster_refuses_fails_even_a_first_installation():
    refused = an_object("ConfigMap", is_applied=False, is_refused=True, message="no")
    assert judged(observed(refused), is_strict=False) == ("Failed", "ApplyRefused")


def test_an_agent_that_may_not_act_yet_has_seen_nothing_that_counts():
    seen = observed(pods(updated=10, ready=10), is_confirmed=False)
    assert judged(seen) == ("Unseen", "NotConfirmed")


def test_a_cluster_that_cannot_be_reached_is_neither_good_nor_bad():
    for rows in (pods(updated=10, ready=10), pods(problems=crashing())):
        seen = a_unit(observed=observed(rows), is_reachable=False)
        found = stand(seen, {}, WORKLOADS, is_strict=True)
        assert (found.state, found.reason.code) == ("Unseen", "ClusterUnreachable")


def condition(kind):
    return {"status-conditions": [{"type": kind, "status": "True", "message": "so it is"}]}


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("Job", condition("Failed"), ("Failed", "JobFailed")),
        ("Job", {"status-conditions": None}, ("Progressing", "JobRunning")),
        ("Job", condition("Complete"), ("Reached", "Healthy")),
        ("Job", condition("Suspended"), ("Reached", "Healthy")),
        ("Job", {}, ("Reached", "Healthy")),
        ("PersistentVolumeClaim", {"status-phase": "Lost"}, ("Failed", "VolumeLost")),
        ("PersistentVolumeClaim", {"status-phase": "Pending"}, ("Reached", "Healthy")),
        ("Pod", {"status-phase": "Failed"}, ("Failed", "PodFailed")),
    ],
)
def test_other_kinds_are_as_healthy_as_their_values_say(kind, values, expected):
    assert judged(observed(an_object(kind, values=values))) == expected


def test_the_progress_of_every_workload_is_told():
    found = judge(
        observed(pods(updated=3, ready=2), pods("api", replicas=4, updated=4, ready=4)),
        a_work(), {WEB: 5}, WORKLOADS, is_strict=True,
    )  # fmt: skip
    told = [(one.name, one.replicas, one.target, one.updated, one.ready) for one in found.workloads]
    assert told == [("web", 10, 5, 3, 2), ("api", 4, 4, 4, 4)]
