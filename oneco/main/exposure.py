"""How far an unfinished revision has reached, measured in the clusters themselves."""

from __future__ import annotations

import dataclasses

from oneco.agent import marks
from oneco.kube import objects
from oneco.kube.objects import Object
from oneco.kube.refs import Kind, split_api_version
from oneco.main.workloads import WORKLOADS
from oneco.release.works import plural
from oneco.worlds.apiserver.store import Change, Key, Store

_PODS = "/pods"
_WORKLOADS = frozenset(f"{one.group}/{plural(one)}" for one in WORKLOADS)
_HASH_LABEL = "pod-template-hash"
_REVISION_LABEL = "controller-revision-hash"
_NAME_LABEL = "app.oam.dev/name"
_COMPONENT_LABEL = "app.oam.dev/component"

Template = tuple[str, str, str]
"""Namespace, component and template hash."""


@dataclasses.dataclass(slots=True)
class _Cluster:
    good: set[Template] = dataclasses.field(default_factory=set)
    others: dict[Key, Object] = dataclasses.field(default_factory=dict)
    """What was applied besides workloads when the last revision completed."""
    changed: set[Key] = dataclasses.field(default_factory=set)
    """What of that has changed since: every pod of the cluster may feel it."""
    ours: set[Key] = dataclasses.field(default_factory=set)
    """The pods that are counted."""
    new: int = 0

    @property
    def pods(self) -> int:
        return len(self.ours)

    @property
    def exposed(self) -> int:
        return self.pods if self.changed else self.new

    @property
    def is_exposed(self) -> bool:
        return bool(self.changed) or self.new > 0


class Exposure:
    """Counts the pods of one Application that an uncompleted revision reaches.

    Those are the pods on its templates, and all pods of a cluster in which it changed anything
    besides. `share` and `clusters` are the highest values so far, from 0 to 1 and in clusters.
    """

    def __init__(self, application: str) -> None:
        self._application = application
        self._clusters: dict[str, _Cluster] = {}
        self._is_begun = False
        self._pods = self._exposed = self._exposed_clusters = 0
        self.share = 0.0
        self.clusters = 0

    def watch(self, name: str, store: Store) -> None:
        """Count this cluster's pods from now on."""
        cluster = self._clusters[name] = _Cluster()
        store.on_commit(lambda change: self._notice(cluster, store, change))

    def begin(self, stores: dict[str, Store]) -> None:
        """What runs now has completed: only what comes after it is exposure."""
        for name, store in stores.items():
            cluster = self._clusters[name]
            cluster.good = {
                _template(pod) for pod in store.scan(_PODS) if _key(pod) in cluster.ours
            }
            cluster.changed.clear()
            cluster.new = 0
        self._is_begun = True
        self._exposed = self._exposed_clusters = self.clusters = 0
        self.share = 0.0

    def _notice(self, cluster: _Cluster, store: Store, change: Change) -> None:
        before, was_exposed = cluster.exposed, cluster.is_exposed
        if change.key.collection == _PODS:
            self._count(cluster, store, change)
        else:
            self._compare(cluster, change)
        self._exposed += cluster.exposed - before
        self._exposed_clusters += cluster.is_exposed - was_exposed
        self.clusters = max(self.clusters, self._exposed_clusters)
        self.share = max(self.share, self._exposed / self._pods if self._pods else 0.0)

    def _count(self, cluster: _Cluster, store: Store, change: Change) -> None:
        before, after, key = change.before, change.after, change.key
        if before is None and after is not None and self._is_our_pod(store, after):
            cluster.ours.add(key)
            self._pods += 1
        elif key not in cluster.ours:
            return
        # A pod that is updated in its place comes to another template without leaving.
        cluster.new += _is_new(after, cluster.good) - _is_new(before, cluster.good)
        if after is None:
            cluster.ours.remove(key)
            self._pods -= 1

    def _is_our_pod(self, store: Store, pod: Object) -> bool:
        """By its own labels, else by those of the workload that made it."""
        owner: Object | None = pod
        for _ in range(3):
            if owner is None or _NAME_LABEL in objects.labels(owner):
                break
            owner = _controller(store, owner)
        return owner is not None and self._is_ours(owner)

    def _compare(self, cluster: _Cluster, change: Change) -> None:
        found = change.after if change.after is not None else change.before
        if found is None or not self._is_ours(found) or not _is_other(change.key, found):
            return
        if not self._is_begun:
            if change.after is None:
                cluster.others.pop(change.key, None)
            else:
                cluster.others[change.key] = _body(change.after)
            return
        body = None if change.after is None else _body(change.after)
        if body == cluster.others.get(change.key):
            cluster.changed.discard(change.key)
        else:
            cluster.changed.add(change.key)

    def _is_ours(self, obj: Object) -> bool:
        return objects.labels(obj).get(_NAME_LABEL) == self._application


def _is_new(pod: Object | None, good: set[Template]) -> bool:
    return pod is not None and _template(pod) not in good


def _key(pod: Object) -> Key:
    return Key(_PODS, objects.namespace(pod), objects.name(pod))


def _controller(store: Store, obj: Object) -> Object | None:
    reference = objects.controller_of(obj)
    if reference is None:
        return None
    group, version = split_api_version(reference.get("apiVersion") or "")
    collection = f"{group}/{plural(Kind(group, version, reference.get('kind', '')))}"
    return store.get(Key(collection, objects.namespace(obj), reference["name"]))


def _is_other(key: Key, obj: Object) -> bool:
    """Whether it was applied and is no workload: those reach as far as their new pods."""
    is_applied = bool(marks.work_of(obj)) and objects.controller_of(obj) is None
    return is_applied and key.collection not in _WORKLOADS


def _body(obj: Object) -> Object:
    """What an object says; its metadata names the revision and would differ every time."""
    return {key: part for key, part in obj.items() if key not in ("metadata", "status")}


def _template(pod: Object) -> Template:
    labels = objects.labels(pod)
    component = labels.get(_COMPONENT_LABEL, "")
    # StatefulSets and DaemonSets have revisions where Deployments have ReplicaSets.
    template = labels.get(_HASH_LABEL) or labels.get(_REVISION_LABEL, "")
    return objects.namespace(pod), component, template
