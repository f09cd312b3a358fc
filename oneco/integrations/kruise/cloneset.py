"""The partition of a CloneSet, which counts the pods that stay old.

Its fields stand in `updateStrategy` in v1alpha1 and in `updateStrategy.rollingUpdate` in v1beta1,
where what v1alpha1 calls the type is a policy for pods. Its controller takes small steps by itself
(`maxUnavailable`, `maxSurge`), replaces pods that do not serve first, and keeps to the order that
its owner gave it; none of that is touched here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oneco.agent.ports import Pod, Said
from oneco.integrations.kruise import gates
from oneco.integrations.kruise.sized import SizedWorkload
from oneco.kube import amounts, objects
from oneco.kube.objects import Object

_FLAT = "v1alpha1"
_POLICY = "podUpdatePolicy"


class CloneSetWorkload(SizedWorkload):
    """OpenKruise's CloneSet as a workload that can be updated in part."""

    def reach(self, manifest: Object, replicas: int) -> int:
        """All but what its partition holds; none while its owner pauses it."""
        if not self.is_divisible(manifest):
            return 0
        return replicas - _old(_own(manifest), replicas)

    def gate(self, manifest: Object, updated: int) -> Object:
        """The manifest under a gate at `updated` pods."""
        return self.held(gates.marked(manifest, updated, _own(manifest)), self.replicas(manifest))

    def served(self, manifest: Object, version: str) -> Object | None:
        """The manifest with its fields where that version has them."""
        own = gates.version_of(manifest)
        if own == version:
            return manifest
        moved = _flattened(manifest) if version == _FLAT else _nested(manifest)
        return None if moved is None else gates.in_version(moved, version)

    def said(self, live: Object, history: Sequence[Object]) -> Said:
        """Its status counts new pods that are available, which minds in-place updates too."""
        del history
        status = live.get("status") or {}
        updated = status.get("updatedReplicas") or 0
        return Said(
            replicas=objects.number(live, "spec", "replicas", default=1),
            total=status.get("replicas") or 0,
            updated=updated,
            ready=status.get("readyReplicas") or 0,
            newest=status.get("updateRevision") or None,
            # Left out of the status where it is zero.
            updated_ready=status.get("updatedAvailableReplicas") or 0,
        )

    def min_ready_seconds(self, live: Object) -> int:
        """Its own field, which the gate leaves alone."""
        return objects.number(live, "spec", "minReadySeconds")

    def is_paused(self, manifest: Object) -> bool:
        """Whether it is paused."""
        return bool(_fields(manifest).get("paused"))

    def held(self, manifest: Object, replicas: int | None) -> Object:
        """The manifest with the partition that its marks mean at this size."""
        kept = _old(_own(manifest), replicas) if replicas is not None else 0
        partition = gates.partition(replicas, gates.target(manifest) or 0, kept)
        inner = () if gates.version_of(manifest) == _FLAT else ("rollingUpdate",)
        path = ("spec", "updateStrategy", *inner)
        return objects.put(manifest, path, {**_fields(manifest), "partition": partition})

    def doomed(self, live: Object, pods: Sequence[Pod], replicas: int) -> Sequence[Object]:
        """None: its own controller replaces every pod."""
        del live, pods, replicas
        return ()


def _fields(manifest: Object) -> Mapping[str, object]:
    """What the version keeps where partition and pause are."""
    is_flat = gates.version_of(manifest) == _FLAT
    return gates.strategy(manifest) if is_flat else gates.rolling(manifest)


def _own(manifest: Object) -> int | str:
    """The partition that its owner wrote."""
    text = gates.own_partition(manifest)
    if text is None:
        written = _fields(manifest).get("partition")
        return written if isinstance(written, int | str) else 0
    return int(text) if text.isdecimal() else text


def _old(partition: int | str, replicas: int) -> int:
    """How many pods the owner's own partition keeps old.

    As OpenKruise rounds: up, but of several pods one is updated unless all are to stay.
    """
    kept = min(replicas, amounts.pods(partition, replicas, is_up=True))
    is_share = isinstance(partition, str) and partition.strip() != "100%"
    return replicas - 1 if is_share and replicas > 1 and kept == replicas else kept


def _flattened(manifest: Object) -> Object | None:
    """From v1beta1 to v1alpha1, which has no type for pods that somebody deletes."""
    if gates.is_on_delete(manifest):
        return None
    fields = dict(gates.rolling(manifest))
    policy = fields.pop(_POLICY, None)
    kind = {} if policy is None else {"type": policy}
    return _with_strategy(manifest, {**kind, **fields})


def _nested(manifest: Object) -> Object:
    """From v1alpha1 to v1beta1."""
    fields = dict(gates.strategy(manifest))
    policy = fields.pop("type", None)
    kept = fields if policy is None else {_POLICY: policy, **fields}
    return _with_strategy(manifest, {"type": "RollingUpdate", "rollingUpdate": kept})


def _with_strategy(manifest: Object, strategy: Object) -> Object:
    if not gates.strategy(manifest):
        return manifest
    return objects.put(manifest, ("spec", "updateStrategy"), strategy)
