"""Releases of StatefulSets and DaemonSets, good and bad, under all invariants."""

from __future__ import annotations

import pytest

from tests.rehearsals.given import (
    application,
    changed_by_hand,
    crashing,
    daemon,
    fleet,
    looked_at,
    never_ready,
    node_lost,
    rehearse,
    stateful,
    then_applied,
    until,
)

QUARTERS = ["25%", "50%", "100%"]
TWO_AT_ONCE = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2}}


def policy(**more):
    return {"batches": QUARTERS, "batchSilence": "1m", "progressDeadline": "5m", **more}


def images_of_pods(world, cluster):
    return {
        pod["metadata"]["name"]: pod["spec"]["containers"][0]["image"].partition(":")[2]
        for pod in world.member(cluster).scan("/pods")
    }


def test_a_stateful_set_is_updated_batch_by_batch_from_its_highest_pod():
    seen = {}
    ending = (
        rehearse(seed=11)
        .given(fleet(test=1), application(stateful("db", pods=4), **policy(batchSilence="10m")))
        .when(looked_at(lambda world: seen.update(images_of_pods(world, "test-1")), at="5m"))
        .ends()
    )
    assert seen == {"db-0": "v1", "db-1": "v1", "db-2": "v1", "db-3": "v2"}
    assert ending.outcome == "succeeded"
    assert len(ending.happened("BatchStarted")) == 3
    live = ending.world.workload("test-1", "db")
    assert live["spec"]["updateStrategy"]["rollingUpdate"]["partition"] == 0
    assert live["status"]["currentRevision"] == live["status"]["updateRevision"]


@pytest.mark.parametrize("bad", [crashing, never_ready])
@pytest.mark.parametrize("order", ["OrderedReady", "Parallel"])
def test_a_bad_version_of_a_stateful_set_is_taken_back_though_its_pod_is_stuck(bad, order):
    ending = (
        rehearse(seed=11)
        .given(
            fleet(test=1, production=2),
            application(stateful("db", pods=4, podManagementPolicy=order), **policy()),
            until("2h"),
        )
        .when(bad("v2"))
        .ends()
    )
    assert ending.outcome == "rolledBack"
    assert set(ending.images("db").values()) == {"shop/db:v1"}
    assert set(images_of_pods(ending.world, "test-1").values()) == {"v1"}
    assert ending.world.workload("test-1", "db")["status"]["readyReplicas"] == 4
    assert ending.report.max_exposed_share == 1 / 12


def test_a_daemon_set_is_updated_node_by_node_by_deletions_within_its_own_bound():
    seen = {}
    ending = (
        rehearse(seed=11)
        .given(
            fleet(nodes=8, test=1),
            application(daemon("log"), **policy(batchSilence="10m")),
        )
        .when(looked_at(lambda world: seen.update(images_of_pods(world, "test-1")), at="5m"))
        .ends()
    )
    assert sorted(seen.values()) == ["v1"] * 6 + ["v2"] * 2
    assert ending.outcome == "succeeded"
    live = ending.world.workload("test-1", "log")
    assert live["spec"]["updateStrategy"]["type"] == "RollingUpdate"
    assert set(images_of_pods(ending.world, "test-1").values()) == {"v2"}


@pytest.mark.parametrize("bad", [crashing, never_ready])
def test_a_bad_version_of_a_daemon_set_is_taken_back_from_the_few_nodes_it_reached(bad):
    ending = (
        rehearse(seed=11)
        .given(fleet(nodes=8, test=1, production=1), application(daemon("log"), **policy()))
        .when(bad("v2"))
        .ends()
    )
    assert ending.outcome == "rolledBack"
    assert set(images_of_pods(ending.world, "test-1").values()) == {"v1"}
    assert ending.report.max_exposed_share <= 2 / 16


@pytest.mark.parametrize("component", [stateful("app", pods=4), daemon("app")])
def test_a_correction_gets_past_a_pod_that_the_version_before_it_left_stuck(component):
    ending = (
        rehearse(seed=11)
        .given(fleet(nodes=4, test=1), application(component, **policy()), until("2h"))
        .when(never_ready("v2"), then_applied("v3", at="2m"))
        .ends()
    )
    assert set(images_of_pods(ending.world, "test-1").values()) == {"v3"}
    assert ending.images("app") == {"test-1": "shop/app:v3"}


def test_a_lost_node_delays_a_stateful_set_and_breaks_no_bound():
    ending = (
        rehearse(seed=11)
        .given(
            fleet(nodes=4, test=1),
            application(stateful("app", pods=4), **policy(progressDeadline="30m")),
            until("4h"),
        )
        .when(node_lost("node-4", "test-1", since="70s", until="10m"))
        .ends()
    )
    assert ending.outcome == "succeeded"
    assert set(images_of_pods(ending.world, "test-1").values()) == {"v2"}


def test_a_silent_node_is_not_waited_for_and_gets_the_new_version_when_it_is_back():
    """Of a thousand nodes some are always silent; they say nothing about a version."""
    before, after = {}, {}
    ending = (
        rehearse(seed=11)
        .given(
            fleet(nodes=4, test=1),
            # With a bound of one the silent node alone would stop its own controller.
            application(daemon("app", updateStrategy=TWO_AT_ONCE), **policy()),
            until("4h"),
        )
        .when(
            node_lost("node-4", "test-1", since="70s", until="40m"),
            looked_at(lambda world: before.update(images_of_pods(world, "test-1")), at="39m"),
            looked_at(lambda world: after.update(images_of_pods(world, "test-1")), at="45m"),
        )
        .ends()
    )
    assert ending.outcome == "succeeded"
    assert sorted(before.values()) == ["v1", "v2", "v2", "v2"]
    assert set(after.values()) == {"v2"}


def test_a_stateful_set_that_is_scaled_meanwhile_keeps_its_batch():
    seen = {}
    ending = (
        rehearse(seed=11)
        .given(
            fleet(test=1),
            application(stateful("db", pods=4), **policy(batchSilence="10m")),
            until("4h"),
        )
        .when(
            changed_by_hand("test-1", "db", {"replicas": 6}, at="2m", kind="statefulsets"),
            looked_at(lambda world: seen.update(images_of_pods(world, "test-1")), at="5m"),
        )
        .ends()
    )
    assert seen == {"db-0": "v1", "db-1": "v1", "db-2": "v1", "db-3": "v2"}
    assert ending.outcome == "succeeded"
