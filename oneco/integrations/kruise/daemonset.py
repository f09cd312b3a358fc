"""The partition of an Advanced DaemonSet, which counts the nodes whose pods stay old.

How many nodes there are only the cluster knows, so its agent computes the number. A node that
joins meanwhile gets a new pod at once, as with Kubernetes' own DaemonSet.
"""

from __future__ import annotations

from collections.abc import Sequence

from oneco.agent.ports import Pod, Said
from oneco.integrations.kruise import gates
from oneco.kube import objects
from oneco.kube.objects import Json, Object
from oneco.kube.refs import Resource


class DaemonSetWorkload:
    """OpenKruise's Advanced DaemonSet as a workload that can be updated in part."""

    history: Resource | None = None
    is_on_nodes = True

    def replicas(self, manifest: Object) -> int | None:
        """None: the nodes of the cluster say how many pods there are."""
        del manifest
        return None

    def template(self, manifest: Object) -> Json:
        """The pod template."""
        return objects.dig(manifest, "spec", "template")

    def is_divisible(self, manifest: Object) -> bool:
        """One that its owner pauses, or limits to nodes of his choice, cannot be held too."""
        if gates.is_on_delete(manifest) or self.is_paused(manifest):
            return False
        return gates.is_sound(manifest) and gates.rolling(manifest).get("selector") is None

    def reach(self, manifest: Object, replicas: int) -> int:
        """All but what its partition holds; none that is certain where its owner chooses."""
        if not self.is_divisible(manifest):
            return 0
        return max(0, replicas - gates.own_number(manifest))

    def gate(self, manifest: Object, updated: int) -> Object:
        """The manifest under a gate at `updated` pods, shut until the nodes are counted."""
        own = gates.own_number(manifest)
        return _held(gates.marked(manifest, updated, own), None)

    def served(self, manifest: Object, version: str) -> Object | None:
        """The manifest in that version: both have the same fields."""
        is_same = gates.version_of(manifest) == version
        return manifest if is_same else gates.in_version(manifest, version)

    def said(self, live: Object, history: Sequence[Object]) -> Said:
        """What its status says; only pods tell which of them are new *and* ready."""
        del history
        status = live.get("status") or {}
        return Said(
            replicas=status.get("desiredNumberScheduled") or 0,
            total=status.get("currentNumberScheduled") or 0,
            updated=status.get("updatedNumberScheduled") or 0,
            ready=status.get("numberReady") or 0,
            newest=status.get("daemonSetHash") or None,
        )

    def min_ready_seconds(self, live: Object) -> int:
        """Its own field, which the gate leaves alone."""
        return objects.number(live, "spec", "minReadySeconds")

    def is_paused(self, manifest: Object) -> bool:
        """Whether it is paused."""
        return bool(gates.rolling(manifest).get("paused"))

    def step(self, manifest: Object, live: Object | None, updated_ready: int | None) -> Object:
        """The gated manifest at the number of nodes there are; its controller takes small steps."""
        del updated_ready
        if gates.target(manifest) is None:
            return manifest
        return _held(manifest, objects.dig(live or {}, "status", "desiredNumberScheduled"))

    def doomed(self, live: Object, pods: Sequence[Pod], replicas: int) -> Sequence[Object]:
        """None: its own controller replaces every pod."""
        del live, pods, replicas
        return ()


def _held(manifest: Object, nodes: int | None) -> Object:
    """The manifest with the partition that its marks mean at this number of nodes."""
    kept = gates.own_number(manifest)
    partition = gates.partition(nodes, gates.target(manifest) or 0, kept)
    fields = {**gates.rolling(manifest), "partition": partition}
    strategy = {**gates.strategy(manifest), "type": "RollingUpdate", "rollingUpdate": fields}
    return objects.put(manifest, ("spec", "updateStrategy"), strategy)
