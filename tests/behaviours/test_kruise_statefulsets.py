"""Advanced StatefulSets as OpenKruise keeps them."""

from __future__ import annotations

from typing import Any

import pytest

from oneco.kinds import kruise
from oneco.kube.errors import Invalid
from oneco.kube.refs import Address
from oneco.worlds.behaviours.faults import NotReady
from tests.behaviours.a_cluster import a_cluster, image

PLURAL = "advanced statefulsets"
LABELS = {"app": "db"}


def a_stateful_set(replicas: int = 5, **spec: Any) -> Any:
    pod = {"containers": [{"name": "c", "image": "shop/db:1"}]}
    return {
        "apiVersion": "apps.kruise.io/v1beta1",
        "kind": "StatefulSet",
        "metadata": {"name": "db"},
        "spec": {
            "replicas": replicas,
            "serviceName": "db",
            "selector": {"matchLabels": LABELS},
            "template": {"metadata": {"labels": LABELS}, "spec": pod},
            **spec,
        },
    }


def running(*faults: Any, **spec: Any):
    cluster = a_cluster(*faults).with_kruise()
    cluster.create(PLURAL, a_stateful_set(**spec))
    return cluster.after(120)


def changed(cluster, version: str = "2", **rolling: Any):
    strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
    spec = {**image(f"shop/db:{version}"), "updateStrategy": strategy}
    cluster.patch(PLURAL, "db", spec)
    return cluster


def versions(cluster) -> dict[int, str]:
    return {
        int(pod["metadata"]["name"].rpartition("-")[2]): pod["spec"]["containers"][0]["image"][-1]
        for pod in cluster.pods()
        if "deletionTimestamp" not in pod["metadata"]
    }


def fewest_ready(cluster) -> int:
    changes = [change for _, change in cluster.commits("apps.kruise.io/statefulsets")]
    told = [one.after["status"]["readyReplicas"] for one in changes if one.after.get("status")]
    return min(told[told.index(max(told)) :])


def test_a_new_one_says_of_itself_what_the_real_one_says():
    cluster = running(replicas=3)
    found = cluster.get(PLURAL, "db")
    (revision,) = cluster.all("controllerrevisions")
    name = revision["metadata"]["name"]
    assert found["status"] == {
        "observedGeneration": 1,
        "replicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "currentReplicas": 3,
        "updatedReplicas": 3,
        "updatedReadyReplicas": 3,
        "updatedAvailableReplicas": 3,
        "currentRevision": name,
        "updateRevision": name,
        "collisionCount": 0,
        "labelSelector": "app=db",
    }
    assert found["spec"]["updateStrategy"]["rollingUpdate"] == {
        "partition": 0, "maxUnavailable": 1, "minReadySeconds": 0, "podUpdatePolicy": "ReCreate",
    }  # fmt: skip
    assert found["spec"]["podManagementPolicy"] == "OrderedReady"


def test_a_partition_keeps_the_lower_numbers():
    cluster = changed(running(), partition=3).after(300)
    assert versions(cluster) == {0: "1", 1: "1", 2: "1", 3: "2", 4: "2"}


def test_several_pods_are_updated_at_a_time_within_the_bound():
    cluster = changed(running(podManagementPolicy="Parallel"), maxUnavailable=2).after(300)
    assert set(versions(cluster).values()) == {"2"}
    assert fewest_ready(cluster) == 3


def test_a_paused_update_does_nothing():
    cluster = changed(running(), paused=True).after(300)
    assert set(versions(cluster).values()) == {"1"}


def test_an_ordered_set_waits_for_a_pod_that_never_gets_ready_even_when_rolled_back():
    cluster = running(NotReady(image="shop/db:2"), replicas=3)
    changed(cluster).after(600)
    assert versions(cluster) == {0: "1", 1: "1", 2: "2"}
    changed(cluster, "1").after(600)
    assert versions(cluster)[2] == "2"
    cluster.delete("pods", "db-2")
    cluster.after(120)
    assert set(versions(cluster).values()) == {"1"}


def test_a_parallel_set_replaces_the_pod_that_never_gets_ready():
    cluster = running(NotReady(image="shop/db:2"), replicas=3, podManagementPolicy="Parallel")
    changed(cluster).after(600)
    assert versions(cluster) == {0: "1", 1: "1", 2: "2"}
    changed(cluster, "1").after(120)
    assert set(versions(cluster).values()) == {"1"}


def test_reserved_numbers_are_left_out_and_one_more_is_taken():
    cluster = running(replicas=3, reserveOrdinals=[1])
    assert sorted(versions(cluster)) == [0, 2, 3]
    cluster.patch(PLURAL, "db", {"reserveOrdinals": ["0-1"]})
    assert sorted(versions(cluster.after(120))) == [2, 3, 4]


def test_an_unordered_update_begins_with_the_weightiest():
    term = {"matchSelector": {"matchLabels": {"apps.kubernetes.io/pod-index": "1"}}, "weight": 9}
    unordered = {"priorityStrategy": {"weightPriority": [term]}}
    cluster = running(podManagementPolicy="Parallel")
    changed(cluster, partition=4, unorderedUpdate=unordered).after(120)
    assert versions(cluster) == {0: "1", 1: "2", 2: "1", 3: "1", 4: "1"}


def test_pods_are_updated_in_place_where_that_is_possible():
    cluster = a_cluster().with_kruise()
    body = a_stateful_set(replicas=3)
    gates = [{"conditionType": "InPlaceUpdateReady"}]
    body["spec"]["template"]["spec"]["readinessGates"] = gates
    cluster.create(PLURAL, body)
    cluster.after(120)
    before = {pod["metadata"]["uid"] for pod in cluster.pods()}
    changed(cluster, podUpdatePolicy="InPlaceIfPossible").after(120)
    assert {pod["metadata"]["uid"] for pod in cluster.pods()} == before
    assert set(versions(cluster).values()) == {"2"}


def test_a_parallel_set_grows_only_while_few_are_unavailable():
    cluster = a_cluster(NotReady(image="shop/db:1")).with_kruise()
    scale = {"maxUnavailable": 2}
    cluster.create(PLURAL, a_stateful_set(podManagementPolicy="Parallel", scaleStrategy=scale))
    assert sorted(versions(cluster.after(120))) == [0, 1]


def test_a_pod_is_waited_for_until_it_has_been_ready_for_a_while():
    cluster = changed(running(replicas=2), minReadySeconds=60).after(50)
    assert versions(cluster) == {0: "1", 1: "2"}
    assert set(versions(cluster.after(120)).values()) == {"2"}


@pytest.mark.parametrize(
    ("rolling", "field"),
    [
        ({"minReadySeconds": 301}, "spec.updateStrategy.rollingUpdate.minReadySeconds"),
        ({"unorderedUpdate": {}}, "spec.updateStrategy.rollingUpdate.unorderedUpdate"),
        ({"podUpdatePolicy": "InPlaceIfPossible"}, "spec.template.spec.readinessGates"),
    ],
)
def test_what_openkruise_refuses_is_refused(rolling, field):
    with pytest.raises(Invalid) as refused:
        running(updateStrategy={"type": "RollingUpdate", "rollingUpdate": rolling})
    assert [cause.field for cause in refused.value.causes] == [field]


def test_the_older_version_is_served_too():
    cluster = a_cluster().with_kruise()
    older = {**a_stateful_set(), "apiVersion": "apps.kruise.io/v1alpha1"}
    place = Address(kruise.STATEFUL_SETS._replace(version="v1alpha1"), "default")
    cluster.sim.server.create(place, older)
    assert len(versions(cluster.after(120))) == 5
