"""Disruption budgets: counted by the cluster, and heeded by evictions."""

from __future__ import annotations

from typing import Any

import pytest

from oneco.kube.errors import Conflict, Invalid, TooManyRequests, Unstated
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource
from tests.behaviours.a_cluster import ACluster, a_cluster, a_deployment

BUDGETS = Resource("policy", "v1", "poddisruptionbudgets")
PODS = Resource("", "v1", "pods")


def a_budget(name: str = "careful", **spec: Any) -> Object:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec},
    }


def running(replicas: int, **spec: Any) -> ACluster:
    """A cluster with so many ready pods, and a budget for them."""
    cluster = a_cluster()
    cluster.create("deployments", a_deployment(replicas=replicas))
    cluster.after(30)
    cluster.sim.server.create(Address(BUDGETS, "default"), a_budget(**spec))
    return cluster.after(1)


def counted(cluster: ACluster) -> tuple[int, int, int, int]:
    """Expected, desired, healthy and allowed."""
    status = cluster.sim.server.get(Address(BUDGETS, "default", "careful"))["status"]
    names = ("expectedPods", "desiredHealthy", "currentHealthy", "disruptionsAllowed")
    expected, desired, healthy, allowed = (status[name] for name in names)
    return expected, desired, healthy, allowed


def evict(cluster: ACluster, pod: Object, **options: Any) -> None:
    name = pod["metadata"]["name"]
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name},
        "deleteOptions": options,
    }
    cluster.sim.server.create(Address(PODS, "default", name, "eviction"), body)


@pytest.mark.parametrize(
    ("spec", "counts"),
    [
        ({"minAvailable": 3}, (4, 3, 4, 1)),
        ({"minAvailable": 6}, (4, 6, 4, 0)),
        ({"minAvailable": "30%"}, (4, 2, 4, 2)),
        ({"maxUnavailable": 1}, (4, 3, 4, 1)),
        ({"maxUnavailable": "30%"}, (4, 2, 4, 2)),
        ({"maxUnavailable": 9}, (4, 0, 4, 4)),
    ],
)
def test_a_budget_counts_what_it_allows(spec, counts):
    assert counted(running(4, **spec)) == counts


def test_a_budget_follows_the_size_that_is_wanted():
    cluster = running(4, maxUnavailable="50%")
    cluster.patch("deployments", "web", {"replicas": 1})
    cluster.after(30)
    assert counted(cluster) == (1, 0, 1, 1)


def test_evictions_stop_where_the_budget_ends_even_within_one_instant():
    cluster = running(4, minAvailable=2)
    first, second, third, _ = cluster.pods()
    evict(cluster, first)
    evict(cluster, second)
    with pytest.raises(TooManyRequests) as caught:
        evict(cluster, third)
    (cause,) = caught.value.causes
    assert cause.reason == "DisruptionBudget"
    cluster.after(60)
    assert counted(cluster) == (4, 2, 4, 2)
    evict(cluster, third)


def test_a_refused_eviction_deletes_nothing_and_spends_nothing():
    cluster = running(2, minAvailable=2)
    with pytest.raises(TooManyRequests, match="would violate the pod's disruption budget"):
        evict(cluster, cluster.pods()[0])
    cluster = running(2, minAvailable=1)
    with pytest.raises(Conflict, match="UID in the precondition"):
        evict(cluster, cluster.pods()[0], preconditions={"uid": "another"})
    cluster.after(10)
    assert counted(cluster) == (2, 1, 2, 1)
    assert not any("deletionTimestamp" in pod["metadata"] for pod in cluster.pods())


def test_a_pod_with_two_budgets_is_not_evicted():
    cluster = running(2, minAvailable=0)
    cluster.sim.server.create(Address(BUDGETS, "default"), a_budget("second", minAvailable=0))
    cluster.after(1)
    with pytest.raises(Unstated, match="more than one PodDisruptionBudget"):
        evict(cluster, cluster.pods()[0])


def test_a_budget_says_one_thing():
    cluster = a_cluster()
    with pytest.raises(Invalid):
        body = a_budget(minAvailable=1, maxUnavailable=1)
        cluster.sim.server.create(Address(BUDGETS, "default"), body)
