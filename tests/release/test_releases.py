"""The next step of one release."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from oneco.decision import NOTHING, Create, Replace
from oneco.kinds.naming import release_key, unit_name, wave_key
from oneco.kinds.parts import build
from oneco.kinds.release import (
    Good,
    PolicySpec,
    ReleaseSpec,
    Target,
    UnitSpec,
    UnitStatus,
    WavePolicy,
    WaveStatus,
)
from oneco.release import releases
from tests.release.given import a_release, at, later, row, status_of


def decide(seen, seconds=0.0):
    return releases.decide(seen, later(seconds))


def told(seen, seconds=0.0):
    status = status_of(decide(seen, seconds))
    return status.get("phase", "Pending"), status.get("reason", "")


def events(seen, seconds=0.0):
    return [reason.code for reason in decide(seen, seconds).reasons]


def a_cluster(name, environment):
    labels = {"onepersoncompany.io/environment": environment}
    return {"metadata": {"name": name, "labels": labels}}


def pending(*clusters, **changes):
    names = tuple(one["metadata"]["name"] for one in clusters)
    spec = {"targets": (Target(variant="v2", clusters=names),)}
    status = {"phase": "Pending", "waves": (), "opened": 0, "units": 0}
    return a_release(spec=spec, status=status, clusters=clusters, **changes)


TWO = (a_cluster("prod", "production"), a_cluster("lab", "test"))


def claimed(cluster, *, release="shop-v1", phase="Succeeded", variant="v1", version="5"):
    spec = UnitSpec(
        application="shop", application_namespace="default", cluster=cluster, release=release
    )
    status = UnitStatus(release=release, phase=phase, good=Good(variant=variant))
    meta = {
        "name": unit_name("default", "shop", cluster),
        "namespace": cluster,
        "resourceVersion": version,
        "labels": {"theirs": "kept"},
    }
    return {"metadata": meta, "spec": build(spec), "status": build(status)}


def test_a_release_claims_its_units_and_says_in_which_waves():
    decision = decide(pending(*TWO))
    status = status_of(decision)
    planned, started = decision.reasons
    assert planned.message == "2 clusters in 2 waves"
    assert started.message == status["message"] == "wave 1 of 2, test: 1 cluster"
    assert [(wave["name"], wave["units"], wave.get("first", 0)) for wave in status["waves"]] == [
        ("test", 1, 0),
        ("production", 1, 1),
    ]
    first, second = decision.actions
    assert isinstance(first, Create) and first.address.namespace == "lab"
    assert first.body["spec"].get("order", 0) == 0
    assert second.body["spec"]["order"] == 1
    labels = second.body["metadata"]["labels"]
    assert labels["onepersoncompany.io/release"] == release_key("default", "shop-v2")
    assert labels["onepersoncompany.io/wave"] == wave_key("default", "shop-v2", 1)


def test_a_unit_that_another_release_held_is_claimed_under_the_version_that_was_seen():
    (claim,) = decide(pending(TWO[1], claimed={"lab": claimed("lab")})).actions
    assert isinstance(claim, Replace)
    assert claim.body["metadata"]["resourceVersion"] == "5"
    assert claim.body["metadata"]["labels"]["theirs"] == "kept"
    assert claim.body["spec"]["release"] == "shop-v2"
    assert claim.body["status"]["good"] == {"variant": "v1"}


def test_a_claim_that_was_made_before_a_restart_is_not_made_again():
    made = decide(pending(TWO[1])).actions[0].body
    again = pending(TWO[1], claimed={"lab": {**claimed("lab"), "spec": made["spec"]}})
    assert decide(again).actions == ()


def test_a_release_that_begins_paused_claims_its_units_and_opens_no_wave():
    seen = pending(*TWO)
    decision = decide(
        dataclasses.replace(seen, spec=msgspec.structs.replace(seen.spec, paused=True))
    )
    status = status_of(decision)
    assert (status["phase"], status.get("opened", 0)) == ("Paused", 0)
    assert len(decision.actions) == 2


def test_clusters_that_run_it_already_are_left_alone():
    running = claimed("lab", variant="v2")
    seen = pending(*TWO, claimed={"lab": running})
    assert decide(seen).reasons[0].message == "1 cluster in 1 wave"
    alone = pending(TWO[1], claimed={"lab": running})
    assert told(alone) == ("Succeeded", "NothingToDo")


@pytest.mark.parametrize("phase", ["Failed", "Progressing"])
def test_a_cluster_where_it_did_not_come_to_a_good_end_is_released_to_again(phase):
    seen = pending(TWO[1], claimed={"lab": claimed("lab", phase=phase, variant="v2")})
    assert len(decide(seen).actions) == 1


def test_a_cluster_that_never_had_the_application_need_not_be_emptied():
    spec = ReleaseSpec(application="shop", revision="shop-v2", targets=(Target(clusters=("lab",)),))
    seen = dataclasses.replace(pending(TWO[1]), spec=spec)
    assert told(seen) == ("Succeeded", "NothingToDo")


def test_a_release_without_clusters_says_so():
    spec = ReleaseSpec(application="shop", revision="shop-v2")
    seen = dataclasses.replace(pending(), spec=spec)
    assert status_of(decide(seen))["message"] == "no cluster matches"


def test_a_release_waits_for_an_older_one_that_is_still_under_way():
    seen = pending(*TWO, waits_for="shop-v1")
    assert told(seen)[1] == "WaitsForRelease"
    assert decide(seen).actions == ()


def test_the_first_wave_opens_and_no_other():
    planned = (WaveStatus(name="test", units=2), WaveStatus(name="production", first=2, units=1))
    seen = a_release(status={"waves": planned, "opened": 0})
    status = status_of(decide(seen))
    assert (status["reason"], status["opened"]) == ("WaveStarted", 2)
    assert "startedAt" not in status["waves"][1]


def test_no_more_clusters_of_a_wave_go_at_once_than_its_policy_allows():
    policy = PolicySpec(waves=(WavePolicy(name="test", max_concurrency=1),))
    planned = (WaveStatus(name="test", units=3),)
    first = a_release(policy=policy, status={"waves": planned, "opened": 0})
    assert status_of(decide(first))["opened"] == 1
    begun = (WaveStatus(name="test", units=3, started_at=at(0)),)
    units = (row("a", "Succeeded"), row("b", "Progressing"))
    on = a_release(policy=policy, units=units, status={"waves": begun, "opened": 1})
    assert status_of(decide(on))["opened"] == 2


def test_the_next_wave_waits_until_every_cluster_of_this_one_is_done():
    assert told(a_release(units=(row("a", "Succeeded"), row("b", "Silence"))))[1] == (
        "WaveProgressing"
    )


def test_a_wave_that_has_just_begun_does_not_say_anew_that_nothing_is_done():
    begun = a_release(units=(), status={"reason": "WaveStarted", "message": "wave 1 of 2"})
    assert status_of(decide(begun))["message"] == "wave 1 of 2"
    one = a_release(
        units=(row("a", "Succeeded"),), status={"reason": "WaveStarted", "message": "wave 1 of 2"}
    )
    assert status_of(decide(one))["reason"] == "WaveProgressing"


def test_a_wave_that_is_done_keeps_its_silence_before_the_next():
    policy = PolicySpec(wave_silence="1h", waves=(WavePolicy(name="test", silence="30m"),))
    units = (row("a", "Succeeded"), row("b", "Succeeded"))
    seen = a_release(policy=policy, units=units)
    decision = decide(seen)
    assert status_of(decision)["reason"] == "Silence"
    assert decision.wake_at == later(1800)
    waves = (
        WaveStatus(name="test", units=2, started_at=at(-60), finished_at=at(0)),
        WaveStatus(name="production", first=2, units=1),
    )
    silent = a_release(policy=policy, units=units, status={"waves": waves})
    assert told(silent, 1799)[1] == "Silence"
    status = status_of(decide(silent, 1800))
    assert (status["reason"], status["wave"], status["opened"]) == ("WaveStarted", 1, 3)


def last_wave(**changes):
    waves = (
        WaveStatus(name="test", units=2, succeeded=2, started_at=at(-99), finished_at=at(-60)),
        WaveStatus(name="production", first=2, units=1, started_at=at(-60)),
    )
    return a_release(status={"waves": waves, "wave": 1, "opened": 3}, **changes)


DONE = (row("a", "Succeeded"), row("b", "Succeeded"))


def test_a_release_is_done_when_its_last_wave_is():
    seen = last_wave(units=(*DONE, row("c", "Succeeded", wave=1)))
    assert told(seen) == ("Succeeded", "AllWavesHealthy")
    assert status_of(decide(seen))["message"] == "3 clusters now at shop-v2"


def test_one_failure_too_many_takes_everything_back():
    failed = row("b", "Failed", reason="CrashLoopBackOff", message="they crash", batch=1, batches=3)
    seen = a_release(units=(row("a", "Succeeded"), failed))
    status = status_of(decide(seen))
    assert (status["phase"], status["reason"]) == ("RollingBack", "CrashLoopBackOff")
    assert status["message"] == "rolls back: b, batch 1 of 3: they crash"
    assert events(seen) == ["RollingBack"]


def test_a_failure_in_an_earlier_wave_counts_too():
    seen = last_wave(units=(row("a", "Failed"), row("b", "Succeeded"), row("c", "Silence", wave=1)))
    assert told(seen)[0] == "RollingBack"


def test_a_policy_may_want_to_stop_instead():
    policy = PolicySpec(on_failure="Block")
    seen = a_release(policy=policy, units=(row("a", "Failed", message="bad"), row("b", "Silence")))
    assert told(seen)[0] == "Blocked"
    assert events(seen) == ["Blocked"]
    blocked = a_release(policy=policy, status={"phase": "Blocked"}, units=seen.units)
    assert decide(blocked) == NOTHING


def test_failures_that_the_policy_allows_are_told_at_the_end():
    policy = PolicySpec(max_failures=1)
    units = (row("a", "Succeeded"), row("b", "Failed"), row("c", "Succeeded", wave=1))
    seen = last_wave(policy=policy, units=units)
    assert told(seen) == ("Succeeded", "FailuresTolerated")
    assert status_of(decide(seen))["message"] == "2 clusters now at shop-v2; 1 cluster failed"


def test_a_pause_opens_nothing_and_a_resume_goes_on():
    paused = a_release(spec={"paused": True}, units=DONE)
    assert told(paused) == ("Paused", "Paused")
    resumed = a_release(units=DONE, status={"phase": "Paused"})
    assert told(resumed)[0] == "Progressing"


def test_a_failure_during_a_pause_is_acted_on():
    seen = a_release(spec={"paused": True}, units=(row("a", "Failed"), row("b", "Silence")))
    assert told(seen)[0] == "RollingBack"


def test_an_aborted_release_ends_where_it_stands():
    for phase in ("Pending", "Progressing", "Paused", "Blocked"):
        seen = a_release(spec={"request": "Abort"}, status={"phase": phase})
        assert told(seen) == ("Aborted", "Aborted")


def test_a_newer_release_takes_over():
    for phase in ("Pending", "Progressing", "Paused", "Blocked"):
        seen = a_release(is_overtaken=True, status={"phase": phase})
        assert told(seen) == ("Superseded", "Superseded")


@pytest.mark.parametrize("phase", ["Progressing", "Blocked", "Succeeded", "Aborted"])
def test_somebody_may_take_a_release_back(phase):
    seen = a_release(spec={"request": "Rollback"}, status={"phase": phase})
    assert told(seen) == ("RollingBack", "RollbackRequested")


def test_a_release_that_a_newer_one_followed_is_not_taken_back_under_it():
    for phase in ("Succeeded", "Superseded", "Aborted"):
        seen = a_release(spec={"request": "Rollback"}, status={"phase": phase}, is_overtaken=True)
        assert told(seen) == (phase, "Overtaken")


def test_a_release_is_rolled_back_when_everything_it_touched_is():
    status = {"phase": "RollingBack", "reason": "CrashLoopBackOff", "message": "rolls back: bad"}
    untouched = row("c", "Waiting", wave=1, is_touched=False)
    half = (row("a", "RolledBack"), row("b", "RollingBack"), untouched)
    assert told(a_release(status=status, units=half))[0] == "RollingBack"
    whole = (row("a", "RolledBack"), row("b", "RolledBack"), untouched)
    seen = a_release(status=status, units=whole)
    written = status_of(decide(seen))
    assert (written["phase"], written["reason"]) == ("RolledBack", "CrashLoopBackOff")
    assert written["message"] == "2 clusters rolled back: bad"
    assert events(seen) == ["RolledBack"]


@pytest.mark.parametrize("phase", ["RolledBack", "Succeeded", "Aborted", "Superseded"])
def test_what_has_ended_stays_ended(phase):
    assert decide(a_release(status={"phase": phase}, is_overtaken=True)) == NOTHING


def test_a_status_stays_small_however_many_clusters_there_are():
    clusters = [a_cluster(f"cluster-{number}", "production") for number in range(2000)]
    decision = decide(pending(*clusters))
    assert len(str(status_of(decision))) < 1000


@pytest.mark.parametrize("seconds", [0.1234567 * step for step in range(12)])
def test_without_silence_the_next_wave_begins_at_any_fraction_of_a_second(seconds):
    # The end of a wave is written to the microsecond, and may so be rounded to after now.
    seen = a_release(units=(row("a", "Succeeded"), row("b", "Succeeded")))
    assert told(seen, seconds)[1] == "WaveStarted"
