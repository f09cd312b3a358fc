"""What an agent says of its cluster as a whole."""

from __future__ import annotations

import oneco
from oneco.agent import membership
from oneco.agent.membership import ClusterSeen
from oneco.clock import Instant
from oneco.decision import NOTHING, Change, Decision
from oneco.kube import times

NOW = times.from_text("2026-11-21T08:00:00Z")


def a_cluster(*conditions, accepted: bool = True, **status):
    return {
        "metadata": {"name": "here"},
        "spec": {"hubAcceptsClient": accepted, "leaseDurationSeconds": 60},
        "status": {"conditions": list(conditions), **status},
    }


def a_node(cpu: str, memory: str):
    room = {"cpu": cpu, "memory": memory, "pods": "110", "other": "1"}
    return {"status": {"capacity": room, "allocatable": room}}


def decide(cluster, *, renewed: float | None = None, nodes=(), has_heartbeat=True) -> Decision:
    lease = None
    if renewed is not None:
        lease = {"spec": {"renewTime": times.to_micro_text(Instant(NOW + renewed))}}
    seen = ClusterSeen(cluster=cluster, lease=lease, nodes=nodes, has_heartbeat=has_heartbeat)
    return membership.decide(seen, NOW)


def status(decision):
    (written,) = decision.statuses
    return written.status


def test_a_cluster_that_nobody_accepted_says_nothing():
    assert decide(a_cluster(accepted=False)) == NOTHING


def test_a_cluster_joins_and_is_available():
    found = status(decide(a_cluster()))["conditions"]
    assert [(one["type"], one["status"]) for one in found] == [
        ("ManagedClusterJoined", "True"),
        ("ManagedClusterConditionAvailable", "True"),
    ]


def test_a_cluster_that_was_given_up_says_that_it_is_back():
    lost = {"type": "ManagedClusterConditionAvailable", "status": "Unknown", "reason": "Stopped"}
    found = {one["type"]: one["status"] for one in status(decide(a_cluster(lost)))["conditions"]}
    assert found["ManagedClusterConditionAvailable"] == "True"


def test_what_others_say_of_the_cluster_is_kept():
    theirs = {"type": "HubAcceptedManagedCluster", "status": "True"}
    claims = [
        {"name": "region", "value": "eu"},
        {"name": "nodes.onepersoncompany.io", "value": "9"},
    ]
    found = status(decide(a_cluster(theirs, clusterClaims=claims), nodes=[a_node("4", "8Gi")]))
    assert theirs in found["conditions"]
    assert found["clusterClaims"] == [
        {"name": "region", "value": "eu"},
        {"name": "nodes.onepersoncompany.io", "value": "1"},
        {"name": "agent.onepersoncompany.io", "value": oneco.__version__},
    ]


def test_nothing_new_is_said_where_nothing_changed():
    first = status(decide(a_cluster(), nodes=[a_node("4", "8Gi")]))
    again = {**a_cluster(), "status": first}
    assert status(decide(again, nodes=[a_node("4", "8Gi")])) == first


def test_the_size_is_the_sum_of_the_nodes():
    found = status(decide(a_cluster(), nodes=[a_node("4", "8Gi"), a_node("500m", "1Gi")]))
    assert found["capacity"] == {"cpu": "4500m", "memory": "9Gi", "pods": "220"}


def test_a_heartbeat_is_sent_when_it_is_due_and_not_before():
    early = decide(a_cluster(), renewed=-59)
    assert (early.actions, early.wake_at) == ((), NOW + 1)
    due = decide(a_cluster(), renewed=-60)
    (renewal,) = due.actions
    assert isinstance(renewal, Change)
    assert renewal.patch.body["spec"]["renewTime"] == times.to_micro_text(NOW)
    assert due.wake_at == NOW + 60


def test_where_time_is_virtual_no_heartbeat_is_sent():
    found = decide(a_cluster(), has_heartbeat=False)
    assert (found.actions, found.wake_at) == ((), None)
