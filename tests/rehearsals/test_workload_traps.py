"""What goes wrong with workloads in the middle of a batch, kind by kind, under all invariants."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from oneco.kube import readiness
from oneco.kube.refs import Resource
from tests.rehearsals.given import (
    advanced_daemon,
    advanced_stateful,
    application,
    changed_by_hand,
    clones,
    crashing,
    daemon,
    deleted_by_hand,
    fleet,
    looked_at,
    never_ready,
    plain,
    rehearse,
    stateful,
    until,
)

QUARTERS = ["25%", "50%", "100%"]
KINDS = {
    "Deployment": (plain, Resource("apps", "v1", "deployments")),
    "StatefulSet": (stateful, Resource("apps", "v1", "statefulsets")),
    "DaemonSet": (daemon, Resource("apps", "v1", "daemonsets")),
    "CloneSet": (clones, Resource("apps.kruise.io", "v1alpha1", "clonesets")),
    "Advanced StatefulSet": (
        advanced_stateful,
        Resource("apps.kruise.io", "v1beta1", "statefulsets"),
    ),
    "Advanced DaemonSet": (advanced_daemon, Resource("apps.kruise.io", "v1alpha1", "daemonsets")),
}
SIZED = [kind for kind in KINDS if "Daemon" not in kind]


def component(kind, **spec):
    make, _resource = KINDS[kind]
    sized = {"pods": 4} if kind in SIZED else {}
    return make("app", **{**sized, **spec})


def policy(**more):
    return {"batches": QUARTERS, "batchSilence": "10m", "progressDeadline": "5m", **more}


def versions_of_pods(world, cluster="test-1"):
    return sorted(
        pod["spec"]["containers"][0]["image"].partition(":")[2]
        for pod in world.member(cluster).scan("/pods")
    )


def ready_pods(world, cluster="test-1"):
    return sum(map(readiness.is_ready, world.member(cluster).scan("/pods")))


@pytest.mark.parametrize("kind", KINDS)
def test_each_batch_is_exactly_so_many_new_pods(kind):
    seen = []
    ending = (
        rehearse(seed=11)
        .given(fleet(nodes=4, test=1), application(component(kind), **policy()), until("4h"))
        .when(
            looked_at(lambda world: seen.append(versions_of_pods(world)), at="5m"),
            looked_at(lambda world: seen.append(versions_of_pods(world)), at="15m"),
        )
        .ends()
    )
    assert seen == [["v1", "v1", "v1", "v2"], ["v1", "v1", "v2", "v2"]]
    assert ending.outcome == "succeeded"
    assert versions_of_pods(ending.world) == ["v2"] * 4


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", [crashing, never_ready])
def test_a_bad_version_stays_in_its_first_batch_and_is_taken_back(kind, bad):
    ending = (
        rehearse(seed=11)
        .given(
            fleet(nodes=4, test=1, production=1), application(component(kind), **policy()),
            until("4h"),
        )
        .when(bad("v2"))
        .ends()
    )  # fmt: skip
    assert ending.outcome == "rolledBack"
    assert versions_of_pods(ending.world) == ["v1"] * 4
    assert ready_pods(ending.world) == 4
    assert ending.report.max_exposed_share <= 1 / 8


@pytest.mark.parametrize("kind", KINDS)
def test_a_workload_that_is_deleted_in_a_batch_comes_back_old_before_the_release_goes_on(kind):
    seen = []
    ending = (
        rehearse(seed=11)
        .given(fleet(nodes=4, test=1), application(component(kind), **policy()), until("4h"))
        .when(
            deleted_by_hand("test-1", "app", at="3m", kind=KINDS[kind][1]),
            looked_at(lambda world: seen.append(versions_of_pods(world)), at="9m"),
        )
        .ends()
    )
    assert seen == [["v1", "v1", "v1", "v2"]]
    assert len(ending.happened("WorkloadDeleted")) == 1
    assert ending.outcome == "succeeded"
    assert versions_of_pods(ending.world) == ["v2"] * 4


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_pod_counts_when_it_was_ready_for_as_long_as_its_owner_asks(kind):
    wanted: dict[str, Any] = {"minReadySeconds": 240}
    if kind == "Advanced StatefulSet":
        wanted = {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": wanted}}
    ending = (
        rehearse(seed=11)
        .given(
            fleet(nodes=4, test=1),
            application(component(kind, **wanted), **policy(batchSilence="0s")),
            until("4h"),
        )
        .ends()
    )
    assert ending.outcome == "succeeded"
    starts = [one.at for one in ending.happened("BatchStarted")]
    assert len(starts) == 3
    assert all(later - sooner >= 240 for sooner, later in itertools.pairwise(starts))


def test_where_no_pod_may_be_missing_new_ones_come_beside_the_old():
    fewest = []
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    steps = [
        looked_at(lambda world: fewest.append(ready_pods(world)), at=f"{second}s")
        for second in range(60, 1800, 15)
    ]
    ending = (
        rehearse(seed=11)
        .given(fleet(test=1), application(plain("app", strategy=strategy), **policy()))
        .when(*steps)
        .ends()
    )
    assert ending.outcome == "succeeded"
    assert min(fewest) == 4
    assert max(fewest) == 5


PAUSES = {
    "Deployment": ({"paused": True}, {"paused": None}),
    "CloneSet": ({"updateStrategy": {"paused": True}}, {"updateStrategy": {"paused": None}}),
}


@pytest.mark.parametrize("kind", PAUSES)
def test_a_workload_that_somebody_pauses_costs_its_release_no_patience(kind):
    paused, resumed = PAUSES[kind]
    make, resource = KINDS[kind]
    reasons: list[str] = []

    def look(world):
        reasons.extend(one["status"]["reason"] for one in world.units())

    ending = (
        rehearse(seed=11)
        .given(fleet(test=1), application(make("app"), **policy()), until("8h"))
        .when(
            changed_by_hand("test-1", "app", paused, at="3m", kind=resource),
            looked_at(look, at="1h"),
            changed_by_hand("test-1", "app", resumed, at="2h", kind=resource),
        )
        .ends()
    )
    assert reasons == ["WorkloadPaused"]
    assert ending.outcome == "succeeded"
    assert ending.happened("BatchStarted")[-1].at >= 2 * 3600
    assert versions_of_pods(ending.world) == ["v2"] * 4


@pytest.mark.parametrize(
    ("kind", "spec", "versions"),
    [
        ("Deployment", {"paused": True}, ""),  # not even the first version makes a pod
        ("StatefulSet", {"updateStrategy": {"rollingUpdate": {"partition": 3}}}, "v1 v1 v1 v2"),
        ("CloneSet", {"updateStrategy": {"partition": "50%"}}, "v1 v1 v2 v2"),
        ("CloneSet", {"updateStrategy": {"paused": True}}, "v1 v1 v1 v1"),
        (
            "Advanced StatefulSet",
            {"updateStrategy": {"rollingUpdate": {"partition": 1}}},
            "v1 v2 v2 v2",
        ),
        (
            "Advanced DaemonSet",
            {"updateStrategy": {"rollingUpdate": {"partition": 2}}},
            "v1 v1 v2 v2",
        ),
        ("DaemonSet", {"updateStrategy": {"type": "OnDelete"}}, "v1 v1 v1 v1"),
    ],
)
def test_what_its_owner_holds_back_himself_is_not_waited_for(kind, spec, versions):
    ending = (
        rehearse(seed=11)
        .given(
            fleet(nodes=4, test=1), application(component(kind, **spec), **policy()), until("4h")
        )
        .ends()
    )
    assert ending.outcome == "succeeded"
    assert versions_of_pods(ending.world) == versions.split()
