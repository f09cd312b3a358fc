"""Advanced DaemonSets as OpenKruise keeps them, beside plain ones of the same name."""

from __future__ import annotations

from typing import Any

import pytest

from oneco.worlds.behaviours.faults import NotReady
from oneco.worlds.sim.cluster import NodeSpec
from tests.behaviours.a_cluster import a_cluster, image

PLURAL = "advanced daemonsets"
LABELS = {"app": "log"}


def a_daemon_set(**spec: Any) -> Any:
    pod = {"containers": [{"name": "c", "image": "shop/log:1"}]}
    return {
        "apiVersion": "apps.kruise.io/v1alpha1",
        "kind": "DaemonSet",
        "metadata": {"name": "log"},
        "spec": {
            "selector": {"matchLabels": LABELS},
            "template": {"metadata": {"labels": LABELS}, "spec": pod},
            **spec,
        },
    }


def running(*faults: Any, nodes: Any = 4, **spec: Any):
    cluster = a_cluster(*faults, nodes=nodes).with_kruise()
    cluster.create(PLURAL, a_daemon_set(**spec))
    return cluster.after(60)


def changed(cluster, version: str = "2", **rolling: Any):
    strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
    cluster.patch(PLURAL, "log", {**image(f"shop/log:{version}"), "updateStrategy": strategy})
    return cluster


def versions(cluster) -> dict[str, str]:
    return {
        pod["spec"]["nodeName"]: pod["spec"]["containers"][0]["image"][-1]
        for pod in cluster.pods()
        if "deletionTimestamp" not in pod["metadata"]
    }


def test_a_new_one_says_of_itself_what_the_real_one_says():
    cluster = running()
    found = cluster.get(PLURAL, "log")
    (revision,) = cluster.all("controllerrevisions")
    assert found["status"] == {
        "currentNumberScheduled": 4,
        "desiredNumberScheduled": 4,
        "numberAvailable": 4,
        "numberMisscheduled": 0,
        "numberReady": 4,
        "observedGeneration": 1,
        "updatedNumberScheduled": 4,
        "daemonSetHash": revision["metadata"]["labels"]["controller-revision-hash"],
    }
    assert found["spec"]["updateStrategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"rollingUpdateType": "Standard", "maxUnavailable": 1, "maxSurge": 0},
    }


@pytest.mark.parametrize(("partition", "updated"), [(4, 0), (3, 1), (1, 3), (0, 4)])
def test_a_partition_updates_the_last_nodes_first(partition, updated):
    cluster = changed(running(), partition=partition).after(300)
    nodes = sorted(versions(cluster), reverse=True)
    assert {node for node, one in versions(cluster).items() if one == "2"} == set(nodes[:updated])


def test_a_selector_updates_the_chosen_nodes_alone():
    nodes = [NodeSpec(name=f"n{one}", labels={"gray": str(one < 2)}) for one in range(4)]
    chosen = {"matchLabels": {"gray": "True"}}
    cluster = changed(running(nodes=nodes), selector=chosen).after(300)
    assert versions(cluster) == {"n0": "2", "n1": "2", "n2": "1", "n3": "1"}


def test_a_paused_update_does_nothing():
    cluster = changed(running(), paused=True).after(300)
    assert set(versions(cluster).values()) == {"1"}


def test_nothing_is_updated_that_nobody_deletes_where_that_is_the_strategy():
    cluster = running()
    spec = {**image("shop/log:2"), "updateStrategy": {"type": "OnDelete", "rollingUpdate": None}}
    cluster.patch(PLURAL, "log", spec)
    cluster.after(120)
    assert set(versions(cluster).values()) == {"1"}
    cluster.delete("pods", cluster.pods()[0]["metadata"]["name"])
    assert sorted(versions(cluster.after(60)).values()) == ["1", "1", "1", "2"]


def test_with_surplus_pods_the_old_one_goes_when_the_new_one_is_ready():
    cluster = changed(running(), maxSurge=2, maxUnavailable=0)
    cluster.after(1)
    assert len(cluster.pods()) == 6
    assert set(versions(cluster.after(120)).values()) == {"2"}


def test_the_older_name_of_surging_is_understood():
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"rollingUpdateType": "Surging"}}
    found = running(updateStrategy=strategy).get(PLURAL, "log")["spec"]["updateStrategy"]
    assert found["rollingUpdate"] == {
        "rollingUpdateType": "Standard", "maxSurge": 1, "maxUnavailable": 0,
    }  # fmt: skip


def test_a_version_that_never_gets_ready_stops_at_the_bound():
    cluster = changed(running(NotReady(image="shop/log:2")), maxUnavailable=2).after(3600)
    assert sorted(versions(cluster).values()) == ["1", "1", "2", "2"]


def test_pods_are_updated_in_place_where_that_is_asked():
    cluster = running()
    before = {pod["metadata"]["uid"] for pod in cluster.pods()}
    changed(cluster, rollingUpdateType="InPlaceIfPossible").after(120)
    assert {pod["metadata"]["uid"] for pod in cluster.pods()} == before
    assert set(versions(cluster).values()) == {"2"}


def test_a_plain_daemon_set_of_the_same_name_is_another():
    cluster = running()
    plain = {**a_daemon_set(), "apiVersion": "apps/v1"}
    labels = {"app": "plain"}
    plain["spec"] = {
        "selector": {"matchLabels": labels},
        "template": {**plain["spec"]["template"], "metadata": {"labels": labels}},
    }
    cluster.create("daemonsets", plain)
    cluster.after(60)
    assert len(cluster.pods()) == 8
    cluster.delete("daemonsets", "log")
    assert len(cluster.after(60).pods()) == 4
