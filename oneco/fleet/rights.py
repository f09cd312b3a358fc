"""What an agent and a newcomer may do on the hub, as the roles and bindings that say so.

Any Kubernetes API server enforces these, ours as any other. A hub that is not an administrator
there has to hold these rights itself, or the verb `bind` on these ClusterRoles and `escalate` on
those of single clusters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from oneco.fleet.joining import AGENT_PREFIX, FETCHERS_GROUP, JOINERS_GROUP
from oneco.kinds import agents
from oneco.kinds.ocm import (
    CLUSTER_NAME_LABEL,
    CLUSTERS,
    CONFIRMED_EPOCH_ANNOTATION,
    HUB_EPOCH_ANNOTATION,
)
from oneco.kube import objects
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource

GROUP: Final = "rbac.authorization.k8s.io"
ROLES: Final = Resource(GROUP, "v1", "clusterroles")
BINDINGS: Final = Resource(GROUP, "v1", "clusterrolebindings")
LOCAL_BINDINGS: Final = Resource(GROUP, "v1", "rolebindings")

AGENT_ROLE: Final = "onepersoncompany.io:agent"
"""What every agent may do in the namespace of its cluster, and the name of the binding there."""
JOIN_ROLE: Final = "onepersoncompany.io:join"
"""What an invitation may do: ask for a certificate, and look for the answer."""
FETCH_ROLE: Final = "onepersoncompany.io:fetch"
"""What is left to an invitation whose token is gone: to look for its certificate."""

ROOT_AUTHORITY: Final = "kube-root-ca.crt"
"""The ConfigMap that names the authorities of the API server, as Kubernetes itself writes it."""

_KINDS: Final = {
    ROLES: "ClusterRole",
    BINDINGS: "ClusterRoleBinding",
    LOCAL_BINDINGS: "RoleBinding",
}
_READ: Final = ("get", "list", "watch")
_CHANGED: Final = (*_READ, "patch", "update")
_MADE: Final = (*_CHANGED, "create", "delete")
_REQUESTS: Final = ("certificates.k8s.io", "certificatesigningrequests")
# Nothing that the hub takes orders from: an Application in this namespace would reach every
# cluster, and a CheckRun would say that its own release is good.
_AGENTS_OWN: Final = (
    ("work.open-cluster-management.io", "manifestworks", _CHANGED),
    ("addon.open-cluster-management.io", "managedclusteraddons", _CHANGED),
    ("onepersoncompany.io", "observations", _MADE),
    ("coordination.k8s.io", "leases", _MADE),
    ("", "events", _MADE),
    ("events.k8s.io", "events", _MADE),
)
_HAS_STATUS: Final = frozenset({"manifestworks", "managedclusteraddons", "observations"})


def for_hub() -> tuple[tuple[Address, Object], ...]:
    """The roles that are the same for all clusters, and who asks to be one."""
    in_namespace = [
        _rule(group, verbs, plural, *([f"{plural}/status"] if plural in _HAS_STATUS else ()))
        for group, plural, verbs in _AGENTS_OWN
    ]
    # Whom to believe that it is the hub: every namespace of a cluster has this one.
    in_namespace.append({**_rule("", ("get",), "configmaps"), "resourceNames": [ROOT_AUTHORITY]})
    asks = [_rule(_REQUESTS[0], ("create", "get"), _REQUESTS[1])]
    fetches = [_rule(_REQUESTS[0], ("get",), _REQUESTS[1])]
    return (
        _named(ROLES, AGENT_ROLE, rules=in_namespace),
        _named(ROLES, JOIN_ROLE, rules=asks),
        _named(BINDINGS, JOIN_ROLE, **_binds(JOIN_ROLE, JOINERS_GROUP)),
        _named(ROLES, FETCH_ROLE, rules=fetches),
        _named(BINDINGS, FETCH_ROLE, **_binds(FETCH_ROLE, FETCHERS_GROUP)),
    )


def of_cluster(cluster: Object) -> dict[Address, Object]:
    """What makes the agent of an accepted cluster one; all of it goes with the ManagedCluster."""
    name = objects.name(cluster)
    own, in_namespace, everywhere = addresses(name)
    group = AGENT_PREFIX + name
    # Ours asks for one request by its name; others look for theirs among all that there are.
    asks = ("create", *_READ) if agents.of(cluster) == "foreign" else ("create", "get")
    rules = [
        _rule(_REQUESTS[0], asks, _REQUESTS[1]),
        {**_rule(CLUSTERS.group, _READ, CLUSTERS.plural), "resourceNames": [name]},
        {
            **_rule(CLUSTERS.group, ("get", "patch", "update"), f"{CLUSTERS.plural}/status"),
            "resourceNames": [name],
        },
    ]
    wanted: dict[Address, dict[str, Any]] = {
        own: {"rules": rules},
        everywhere: _binds(own.name, group),
        in_namespace: _binds(AGENT_ROLE, group),
    }
    if is_withheld(cluster):
        del wanted[in_namespace]
    return {address: _object(address, cluster, parts) for address, parts in wanted.items()}


def is_withheld(cluster: Object) -> bool:
    """Whether the agent gets no works until a person confirms this life of the hub.

    Ours asks by itself, and says what it would change. A foreign one knows of no lives: it would do
    at once what a hub that started from a copy says, which is what was said some time ago.
    """
    marks = objects.annotations_of(cluster)
    confirmed = marks.get(CONFIRMED_EPOCH_ANNOTATION, "")
    is_new_life = bool(confirmed) and confirmed != marks.get(HUB_EPOCH_ANNOTATION, confirmed)
    return is_new_life and agents.of(cluster) == "foreign"


def addresses(cluster: str) -> tuple[Address, Address, Address]:
    """Where the role of one cluster is, its binding in the namespace, and the one outside it."""
    name = f"{AGENT_ROLE}:{cluster}"
    return (
        Address(ROLES, "", name),
        Address(LOCAL_BINDINGS, cluster, AGENT_ROLE),
        Address(BINDINGS, "", name),
    )


def is_as_wanted(present: Object | None, wanted: Object) -> bool:
    """Whether the role or binding says what it should, and goes when it should."""
    if present is None:
        return False
    own = objects.dig(wanted, "metadata", "ownerReferences", default=())
    held = objects.dig(present, "metadata", "ownerReferences", default=())
    return _said(present) == _said(wanted) and all(one in held for one in own)


def is_of_another_role(present: Object | None, wanted: Object) -> bool:
    """Whether a binding is of another role: that cannot change, only begin anew."""
    return present is not None and present.get("roleRef") != wanted.get("roleRef")


def _said(obj: Object) -> tuple[object, ...]:
    return obj.get("rules"), obj.get("roleRef"), obj.get("subjects")


def _rule(group: str, verbs: tuple[str, ...], *resources: str) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


def _binds(role: str, group: str) -> dict[str, Any]:
    return {
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": GROUP, "kind": "Group", "name": group}],
    }


def _named(resource: Resource, name: str, **parts: Any) -> tuple[Address, Object]:
    address = Address(resource, "", name)
    return address, _body(address, {"name": name}, parts)


def _object(address: Address, cluster: Object, parts: Mapping[str, Any]) -> Object:
    name = objects.name(cluster)
    metadata: dict[str, Any] = {"name": address.name, "labels": {CLUSTER_NAME_LABEL: name}}
    if address.namespace:
        metadata["namespace"] = address.namespace
    owner = {
        "apiVersion": CLUSTERS.api_version,
        "kind": "ManagedCluster",
        "name": name,
        "uid": objects.uid(cluster),
    }
    metadata["ownerReferences"] = [owner]
    return _body(address, metadata, parts)


def _body(address: Address, metadata: Mapping[str, Any], parts: Mapping[str, Any]) -> Object:
    resource = address.resource
    head = {"apiVersion": resource.api_version, "kind": _KINDS[resource], "metadata": metadata}
    return {**head, **parts}
