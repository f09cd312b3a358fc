"""CloneSets as OpenKruise keeps them: partitions, bounds on losses, updates in place."""

from __future__ import annotations

from typing import Any

import pytest

from oneco.kube.errors import Invalid
from oneco.worlds.behaviours.faults import ImagePull, NotReady
from tests.behaviours.a_cluster import a_cluster, image

LABELS = {"app": "web"}


def a_clone_set(replicas: int = 10, **spec: Any) -> Any:
    pod = {"containers": [{"name": "c", "image": "shop/web:1"}]}
    return {
        "apiVersion": "apps.kruise.io/v1alpha1",
        "kind": "CloneSet",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": LABELS},
            "template": {"metadata": {"labels": LABELS}, "spec": pod},
            **spec,
        },
    }


def running(*faults: Any, **spec: Any):
    cluster = a_cluster(*faults).with_kruise()
    cluster.create("clonesets", a_clone_set(**spec))
    return cluster.after(60)


def changed(cluster, version: str = "2", **strategy: Any):
    spec = {**image(f"shop/web:{version}"), "updateStrategy": strategy}
    cluster.patch("clonesets", "web", spec)
    return cluster


def living(cluster, version: str = "") -> list[str]:
    wanted = f"shop/web:{version}" if version else ""
    return [
        pod["metadata"]["name"]
        for pod in cluster.pods(wanted)
        if "deletionTimestamp" not in pod["metadata"]
    ]


def counts(cluster) -> tuple[int, ...]:
    found = cluster.status("clonesets", "web")
    names = ("replicas", "readyReplicas", "updatedReplicas", "updatedReadyReplicas")
    return tuple(found[name] for name in names)


def fewest_ready(cluster) -> int:
    changes = [change for _, change in cluster.commits("apps.kruise.io/clonesets")]
    told = [one.after["status"]["readyReplicas"] for one in changes if one.after.get("status")]
    return min(told[told.index(max(told)) :])


def test_a_new_clone_set_says_of_itself_what_the_real_one_says():
    cluster = running()
    found = cluster.get("clonesets", "web")
    (revision,) = cluster.all("controllerrevisions")
    name = revision["metadata"]["name"]
    assert found["status"] == {
        "observedGeneration": 1,
        "replicas": 10,
        "readyReplicas": 10,
        "availableReplicas": 10,
        "updatedReplicas": 10,
        "updatedReadyReplicas": 10,
        "updatedAvailableReplicas": 10,
        "expectedUpdatedReplicas": 10,
        "currentRevision": name,
        "updateRevision": name,
        "collisionCount": 0,
        "labelSelector": "app=web",
    }
    assert found["spec"]["updateStrategy"] == {
        "type": "ReCreate", "partition": 0, "maxUnavailable": "20%", "maxSurge": 0,
    }  # fmt: skip
    # As OpenKruise's webhook has it, and no API server: an update in place changes the image.
    (container,) = found["spec"]["template"]["spec"]["containers"]
    assert container["imagePullPolicy"] == "Always"
    pod = cluster.pods()[0]["metadata"]
    assert pod["labels"]["controller-revision-hash"] == name
    assert pod["name"] == f"web-{pod['labels']['apps.kruise.io/cloneset-instance-id']}"


@pytest.mark.parametrize(
    ("replicas", "partition", "updated"),
    [(10, 6, 4), (10, 10, 0), (10, 12, 0), (5, "50%", 2), (3, "99%", 1), (3, "100%", 0)],
)
def test_a_partition_keeps_so_many_on_the_old_revision(replicas, partition, updated):
    cluster = changed(running(replicas=replicas), partition=partition).after(120)
    assert counts(cluster) == (replicas, replicas, updated, updated)
    assert len(living(cluster, "2")) == updated
    assert cluster.status("clonesets", "web").get("expectedUpdatedReplicas", 0) == updated


def test_a_lower_partition_goes_on_from_there():
    cluster = changed(running(), partition=6).after(120)
    first = set(living(cluster, "2"))
    cluster.patch("clonesets", "web", {"updateStrategy": {"partition": 3}})
    cluster.after(120)
    assert first < set(living(cluster, "2"))
    assert counts(cluster) == (10, 10, 7, 7)


def test_no_more_pods_are_missing_than_allowed():
    cluster = changed(running(), maxUnavailable=3).after(300)
    assert counts(cluster) == (10, 10, 10, 10)
    assert fewest_ready(cluster) == 7


def test_with_surplus_pods_none_is_missing():
    cluster = changed(running(), maxSurge=2, maxUnavailable=0).after(300)
    assert counts(cluster) == (10, 10, 10, 10)
    assert fewest_ready(cluster) == 10
    told = cluster.commits("apps.kruise.io/clonesets")
    assert max(one.after["status"]["replicas"] for _, one in told if "status" in one.after) == 12


def test_a_paused_update_does_nothing_until_it_is_resumed():
    cluster = changed(running(), paused=True).after(120)
    assert counts(cluster) == (10, 10, 0, 0)
    cluster.patch("clonesets", "web", {"updateStrategy": {"paused": False}})
    assert counts(cluster.after(300)) == (10, 10, 10, 10)


def test_a_version_that_never_gets_ready_stops_at_the_bound():
    cluster = running(NotReady(image="shop/web:2"))
    changed(cluster, maxUnavailable=2).after(3600)
    assert counts(cluster) == (10, 8, 2, 0)
    old = cluster.get("clonesets", "web")["status"]["currentRevision"]
    assert old != cluster.get("clonesets", "web")["status"]["updateRevision"]
    changed(cluster, "1").after(300)
    assert counts(cluster) == (10, 10, 10, 10)
    assert cluster.get("clonesets", "web")["status"]["updateRevision"] == old


def test_the_update_counts_as_complete_when_all_pods_are_new_however_few_are_ready():
    cluster = running(NotReady(image="shop/web:2"), replicas=2)
    changed(cluster, maxUnavailable=2).after(60)
    status = cluster.get("clonesets", "web")["status"]
    assert counts(cluster) == (2, 0, 2, 0)
    assert status["currentRevision"] == status["updateRevision"]


def test_an_old_template_gets_its_old_revision_back():
    cluster = changed(running(replicas=2)).after(120)
    changed(cluster, "1").after(120)
    numbers = {
        one["data"]["spec"]["template"]["spec"]["containers"][0]["image"]: one["revision"]
        for one in cluster.all("controllerrevisions")
    }
    assert numbers == {"shop/web:1": 3, "shop/web:2": 2}


def test_images_are_changed_in_place_and_the_pods_stay():
    cluster = running(replicas=4)
    before = living(cluster)
    changed(cluster, type="InPlaceIfPossible", maxUnavailable=1).after(120)
    assert living(cluster) == before == living(cluster, "2")
    assert counts(cluster) == (4, 4, 4, 4)
    assert fewest_ready(cluster) == 3
    (container,) = cluster.pods()[0]["status"]["containerStatuses"]
    assert (container["image"], container["restartCount"]) == ("shop/web:2", 1)


def test_an_image_that_cannot_be_pulled_stops_an_update_in_place_at_the_bound():
    cluster = running(ImagePull(image="shop/web:2"), replicas=4)
    changed(cluster, type="InPlaceIfPossible", maxUnavailable=1).after(600)
    assert counts(cluster) == (4, 3, 1, 0)


def test_what_cannot_be_done_in_place_is_made_anew_or_not_done():
    cluster = running(replicas=2, updateStrategy={"type": "InPlaceIfPossible"})
    before = living(cluster)
    pod = image("shop/web:2", hostNetwork=True)
    cluster.patch("clonesets", "web", pod)
    assert not set(living(cluster.after(120))) & set(before)
    cluster.patch("clonesets", "web", {"updateStrategy": {"type": "InPlaceOnly"}})
    cluster.patch("clonesets", "web", image("shop/web:3", hostNetwork=False))
    assert counts(cluster.after(120)) == (2, 2, 0, 0)


def test_named_pods_are_deleted_and_their_names_forgotten():
    cluster = running(replicas=4)
    doomed = living(cluster)[:2]
    cluster.patch("clonesets", "web", {"replicas": 2, "scaleStrategy": {"podsToDelete": doomed}})
    cluster.after(60)
    assert len(living(cluster)) == 2
    assert not set(doomed) & set(living(cluster))
    assert "podsToDelete" not in cluster.get("clonesets", "web")["spec"]["scaleStrategy"]


def test_it_grows_with_old_pods_up_to_the_partition_and_shrinks_from_the_old():
    cluster = changed(running(replicas=4), partition=4).after(60)
    cluster.patch("clonesets", "web", {"replicas": 6})
    cluster.after(60)
    assert (len(living(cluster, "1")), len(living(cluster, "2"))) == (4, 2)
    cluster.patch("clonesets", "web", {"replicas": 4, "updateStrategy": {"partition": 2}})
    cluster.after(120)
    assert (len(living(cluster, "1")), len(living(cluster, "2"))) == (2, 2)


def test_growing_stops_where_too_many_are_unavailable():
    cluster = a_cluster(NotReady(image="shop/web:1")).with_kruise()
    cluster.create("clonesets", a_clone_set(scaleStrategy={"maxUnavailable": 3}))
    assert len(living(cluster.after(600))) == 3


def test_a_ready_pod_counts_as_available_only_after_a_while():
    cluster = changed(running(replicas=2, minReadySeconds=30), maxUnavailable=1)
    cluster.after(30)
    assert counts(cluster) == (2, 2, 1, 1)
    assert counts(cluster.after(60)) == (2, 2, 2, 2)


def test_claims_stay_with_their_pods_number():
    claim = {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    cluster = running(replicas=2, volumeClaimTemplates=[claim])
    names = {one["metadata"]["name"] for one in cluster.all("persistentvolumeclaims")}
    assert names == {f"data-{pod}" for pod in living(cluster)}
    cluster.patch("clonesets", "web", {"replicas": 1})
    cluster.after(60)
    assert [one["metadata"]["name"] for one in cluster.all("persistentvolumeclaims")] == [
        f"data-{pod}" for pod in living(cluster)
    ]


def test_deleting_it_takes_its_pods_along():
    cluster = running(replicas=3)
    cluster.delete("clonesets", "web")
    cluster.after(60)
    assert cluster.pods() == []
    assert cluster.all("controllerrevisions") == []


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"selector": {"matchLabels": {"app": "db"}}}, "spec.template.metadata.labels"),
        ({"updateStrategy": {"type": "Recreate"}}, "spec.updateStrategy.type"),
        ({"updateStrategy": {"partition": "a few"}}, "spec.updateStrategy.partition"),
        (
            {"updateStrategy": {"maxUnavailable": 0, "maxSurge": 0}},
            "spec.updateStrategy.maxUnavailable",
        ),
    ],
)
def test_what_openkruise_refuses_is_refused(spec, field):
    with pytest.raises(Invalid) as refused:
        a_cluster().with_kruise().create("clonesets", a_clone_set(**spec))
    assert [cause.field for cause in refused.value.causes] == [field]
