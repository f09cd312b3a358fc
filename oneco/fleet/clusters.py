"""One ManagedCluster: its namespace and lease, and whether it is accepted and can be reached.

Conditions are changed first and taints in the next look: both are fenced by the version that was
seen, and each write makes a new one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from oneco.clock import Instant
from oneco.decision import (
    NOTHING,
    Action,
    Apply,
    Change,
    Create,
    Decision,
    Delete,
    Reader,
    Reason,
)
from oneco.fleet import rights
from oneco.kinds import validity
from oneco.kinds.conditions import Condition, find, status_of, with_condition
from oneco.kinds.ocm import (
    CLUSTER_NAME_LABEL,
    CLUSTERS,
    CONFIRMED_EPOCH_ANNOTATION,
    HUB_EPOCH_ANNOTATION,
    RESERVED_NAMES,
    ClusterSpec,
)
from oneco.kinds.parts import parse
from oneco.kinds.placement import UNAVAILABLE_TAINT, UNREACHABLE_TAINT
from oneco.kube import causes, objects, times
from oneco.kube.api import Patch, WriteOptions
from oneco.kube.objects import Object, dig
from oneco.kube.refs import Address, Resource

NAMESPACES: Final = Resource("", "v1", "namespaces")
LEASES: Final = Resource("coordination.k8s.io", "v1", "leases")
CONFIG_MAPS: Final = Resource("", "v1", "configmaps")

LEASE_NAME: Final = "managed-cluster-lease"
EPOCH_ADDRESS: Final = Address(CONFIG_MAPS, "oneco-system", "hub-epoch")
"""The ConfigMap whose `epoch` names this life of the hub."""
LIVENESS_ANNOTATION: Final = "onepersoncompany.io/liveness"
"""With the value `events`: a healthy agent writes no heartbeat, its own condition is believed."""

ACCEPTED: Final = "HubAcceptedManagedCluster"
AVAILABLE: Final = "ManagedClusterConditionAvailable"
LEASE_STOPPED: Final = "ManagedClusterLeaseUpdateStopped"
_MISSED_RENEWALS: Final = 5
_MANAGER: Final = WriteOptions(manager="oneco-fleet", force=True)
_OWN_TAINTS: Final = (UNREACHABLE_TAINT, UNAVAILABLE_TAINT)


class ClusterSeen(NamedTuple):
    """What is known of one cluster; `epoch` is empty where the hub has none yet.

    `rights` are those of its agent's roles and bindings that are there.
    """

    cluster: Object
    namespace: Object | None = None
    lease: Object | None = None
    epoch: str = ""
    rights: Mapping[Address, Object] = MappingProxyType({})


def gather(reader: Reader, key: tuple[str, str]) -> ClusterSeen | None:
    """Everything about the cluster that `key` names, or None where it is gone."""
    name = key[1]
    cluster = reader.get(Address(CLUSTERS, name=name))
    if cluster is None:
        return None
    return ClusterSeen(
        cluster,
        reader.get(Address(NAMESPACES, name=name)),
        reader.get(Address(LEASES, name, LEASE_NAME)),
        dig(reader.get(EPOCH_ADDRESS), "data", "epoch", default=""),
        {one: found for one in rights.addresses(name) if (found := reader.get(one)) is not None},
    )


def decide(seen: ClusterSeen, now: Instant) -> Decision:
    """The next writes for one cluster, and when its silence would become too long."""
    cluster = seen.cluster
    if objects.is_deleting(cluster):
        return NOTHING
    spec = parse(ClusterSpec, cluster.get("spec"), "spec")
    before: Sequence[Object] = dig(cluster, "status", "conditions", default=())
    deadline = _deadline(seen, spec, now)
    mistakes = [one for one in validity.validate(cluster) if one.field == "metadata.name"]
    if mistakes:
        # The server asked nobody before it kept the object: such a name is another's place.
        return _refused(seen, before, causes.text(mistakes), now)
    after = _with_acceptance(before, spec, now)
    if spec.hub_accepts_client and deadline is not None:
        after = _with_availability(after, deadline, now)
    if spec.hub_accepts_client:
        actions = [*_places(seen, now), *_rights(seen)]
    else:
        # First of all: a denied agent must not do anything more.
        actions = [Delete(address) for address in seen.rights]
    if after is not before:
        actions.append(_status_change(cluster, after))
    else:
        actions += _marks(seen, spec, after, now)
    is_awaited = spec.hub_accepts_client and deadline is not None and deadline > now
    return Decision(
        actions=tuple(actions),
        wake_at=deadline if is_awaited else None,
        reasons=_reasons(before, after),
    )


def _refused(seen: ClusterSeen, before: Sequence[Object], message: str, now: Instant) -> Decision:
    """No place and no rights for what may not be a cluster, and why."""
    wrong = Condition(ACCEPTED, "False", "Invalid", message)
    after = with_condition(before, wrong, now)
    actions: list[Action] = [Delete(address) for address in seen.rights]
    if after is not before:
        actions.append(_status_change(seen.cluster, after))
    return Decision(actions=actions, reasons=_reasons(before, after))


def _deadline(seen: ClusterSeen, spec: ClusterSpec, now: Instant) -> Instant | None:
    """When the agent will have been silent for too long; None if nobody listens for it."""
    if objects.annotations_of(seen.cluster).get(LIVENESS_ANNOTATION) == "events":
        return None
    renewed = dig(seen.lease, "spec", "renewTime", default="")
    last = times.from_text(renewed) if renewed else now
    return Instant(last + _MISSED_RENEWALS * spec.lease_duration_seconds)


def _with_acceptance(
    conditions: Sequence[Object], spec: ClusterSpec, now: Instant
) -> Sequence[Object]:
    if spec.hub_accepts_client:
        accepted = Condition(
            ACCEPTED, "True", "HubClusterAdminAccepted", "A person accepted this cluster."
        )
        return with_condition(conditions, accepted, now)
    if status_of(conditions, ACCEPTED) == "True":
        denied = Condition(
            ACCEPTED, "False", "HubClusterAdminDenied", "A person denied this cluster."
        )
        return with_condition(conditions, denied, now)
    return conditions


def _with_availability(
    conditions: Sequence[Object], deadline: Instant, now: Instant
) -> Sequence[Object]:
    if now >= deadline:
        silent = Condition(
            AVAILABLE, "Unknown", LEASE_STOPPED, "The agent stopped renewing its lease."
        )
        return with_condition(conditions, silent, now)
    # Only what was said here is taken back here: the rest of the condition is the agent's.
    if (find(conditions, AVAILABLE) or {}).get("reason") == LEASE_STOPPED:
        back = Condition(
            AVAILABLE, "True", "ManagedClusterAvailable", "The agent renews its lease again."
        )
        return with_condition(conditions, back, now)
    return conditions


def _status_change(cluster: Object, conditions: Sequence[Object]) -> Change:
    # The agent writes the same list: without the version, one of the two would be lost.
    body = {**_fence(cluster), "status": {"conditions": list(conditions)}}
    address = Address(CLUSTERS, name=objects.name(cluster), subresource="status")
    return Change(address, Patch("merge", body))


def _fence(cluster: Object) -> dict[str, Any]:
    return {"metadata": {"resourceVersion": objects.resource_version(cluster)}}


def _places(seen: ClusterSeen, now: Instant) -> list[Action]:
    """The namespace and the lease that an accepted cluster has on the hub."""
    name = objects.name(seen.cluster)
    labels = {CLUSTER_NAME_LABEL: name}
    actions: list[Action] = []
    if seen.namespace is None:
        metadata = {"name": name, "labels": labels}
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        actions.append(Create(Address(NAMESPACES), body))
    elif objects.labels(seen.namespace).get(CLUSTER_NAME_LABEL) != name:
        patch = Patch("merge", {"metadata": {"labels": labels}})
        actions.append(Change(Address(NAMESPACES, name=name), patch))
    if seen.lease is None and not objects.is_deleting(seen.namespace or {}):
        actions.append(Create(Address(LEASES, name), _new_lease(name, labels, now)))
    return actions


def _rights(seen: ClusterSeen) -> list[Action]:
    """What makes the roles and bindings of the agent what they should be."""
    if objects.is_deleting(seen.namespace or {}) or objects.name(seen.cluster) in RESERVED_NAMES:
        return []
    every = rights.of_cluster(seen.cluster)
    actions: list[Action] = [Delete(one) for one in seen.rights if one not in every]
    for address, wanted in every.items():
        present = seen.rights.get(address)
        if rights.is_of_another_role(present, wanted):
            actions.append(Delete(address))
        if not rights.is_as_wanted(present, wanted):
            actions.append(Apply(address, wanted, _MANAGER))
    return actions


def _new_lease(name: str, labels: Mapping[str, str], now: Instant) -> Object:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": LEASE_NAME, "namespace": name, "labels": labels},
        "spec": {"holderIdentity": LEASE_NAME, "renewTime": times.to_micro_text(now)},
    }


def _marks(
    seen: ClusterSeen, spec: ClusterSpec, conditions: Sequence[Object], now: Instant
) -> list[Action]:
    """The hub's epoch and the taints, where they are not what they should be."""
    cluster = seen.cluster
    annotations = _wanted_epochs(seen, spec)
    taints = _wanted_taints(cluster, spec, conditions, now)
    body = _fence(cluster)
    if annotations:
        body["metadata"]["annotations"] = annotations
    if taints is not None:
        body["spec"] = {"taints": taints}
    if not annotations and taints is None:
        return []
    return [Change(Address(CLUSTERS, name=objects.name(cluster)), Patch("merge", body))]


def _wanted_epochs(seen: ClusterSeen, spec: ClusterSpec) -> dict[str, str]:
    if not seen.epoch:
        return {}
    present = objects.annotations_of(seen.cluster)
    wanted = {HUB_EPOCH_ANNOTATION: seen.epoch}
    # To accept a cluster is to allow this life of the hub to act on it; a later life has to ask.
    if spec.hub_accepts_client and not present.get(CONFIRMED_EPOCH_ANNOTATION):
        wanted[CONFIRMED_EPOCH_ANNOTATION] = seen.epoch
    return {key: value for key, value in wanted.items() if present.get(key) != value}


def _wanted_taints(
    cluster: Object, spec: ClusterSpec, conditions: Sequence[Object], now: Instant
) -> list[Object] | None:
    """The taints as they should be, or None where they are."""
    if not spec.hub_accepts_client:
        return None
    present: Sequence[Object] = dig(cluster, "spec", "taints", default=())
    wanted = _TAINT_BY_AVAILABILITY[status_of(conditions, AVAILABLE)]
    own = [taint.get("key") for taint in present if taint.get("key") in _OWN_TAINTS]
    if own == ([wanted] if wanted else []):
        return None
    kept = [taint for taint in present if taint.get("key") not in _OWN_TAINTS]
    new = {"key": wanted, "effect": "NoSelect", "timeAdded": times.to_text(now)}
    return [*kept, new] if wanted else kept


# A cluster of which nobody has said anything yet has not joined.
_TAINT_BY_AVAILABILITY: Final = {
    "": UNREACHABLE_TAINT,
    "Unknown": UNREACHABLE_TAINT,
    "False": UNAVAILABLE_TAINT,
    "True": "",
}


def _reasons(before: Sequence[Object], after: Sequence[Object]) -> tuple[Reason, ...]:
    return tuple(
        Reason(one["reason"], one["message"])
        for one in after
        if after is not before and all(one is not other for other in before)
    )
