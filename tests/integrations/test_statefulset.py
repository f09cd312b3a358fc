"""A StatefulSet is held by its partition, an integer that counts the pods that stay old."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from oneco.agent.ports import Pod
from oneco.integrations.kubernetes.statefulset import StatefulSetWorkload

DRIVER = StatefulSetWorkload()


def a_set(**spec: Any) -> Any:
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "db", "namespace": "default"},
        "spec": {"replicas": 5, "template": {"spec": {}}, **spec},
    }


def a_pod(number: int, revision: str, *, ready: bool) -> Any:
    labels = {"controller-revision-hash": revision}
    return {"metadata": {"name": f"db-{number}", "labels": labels}}, ready


def live(partition: int = 0, current: str = "db-old", **spec: Any) -> Any:
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}
    made = a_set(updateStrategy=rolling, podManagementPolicy="OrderedReady", **spec)
    return {**made, "status": {"currentRevision": current}}


def partition_of(manifest: Any) -> Any:
    return manifest["spec"]["updateStrategy"]["rollingUpdate"]["partition"]


def doomed(*pods: Any, of: Any, newest: str) -> list[str]:
    seen = [
        Pod(
            body,
            is_new=body["metadata"]["labels"]["controller-revision-hash"] == newest,
            is_ready=ready,
            is_available=ready,
        )
        for body, ready in pods
    ]
    return [one["metadata"]["name"] for one in DRIVER.doomed(of, seen, 5)]


@given(replicas=st.integers(1, 200), updated=st.integers(1, 200))
def test_the_partition_is_always_an_integer_of_the_pods_that_stay_old(replicas, updated):
    found = partition_of(DRIVER.gate(a_set(replicas=replicas), updated))
    assert type(found) is int
    assert found == max(0, replicas - updated)


def test_before_the_first_pod_not_even_a_pod_that_is_added_may_be_new():
    assert partition_of(DRIVER.gate(a_set(), 0)) == 32767


def test_a_set_whose_size_its_cluster_chooses_is_held_whole_until_the_agent_knows_it():
    manifest = a_set()
    del manifest["spec"]["replicas"]
    gated = DRIVER.gate(manifest, 2)
    assert partition_of(gated) == 32767
    assert partition_of(DRIVER.step(gated, live(replicas=7), None)) == 5


def test_the_gate_keeps_the_sets_own_bound():
    own = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2}}
    gated = DRIVER.gate(a_set(updateStrategy=own), 1)
    assert gated["spec"]["updateStrategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 2, "partition": 4},
    }


def test_a_set_that_somebody_holds_otherwise_is_not_divided():
    assert DRIVER.is_divisible(a_set())
    assert not DRIVER.is_divisible(a_set(updateStrategy={"type": "OnDelete"}))
    assert DRIVER.reach(a_set(updateStrategy={"type": "OnDelete"}), 5) == 0


def test_what_its_owner_holds_back_stays_held_back_by_every_gate():
    own = a_set(updateStrategy={"rollingUpdate": {"partition": 2}})
    assert DRIVER.is_divisible(own)
    assert [partition_of(DRIVER.gate(own, updated)) for updated in (1, 3, 4)] == [4, 2, 2]
    assert DRIVER.reach(own, 5) == 3


def test_a_gate_that_is_still_shut_owes_its_pods_none_the_less():
    manifest = a_set()
    del manifest["spec"]["replicas"]
    assert DRIVER.reach(DRIVER.gate(manifest, 2), 5) == 5


def test_a_stuck_pod_of_an_abandoned_revision_is_deleted_after_the_rollback():
    pods = a_pod(3, "db-old", ready=True), a_pod(4, "db-bad", ready=False)
    assert doomed(*pods, of=live(), newest="db-old") == ["db-4"]


def test_a_stuck_pod_of_the_wanted_revision_is_left_alone():
    assert doomed(a_pod(4, "db-new", ready=False), of=live(partition=4), newest="db-new") == []


def test_an_old_pod_below_the_partition_is_left_alone_even_if_it_is_not_ready():
    assert doomed(a_pod(1, "db-old", ready=False), of=live(partition=4), newest="db-new") == []


def test_a_stuck_first_version_gives_way_to_its_correction():
    stuck = a_pod(0, "db-bad", ready=False)
    assert doomed(stuck, of=live(current="db-bad"), newest="db-new") == ["db-0"]


def test_a_ready_pod_is_never_deleted():
    assert doomed(a_pod(4, "db-bad", ready=True), of=live(), newest="db-old") == []


def test_a_parallel_set_needs_no_help():
    parallel = live()
    parallel["spec"]["podManagementPolicy"] = "Parallel"
    assert doomed(a_pod(4, "db-bad", ready=False), of=parallel, newest="db-old") == []
