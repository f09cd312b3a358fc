"""The next step of one unit."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from oneco.decision import NOTHING, Failure, Replace
from oneco.kinds.release import PolicySpec
from oneco.kube.refs import Address, Resource
from oneco.release import unit_writes, units, works
from oneco.release.ports import Gate
from oneco.release.unit_writes import tells
from oneco.release.variants import NOTHING as NO_VARIANT
from oneco.release.variants import identity
from tests.release.given import (
    GOOD,
    V1,
    V2,
    WORKLOADS,
    a_config,
    a_deployment,
    a_unit,
    a_variant,
    a_work,
    at,
    crashing,
    gated,
    in_batch,
    kinds_of,
    later,
    observed,
    pods,
    status_of,
)

ALL_READY = pods(updated=10, ready=10)
SILENT = PolicySpec(batches=("10%", "50%", "100%"), batch_silence="10m")


def decide(seen, seconds=0.0):
    return units.decide(seen, later(seconds), WORKLOADS)


def told(seen, seconds=0.0):
    status = status_of(decide(seen, seconds))
    return status["phase"], status["reason"]


def partition(decision):
    (work,) = (
        one.body for one in decision.actions if one.address.resource.plural == "manifestworks"
    )
    manifest = work["spec"]["workload"]["manifests"][0]
    return manifest["metadata"].get("annotations", {}).get("onepersoncompany.io/partition")


def test_before_anything_is_touched_it_is_written_down_that_it_will_be():
    decision = decide(a_unit())
    assert kinds_of(decision) == []
    status = status_of(decision)
    assert (status["isTouched"], status["batch"], status["batches"]) == (True, 1, 3)
    assert status["pods"] == [10]


def test_a_unit_gets_the_finalizer_that_takes_its_first_work_off_again():
    decision = decide(a_unit(meta={"finalizers": ["theirs"]}, work=None))
    assert kinds_of(decision) == ["Change"]
    patch = decision.actions[0].patch.body
    assert patch == {"metadata": {"finalizers": ["theirs", "onepersoncompany.io/work"]}}


def test_then_the_first_batch_is_written_into_the_work_under_the_works_own_version():
    touched = {"is_touched": True, "batch": 1, "batches": 3, "pods": (10,)}
    decision = decide(a_unit(status=touched))
    (write,) = decision.actions
    assert isinstance(write, Replace)
    assert write.body["metadata"]["resourceVersion"] == "7"
    assert partition(decision) == "1"
    assert [one.code for one in decision.reasons] == ["BatchStarted"]
    assert decision.wake_at == later(600)


@pytest.mark.parametrize("course", ["Progressing", "RollingBack"])
def test_a_cluster_that_was_denied_in_the_middle_of_a_release_is_told_nothing_more(course):
    touched = {"is_touched": True, "batch": 1, "batches": 3, "pods": (10,)}
    seen = a_unit(status=touched, release={"phase": course}, is_accepted=False)
    assert any(map(tells, decide(dataclasses.replace(seen, is_accepted=True)).actions))
    decision = decide(seen)
    assert kinds_of(decision) == []
    assert status_of(decision)["reason"] == "ClusterDenied"


def test_what_a_denied_cluster_has_may_still_be_taken_off():
    assert tells(unit_writes.take_away(a_unit())) is False


def test_a_unit_without_a_work_gets_one():
    touched = {"is_touched": True, "batch": 1, "batches": 3, "pods": (10,)}
    assert kinds_of(decide(a_unit(status=touched, work=None))) == ["Create"]


def test_where_nothing_was_the_first_batch_is_noted_and_brought_in_one_step():
    owned = {"finalizers": ["onepersoncompany.io/work"]}
    seen = dataclasses.replace(a_unit(meta=owned, work=None), before=NO_VARIANT)
    decision = decide(seen)
    # The note first: a hub killed in between must know of what it was about to bring.
    assert kinds_of(decision) == ["Replace", "Create"]
    note = decision.actions[0]
    assert note.address.subresource == "status"
    assert note.body["metadata"] == seen.unit["metadata"]
    status = note.body["status"]
    assert (status["isTouched"], status["batch"], status["batches"]) == (True, 1, 1)
    assert (status["reason"], status["batchStartedAt"]) == ("BatchStarted", at(0))
    assert decision.statuses == ()


def test_a_hub_killed_between_the_note_and_the_first_work_brings_it():
    owned = {"finalizers": ["onepersoncompany.io/work"]}
    noted = {"is_touched": True, "batch": 1, "batches": 1, "batch_started_at": at(-9)}
    seen = a_unit(meta=owned, work=None, status=noted)
    decision = decide(dataclasses.replace(seen, before=NO_VARIANT))
    assert kinds_of(decision) == ["Create"]
    assert status_of(decision)["batchStartedAt"] == at(0)


def test_a_batch_is_waited_for_until_the_agent_has_seen_its_own_generation():
    old = observed(pods(updated=1, ready=1), generation=2)
    seen = dataclasses.replace(in_batch(1, 1), observed=old)
    assert told(seen) == ("Progressing", "AgentNotSeen")


def test_an_agent_has_a_moment_to_report_before_anybody_wonders():
    started = {"batch_started_at": at(-1)}
    seen = dataclasses.replace(in_batch(1, 1, status=started), observed=None)
    decision = decide(seen)
    assert (decision.statuses, decision.wake_at) == ((), later(4))
    assert told(seen, 4) == ("Progressing", "AgentNotSeen")


def test_a_hub_killed_after_the_work_and_before_its_status_goes_on():
    killed = {"batch_started_at": "", "progressed_at": ""}
    seen = dataclasses.replace(in_batch(1, 1, status=killed), observed=None)
    assert told(seen) == ("Progressing", "AgentNotSeen")


def test_a_cluster_has_a_moment_to_look_at_what_was_written_before_anybody_waits_for_it():
    started = {"batch_started_at": at(-1)}
    seen = in_batch(1, 1, pods(is_current=False), status=started)
    decision = decide(seen)
    assert (decision.statuses, decision.wake_at) == ((), later(4))
    assert told(seen, 4) == ("Progressing", "StatusOutdated")


def test_a_batch_without_silence_gives_way_at_once():
    assert told(in_batch(1, 1, pods(updated=1, ready=1)))[1] == "BatchHealthy"
    # What is written down is rounded to a microsecond, and may so lie after the present.
    seen = in_batch(1, 1, pods(updated=1, ready=1), status={"batch_reached_at": at(0.000_001)})
    assert told(seen)[1] == "BatchHealthy"


def test_a_batch_that_is_ready_keeps_its_silence_and_then_gives_way_to_the_next():
    seen = in_batch(1, 1, pods(updated=1, ready=1), policy=SILENT)
    decision = decide(seen)
    assert told(seen) == ("Silence", "Silence")
    assert decision.wake_at == later(600)
    reached = in_batch(
        1, 1, pods(updated=1, ready=1), policy=SILENT, status={"batch_reached_at": at(0)}
    )
    assert told(reached, 599) == ("Silence", "Silence")
    status = status_of(decide(reached, 600))
    assert (status["reason"], status["batch"]) == ("BatchHealthy", 2)
    assert "batchReachedAt" not in status


def test_the_last_batch_holds_nothing_back_and_ends_in_success():
    seen = in_batch(3, 10, ALL_READY)
    status = status_of(decide(seen))
    assert (status["phase"], status["reason"]) == ("Succeeded", "UnitSucceeded")
    assert status["good"] == {"release": "shop-v2", "revision": "shop-v2", "variant": V2.hash}


def test_the_last_batch_is_not_done_before_every_pod_is_new():
    assert told(in_batch(3, 10, pods(updated=9, ready=9))) == ("Progressing", "PodsNotReady")


def test_a_change_that_replaces_no_pods_is_one_batch():
    before = a_variant(a_deployment(image="web:2"), a_config(colour="red"), revision="shop-v1")
    target = a_variant(a_deployment(image="web:2"), a_config(colour="blue"))
    seen = a_unit(before=before, target=target)
    assert status_of(decide(seen))["batches"] == 1


def unsized(**changes):
    """A unit whose manifest leaves the number of its pods to its cluster."""
    before = a_variant(a_deployment(image="web:1", replicas=None), revision="shop-v1")
    target = a_variant(a_deployment(image="web:2", replicas=None))
    batches = PolicySpec(batches=("25%", "50%", "75%", "100%"), batch_silence="0s")
    whole = {"before": before, "target": target, "policy": batches, **changes}
    if "held" in whole:
        gates = {identity(target.manifests[0]): whole.pop("held")}
        whole["work"] = a_work(works.content(target, gates, WORKLOADS))
    return a_unit(**whole)


def touched(batch: int, pods: int, reached: int):
    """The status of a unit in this batch, counted so."""
    return {
        "phase": "Progressing", "is_touched": True, "batch": batch, "batches": 4,
        "pods": (pods,), "reached": (reached,),
        "batch_started_at": at(-60), "progressed_at": at(-60),
    }  # fmt: skip


def test_pods_are_divided_by_what_the_agent_tells_where_the_manifest_does_not_say():
    seen = unsized(observed=observed(pods(replicas=40)))
    assert status_of(decide(seen))["pods"] == [40]
    assert status_of(decide(unsized()))["reason"] == "AgentNotSeen"


def test_a_workload_that_shrinks_in_a_batch_has_its_batch_counted_anew():
    held = {"held": Gate(20, 0, 40), "status": touched(2, 40, 10)}
    shrunk = status_of(decide(unsized(**held, observed=observed(pods(replicas=4)))))
    assert (shrunk["reason"], shrunk["pods"], shrunk["reached"]) == ("BatchResized", [4], [1])
    again = unsized(status=touched(2, 4, 1), observed=observed(pods(replicas=4)))
    assert partition(decide(again)) == "2"


def test_a_workload_that_grows_in_a_batch_keeps_its_number_until_the_next():
    held = {"held": Gate(1, 0, 4), "status": touched(1, 4, 0)}
    grown = observed(pods(replicas=40, updated=1, ready=1))
    told = status_of(decide(unsized(**held, observed=grown)))
    assert (told["batch"], told["batches"]) == (2, 5)
    assert (told["pods"], told["reached"]) == ([40], [1])
    again = unsized(status=touched(2, 40, 1), observed=observed(pods(replicas=40)))
    assert partition(decide(again)) == "10"


def test_news_that_are_older_than_the_work_change_no_size():
    held = {"held": Gate(20, 0, 40), "status": touched(2, 40, 10)}
    old = observed(pods(replicas=4), generation=2)
    assert status_of(decide(unsized(**held, observed=old)))["reason"] == "AgentNotSeen"


def test_one_pod_that_may_be_many_by_now_is_held_until_it_is_certain():
    first = unsized(status=touched(1, 1, 0), observed=observed(pods(replicas=1)))
    assert partition(decide(first)) == "1"
    held = {"held": Gate(1, 0, 1), "status": touched(1, 1, 0)}
    alone = observed(pods(replicas=1, updated=1, ready=1))
    assert status_of(decide(unsized(**held, observed=alone)))["reached"] == [1]
    many = observed(pods(replicas=8, updated=1, ready=1))
    told = status_of(decide(unsized(**held, observed=many)))
    assert (told["batch"], told["batches"], told["pods"]) == (2, 5, [8])


def test_what_is_all_new_gets_its_own_fields_back_without_another_batch():
    counted = touched(1, 1, 1)
    alone = observed(pods(replicas=1, updated=1, ready=1))
    opening = decide(unsized(held=Gate(1, 0, 1), status=counted, observed=alone))
    assert partition(opening) is None
    assert status_of(opening)["reason"] == "StepStarted"


def test_a_batch_that_gets_no_further_fails_at_its_deadline():
    seen = in_batch(1, 1, pods(updated=1))
    assert told(seen, 530) == ("Progressing", "PodsNotReady")
    assert decide(seen, 530).wake_at == later(540)
    assert told(seen, 540) == ("Failed", "ProgressDeadlineExceeded")


def test_every_new_pod_that_is_ready_begins_the_patience_anew():
    seen = in_batch(2, 5, pods(updated=4, ready=3), status={"progress": 2})
    status = status_of(decide(seen, 539))
    assert (status["progress"], status["progressedAt"]) == (3, at(539))


def test_pods_that_come_and_go_do_not_begin_it_anew():
    seen = in_batch(2, 5, pods(updated=5, ready=4), status={"progress": 5})
    assert told(seen, 540) == ("Failed", "ProgressDeadlineExceeded")


def test_only_the_time_in_which_all_pods_were_ready_does_not_count():
    lost = in_batch(
        2, 5, pods(updated=5, ready=4), status={"progress": 5, "batch_reached_at": at(0)}
    )
    status = status_of(decide(lost, 300))
    assert "batchReachedAt" not in status
    assert status["progressedAt"] == at(240)


def test_a_batch_whose_work_was_written_by_a_process_that_then_died_has_its_whole_time():
    seen = in_batch(
        2, 5, pods(updated=1), status={"progressed_at": "", "batch_started_at": at(-9e4)}
    )
    assert status_of(decide(seen))["progressedAt"] == at(0)
    assert told(seen)[0] == "Progressing"


def test_the_time_in_which_a_cluster_cannot_be_reached_does_not_count():
    seen = in_batch(1, 1, pods(updated=1), is_reachable=False)
    status = status_of(decide(seen, 9e4))
    assert (status["phase"], status["reason"]) == ("Progressing", "ClusterUnreachable")
    assert "progressedAt" not in status


def test_a_cluster_that_cannot_be_reached_does_not_get_through_its_silence():
    reached = {"batch_reached_at": at(-9e4), "phase": "Silence"}
    seen = in_batch(1, 1, pods(updated=1, ready=1), is_reachable=False, status=reached)
    status = status_of(decide(seen))
    assert (status["batch"], status["reason"]) == (1, "ClusterUnreachable")
    assert "batchReachedAt" not in status


def test_pods_that_crash_fail_the_unit_at_once():
    seen = in_batch(1, 1, pods(updated=1, problems=crashing()))
    assert told(seen) == ("Failed", "CrashLoopBackOff")
    assert status_of(decide(seen))["good"]["revision"] == "shop-v1"


def test_a_first_installation_has_until_its_deadline():
    seen = in_batch(
        1, 10, pods(updated=10, problems=crashing(10)), before=NO_VARIANT,
        status={"good": None, "before": None, "pods": ()},
    )  # fmt: skip
    assert told(seen) == ("Progressing", "PodsNotReady")
    assert told(seen, 540) == ("Failed", "ProgressDeadlineExceeded")


def test_a_unit_that_succeeded_and_breaks_later_fails_after_all():
    seen = in_batch(3, 10, pods(updated=10, problems=crashing()), status={"phase": "Succeeded"})
    assert told(seen) == ("Failed", "CrashLoopBackOff")


def test_a_unit_that_failed_stays_so():
    assert decide(in_batch(1, 1, pods(updated=1, ready=1), status={"phase": "Failed"})) == NOTHING


def test_a_revision_that_is_gone_is_told_and_nothing_is_done():
    for seen in (a_unit(target=None), a_unit(before=None)):
        assert kinds_of(decide(seen)) == []
        assert status_of(decide(seen))["reason"] == "RevisionMissing"


def test_a_write_that_the_hub_refused_is_told_before_it_is_tried_again():
    place = Address(Resource("work.open-cluster-management.io", "v1", "manifestworks"), "here", "x")
    touched = {"is_touched": True, "batch": 1, "batches": 3, "pods": (10,)}
    failures = (Failure(place, "Forbidden", "not allowed"),)
    decision = decide(a_unit(status=touched, failures=failures))
    assert kinds_of(decision) == ["Change", "Replace"]
    said = decision.actions[0].patch.body["status"]
    assert said["reason"] == "WriteRefused"
    assert said["message"].endswith("not allowed")
    again = a_unit(status={**touched, "message": said["message"]}, failures=failures)
    assert kinds_of(decide(again)) == ["Replace"]


def test_nothing_is_brought_by_a_work_that_is_being_taken_off():
    touched = {"is_touched": True, "batch": 1, "batches": 3, "pods": (10,)}
    leaving = a_work(gated(1), deletionTimestamp="2026-11-21T08:00:00Z")
    decision = decide(a_unit(status=touched, work=leaving, observed=observed(ALL_READY)))
    assert kinds_of(decision) == []
    assert status_of(decision)["reason"] == "WorkLeaving"


@pytest.mark.parametrize(
    "course",
    [
        {"phase": "Pending"},
        {"phase": "Blocked"},
        {"phase": "Aborted"},
        {"phase": "Superseded"},
        {"phase": "Succeeded"},
        {"opened": 0},
    ],
)
def test_nothing_happens_while_the_release_does_not_let_the_unit_advance(course):
    assert decide(a_unit(release=course)) == NOTHING


def test_a_unit_whose_release_is_gone_stays_as_it_is():
    assert decide(dataclasses.replace(a_unit(), release=None)) == NOTHING


def test_a_pause_raises_nothing_and_tells_so():
    reached = in_batch(
        1, 1, pods(updated=1, ready=1), release={"paused": True}, status={"batch_reached_at": at(0)}
    )
    decision = decide(reached, 9e4)
    assert kinds_of(decision) == []
    assert status_of(decision)["reason"] == "Paused"
    assert status_of(decision)["batch"] == 1


def test_a_unit_that_was_not_begun_before_a_pause_is_not_begun_in_it():
    assert decide(a_unit(release={"paused": True})) == NOTHING
    touched = {"is_touched": True, "batch": 1, "batches": 3, "pods": (10,)}
    assert kinds_of(decide(a_unit(release={"paused": True}, status=touched))) == []


@pytest.mark.parametrize("phase", ["Progressing", "Silence", "Succeeded"])
def test_what_breaks_during_a_pause_is_a_failure(phase):
    broken = pods(updated=1, problems=crashing())
    seen = in_batch(1, 1, broken, release={"paused": True}, status={"phase": phase})
    assert told(seen) == ("Failed", "CrashLoopBackOff")


def test_a_pause_costs_nobody_patience():
    seen = in_batch(1, 1, pods(updated=1), release={"paused": True})
    assert "progressedAt" not in status_of(decide(seen, 9e4))


def test_a_rollback_puts_back_exactly_what_was_there():
    seen = in_batch(2, 5, pods(updated=5, ready=5), release={"phase": "RollingBack"})
    decision = decide(seen)
    (write,) = decision.actions
    assert write.body["spec"]["workload"]["manifests"] == list(V1.manifests)
    assert write.body["metadata"]["annotations"]["onepersoncompany.io/revision"] == "shop-v1"
    assert status_of(decision)["phase"] == "RollingBack"


def test_a_unit_is_rolled_back_when_all_its_pods_are_old_again():
    def going_back(row):
        work = a_work(gated(10, V1))
        status = {"phase": "RollingBack", "is_touched": True, "batch": 2}
        return a_unit(
            work=work, observed=observed(row), status=status, release={"phase": "RollingBack"}
        )

    assert told(going_back(pods(updated=7, ready=7))) == ("RollingBack", "PodsNotReady")
    status = status_of(decide(going_back(ALL_READY)))
    assert (status["phase"], status["good"]["revision"]) == ("RolledBack", "shop-v1")


def test_a_rollback_leaves_alone_what_was_never_touched():
    assert decide(a_unit(release={"phase": "RollingBack"})) == NOTHING


def test_a_unit_that_succeeded_is_rolled_back_too():
    seen = in_batch(
        3, 10, ALL_READY, release={"phase": "RollingBack"}, status={"phase": "Succeeded"}
    )
    assert kinds_of(decide(seen)) == ["Replace"]


def test_what_was_never_there_before_is_taken_off():
    status = {"good": None, "before": None, "pods": ()}
    seen = in_batch(1, 10, release={"phase": "RollingBack"}, before=NO_VARIANT, status=status)
    decision = decide(seen)
    (delete,) = decision.actions
    assert delete.options.uid == "work-1"
    gone = a_unit(
        work=None,
        before=NO_VARIANT,
        release={"phase": "RollingBack"},
        status={"is_touched": True, "good": None, "before": None},
    )
    assert told(gone) == ("RolledBack", "UnitRolledBack")
    assert "good" not in status_of(decide(gone))


def test_a_rollback_waits_until_a_removed_work_is_gone_before_it_brings_it_back():
    leaving = a_work(gated(10, V1), deletionTimestamp="2026-11-21T08:00:00Z")
    seen = a_unit(
        work=leaving,
        observed=observed(ALL_READY),
        release={"phase": "RollingBack"},
        status={"is_touched": True},
    )
    assert kinds_of(decide(seen)) == []
    assert status_of(decide(seen))["reason"] == "WorkLeaving"


def test_a_rollback_in_a_cluster_that_cannot_be_reached_is_not_done():
    seen = a_unit(
        work=a_work(gated(10, V1)),
        observed=observed(ALL_READY),
        release={"phase": "RollingBack"},
        status={"is_touched": True, "phase": "RollingBack"},
        is_reachable=False,
    )
    assert told(seen) == ("RollingBack", "ClusterUnreachable")


def a_removal(**changes):
    seen = a_unit(target=NO_VARIANT, **changes)
    return dataclasses.replace(seen, spec=msgspec.structs.replace(seen.spec, variant=""))


def test_a_removal_is_written_down_first_then_the_work_is_deleted_and_then_it_is_done():
    first = decide(a_removal())
    assert (kinds_of(first), status_of(first)["isTouched"]) == ([], True)
    assert kinds_of(decide(a_removal(status={"is_touched": True}))) == ["Delete"]
    leaving = a_work(deletionTimestamp="2026-11-21T08:00:00Z")
    assert decide(a_removal(status={"is_touched": True}, work=leaving)) == NOTHING
    status = status_of(decide(a_removal(status={"is_touched": True}, work=None)))
    assert status["phase"] == "Succeeded"
    assert "good" not in status


def test_nothing_is_removed_during_a_pause():
    assert decide(a_removal(release={"paused": True})) == NOTHING


def test_a_deleted_unit_takes_its_work_with_it_before_it_goes():
    going = {"deletionTimestamp": "2026-11-21T08:00:00Z"}
    assert kinds_of(decide(a_unit(meta=going))) == ["Delete"]
    decision = decide(a_unit(meta=going, work=None))
    assert decision.actions[0].patch.body == {"metadata": {"finalizers": None}}
    assert decide(a_unit(meta={**going, "finalizers": []}, work=None)) == NOTHING


def test_what_is_good_is_handed_from_release_to_release():
    assert GOOD.revision == "shop-v1"
    assert status_of(decide(a_unit()))["before"]["revision"] == "shop-v1"
