"""Deployments behave as a real control plane of Kubernetes 1.36 was seen to behave.

The literal counts and orders are those that the real one answered to the same requests.
"""

from __future__ import annotations

from tests.behaviours.a_cluster import ACluster, a_cluster, a_deployment, image, rolling

GATE = {"minReadySeconds": 2147483646, "progressDeadlineSeconds": 2147483647}


def a_running_cluster(**spec):
    cluster = a_cluster()
    cluster.create("deployments", a_deployment(**spec))
    return cluster.after(60)


def a_gated_cluster(pods: int) -> ACluster:
    cluster = a_running_cluster()
    cluster.patch("deployments", "web", {"paused": True, **image("shop/web:2")})
    cluster.after(10)
    cluster.patch("deployments", "web", {"paused": False, **GATE, **rolling(0, pods)})
    return cluster.after(600)


def test_a_new_deployment_becomes_available():
    cluster = a_running_cluster()
    assert cluster.status() == {
        "observedGeneration": 1,
        "replicas": 10,
        "updatedReplicas": 10,
        "readyReplicas": 10,
        "availableReplicas": 10,
        "terminatingReplicas": 0,
    }
    assert cluster.conditions() == [
        ("Available", "True", "MinimumReplicasAvailable"),
        ("Progressing", "True", "NewReplicaSetAvailable"),
    ]
    assert cluster.revisions() == {
        "shop/web:1": {"revision": "1", "desired-replicas": "10", "max-replicas": "13"}
    }


def test_its_replica_set_and_pods_carry_the_hash_of_the_template():
    cluster = a_running_cluster(replicas=1)
    (found,) = cluster.all("replicasets")
    (pod,) = cluster.pods()
    hashed = found["metadata"]["labels"]["pod-template-hash"]
    assert found["metadata"]["name"] == f"web-{hashed}"
    assert found["spec"]["selector"] == {"matchLabels": {"app": "web", "pod-template-hash": hashed}}
    assert pod["metadata"]["labels"] == {"app": "web", "pod-template-hash": hashed}
    assert pod["metadata"]["generateName"] == f"web-{hashed}-"
    assert pod["metadata"]["ownerReferences"][0]["uid"] == found["metadata"]["uid"]
    assert found["metadata"]["ownerReferences"][0]["kind"] == "Deployment"


def test_a_rolling_update_goes_in_steps_that_fill_the_fence():
    cluster = a_running_cluster()
    cluster.changes.clear()
    cluster.patch("deployments", "web", image("shop/web:2"))
    cluster.after(60)
    steps = []
    for _, change in cluster.commits("apps/replicasets"):
        after, before = change.after, change.before
        size = after["spec"]["replicas"]
        if before is None or before["spec"]["replicas"] != size:
            steps.append((after["spec"]["template"]["spec"]["containers"][0]["image"][-1], size))
    # Five of the new become ready at once here, so the second step is larger than with stragglers.
    assert steps == [("2", 3), ("1", 8), ("2", 5), ("1", 3), ("2", 10), ("1", 0)]
    assert cluster.sets() == {"shop/web:1": (0, 0, 0), "shop/web:2": (10, 10, 10)}


def test_a_rollout_never_leaves_the_fence():
    cluster = a_running_cluster()
    cluster.changes.clear()
    cluster.patch("deployments", "web", image("shop/web:2"))
    cluster.after(60)
    statuses = [change.after["status"] for _, change in cluster.commits("apps/deployments")]
    assert max(status["replicas"] for status in statuses) <= 13
    assert min(status["availableReplicas"] for status in statuses) >= 8


def test_a_paused_deployment_makes_no_new_replica_set():
    cluster = a_running_cluster()
    cluster.patch("deployments", "web", {"paused": True, **image("shop/web:2")})
    cluster.after(600)
    assert cluster.sets() == {"shop/web:1": (10, 10, 10)}
    assert cluster.status() == {
        "observedGeneration": 2,
        "replicas": 10,
        "readyReplicas": 10,
        "availableReplicas": 10,
        "terminatingReplicas": 0,
    }
    assert cluster.conditions() == [
        ("Available", "True", "MinimumReplicasAvailable"),
        ("Progressing", "Unknown", "DeploymentPaused"),
    ]


def test_a_paused_deployment_is_still_scaled():
    cluster = a_running_cluster()
    cluster.patch("deployments", "web", {"paused": True})
    cluster.patch("deployments", "web", {"replicas": 4})
    assert cluster.after(60).sets() == {"shop/web:1": (4, 4, 4)}


def test_the_gate_stops_at_exactly_three_new_and_seven_old_all_ready():
    cluster = a_gated_cluster(3)
    assert cluster.sets() == {"shop/web:1": (7, 7, 7), "shop/web:2": (3, 3, 0)}
    assert cluster.status() == {
        "observedGeneration": 3,
        "replicas": 10,
        "updatedReplicas": 3,
        "readyReplicas": 10,
        "availableReplicas": 7,
        "unavailableReplicas": 3,
        "terminatingReplicas": 0,
    }
    assert cluster.conditions() == [("Available", "True", "MinimumReplicasAvailable")]


def test_raising_the_gate_moves_exactly_as_many_more():
    cluster = a_gated_cluster(3)
    cluster.patch("deployments", "web", rolling(0, 6))
    assert cluster.after(600).sets() == {"shop/web:1": (4, 4, 4), "shop/web:2": (6, 6, 0)}


def test_the_old_template_behind_the_gate_moves_pods_back_up_to_the_same_limit():
    cluster = a_gated_cluster(3)
    cluster.patch("deployments", "web", rolling(0, 6))
    cluster.after(60)
    cluster.patch("deployments", "web", image("shop/web:1"))
    cluster.after(600)
    assert cluster.sets() == {"shop/web:1": (6, 6, 0), "shop/web:2": (4, 4, 0)}
    assert cluster.status().get("availableReplicas", 0) == 0
    assert cluster.status()["readyReplicas"] == 10
    assert cluster.conditions() == [("Available", "False", "MinimumReplicasUnavailable")]
    assert cluster.revisions()["shop/web:1"]["revision"] == "3"
    assert cluster.revisions()["shop/web:1"]["revision-history"] == "1"


def test_restoring_the_fields_completes_the_way_back():
    cluster = a_gated_cluster(3)
    cluster.patch("deployments", "web", image("shop/web:1"))
    cluster.after(60)
    restored = {"minReadySeconds": 0, "progressDeadlineSeconds": 600, **rolling("25%", "25%")}
    cluster.patch("deployments", "web", restored)
    assert cluster.after(60).sets() == {"shop/web:1": (10, 10, 10), "shop/web:2": (0, 0, 0)}
    assert cluster.conditions()[-1] == ("Progressing", "True", "NewReplicaSetAvailable")


def test_min_ready_seconds_make_a_pod_available_later():
    cluster = a_cluster()
    cluster.create("deployments", a_deployment(replicas=2, minReadySeconds=30))
    assert cluster.after(31).sets() == {"shop/web:1": (2, 2, 0)}
    assert cluster.after(2).sets() == {"shop/web:1": (2, 2, 2)}


def test_recreate_waits_until_the_last_old_pod_is_gone():
    cluster = a_running_cluster(strategy={"type": "Recreate"})
    cluster.changes.clear()
    cluster.patch("deployments", "web", image("shop/web:2"))
    cluster.after(60)
    gone = [at for at, change in cluster.commits("/pods") if change.after is None]
    born = [at for at, change in cluster.commits("/pods") if change.before is None]
    assert len(gone) == len(born) == 10
    assert max(gone) <= min(born)
    assert cluster.sets() == {"shop/web:1": (0, 0, 0), "shop/web:2": (10, 10, 10)}
    assert cluster.revisions()["shop/web:2"]["max-replicas"] == "10"


def test_a_rollout_that_does_not_get_on_exceeds_its_deadline():
    cluster = a_running_cluster(progressDeadlineSeconds=60, **rolling(3, 2))
    cluster.patch("deployments", "web", image("shop/web:2", nodeSelector={"none": "x"}))
    cluster.after(59)
    assert cluster.conditions()[-1] == ("Progressing", "True", "ReplicaSetUpdated")
    cluster.after(3)
    assert cluster.sets() == {"shop/web:1": (8, 8, 8), "shop/web:2": (5, 0, 0)}
    assert cluster.conditions() == [
        ("Available", "True", "MinimumReplicasAvailable"),
        ("Progressing", "False", "ProgressDeadlineExceeded"),
    ]


def test_a_deployment_scaled_in_the_middle_of_a_rollout_keeps_its_proportions():
    cluster = a_running_cluster(**rolling(3, 2))
    cluster.patch("deployments", "web", image("shop/web:2", nodeSelector={"none": "x"}))
    cluster.after(60)
    cluster.patch("deployments", "web", {"replicas": 15})
    assert cluster.after(60).sets() == {"shop/web:1": (11, 11, 11), "shop/web:2": (7, 0, 0)}
    cluster.patch("deployments", "web", {"replicas": 5})
    assert cluster.after(60).sets() == {"shop/web:1": (3, 3, 3), "shop/web:2": (5, 0, 0)}


def test_the_old_template_takes_up_its_old_replica_set_and_history_is_kept_short():
    cluster = a_running_cluster(revisionHistoryLimit=1)
    for version in ("2", "3", "1"):
        cluster.patch("deployments", "web", image(f"shop/web:{version}"))
        cluster.after(60)
    assert cluster.sets() == {"shop/web:1": (10, 10, 10), "shop/web:3": (0, 0, 0)}
    cluster.patch("deployments", "web", image("shop/web:3"))
    cluster.after(60)
    assert cluster.sets() == {"shop/web:1": (0, 0, 0), "shop/web:3": (10, 10, 10)}
    assert cluster.revisions()["shop/web:3"]["revision"] == "5"
    assert cluster.revisions()["shop/web:3"]["revision-history"] == "3"
    revision = cluster.get("deployments", "web")["metadata"]["annotations"]
    assert revision == {"deployment.kubernetes.io/revision": "5"}


def test_scaling_down_tells_the_replica_set_the_new_size():
    cluster = a_running_cluster()
    cluster.patch("deployments", "web", {"replicas": 4})
    cluster.after(60)
    assert cluster.sets() == {"shop/web:1": (4, 4, 4)}
    assert cluster.revisions()["shop/web:1"]["max-replicas"] == "5"


def test_a_deployment_scaled_to_zero_and_back_comes_back():
    cluster = a_running_cluster()
    cluster.patch("deployments", "web", {"replicas": 0})
    assert cluster.after(60).sets() == {"shop/web:1": (0, 0, 0)}
    cluster.patch("deployments", "web", {"replicas": 2})
    assert cluster.after(60).sets() == {"shop/web:1": (2, 2, 2)}


def test_an_update_in_the_middle_of_an_update_ends_with_the_last():
    cluster = a_running_cluster()
    cluster.patch("deployments", "web", image("shop/web:2"))
    cluster.after(3)
    cluster.patch("deployments", "web", image("shop/web:3"))
    cluster.after(60)
    assert cluster.sets() == {
        "shop/web:1": (0, 0, 0),
        "shop/web:2": (0, 0, 0),
        "shop/web:3": (10, 10, 10),
    }


def test_a_deleted_deployment_takes_everything_along():
    cluster = a_running_cluster()
    cluster.delete("deployments", "web")
    cluster.after(60)
    assert not cluster.all("deployments") and not cluster.all("replicasets")
    assert not cluster.all("pods")


def test_an_orphaned_replica_set_is_taken_up_again():
    cluster = a_running_cluster()
    cluster.delete("deployments", "web", propagation="Orphan")
    cluster.after(10)
    (left,) = cluster.all("replicasets")
    assert "ownerReferences" not in left["metadata"] and len(cluster.pods()) == 10
    again = cluster.create("deployments", a_deployment())
    cluster.after(10)
    (found,) = cluster.all("replicasets")
    assert found["metadata"]["uid"] == left["metadata"]["uid"]
    assert found["metadata"]["ownerReferences"][0]["uid"] == again["metadata"]["uid"]


def test_ten_pods_that_become_ready_at_one_instant_cost_one_status_each():
    cluster = a_cluster()
    cluster.create("deployments", a_deployment())
    cluster.after(1)
    cluster.changes.clear()
    cluster.after(2)
    assert len(cluster.commits("/pods")) == 10
    assert len(cluster.commits("apps/replicasets")) == 1
    assert len(cluster.commits("apps/deployments")) == 1
