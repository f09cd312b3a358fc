"""Claims are bound at once, and keep their volumes as long as they last."""

from __future__ import annotations

from typing import Any

from tests.behaviours.a_cluster import a_cluster
from tests.behaviours.test_statefulsets import a_stateful_set, images


def a_claim(name: str = "data", **spec: Any) -> Any:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
            **spec,
        },
    }


def phases(cluster) -> dict[str, str]:
    found = cluster.all("persistentvolumeclaims")
    return {one["metadata"]["name"]: one["status"]["phase"] for one in found}


def test_a_claim_gets_a_volume_of_its_own():
    cluster = a_cluster()
    cluster.create("persistentvolumeclaims", a_claim())
    cluster.after(1)
    claim = cluster.get("persistentvolumeclaims", "data")
    (volume,) = cluster.all("persistentvolumes")
    assert claim["status"] == {
        "phase": "Bound",
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "1Gi"},
    }
    assert claim["spec"]["volumeName"] == volume["metadata"]["name"]
    assert volume["spec"]["claimRef"]["uid"] == claim["metadata"]["uid"]


def test_the_volume_goes_with_its_claim():
    cluster = a_cluster()
    cluster.create("persistentvolumeclaims", a_claim())
    cluster.after(1).delete("persistentvolumeclaims", "data")
    cluster.after(60)
    assert list(cluster.all("persistentvolumeclaims")) == []
    assert list(cluster.all("persistentvolumes")) == []


def test_a_claim_that_wants_no_provisioner_waits():
    cluster = a_cluster()
    cluster.create("persistentvolumeclaims", a_claim(storageClassName=""))
    assert phases(cluster.after(60)) == {"data": "Pending"}


def test_each_pod_of_a_stateful_set_has_claims_that_outlive_it():
    cluster = a_cluster()
    template = {**a_claim(), "metadata": {"name": "data"}}
    cluster.create("statefulsets", a_stateful_set(replicas=2, volumeClaimTemplates=[template]))
    cluster.after(60)
    assert phases(cluster) == {"data-db-0": "Bound", "data-db-1": "Bound"}
    pod = cluster.get("pods", "db-1")
    assert pod["spec"]["volumes"] == [
        {"name": "data", "persistentVolumeClaim": {"claimName": "data-db-1"}}
    ]
    before = cluster.get("persistentvolumeclaims", "data-db-1")["metadata"]["uid"]
    cluster.patch("statefulsets", "db", {"replicas": 1})
    cluster.after(60).patch("statefulsets", "db", {"replicas": 2})
    cluster.after(60)
    assert sorted(images(cluster)) == ["db-0", "db-1"]
    assert cluster.get("persistentvolumeclaims", "data-db-1")["metadata"]["uid"] == before
