"""How far an unfinished revision has reached, measured on the pods themselves."""

from __future__ import annotations

import dataclasses

from oneco.kube import objects
from oneco.kube.objects import Object
from oneco.worlds.apiserver.store import Change, Store

_PODS = "/pods"
_HASH_LABEL = "pod-template-hash"
_REVISION_LABEL = "controller-revision-hash"
_NAME_LABEL = "app.oam.dev/name"
_COMPONENT_LABEL = "app.oam.dev/component"

Template = tuple[str, str, str]
"""Namespace, component and template hash."""


@dataclasses.dataclass(slots=True)
class _Cluster:
    good: set[Template] = dataclasses.field(default_factory=set)
    pods: int = 0
    exposed: int = 0


class Exposure:
    """Counts the pods of one Application, and those on templates that no release completed.

    `share` and `clusters` are the highest values so far, from 0 to 1 and in clusters.
    """

    def __init__(self, application: str) -> None:
        self._application = application
        self._clusters: dict[str, _Cluster] = {}
        self._pods = self._exposed = self._exposed_clusters = 0
        self.share = 0.0
        self.clusters = 0

    def watch(self, name: str, store: Store) -> None:
        """Count this cluster's pods from now on."""
        cluster = self._clusters[name] = _Cluster()
        store.on_commit(lambda change: self._count(cluster, change))

    def begin(self, stores: dict[str, Store]) -> None:
        """What runs now has completed: only what comes after it is exposure."""
        for name, store in stores.items():
            cluster = self._clusters[name]
            cluster.good = {_template(pod) for pod in store.scan(_PODS) if self._is_ours(pod)}
            cluster.exposed = 0
        self._exposed = self._exposed_clusters = self.clusters = 0
        self.share = 0.0

    def _count(self, cluster: _Cluster, change: Change) -> None:
        if change.key.collection != _PODS or (change.before is None) == (change.after is None):
            return
        pod, step = (change.after, 1) if change.after is not None else (change.before, -1)
        if pod is None or not self._is_ours(pod):
            return
        cluster.pods += step
        self._pods += step
        if _template(pod) not in cluster.good:
            self._expose(cluster, step)
        self.share = max(self.share, self._exposed / self._pods if self._pods else 0.0)

    def _expose(self, cluster: _Cluster, step: int) -> None:
        was = cluster.exposed > 0
        cluster.exposed += step
        self._exposed += step
        self._exposed_clusters += (cluster.exposed > 0) - was
        self.clusters = max(self.clusters, self._exposed_clusters)

    def _is_ours(self, pod: Object) -> bool:
        return objects.labels(pod).get(_NAME_LABEL) == self._application


def _template(pod: Object) -> Template:
    labels = objects.labels(pod)
    component = labels.get(_COMPONENT_LABEL, "")
    # StatefulSets and DaemonSets have revisions where Deployments have ReplicaSets.
    template = labels.get(_HASH_LABEL) or labels.get(_REVISION_LABEL, "")
    return objects.namespace(pod), component, template
