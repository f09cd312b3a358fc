"""StatefulSets number their pods and move them one by one; every status here was seen on
a real control plane.
"""

from __future__ import annotations

from typing import Any

from oneco.worlds.behaviours.faults import NotReady
from tests.behaviours.a_cluster import a_cluster, image


def a_stateful_set(replicas: int = 3, image: str = "shop/db:1", **spec: Any) -> Any:
    labels = {"app": "db"}
    pod = {"containers": [{"name": "c", "image": image}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "db"},
        "spec": {
            "replicas": replicas,
            "serviceName": "db",
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
            **spec,
        },
    }


def running(*faults, **spec):
    cluster = a_cluster(*faults)
    cluster.create("statefulsets", a_stateful_set(**spec))
    return cluster.after(120)


def images(cluster) -> dict[str, str]:
    return {
        pod["metadata"]["name"]: pod["spec"]["containers"][0]["image"][-1]
        for pod in cluster.pods()
        if "deletionTimestamp" not in pod["metadata"]
    }


def counts(cluster):
    found = cluster.status("statefulsets", "db")
    short = {"replicas": 0, "readyReplicas": 1, "currentReplicas": 2, "updatedReplicas": 3}
    return tuple(found.get(name, 0) for name in short)


def revisions(cluster) -> dict[str, int]:
    return {
        one["data"]["spec"]["template"]["spec"]["containers"][0]["image"][-1]: one["revision"]
        for one in cluster.all("controllerrevisions")
    }


def partition(number: int) -> dict[str, Any]:
    return {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": number}}}


def started(cluster) -> list[str]:
    commits = cluster.commits("/pods")
    return [change.key.name for _, change in commits if change.before is None]


def test_pods_come_one_after_the_other_each_when_the_last_is_ready():
    cluster = a_cluster()
    cluster.create("statefulsets", a_stateful_set())
    born = {
        change.key.name: at
        for at, change in cluster.after(60).commits("/pods")
        if change.before is None
    }
    assert list(born) == ["db-0", "db-1", "db-2"]
    assert len(set(born.values())) == 3
    (pod, *_) = cluster.pods()
    (revision,) = cluster.all("controllerrevisions")
    assert pod["metadata"]["labels"] == {
        "app": "db",
        "apps.kubernetes.io/pod-index": "0",
        "controller-revision-hash": revision["metadata"]["name"],
        "statefulset.kubernetes.io/pod-name": "db-0",
    }
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("db-0", "db")


def test_a_parallel_set_makes_all_its_pods_at_once():
    cluster = a_cluster()
    cluster.create("statefulsets", a_stateful_set(podManagementPolicy="Parallel"))
    assert len({at for at, one in cluster.after(60).commits("/pods") if one.before is None}) == 1


def test_a_complete_set_says_so_in_the_words_of_the_real_one():
    cluster = running()
    (revision,) = cluster.all("controllerrevisions")
    name = revision["metadata"]["name"]
    assert cluster.get("statefulsets", "db")["status"] == {
        "availableReplicas": 3,
        "collisionCount": 0,
        "currentReplicas": 3,
        "currentRevision": name,
        "observedGeneration": 1,
        "readyReplicas": 3,
        "replicas": 3,
        "updateRevision": name,
        "updatedReplicas": 3,
    }
    hash_label = revision["metadata"]["labels"]["controller.kubernetes.io/hash"]
    assert f"db-{hash_label}" == name


def test_an_update_goes_from_above_and_never_has_two_pods_down():
    cluster = running()
    cluster.patch("statefulsets", "db", image("shop/db:2"))
    least = 3
    for _ in range(120):
        cluster.after(1)
        ready = cluster.status("statefulsets", "db").get("readyReplicas", 0)
        least = min(least, ready)
    assert started(cluster) == ["db-0", "db-1", "db-2", "db-2", "db-1", "db-0"]
    assert least == 2
    assert counts(cluster) == (3, 3, 3, 3)
    found = cluster.get("statefulsets", "db")["status"]
    assert found["currentRevision"] == found["updateRevision"]


def test_a_partition_holds_the_pods_below_it_on_the_old_revision_even_when_they_come_anew():
    cluster = running()
    cluster.patch("statefulsets", "db", {**image("shop/db:2"), **partition(2)})
    cluster.after(120)
    assert images(cluster) == {"db-0": "1", "db-1": "1", "db-2": "2"}
    assert counts(cluster) == (3, 3, 2, 1)
    cluster.delete("pods", "db-0")
    cluster.after(120)
    assert images(cluster) == {"db-0": "1", "db-1": "1", "db-2": "2"}
    cluster.patch("statefulsets", "db", {"replicas": 5})
    cluster.after(120)
    assert images(cluster) == {"db-0": "1", "db-1": "1", "db-2": "2", "db-3": "2", "db-4": "2"}
    assert counts(cluster) == (5, 5, 2, 3)
    cluster.patch("statefulsets", "db", partition(0))
    cluster.after(240)
    assert counts(cluster) == (5, 5, 5, 5)


def test_a_pod_that_never_gets_ready_holds_up_even_the_rollback_until_it_is_deleted():
    cluster = running(NotReady(image="shop/db:2"))
    cluster.patch("statefulsets", "db", image("shop/db:2"))
    cluster.after(120)
    assert counts(cluster) == (3, 2, 2, 1)
    cluster.patch("statefulsets", "db", image("shop/db:1"))
    cluster.after(600)
    assert images(cluster) == {"db-0": "1", "db-1": "1", "db-2": "2"}
    assert counts(cluster) == (3, 2, 2, 2)
    cluster.delete("pods", "db-2")
    cluster.after(120)
    assert images(cluster) == {"db-0": "1", "db-1": "1", "db-2": "1"}
    assert counts(cluster) == (3, 3, 3, 3)
    assert revisions(cluster) == {"1": 3, "2": 2}


def test_a_parallel_set_replaces_a_stuck_pod_by_itself():
    cluster = running(NotReady(image="shop/db:2"), podManagementPolicy="Parallel")
    cluster.patch("statefulsets", "db", image("shop/db:2"))
    cluster.after(120)
    assert images(cluster) == {"db-0": "1", "db-1": "1", "db-2": "2"}
    cluster.patch("statefulsets", "db", image("shop/db:1"))
    cluster.after(120)
    assert counts(cluster) == (3, 3, 3, 3)


def test_under_on_delete_a_pod_is_updated_when_somebody_deletes_it():
    cluster = running(updateStrategy={"type": "OnDelete"})
    cluster.patch("statefulsets", "db", image("shop/db:2"))
    cluster.after(120)
    assert counts(cluster) == (3, 3, 3, 0)
    cluster.delete("pods", "db-1")
    cluster.after(120)
    assert images(cluster) == {"db-0": "1", "db-1": "2", "db-2": "1"}
    assert counts(cluster) == (3, 3, 2, 1)
    for name in ("db-0", "db-2"):
        cluster.delete("pods", name)
    cluster.after(120)
    # The real one never calls such an update complete either.
    assert counts(cluster) == (3, 3, 0, 3)


def test_a_smaller_set_loses_its_highest_pods_one_by_one():
    cluster = running(replicas=4)
    cluster.patch("statefulsets", "db", {"replicas": 2})
    cluster.after(120)
    assert sorted(images(cluster)) == ["db-0", "db-1"]
    gone = [(at, one.key.name) for at, one in cluster.commits("/pods") if one.after is None]
    assert [name for _, name in gone] == ["db-3", "db-2"]
    assert gone[0][0] < gone[1][0]


def test_old_revisions_are_forgotten_beyond_the_limit():
    cluster = running(replicas=1, revisionHistoryLimit=2)
    for number in range(2, 7):
        cluster.patch("statefulsets", "db", image(f"shop/db:{number}"))
        cluster.after(120)
    assert revisions(cluster) == {"4": 4, "5": 5, "6": 6}


def test_pods_are_available_only_after_their_min_ready_seconds():
    cluster = running(replicas=2, minReadySeconds=300)
    assert cluster.status("statefulsets", "db")["availableReplicas"] == 0
    cluster.after(700)
    assert cluster.status("statefulsets", "db")["availableReplicas"] == 2


def test_a_deleted_set_takes_its_pods_and_revisions_along():
    cluster = running()
    cluster.delete("statefulsets", "db")
    cluster.after(120)
    assert (cluster.pods(), list(cluster.all("controllerrevisions"))) == ([], [])
