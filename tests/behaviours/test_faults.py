"""Faults are values that say where and when they strike."""

from __future__ import annotations

from oneco.clock import Instant
from oneco.worlds.behaviours.faults import (
    CrashLoop,
    ErrorRate,
    FaultBook,
    NotReady,
    Unreachable,
    Where,
    Window,
)
from tests.behaviours.a_cluster import START, a_cluster, a_deployment


def a_book(*faults, **labels):
    return FaultBook(faults=faults, start=START, labels=labels)


def test_a_fault_befalls_only_the_clusters_it_names():
    book = a_book(Unreachable(where=Where(clusters=("eu-*",))))
    assert not book.of("eu-1").is_reachable(START)
    assert book.of("us-1").is_reachable(START)


def test_a_fault_befalls_only_clusters_with_its_labels():
    fault = Unreachable(where=Where(labels="environment in (production)"))
    book = a_book(fault, a={"environment": "production"}, b={"environment": "test"})
    assert not book.of("a").is_reachable(START)
    assert book.of("b").is_reachable(START)


def test_an_outage_lasts_from_its_first_instant_up_to_its_last():
    window = Window(from_seconds=7200, until_seconds=10800)
    found = a_book(Unreachable(window=window)).of("a")
    assert [
        found.is_reachable(Instant(START + seconds)) for seconds in (0, 7199, 7200, 10799, 10800)
    ] == [True, True, False, False, True]
    assert list(found.outages()) == [(START + 7200, START + 10800)]


def test_ready_pods_fail_one_request_in_a_hundred():
    cluster = a_cluster()
    cluster.create("deployments", a_deployment())
    assert cluster.sim.error_rate("default", "app=web") == 0.0
    cluster.after(60)
    rate = cluster.sim.error_rate("default", "app=web")
    assert 0.009 <= rate <= 0.011
    assert cluster.sim.error_rate("default", "app=other") == 0.0


def test_the_error_rate_is_a_fact_that_can_be_asked_again():
    def rate():
        cluster = a_cluster(seed=3)
        cluster.create("deployments", a_deployment())
        return cluster.after(600).sim.error_rate("default", "app=web")

    assert rate() == rate()


def test_a_bad_version_fails_more_often_some_time_after_its_start():
    cluster = a_cluster(ErrorRate(image="shop/web:1", factor=5.0, after_seconds=600))
    cluster.create("deployments", a_deployment())
    assert cluster.after(500).sim.error_rate("default", "app=web") < 0.012
    assert cluster.status()["readyReplicas"] == 10
    assert 0.045 <= cluster.after(200).sim.error_rate("default", "app=web") <= 0.055


def test_a_share_strikes_the_same_pods_whatever_else_is_in_the_book():
    def struck(*more):
        cluster = a_cluster(NotReady(image="shop/web:1", share=0.5), *more, seed=9)
        cluster.create("deployments", a_deployment(replicas=20))
        return cluster.after(60).status()["readyReplicas"]

    assert struck() == struck(CrashLoop(image="other:*"))
