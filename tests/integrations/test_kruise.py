"""OpenKruise's workloads are held by a partition that is always a number."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneco.agent.ports import Pod
from oneco.integrations.kruise.integration import WORKLOADS
from oneco.kube.objects import dig
from oneco.kube.refs import kind_of

FLAT = ("spec", "updateStrategy")
NESTED = (*FLAT, "rollingUpdate")
KINDS = [
    ("CloneSet", "v1alpha1", FLAT),
    ("CloneSet", "v1beta1", NESTED),
    ("StatefulSet", "v1beta1", NESTED),
    ("StatefulSet", "v1alpha1", NESTED),
]


def a_workload(kind: str, version: str, strategy: Any = None, **spec: Any) -> Any:
    own = {} if strategy is None else {"updateStrategy": strategy}
    return {
        "apiVersion": f"apps.kruise.io/{version}",
        "kind": kind,
        "metadata": {"name": "web", "annotations": {"theirs": "kept"}},
        "spec": {"replicas": 10, "template": {"a": 1}, **own, **spec},
    }


def a_daemon(**fields: Any) -> Any:
    made = a_workload("DaemonSet", "v1alpha1", {"type": "RollingUpdate", "rollingUpdate": fields})
    del made["spec"]["replicas"]
    return made


def driver(manifest: Any) -> Any:
    return WORKLOADS[kind_of(manifest)]


def gated(manifest: Any, updated: int, live: Any = None) -> Any:
    held = driver(manifest).gate(manifest, updated)
    return driver(manifest).step(held, live, 0)


@pytest.mark.parametrize(("kind", "version", "path"), KINDS)
@given(replicas=st.integers(1, 300), updated=st.integers(1, 300))
def test_the_partition_is_a_number_of_pods_that_stay_old(kind, version, path, replicas, updated):
    found = dig(gated(a_workload(kind, version, replicas=replicas), updated), *path, "partition")
    assert type(found) is int
    assert found == max(0, replicas - updated)


@pytest.mark.parametrize(("kind", "version", "path"), KINDS)
def test_before_the_first_pod_not_even_a_pod_that_is_added_may_be_new(kind, version, path):
    assert dig(gated(a_workload(kind, version), 0), *path, "partition") == 32767


@pytest.mark.parametrize(("kind", "version", "path"), KINDS)
def test_a_size_that_the_cluster_chooses_is_the_live_one_at_each_step(kind, version, path):
    manifest = a_workload(kind, version)
    del manifest["spec"]["replicas"]
    held = driver(manifest).gate(manifest, 3)
    assert dig(held, *path, "partition") == 32767
    for replicas in (10, 20, 2):
        stepped = driver(manifest).step(held, {"spec": {"replicas": replicas}}, 0)
        assert dig(stepped, *path, "partition") == max(0, replicas - 3)


def test_a_daemon_sets_partition_is_counted_from_the_nodes_there_are():
    manifest = a_daemon(maxUnavailable=2)
    assert dig(gated(manifest, 3), *NESTED) == {"maxUnavailable": 2, "partition": 32767}
    live = {"status": {"desiredNumberScheduled": 9}}
    assert dig(gated(manifest, 3, live), *NESTED, "partition") == 6
    assert dig(gated(manifest, 0, live), *NESTED, "partition") == 32767


@pytest.mark.parametrize(
    ("version", "path", "strategy"),
    [
        (
            "v1alpha1",
            FLAT,
            {
                "type": "InPlaceIfPossible",
                "maxUnavailable": "20%",
                "maxSurge": 2,
                "scatterStrategy": [{"key": "a", "value": "b"}],
                "priorityStrategy": {"orderPriority": [{"orderedKey": "rank"}]},
                "inPlaceUpdateStrategy": {"gracePeriodSeconds": 10},
            },
        ),
        (
            "v1beta1",
            NESTED,
            {"rollingUpdate": {"podUpdatePolicy": "InPlaceOnly", "maxSurge": "10%"}},
        ),
    ],
)
def test_how_its_owner_wants_pods_to_be_updated_is_left_as_it_is(version, path, strategy):
    manifest = a_workload("CloneSet", version, strategy, lifecycle={"preDelete": {"x": 1}})
    held = gated(manifest, 4)
    assert dig(held, *path) == {**dig(manifest, *path), "partition": 6}
    assert held["spec"]["lifecycle"] == {"preDelete": {"x": 1}}
    assert held["metadata"]["annotations"]["theirs"] == "kept"


def test_a_sets_unordered_update_is_left_as_it_is():
    own = {"maxUnavailable": 3, "unorderedUpdate": {}, "podUpdatePolicy": "InPlaceIfPossible"}
    manifest = a_workload("StatefulSet", "v1beta1", {"rollingUpdate": own})
    assert dig(gated(manifest, 4), *NESTED) == {**own, "partition": 6}


@pytest.mark.parametrize(
    ("replicas", "partition", "reach"),
    # As OpenKruise rounds a CloneSet's: up, but one of several is updated below 100%.
    [(10, 4, 6), (5, "50%", 2), (5, "99%", 1), (5, "100%", 0), (1, "50%", 0), (5, 0, 5), (3, 9, 0)],
)
def test_what_a_clone_sets_owner_holds_back_stays_held_back(replicas, partition, reach):
    manifest = a_workload("CloneSet", "v1alpha1", {"partition": partition}, replicas=replicas)
    assert driver(manifest).reach(manifest, replicas) == reach
    for updated in range(1, replicas + 1):
        held = gated(manifest, updated)
        assert dig(held, *FLAT, "partition") == max(replicas - updated, replicas - reach)
        assert driver(held).reach(held, replicas) == reach


def test_what_a_sets_or_a_daemon_sets_owner_holds_back_stays_held_back():
    manifest = a_workload("StatefulSet", "v1beta1", {"rollingUpdate": {"partition": 4}})
    assert [dig(gated(manifest, n), *NESTED, "partition") for n in (1, 6, 9)] == [9, 4, 4]
    daemon, live = a_daemon(partition=4), {"status": {"desiredNumberScheduled": 10}}
    assert [dig(gated(daemon, n, live), *NESTED, "partition") for n in (1, 6, 9)] == [9, 4, 4]


@pytest.mark.parametrize("kind", ["CloneSet", "StatefulSet", "DaemonSet"])
def test_a_gate_that_is_still_shut_owes_its_pods_none_the_less(kind):
    """A hub that took a shut gate for an owner's wish would wait for nothing."""
    manifest = a_workload(kind, "v1beta1")
    del manifest["spec"]["replicas"]
    held = driver(manifest).gate(manifest, 3)
    assert dig(held, *NESTED, "partition") == 32767
    assert driver(held).reach(held, 10) == 10


@pytest.mark.parametrize(("kind", "version", "path"), [*KINDS, ("DaemonSet", "v1alpha1", NESTED)])
def test_a_workload_that_its_owner_pauses_is_not_divided_and_owes_no_new_pod(kind, version, path):
    own = {"paused": True} if path == FLAT else {"rollingUpdate": {"paused": True}}
    manifest = a_workload(kind, version, own)
    assert driver(manifest).is_paused(manifest)
    assert not driver(manifest).is_divisible(manifest)
    assert driver(manifest).reach(manifest, 10) == 0


@pytest.mark.parametrize("kind", ["CloneSet", "StatefulSet", "DaemonSet"])
def test_a_workload_whose_pods_somebody_deletes_is_not_divided(kind):
    manifest = a_workload(kind, "v1beta1", {"type": "OnDelete"})
    assert not driver(manifest).is_divisible(manifest)
    assert driver(manifest).reach(manifest, 10) == 0


def test_a_daemon_set_that_its_owner_limits_to_some_nodes_is_not_divided():
    manifest = a_daemon(selector={"matchLabels": {"pool": "a"}})
    assert not driver(manifest).is_divisible(manifest)
    assert driver(manifest).reach(manifest, 10) == 0


def test_a_clone_set_is_written_in_the_version_that_its_cluster_serves():
    old = {"type": "InPlaceOnly", "partition": 3, "maxSurge": 1}
    new = {
        "type": "RollingUpdate",
        "rollingUpdate": {"podUpdatePolicy": "InPlaceOnly", "partition": 3, "maxSurge": 1},
    }
    flat, nested = a_workload("CloneSet", "v1alpha1", old), a_workload("CloneSet", "v1beta1", new)
    assert driver(flat).served(flat, "v1alpha1") == flat
    assert driver(flat).served(flat, "v1beta1") == nested
    assert driver(nested).served(nested, "v1alpha1") == flat
    plain = a_workload("CloneSet", "v1beta1")
    assert driver(plain).served(plain, "v1alpha1") == a_workload("CloneSet", "v1alpha1")


def test_what_the_older_version_cannot_say_is_not_said_in_it():
    on_delete = a_workload("CloneSet", "v1beta1", {"type": "OnDelete"})
    assert driver(on_delete).served(on_delete, "v1alpha1") is None
    reserved = a_workload("StatefulSet", "v1beta1", reserveOrdinals=[1])
    assert driver(reserved).served(reserved, "v1alpha1") is None
    plain = a_workload("StatefulSet", "v1beta1")
    assert driver(plain).served(plain, "v1alpha1") == a_workload("StatefulSet", "v1alpha1")


def test_a_gate_survives_the_change_of_version():
    manifest = a_workload("CloneSet", "v1beta1")
    moved = driver(manifest).served(driver(manifest).gate(manifest, 4), "v1alpha1")
    assert dig(driver(moved).step(moved, None, 0), *FLAT, "partition") == 6


def test_a_clone_set_counts_what_is_available_and_leaves_out_zeros():
    live = {**a_workload("CloneSet", "v1alpha1"), "status": {"updatedReplicas": 3, "replicas": 10}}
    assert driver(live).said(live, ()).newest is None
    live["status"] |= {"updateRevision": "web-abc", "updatedReadyReplicas": 3}
    assert driver(live).said(live, ()).updated_ready == 0
    live["status"] |= {"updatedAvailableReplicas": 2}
    said = driver(live).said(live, ())
    assert (said.replicas, said.updated, said.updated_ready, said.newest) == (10, 3, 2, "web-abc")


def a_pod(number: int, revision: str, *, ready: bool, newest: str) -> Pod:
    body = {
        "metadata": {"name": f"web-{number}", "labels": {"controller-revision-hash": revision}},
    }
    return Pod(body, is_new=revision == newest, is_ready=ready, is_available=ready)


def stuck(newest: str, partition: int = 0, **spec: Any) -> list[str]:
    """Which pods go, of three old ones with the first and the last not ready, one of them bad."""
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}
    manifest = a_workload("StatefulSet", "v1beta1", strategy, **spec)
    live = {**manifest, "status": {"currentRevision": "web-old"}}
    pods = [
        a_pod(4, "web-old", ready=False, newest=newest),
        a_pod(5, "web-old", ready=True, newest=newest),
        a_pod(7, "web-bad", ready=False, newest=newest),
    ]
    return [pod["metadata"]["name"] for pod in driver(live).doomed(live, pods, 3)]


def test_a_stuck_pod_of_an_abandoned_revision_is_deleted_after_the_rollback():
    assert stuck("web-old") == ["web-7"]


def test_a_stuck_pod_of_the_wanted_revision_and_old_pods_that_stay_are_left_alone():
    assert stuck("web-bad", partition=2) == []


def test_an_old_pod_that_is_to_go_anyhow_does_not_hold_up_its_set():
    assert stuck("web-bad", partition=0) == ["web-4"]


def test_no_pod_goes_behind_the_back_of_its_owners_hook():
    assert stuck("web-old", lifecycle={"preDelete": {"labelsHandler": {"a": "b"}}}) == []


def test_a_parallel_set_needs_no_help():
    assert stuck("web-old", podManagementPolicy="Parallel") == []
