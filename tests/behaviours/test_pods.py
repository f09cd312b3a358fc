"""Pods go through their stages, on nodes that suit them, and end in the order of the real thing."""

from __future__ import annotations

from oneco.kube.objects import dig
from oneco.worlds.behaviours.faults import CrashLoop, ImagePull, NotReady, SlowStart, Window
from oneco.worlds.sim.cluster import NodeSpec
from tests.behaviours.a_cluster import a_cluster, a_deployment


def a_pod(name: str = "one", **spec):
    container = {"name": "c", "image": "shop/web:1", **spec.pop("container", {})}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "web"}},
        "spec": {"containers": [container], **spec},
    }


def phases(cluster):
    """What the pods of a cluster looked like after each of their changes."""
    found = []
    for at, change in cluster.commits("/pods"):
        if change.after is None:
            found.append((at, "gone"))
            continue
        status = change.after["status"]
        ready = [one["status"] for one in status.get("conditions", []) if one["type"] == "Ready"]
        found.append((at, status["phase"], *ready))
    return found


def waiting_reason(cluster, name="one"):
    return cluster.get("pods", name)["status"]["containerStatuses"][0]["state"]["waiting"]["reason"]


def test_a_pod_is_bound_at_once_and_ready_after_its_image_is_pulled():
    cluster = a_cluster()
    cluster.create("pods", a_pod())
    cluster.after(60)
    assert phases(cluster) == [
        (0.0, "Pending"),
        (0.0, "Pending", "False"),
        (2.0, "Running", "True"),
    ]


def test_a_readiness_probe_delays_ready_and_not_running():
    cluster = a_cluster()
    probe = {"httpGet": {"path": "/", "port": 80}, "initialDelaySeconds": 7}
    cluster.create("pods", a_pod(container={"readinessProbe": probe}))
    cluster.after(60)
    assert phases(cluster)[2:] == [(2.0, "Running", "False"), (9.0, "Running", "True")]


def test_a_ready_pod_says_what_a_real_one_says():
    cluster = a_cluster()
    cluster.create("pods", a_pod())
    status = cluster.after(60).get("pods", "one")["status"]
    assert status["phase"] == "Running" and status["qosClass"] == "BestEffort"
    assert status["podIP"].startswith("10.64.0.")
    assert status["podIPs"] == [{"ip": status["podIP"]}]
    assert status["startTime"] == "2027-01-15T08:00:00Z"
    assert [(one["type"], one["status"]) for one in status["conditions"]] == [
        ("PodReadyToStartContainers", "True"),
        ("Initialized", "True"),
        ("Ready", "True"),
        ("ContainersReady", "True"),
        ("PodScheduled", "True"),
    ]
    (container,) = status["containerStatuses"]
    assert container["state"] == {"running": {"startedAt": "2027-01-15T08:00:02Z"}}
    assert container["ready"] is True and container["restartCount"] == 0


def test_a_deleted_pod_is_marked_and_goes_a_second_later():
    cluster = a_cluster()
    cluster.create("pods", a_pod())
    cluster.after(10)
    cluster.delete("pods", "one")
    marked = cluster.get("pods", "one")["metadata"]
    assert marked["deletionTimestamp"] == "2027-01-15T08:00:40Z"
    assert marked["deletionGracePeriodSeconds"] == 30
    cluster.after(10)
    assert phases(cluster)[-1] == (11.0, "gone")


def test_pods_go_to_the_node_with_the_fewest():
    cluster = a_cluster(nodes=3)
    for number in range(7):
        cluster.create("pods", a_pod(f"p{number}"))
    cluster.after(1)
    nodes = [pod["spec"]["nodeName"] for pod in cluster.pods()]
    assert nodes == ["node-1", "node-2", "node-3", "node-1", "node-2", "node-3", "node-1"]


def test_a_pod_waits_for_a_node_that_suits_it():
    nodes = [NodeSpec(name="plain"), NodeSpec(name="fast", labels={"disk": "ssd"})]
    cluster = a_cluster(nodes=nodes)
    cluster.create("pods", a_pod("wants-ssd", nodeSelector={"disk": "ssd"}))
    cluster.create("pods", a_pod("wants-gpu", nodeSelector={"gpu": "yes"}))
    cluster.after(10)
    assert cluster.get("pods", "wants-ssd")["spec"]["nodeName"] == "fast"
    (condition,) = cluster.get("pods", "wants-gpu")["status"]["conditions"]
    assert (condition["type"], condition["reason"]) == ("PodScheduled", "Unschedulable")
    cluster.patch("nodes", "plain", {}, metadata={"labels": {"gpu": "yes"}})
    cluster.after(1)
    assert cluster.get("pods", "wants-gpu")["spec"]["nodeName"] == "plain"


def test_a_cordoned_or_tainted_node_gets_no_new_pods():
    cluster = a_cluster(nodes=3)
    cluster.patch("nodes", "node-1", {"unschedulable": True})
    cluster.patch("nodes", "node-2", {"taints": [{"key": "own", "effect": "NoSchedule"}]})
    cluster.after(1)
    tolerant = {"tolerations": [{"key": "own", "operator": "Exists"}]}
    for number in range(2):
        cluster.create("pods", a_pod(f"any{number}"))
    cluster.create("pods", a_pod("tolerant", **tolerant))
    cluster.after(1)
    nodes = {pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in cluster.pods()}
    assert nodes == {"any0": "node-3", "any1": "node-3", "tolerant": "node-2"}


def test_a_full_node_gets_no_more_pods_until_one_goes():
    cluster = a_cluster(nodes=[NodeSpec(name="small", pods=1)])
    cluster.create("pods", a_pod("first"))
    cluster.create("pods", a_pod("second"))
    cluster.after(10)
    assert "nodeName" not in cluster.get("pods", "second")["spec"]
    cluster.delete("pods", "first")
    cluster.after(10)
    assert cluster.get("pods", "second")["status"]["phase"] == "Running"


def test_a_crashing_container_backs_off_longer_each_time():
    cluster = a_cluster(CrashLoop(image="shop/web:*", after_seconds=4))
    cluster.create("pods", a_pod())
    cluster.after(200)
    crashes = [
        at
        for at, change in cluster.commits("/pods")
        if "waiting" in dig(change.after, "status", "containerStatuses", 0, "state", default={})
    ][1:]
    # Started at 2, 16, 40 and 84 s; the waits between are 10, 20, 40 and 80 s.
    assert crashes == [6.0, 20.0, 44.0, 88.0, 172.0]
    (container,) = cluster.get("pods", "one")["status"]["containerStatuses"]
    assert container["restartCount"] == 4
    assert container["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert container["lastState"]["terminated"]["exitCode"] == 1


def test_a_crash_loop_ends_with_its_window():
    fault = CrashLoop(image="shop/web:1", after_seconds=4, window=Window(until_seconds=30))
    cluster = a_cluster(fault)
    cluster.create("pods", a_pod())
    status = cluster.after(100).get("pods", "one")["status"]
    assert status["containerStatuses"][0]["ready"] is True
    assert status["containerStatuses"][0]["restartCount"] == 2


def test_only_the_container_with_the_image_crashes():
    cluster = a_cluster(CrashLoop(image="bad:*", after_seconds=1))
    body = a_pod()
    body["spec"]["containers"] += [{"name": "side", "image": "bad:1"}]
    cluster.create("pods", body)
    status = cluster.after(5).get("pods", "one")["status"]
    good, bad = status["containerStatuses"]
    assert "running" in good["state"] and good["restartCount"] == 0
    assert bad["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert status["phase"] == "Running"


def test_an_image_that_cannot_be_pulled_keeps_the_pod_pending():
    fault = ImagePull(image="shop/web:1", window=Window(until_seconds=100))
    cluster = a_cluster(fault)
    cluster.create("pods", a_pod())
    assert cluster.after(50).get("pods", "one")["status"]["phase"] == "Pending"
    assert waiting_reason(cluster) == "ImagePullBackOff"
    assert cluster.after(60).get("pods", "one")["status"]["phase"] == "Running"


def test_a_pod_that_does_not_become_ready_runs_all_the_same():
    cluster = a_cluster(NotReady(image="shop/web:1"))
    cluster.create("pods", a_pod())
    cluster.after(3600)
    assert phases(cluster)[-1] == (2.0, "Running", "False")


def test_a_slow_start_delays_ready():
    cluster = a_cluster(SlowStart(image="shop/web:1", seconds=90))
    cluster.create("pods", a_pod())
    cluster.after(3600)
    assert phases(cluster)[-1] == (92.0, "Running", "True")


def test_a_fault_can_strike_a_share_of_the_pods():
    cluster = a_cluster(NotReady(image="shop/web:1", share=0.3), seed=4)
    cluster.create("deployments", a_deployment(replicas=100))
    ready = cluster.after(60).status()["readyReplicas"]
    assert 55 <= ready <= 85


def test_a_replica_set_replaces_a_pod_that_is_deleted():
    cluster = a_cluster()
    cluster.create("deployments", a_deployment(replicas=3))
    cluster.after(60)
    gone = cluster.pods()[0]["metadata"]["name"]
    cluster.delete("pods", gone)
    cluster.after(60)
    names = [pod["metadata"]["name"] for pod in cluster.pods()]
    assert len(names) == 3 and gone not in names


def test_unready_pods_are_the_first_to_go():
    cluster = a_cluster(NotReady(image="shop/web:1", window=Window(from_seconds=50)))
    cluster.create("deployments", a_deployment(replicas=3))
    cluster.after(60)
    cluster.patch("deployments", "web", {"replicas": 5})
    cluster.after(60)
    assert cluster.status()["readyReplicas"] == 3
    cluster.patch("deployments", "web", {"replicas": 3})
    cluster.after(60)
    assert cluster.status()["replicas"] == cluster.status()["readyReplicas"] == 3


def test_a_cheap_pod_goes_before_the_others():
    cluster = a_cluster()
    cluster.create("deployments", a_deployment(replicas=3))
    cluster.after(60)
    chosen = cluster.pods()[1]["metadata"]["name"]
    cost = {"controller.kubernetes.io/pod-deletion-cost": "-5"}
    cluster.patch("pods", chosen, {}, metadata={"annotations": cost})
    cluster.patch("deployments", "web", {"replicas": 2})
    cluster.after(60)
    assert chosen not in [pod["metadata"]["name"] for pod in cluster.pods()]


def test_a_pod_that_loses_its_label_is_let_go_and_replaced():
    cluster = a_cluster()
    cluster.create("deployments", a_deployment(replicas=2))
    cluster.after(60)
    chosen = cluster.pods()[0]["metadata"]["name"]
    cluster.patch("pods", chosen, {}, metadata={"labels": {"app": "quarantine"}})
    cluster.after(60)
    assert "ownerReferences" not in cluster.get("pods", chosen)["metadata"]
    assert len(cluster.pods()) == 3
    cluster.patch("pods", chosen, {}, metadata={"labels": {"app": "web"}})
    cluster.after(60)
    assert len(cluster.pods()) == 2
