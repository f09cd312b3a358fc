"""What the agent says of its cluster as a whole: that it joined, lives, and how large it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import oneco
from oneco.clock import Instant
from oneco.decision import Action, Change, Decision, Reader, StatusWrite
from oneco.kinds import ocm
from oneco.kinds.conditions import Condition, status_of, with_condition
from oneco.kube import objects, quantity, times
from oneco.kube.api import Patch
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource

LEASES = Resource("coordination.k8s.io", "v1", "leases")
NODES = Resource("", "v1", "nodes")
LEASE_NAME = "managed-cluster-lease"
_GOOD = (
    Condition("ManagedClusterJoined", "True", "ManagedClusterJoined", "Managed cluster joined"),
    Condition(
        "ManagedClusterConditionAvailable",
        "True",
        "ManagedClusterAvailable",
        "Managed cluster is available",
    ),
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSeen:
    """The ManagedCluster on the hub, its lease, and the nodes of the member."""

    cluster: Object
    lease: Object | None
    nodes: Sequence[Object]
    has_heartbeat: bool


def gather(reader: Reader, key: tuple[str, str], *, has_heartbeat: bool) -> ClusterSeen | None:
    """The cluster at `key`, or None while it is not registered."""
    name = key[1]
    cluster = reader.get(Address(ocm.CLUSTERS, "", name))
    if cluster is None:
        return None
    return ClusterSeen(
        cluster=cluster,
        lease=reader.get(Address(LEASES, name, LEASE_NAME)) if has_heartbeat else None,
        nodes=reader.list(NODES, "", "member"),
        has_heartbeat=has_heartbeat,
    )


def decide(seen: ClusterSeen, now: Instant) -> Decision:
    """The cluster's status, and a heartbeat when one is due."""
    if not objects.dig(seen.cluster, "spec", "hubAcceptsClient", default=False):
        return Decision()
    name = objects.name(seen.cluster)
    status = StatusWrite(Address(ocm.CLUSTERS, "", name), _status(seen, now))
    if not seen.has_heartbeat:
        return Decision(statuses=(status,))
    period = objects.dig(seen.cluster, "spec", "leaseDurationSeconds", default=60)
    renewed = objects.dig(seen.lease or {}, "spec", "renewTime")
    due = Instant(times.from_text(renewed) + period) if renewed else now
    if now < due:
        return Decision(statuses=(status,), wake_at=due)
    wake_at = Instant(now + period)
    return Decision(actions=(_renew(name, period, now),), statuses=(status,), wake_at=wake_at)


def _renew(name: str, period: int, now: Instant) -> Action:
    spec = {
        "holderIdentity": LEASE_NAME,
        "leaseDurationSeconds": period,
        "renewTime": times.to_micro_text(now),
    }
    return Change(Address(LEASES, name, LEASE_NAME), Patch("merge", {"spec": spec}))


def _status(seen: ClusterSeen, now: Instant) -> Object:
    old = seen.cluster.get("status") or {}
    conditions: Sequence[Object] = old.get("conditions") or []
    for good in _GOOD:
        # The hub words it in its own way: what is true already is left as it is.
        if status_of(conditions, good.type) != "True":
            conditions = with_condition(conditions, good, now)
    own = {ocm.NODES_CLAIM: str(len(seen.nodes)), ocm.AGENT_CLAIM: oneco.__version__}
    others = [one for one in old.get("clusterClaims") or () if one.get("name") not in own]
    return {
        **old,
        "conditions": conditions,
        "capacity": _sum(seen.nodes, "capacity"),
        "allocatable": _sum(seen.nodes, "allocatable"),
        "clusterClaims": [*others, *({"name": name, "value": own[name]} for name in own)],
    }


def _sum(nodes: Sequence[Object], field: str) -> dict[str, str]:
    offered = [objects.dig(node, "status", field, default={}) for node in nodes]
    return {
        resource: quantity.total([str(one[resource]) for one in offered if resource in one])
        for resource in ("cpu", "memory", "pods")
        if any(resource in one for one in offered)
    }
