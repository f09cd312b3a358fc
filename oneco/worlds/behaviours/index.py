"""What the controllers of one cluster look up again and again, kept from its commits."""

from __future__ import annotations

from collections.abc import Mapping

from oneco.kube.objects import Object
from oneco.worlds.apiserver.store import Change, Key

PODS = "/pods"
NODES = "/nodes"
SERVICES = "/services"
ENDPOINTS = "/endpoints"
SLICES = "discovery.k8s.io/endpointslices"
DEPLOYMENTS = "apps/deployments"
REPLICA_SETS = "apps/replicasets"
STATEFUL_SETS = "apps/statefulsets"
DAEMON_SETS = "apps/daemonsets"
CONTROLLER_REVISIONS = "apps/controllerrevisions"
JOBS = "batch/jobs"
CRON_JOBS = "batch/cronjobs"
CLAIMS = "/persistentvolumeclaims"
VOLUMES = "/persistentvolumes"


def owner_of(obj: Object) -> Object | None:
    """The reference to what controls `obj`."""
    # Asked several times for each commit: almost every object has one owner or none.
    for reference in obj["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return reference  # type: ignore[no-any-return]
    return None


_OWNED = frozenset({PODS, REPLICA_SETS, CONTROLLER_REVISIONS, JOBS})
_NONE: Mapping[str, Object] = {}


class Index:
    """Children by their controller's uid, orphans by namespace, pods by namespace and node.

    The mappings it answers with are its own: read them, and copy what a write may change.
    """

    __slots__ = ("_children", "_on_nodes", "_orphans", "_pods")

    def __init__(self) -> None:
        self._children: dict[str, dict[str, Object]] = {}
        self._orphans: dict[tuple[str, str], dict[str, Object]] = {}
        self._pods: dict[str, dict[str, Object]] = {}
        self._on_nodes: dict[str, dict[tuple[str, str], Object]] = {}

    def children(self, uid: str) -> Mapping[str, Object]:
        """What the object with this uid controls, by name, in no certain order."""
        return self._children.get(uid, _NONE)

    def orphans(self, collection: str, namespace: str) -> Mapping[str, Object]:
        """What nobody controls, by name."""
        return self._orphans.get((collection, namespace), _NONE)

    def pods(self, namespace: str) -> Mapping[str, Object]:
        """The pods of a namespace, by name."""
        return self._pods.get(namespace, _NONE)

    def on_node(self, node: str) -> Mapping[tuple[str, str], Object]:
        """The pods bound to a node, by namespace and name."""
        return self._on_nodes.get(node, {})

    def notice(self, change: Change) -> None:
        """Follow a commit."""
        key = change.key
        if key.collection not in _OWNED:
            return
        self._follow_owner(key, change.before, change.after)
        if key.collection == PODS:
            self._follow_pod(key, change.before, change.after)

    def _follow_owner(self, key: Key, before: Object | None, after: Object | None) -> None:
        shelf = self._shelf(key, after) if after is not None else None
        if before is not None:
            references = before["metadata"].get("ownerReferences")
            if after is None or after["metadata"].get("ownerReferences") is not references:
                self._leave(key, before)
        if after is not None and shelf is not None:
            shelf[key.name] = after

    def _shelf(self, key: Key, obj: Object) -> dict[str, Object]:
        owner = owner_of(obj)
        if owner is None:
            return self._orphans.setdefault((key.collection, key.namespace), {})
        uid = owner["uid"]
        shelf = self._children.get(uid)
        if shelf is None:
            shelf = self._children[uid] = {}
        return shelf

    def _leave(self, key: Key, obj: Object) -> None:
        shelf = self._shelf(key, obj)
        shelf.pop(key.name, None)
        owner = owner_of(obj)
        if owner is not None and not shelf:
            self._children.pop(owner["uid"], None)

    def _follow_pod(self, key: Key, before: Object | None, after: Object | None) -> None:
        pods = self._pods.get(key.namespace)
        if pods is None:
            pods = self._pods[key.namespace] = {}
        if after is None:
            pods.pop(key.name, None)
        else:
            pods[key.name] = after
        old = before["spec"].get("nodeName") if before is not None else None
        new = after["spec"].get("nodeName") if after is not None else None
        place = (key.namespace, key.name)
        if old is not None and old != new:
            self._on_nodes[old].pop(place, None)
        if new is not None and after is not None:
            found = self._on_nodes.get(new)
            if found is None:
                found = self._on_nodes[new] = {}
            found[place] = after
