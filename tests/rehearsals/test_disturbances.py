"""What clusters suffer while a release runs."""

from __future__ import annotations

import pytest

from tests.rehearsals.given import (
    application,
    crashing,
    fleet,
    looked_at,
    node_lost,
    nothing_but_time,
    rehearse,
    service,
    slow_to_start,
    unreachable,
)

HALVES = ("50%", "100%")


def test_a_cluster_that_cannot_be_reached_for_an_hour_is_waited_for_and_then_updated():
    reasons: list[str] = []
    ending = (
        rehearse(seed=5)
        .given(
            fleet(test=1, production=2),
            application(batches=HALVES, batchSilence="40m", waveSilence="20m"),
        )
        .when(
            unreachable("production-1", since="2h", until="3h"),
            looked_at(
                lambda world: reasons.extend(
                    one["status"]["reason"]
                    for one in world.units()
                    if one["spec"]["cluster"] == "production-1"
                ),
                at="2h30m",
            ),
        )
        .ends()
    )
    assert ending.outcome == "succeeded"
    assert reasons == ["ClusterUnreachable"]
    assert set(ending.images().values()) == {"shop/web:v2"}


def test_nothing_succeeds_in_a_cluster_that_cannot_be_reached():
    ending = (
        rehearse(seed=5)
        .given(fleet(test=1, production=1), application(batches=["100%"], batchSilence="30m"))
        .when(unreachable("test-1", since="10m", until="5h"))
        .ends()
    )
    assert ending.outcome == "succeeded"
    assert ending.happened("UnitSucceeded")[0].at >= 5 * 3600 + 30 * 60


def test_a_cluster_that_was_away_at_the_rollback_comes_back_to_the_old_version():
    ending = (
        rehearse(seed=5)
        .given(fleet(test=1, production=2), application(batches=HALVES, batchSilence="20m"))
        .when(
            unreachable("test-1", since="42m", until="4h"),
            crashing("v2", only=["production-1"], after="5m"),
        )
        .ends()
    )
    assert ending.outcome == "rolledBack"
    assert ending.happened("UnitRolledBack")[-1].cluster == "test-1"
    assert ending.happened("UnitRolledBack")[-1].at > 4 * 3600
    assert set(ending.images().values()) == {"shop/web:v1"}


def test_a_node_that_dies_during_a_release_delays_it_and_does_not_fail_it():
    ending = (
        rehearse(seed=5)
        .given(
            fleet(test=1, production=1),
            application(service("web", pods=6), batches=HALVES, batchSilence="10m"),
        )
        .when(node_lost("node-1", "test-1", since="2m", until="20m"))
        .ends()
    )
    assert ending.outcome == "succeeded"


def test_pods_that_start_slowly_never_take_more_down_than_their_owner_allows():
    def lacking(world):
        live = world.deployment("test-1", "web")
        least.append(live["status"].get("readyReplicas", 0))

    least: list[int] = []
    looks = [looked_at(lacking, at=f"{seconds}s") for seconds in range(1, 900, 7)]
    ending = (
        rehearse(seed=5)
        .given(fleet(test=1), application(service("web", pods=12), batches=["75%", "100%"]))
        .when(slow_to_start("v2", by="60s"), *looks)
        .ends()
    )
    assert ending.outcome == "succeeded"
    assert min(least) == 9


@pytest.mark.slow  # Two whole rehearsals, and a third.
def test_two_rehearsals_with_one_seed_are_the_same_event_for_event():
    def document(seed):
        return (
            rehearse(seed=seed)
            .given(fleet(test=1, production=2), application(batches=HALVES, batchSilence="10m"))
            .when(
                crashing("v2", only=["production-2"], after="3m"),
                node_lost("node-2", "test-1", since="1m", until="5m"),
                unreachable("production-1", since="20m", until="30m"),
                nothing_but_time(at="1h"),
            )
            .ends()
            .report.document()
        )

    assert document(8) == document(8)
    assert document(9)["outcome"] == document(8)["outcome"]
