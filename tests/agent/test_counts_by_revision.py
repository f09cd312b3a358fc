"""New pods of StatefulSets and DaemonSets are counted by revision, and only from fresh news."""

from __future__ import annotations

from typing import Any

from oneco.agent import workloads
from oneco.clock import Instant
from oneco.control.cache import Cache, CacheReader
from oneco.kube import times
from oneco.kube.refs import Resource, kind_of
from oneco.main.workloads import WORKLOADS

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


def test_two_templates_whose_hashes_collide_are_told_apart_by_what_they_say():
    """The controller then adds a number to the newer revision's hash."""
    pods = [a_pod("a", "same"), a_pod("b", "same-1")]
    revisions = [keeping(1, "same"), keeping(2, "same-1")]
    found = counted(a_workload("DaemonSet", DAEMON), *pods, revisions=revisions)
    assert (found.updated, found.updated_ready) == (1, 1)


def a_node(name: str, ready: str) -> Any:
    conditions = [{"type": "Ready", "status": ready}]
    return {"metadata": {"name": name}, "status": {"conditions": conditions}}


def on_node(node: str, revision: str, *, ready: bool, phase: str = "Running") -> Any:
    pod = a_pod(f"pod-on-{node}", revision, ready=ready, spec={"nodeName": node})
    return {**pod, "status": {**pod["status"], "phase": phase}}


def test_a_node_that_went_silent_before_it_had_the_new_pod_is_not_waited_for():
    nodes = [a_node("up", "True"), a_node("silent", "Unknown")]
    pods = [on_node("up", "new", ready=True), on_node("silent", "old", ready=False)]
    revisions = [keeping(1, "old"), keeping(2, "new")]
    live = a_workload("DaemonSet", DAEMON)
    found = counted(live, *pods, revisions=revisions, nodes=nodes)
    assert (found.replicas, found.updated, found.updated_ready) == (1, 1, 1)


def test_a_new_pod_that_nobody_started_on_a_silent_node_says_nothing():
    nodes = [a_node("up", "True"), a_node("silent", "Unknown")]
    fresh = on_node("silent", "new", ready=False, phase="Pending")
    pods = [on_node("up", "new", ready=True), fresh]
    live = a_workload("DaemonSet", {**DAEMON, "updatedNumberScheduled": 2})
    found = counted(live, *pods, revisions=[keeping(2, "new")], nodes=nodes)
    assert (found.replicas, found.updated, found.updated_ready) == (1, 1, 1)


def test_a_node_that_went_silent_with_the_new_pod_on_it_is_no_excuse():
    nodes = [a_node("up", "True"), a_node("silent", "Unknown")]
    pods = [on_node("up", "new", ready=True), on_node("silent", "new", ready=False)]
    live = a_workload("DaemonSet", {**DAEMON, "updatedNumberScheduled": 2})
    found = counted(live, *pods, revisions=[keeping(2, "new")], nodes=nodes)
    assert (found.replicas, found.updated, found.updated_ready) == (2, 2, 1)


def test_a_node_that_says_that_it_is_not_ready_is_no_excuse():
    """A bad version of what nodes run is just what may make them so."""
    nodes = [a_node("up", "True"), a_node("sick", "False")]
    pods = [on_node("up", "new", ready=True), on_node("sick", "old", ready=False)]
    revisions = [keeping(1, "old"), keeping(2, "new")]
    found = counted(a_workload("DaemonSet", DAEMON), *pods, revisions=revisions, nodes=nodes)
    assert found.replicas == 2


def of_kruise(kind: str, version: str, status: Any) -> Any:
    return {**a_workload(kind, status), "apiVersion": f"apps.kruise.io/{version}"}


def test_an_advanced_daemon_sets_new_pods_are_those_with_the_hash_in_its_status():
    live = of_kruise("DaemonSet", "v1alpha1", {**DAEMON, "daemonSetHash": "new"})
    found = counted(live, a_pod("a", "old"), a_pod("b", "new"))
    assert (found.is_current, found.replicas, found.updated_ready) == (True, 2, 1)


def test_a_clone_set_whose_present_revision_is_its_newest_may_have_no_pod_ready_yet():
    """OpenKruise calls a revision the present one when all pods have it, ready or not."""
    status = {
        "observedGeneration": 2,
        "replicas": 3,
        "updatedReplicas": 3,
        "updatedReadyReplicas": 0,
        "currentRevision": "db-new",
        "updateRevision": "db-new",
    }
    waiting = {"state": {"waiting": {"reason": "ImagePullBackOff"}}}
    # The label is the hash alone where OpenKruise is told to keep it short.
    pod = owned("db-x", "new", status={"containerStatuses": [waiting]})
    found = counted(of_kruise("CloneSet", "v1alpha1", status), pod)
    assert (found.is_current, found.updated, found.updated_ready) == (True, 3, 0)
    assert [one.reason for one in found.problems] == ["ImagePullBackOff"]


def test_an_older_advanced_stateful_set_tells_too_little_so_its_pods_are_counted():
    live = of_kruise("StatefulSet", "v1alpha1", SET)
    pods = [a_pod("db-1", "db-new", ready=False), a_pod("db-2", "db-new")]
    found = counted(live, *pods)
    assert (found.updated, found.updated_ready) == (2, 1)


def since(name: str, revision: str, ready_since: str) -> Any:
    condition = {"type": "Ready", "status": "True", "lastTransitionTime": ready_since}
    return owned(name, revision, status={"conditions": [condition]})


def test_a_new_pod_counts_once_it_was_ready_for_as_long_as_its_owner_asks():
    live = a_workload("StatefulSet", SET)
    live["spec"]["minReadySeconds"] = 30
    pods = [
        since("db-1", "db-new", "2026-11-21T07:59:40Z"),
        since("db-2", "db-new", "2026-11-21T07:59:20Z"),
    ]
    found = counted(live, *pods)
    assert found.updated_ready == 1
    assert found.ripens_at == NOW + 10
    later = counted(live, *pods, now=Instant(NOW + 10))
    assert (later.updated_ready, later.ripens_at) == (2, None)


def test_a_new_pod_that_does_not_say_since_when_it_is_ready_does_not_count():
    live = a_workload("StatefulSet", SET)
    live["spec"]["minReadySeconds"] = 30
    assert counted(live, a_pod("db-2", "db-new")).updated_ready == 0
