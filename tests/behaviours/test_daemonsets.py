"""DaemonSets keep one pod on every fitting node and update them within their bounds."""

from __future__ import annotations

from typing import Any

import pytest

from oneco.worlds.behaviours.faults import NotReady
from oneco.worlds.sim.cluster import NodeSpec
from tests.behaviours.a_cluster import a_cluster, image


def a_daemon_set(image: str = "shop/log:1", pod: Any = None, **spec: Any) -> Any:
    labels = {"app": "log"}
    pod = {"containers": [{"name": "c", "image": image}], **(pod or {})}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "log"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
            **spec,
        },
    }


def running(*faults, nodes=6, **spec):
    cluster = a_cluster(*faults, nodes=nodes)
    cluster.create("daemonsets", a_daemon_set(**spec))
    return cluster.after(60)


def on_nodes(cluster) -> dict[str, str]:
    return {
        pod["spec"]["nodeName"]: pod["spec"]["containers"][0]["image"][-1]
        for pod in cluster.pods()
        if "deletionTimestamp" not in pod["metadata"]
    }


def rolling(surge: int | str, unavailable: int | str) -> dict[str, Any]:
    limits = {"maxSurge": surge, "maxUnavailable": unavailable}
    return {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": limits}}


def test_every_node_gets_one_pod_and_the_status_is_the_real_one():
    cluster = running()
    assert cluster.get("daemonsets", "log")["status"] == {
        "currentNumberScheduled": 6,
        "desiredNumberScheduled": 6,
        "numberAvailable": 6,
        "numberMisscheduled": 0,
        "numberReady": 6,
        "observedGeneration": 1,
        "updatedNumberScheduled": 6,
    }
    assert sorted(on_nodes(cluster)) == [f"node-{number}" for number in range(1, 7)]
    (revision,) = cluster.all("controllerrevisions")
    word = revision["metadata"]["labels"]["controller-revision-hash"]
    assert revision["metadata"]["name"] == f"log-{word}"
    labels = cluster.pods()[0]["metadata"]["labels"]
    assert labels["controller-revision-hash"] == word


def test_a_node_selector_chooses_the_nodes():
    nodes = [NodeSpec(name="a", labels={"disk": "ssd"}), NodeSpec(name="b")]
    cluster = running(nodes=nodes, pod={"nodeSelector": {"disk": "ssd"}})
    assert on_nodes(cluster) == {"a": "1"}
    assert cluster.status("daemonsets", "log")["desiredNumberScheduled"] == 1


def test_a_cordoned_node_keeps_its_pod_and_gets_a_new_one():
    cluster = running(nodes=2)
    cluster.patch("nodes", "node-1", {"unschedulable": True})
    cluster.delete("pods", next(
        one["metadata"]["name"] for one in cluster.pods() if one["spec"]["nodeName"] == "node-1"
    ))  # fmt: skip
    cluster.after(60)
    assert on_nodes(cluster) == {"node-1": "1", "node-2": "1"}


def test_a_taint_keeps_new_pods_away_and_only_the_harder_one_drives_old_ones_out():
    cluster = running(nodes=3)
    taint = {"key": "a", "value": "b", "effect": "NoSchedule"}
    cluster.patch("nodes", "node-1", {"taints": [taint]})
    cluster.after(60)
    found = cluster.status("daemonsets", "log")
    assert (found["desiredNumberScheduled"], found["numberMisscheduled"]) == (2, 1)
    assert sorted(on_nodes(cluster)) == ["node-1", "node-2", "node-3"]
    cluster.patch("nodes", "node-1", {"taints": [taint, {**taint, "effect": "NoExecute"}]})
    cluster.after(60)
    found = cluster.status("daemonsets", "log")
    assert (found["desiredNumberScheduled"], found["numberMisscheduled"]) == (2, 0)
    assert sorted(on_nodes(cluster)) == ["node-2", "node-3"]


@pytest.mark.parametrize(
    ("bounds", "least", "most"),
    [((0, 1), 5, 6), ((0, "34%"), 3, 6), ((2, 0), 6, 8)],
)
def test_a_rolling_update_stays_within_its_bounds(bounds, least, most):
    cluster = running(**rolling(*bounds))
    cluster.patch("daemonsets", "log", image("shop/log:2"))
    ready, pods = [], []
    for _ in range(200):
        cluster.after(1)
        ready.append(cluster.status("daemonsets", "log")["numberReady"])
        pods.append(sum("deletionTimestamp" not in one["metadata"] for one in cluster.pods()))
    assert (min(ready), max(pods)) == (least, most)
    assert set(on_nodes(cluster).values()) == {"2"}
    assert cluster.status("daemonsets", "log")["updatedNumberScheduled"] == 6


def test_a_bad_version_stops_after_as_many_pods_as_may_be_missing_and_comes_back():
    cluster = running(NotReady(image="shop/log:2"), **rolling(0, 2))
    cluster.patch("daemonsets", "log", image("shop/log:2"))
    cluster.after(600)
    assert sorted(on_nodes(cluster).values()) == ["1", "1", "1", "1", "2", "2"]
    cluster.patch("daemonsets", "log", image("shop/log:1"))
    cluster.after(200)
    assert set(on_nodes(cluster).values()) == {"1"}
    assert cluster.status("daemonsets", "log")["numberAvailable"] == 6


def test_under_on_delete_nothing_moves_but_what_somebody_deletes():
    cluster = running(nodes=3, updateStrategy={"type": "OnDelete"})
    cluster.patch("daemonsets", "log", image("shop/log:2"))
    cluster.after(120)
    assert set(on_nodes(cluster).values()) == {"1"}
    assert "updatedNumberScheduled" not in cluster.status("daemonsets", "log")
    cluster.delete("pods", cluster.pods()[0]["metadata"]["name"])
    cluster.after(120)
    assert sorted(on_nodes(cluster).values()) == ["1", "1", "2"]
    assert cluster.status("daemonsets", "log")["updatedNumberScheduled"] == 1
