"""Nodes are healthy in silence, and their loss drives pods to others after five minutes."""

from __future__ import annotations

from oneco.worlds.behaviours.faults import NodeLoss, Window
from tests.behaviours.a_cluster import a_cluster, a_deployment

LOSS = NodeLoss(node="node-1", window=Window(from_seconds=100, until_seconds=1000))


def ready(cluster, node="node-1"):
    conditions = cluster.get("nodes", node)["status"]["conditions"]
    return next(one["status"] for one in conditions if one["type"] == "Ready")


def a_cluster_that_loses_a_node():
    cluster = a_cluster(LOSS)
    cluster.create("deployments", a_deployment(replicas=6))
    return cluster.after(99)


def test_a_healthy_node_writes_once_and_then_nothing():
    cluster = a_cluster()
    cluster.after(86400)
    assert [at for at, _ in cluster.commits("/nodes")] == [0.0, 0.0, 0.0]
    assert ready(cluster) == "True"


def test_a_lost_node_is_noticed_after_fifty_seconds():
    cluster = a_cluster_that_loses_a_node()
    cluster.after(50)
    assert ready(cluster) == "True" and cluster.status()["readyReplicas"] == 6
    cluster.after(2)
    assert ready(cluster) == "Unknown"
    assert cluster.get("nodes", "node-1")["spec"]["taints"][0]["key"] == (
        "node.kubernetes.io/unreachable"
    )
    assert cluster.status()["readyReplicas"] == 4


def test_its_pods_are_replaced_after_five_minutes_and_go_when_it_returns():
    cluster = a_cluster_that_loses_a_node()
    cluster.after(350)
    assert len(cluster.pods()) == 6
    cluster.after(10)
    assert len(cluster.pods()) == 8
    assert cluster.status()["readyReplicas"] == 6
    assert [pod["spec"]["nodeName"] for pod in cluster.pods() if _is_leaving(pod)] == ["node-1"] * 2
    cluster.after(600)
    assert len(cluster.pods()) == 6
    assert ready(cluster) == "True"
    assert "taints" not in cluster.get("nodes", "node-1")["spec"]


def test_a_node_that_returns_early_keeps_its_pods():
    cluster = a_cluster(NodeLoss(node="node-1", window=Window(from_seconds=100, until_seconds=200)))
    cluster.create("deployments", a_deployment(replicas=6))
    before = [pod["metadata"]["uid"] for pod in cluster.after(99).pods()]
    cluster.after(60)
    assert cluster.status()["readyReplicas"] == 4
    cluster.after(60)
    assert cluster.status()["readyReplicas"] == 6
    assert [pod["metadata"]["uid"] for pod in cluster.pods()] == before


def test_a_loss_shorter_than_the_grace_is_not_noticed():
    cluster = a_cluster(NodeLoss(node="node-1", window=Window(from_seconds=100, until_seconds=130)))
    cluster.after(500)
    assert [at for at, _ in cluster.commits("/nodes")] == [0.0, 0.0, 0.0]


def test_a_star_stands_for_every_node():
    cluster = a_cluster(NodeLoss(node="*", window=Window(from_seconds=100, until_seconds=400)))
    cluster.create("deployments", a_deployment(replicas=6))
    cluster.after(200)
    assert [ready(cluster, name) for name in ("node-1", "node-2", "node-3")] == ["Unknown"] * 3
    assert "readyReplicas" not in cluster.status()
    cluster.after(300)
    assert cluster.status()["readyReplicas"] == 6


def test_the_pods_of_a_node_that_is_deleted_go_with_it():
    cluster = a_cluster()
    cluster.create("deployments", a_deployment(replicas=6))
    cluster.after(60)
    cluster.delete("nodes", "node-1")
    cluster.after(60)
    assert {pod["spec"]["nodeName"] for pod in cluster.pods()} == {"node-2", "node-3"}
    assert cluster.status()["readyReplicas"] == 6


def _is_leaving(pod):
    return "deletionTimestamp" in pod["metadata"]
