"""New pods of StatefulSets and DaemonSets are counted by revision, and only from fresh news."""

from __future__ import annotations

from typing import Any

from oneco.agent import workloads
from oneco.clock import Instant
from oneco.control.cache import Cache, CacheReader
from oneco.kube import times
from oneco.kube.refs import Resource, kind_of
from oneco.main.controllers import WORKLOADS

CONTROLLER_REVISIONS = Resource("apps", "v1", "controllerrevisions")
REPLICA_SETS = Resource("apps", "v1", "replicasets")
NOW = times.from_text("2026-11-21T08:00:00Z")


def a_workload(kind: str, status: Any, generation: int = 2) -> Any:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": "db", "namespace": "shop", "uid": "u", "generation": generation},
        "spec": {"replicas": 3, "template": {"spec": {"image": 2}}},
        "status": status,
    }


def owned(name: str, revision: str, **more: Any) -> Any:
    reference = {"kind": "StatefulSet", "name": "db", "uid": "u", "controller": True}
    metadata = {
        "name": name,
        "namespace": "shop",
        "labels": {"controller-revision-hash": revision},
        "ownerReferences": [reference],
    }
    return {"metadata": {**metadata, **more.pop("metadata", {})}, **more}


def a_pod(name: str, revision: str, *, ready: bool = True, **more: Any) -> Any:
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return owned(name, revision, status={"conditions": conditions}, **more)


def counted(live: Any, *pods: Any, now: Instant = NOW, **others: Any) -> workloads.Counts:
    cache = Cache()
    for pod in pods:
        cache.take("member", workloads.PODS, pod)
    for resource, kept in (
        (CONTROLLER_REVISIONS, "revisions"),
        (REPLICA_SETS, "replica_sets"),
        (workloads.NODES, "nodes"),
    ):
        for one in others.get(kept, ()):
            cache.take("member", resource, one)
    seen = workloads.look(CacheReader(cache), live, WORKLOADS[kind_of(live)])
    return workloads.count(seen, now)


SET = {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 2, "updateRevision": "db-new"}


def test_only_pods_of_the_newest_revision_that_are_ready_count():
    pods = [
        a_pod("db-0", "db-old"),
        a_pod("db-1", "db-new", ready=False),
        a_pod("db-2", "db-new"),
    ]
    found = counted(a_workload("StatefulSet", SET), *pods)
    assert (found.is_current, found.updated, found.updated_ready) == (True, 2, 1)
    assert (found.replicas, found.total) == (3, 3)


def test_a_status_of_an_older_generation_is_not_believed():
    found = counted(a_workload("StatefulSet", SET, generation=3), a_pod("db-2", "db-new"))
    assert not found.is_current


def test_a_set_without_any_status_is_not_believed():
    assert not counted(a_workload("StatefulSet", {})).is_current


def test_a_pod_on_its_way_out_is_nobody():
    leaving = {"deletionTimestamp": "2026-11-21T08:00:00Z"}
    found = counted(a_workload("StatefulSet", SET), a_pod("db-2", "db-new", metadata=leaving))
    assert found.updated_ready == 0


def test_trouble_is_told_of_new_pods_alone():
    waiting = {"state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}}
    old, new = (
        owned(name, revision, status={"containerStatuses": [waiting]})
        for name, revision in (("db-0", "db-old"), ("db-2", "db-new"))
    )
    (problem,) = counted(a_workload("StatefulSet", SET), old, new).problems
    assert (problem.reason, problem.pods) == ("CrashLoopBackOff", 1)


DAEMON = {
    "observedGeneration": 2,
    "desiredNumberScheduled": 2,
    "currentNumberScheduled": 2,
    "numberReady": 2,
    "updatedNumberScheduled": 1,
}


def keeping(image: int, word: str) -> Any:
    template = {"spec": {"image": image}, "$patch": "replace"}
    return owned(f"db-{word}", word, data={"spec": {"template": template}})


def test_a_daemon_sets_revision_is_the_one_that_keeps_its_template():
    pods = [a_pod("a", "old"), a_pod("b", "new")]
    revisions = [keeping(1, "old"), keeping(2, "new")]
    found = counted(a_workload("DaemonSet", DAEMON), *pods, revisions=revisions)
    assert (found.replicas, found.updated, found.updated_ready) == (2, 1, 1)


def test_a_daemon_set_whose_revision_is_not_known_yet_is_not_believed():
    found = counted(a_workload("DaemonSet", DAEMON), revisions=[keeping(1, "old")])
    assert not found.is_current
