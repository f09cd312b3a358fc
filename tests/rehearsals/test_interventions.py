"""What people do while a release runs, and what the release makes of it."""

from __future__ import annotations

import pytest

from tests.rehearsals.given import (
    application,
    changed_by_hand,
    deleted,
    fleet,
    joined,
    looked_at,
    nothing_but_time,
    rehearse,
    service,
    settings,
    somebody,
    then_applied,
    until,
)

HALVES = ("50%", "100%")


def test_a_pause_in_the_middle_of_a_wave_holds_it_until_it_is_resumed():
    ending = (
        rehearse(seed=3)
        .given(fleet(test=1, production=1), application(batches=HALVES, batchSilence="30m"))
        .when(somebody("pause", at="10m"), somebody("resume", at="5h"))
        .ends()
    )
    assert ending.outcome == "succeeded"
    assert [round(one.at) for one in ending.happened("BatchStarted")][1] == 5 * 3600


def test_drift_by_hand_is_repaired_during_a_pause():
    seen: list[int] = []
    narrower = {"strategy": {"rollingUpdate": {"maxUnavailable": 1}}}
    ending = (
        rehearse(seed=3)
        .given(fleet(test=1, production=1), application(batches=HALVES, batchSilence="30m"))
        .when(
            somebody("pause", at="10m"),
            changed_by_hand("test-1", "web", narrower, at="20m"),
            changed_by_hand("production-1", "web", {"replicas": 9}, at="20m"),
            looked_at(
                lambda world: seen.extend(
                    world.deployment(one, "web")["spec"]["replicas"]
                    for one in ("test-1", "production-1")
                ),
                at="25m",
            ),
            somebody("resume", at="1h"),
        )
        .ends()
    )
    assert seen == [4, 4]
    assert sorted(ending.clusters("DriftRepaired")) == ["production-1", "test-1"]
    assert ending.outcome == "succeeded"


def test_a_gate_changed_by_hand_is_put_back():
    ending = (
        rehearse(seed=3)
        .given(fleet(test=1), application(service("web", pods=8), batches=["25%", "100%"],
                                          batchSilence="30m"))
        .when(changed_by_hand("test-1", "web", {"minReadySeconds": 2147483600}, at="10m"))
        .ends()
    )  # fmt: skip
    assert ending.clusters("DriftRepaired") == ["test-1"]
    assert ending.outcome == "succeeded"


def test_an_aborted_release_leaves_what_it_had_changed():
    ending = (
        rehearse(seed=3)
        .given(fleet(test=1, production=1), application(batches=HALVES, batchSilence="30m"))
        .when(somebody("abort", at="10m"))
        .ends()
    )
    assert ending.outcome == "failed"
    assert ending.message == "somebody ended it; what it had changed stays as it is"
    assert ending.images() == {"test-1": "shop/web:v2", "production-1": "shop/web:v1"}


def test_a_release_that_succeeded_can_be_rolled_back_a_day_later():
    ending = (
        rehearse(seed=3)
        .given(fleet(test=1, production=2), application(batches=HALVES))
        .when(somebody("rollback", at="1d"))
        .ends()
    )
    assert ending.outcome == "rolledBack"
    assert set(ending.images().values()) == {"shop/web:v1"}
    assert ending.message == "3 clusters rolled back: somebody asked to roll back"


def test_a_newer_version_takes_over_from_a_release_that_is_under_way():
    ending = (
        rehearse(seed=3)
        .given(fleet(test=1, production=2), application(batches=HALVES, batchSilence="30m"))
        .when(then_applied("v3", at="40m"))
        .ends()
    )
    assert ending.outcome == "succeeded"
    phases = [one["status"]["phase"] for one in ending.world.releases()]
    assert phases == ["Succeeded", "Superseded", "Succeeded"]
    assert set(ending.images().values()) == {"shop/web:v3"}


def test_a_newer_version_waits_until_a_rollback_is_over():
    ending = (
        rehearse(seed=3)
        .given(fleet(test=1, production=2), application(batches=HALVES, batchSilence="30m"))
        .when(somebody("rollback", at="40m"), then_applied("v3", at="40m1s"))
        .ends()
    )
    assert ending.outcome == "succeeded"
    phases = [one["status"]["phase"] for one in ending.world.releases()]
    assert phases == ["Succeeded", "RolledBack", "Succeeded"]


def test_going_back_to_the_version_before_while_the_new_one_spreads_is_one_batch_everywhere():
    ending = (
        rehearse(seed=3)
        .given(fleet(test=1, production=2), application(batches=HALVES, batchSilence="30m"))
        .when(then_applied("v1", at="40m"))
        .ends()
    )
    assert ending.outcome == "succeeded"
    assert set(ending.images().values()) == {"shop/web:v1"}


@pytest.mark.parametrize("pods", [2, 20])
def test_pods_whose_number_the_cluster_chooses_are_divided_by_what_is_there(pods):
    ending = (
        rehearse(seed=3)
        .given(
            fleet(test=1),
            application(service("web", pods=None), batches=["10%", "50%", "100%"]),
        )
        .when(
            somebody("scale", at="1m", component="web", replicas=10),
            then_applied("v3", at="10m"),
            somebody("scale", at="10m3s", component="web", replicas=pods),
        )
        .ends()
    )
    assert ending.outcome == "succeeded"
    begun = [one.why for one in ending.happened("BatchStarted") if "v3" in one.why]
    assert begun[0] == "batch 1 of 3 of shop-v3 begins"
    # What was counted first is counted anew: of the pods that there are, none comes early.
    length = begun[-1].split()[1]
    assert begun[-1] == f"batch {length} of {length} of shop-v3 begins"
    assert int(length) == (2 if pods == 2 else 4)
    assert ending.world.deployment("test-1", "web")["status"]["readyReplicas"] == pods


def test_production_alone_gets_more_pods_by_an_override():
    more = {"components": [{"name": "web", "traits": [
        {"type": "scaler", "properties": {"replicas": 8}}]}]}  # fmt: skip
    production = {"onepersoncompany.io/environment": "production"}
    policies = [
        {"name": "test", "type": "topology", "properties": {"clusters": ["test-1"]}},
        {"name": "live", "type": "topology", "properties": {"clusterLabelSelector": production}},
        {"name": "more", "type": "override", "properties": more},
    ]
    workflow = {"steps": [
        {"name": "one", "type": "deploy", "properties": {"policies": ["test"]}},
        {"name": "two", "type": "deploy", "properties": {"policies": ["live", "more"]}},
    ]}  # fmt: skip

    def with_workflow(draft):
        draft.application["spec"]["workflow"] = workflow

    ending = (
        rehearse(seed=3)
        .given(
            fleet(test=1, production=2),
            application(policies=policies, batches=HALVES),
            with_workflow,
        )
        .when(nothing_but_time(at="1h"))
        .ends()
    )
    pods = {
        name: ending.world.deployment(name, "web")["spec"]["replicas"] for name in ending.images()
    }
    assert pods == {"test-1": 4, "production-1": 8, "production-2": 8}
    assert set(ending.images().values()) == {"shop/web:v2"}


def test_a_cluster_that_joins_later_gets_the_version_that_runs():
    ending = (
        rehearse(seed=3)
        .given(fleet(test=1, production=1), application(batches=HALVES))
        .when(joined("production-9", "production", at="1h"), nothing_but_time(at="2h"))
        .ends()
    )
    assert ending.outcome == "succeeded"
    assert ending.images()["production-9"] == "shop/web:v2"
    untouched = [one for one in ending.happened("BatchStarted") if one.at >= 3600]
    assert [one.cluster for one in untouched] == ["production-9"]


def test_a_deleted_application_is_taken_off_every_cluster():
    ending = (
        rehearse(seed=3)
        .given(
            fleet(test=1, production=1),
            application(service("web"), settings(colour="{version}")),
            until("2h"),
        )
        .when(deleted(at="1h"), nothing_but_time(at="90m"))
        .ends()
    )
    assert ending.message == "the application was deleted"
    for name in ("test-1", "production-1"):
        store = ending.world.member(name)
        left = [*store.scan("apps/deployments"), *store.scan("/pods"), *store.scan("/configmaps")]
        assert [one["metadata"]["name"] for one in left] == []
    assert ending.world.units() == []


def test_each_release_asks_its_checks_anew():
    checks = [{"name": "errors", "metric": "errors", "maxIncrease": 0.5}]
    ending = (
        rehearse(seed=3)
        .given(fleet(test=1), application(batches=HALVES, batchSilence="5m", checks=checks))
        .when(then_applied("v3", at="1h"))
        .ends()
    )
    assert ending.outcome == "succeeded"
    assert set(ending.images().values()) == {"shop/web:v3"}


def test_a_check_that_a_pause_kept_from_being_asked_is_not_failed_for_that():
    checks = [{"name": "errors", "metric": "errors", "maxIncrease": 0.5}]
    ending = (
        rehearse(seed=3)
        .given(fleet(test=1), application(batches=HALVES, batchSilence="5m", checks=checks))
        .when(somebody("pause", at="4m"), somebody("resume", at="3h"))
        .ends()
    )
    assert ending.outcome == "succeeded"
