"""The partition of a StatefulSet: a field of its own, which counts the pods that stay old.

Pods are updated from the highest ordinal down, one after the other, and never below `partition`.
One thing the field cannot do: a pod that never gets ready holds up its set for ever, even when
the old template is back (kubernetes issue 67250). Such a pod has to be deleted.
"""

from __future__ import annotations

from collections.abc import Sequence

from oneco.kinds.release import PARTITION_ANNOTATION
from oneco.kube import objects
from oneco.kube.objects import Json, Object

REVISION_LABEL = "controller-revision-hash"
# Higher than any ordinal: pods that a set gets while no pod may be new are old ones too.
_NO_POD = 32767


class StatefulSetWorkload:
    """Kubernetes' StatefulSet as a workload that can be updated in part."""

    def replicas(self, manifest: Object) -> int | None:
        """How many pods the manifest asks for; None where it leaves that to its cluster."""
        count = objects.dig(manifest, "spec", "replicas")
        return None if count is None else int(count)

    def template(self, manifest: Object) -> Json:
        """The pod template."""
        return objects.dig(manifest, "spec", "template")

    def is_divisible(self, manifest: Object) -> bool:
        """A set whose pods somebody else replaces, or holds back himself, cannot be held too."""
        kind = objects.dig(manifest, "spec", "updateStrategy", "type", default="RollingUpdate")
        return bool(kind == "RollingUpdate") and not objects.dig(
            manifest, "spec", "updateStrategy", "rollingUpdate", "partition"
        )

    def gate(self, manifest: Object, updated: int) -> Object:
        """The manifest under a gate at `updated` pods."""
        marks = {**objects.annotations_of(manifest), PARTITION_ANNOTATION: str(updated)}
        marked = objects.put(manifest, ("metadata", "annotations"), marks)
        replicas = self.replicas(manifest)
        # Where the cluster chooses the size, its agent knows better: until then nothing is new.
        return _held(marked, _NO_POD if replicas is None else _partition(replicas, updated))

    def step(self, manifest: Object, live: Object | None, updated_ready: int | None) -> Object:
        """The gated manifest at the size that the set has; its controller takes small steps."""
        del updated_ready
        target = objects.annotations_of(manifest).get(PARTITION_ANNOTATION)
        if target is None or not target.isdecimal() or self.replicas(manifest) is not None:
            return manifest
        replicas = objects.dig(live or {}, "spec", "replicas", default=1)
        return _held(manifest, _partition(int(replicas), int(target)))

    def doomed(self, live: Object, pods: Sequence[Object], newest: str) -> Sequence[Object]:
        """The pods that hold up an ordered set although they are to be replaced anyhow."""
        if objects.dig(live, "spec", "podManagementPolicy", default="") == "Parallel":
            return ()
        strategy = objects.dig(live, "spec", "updateStrategy", default={})
        if strategy.get("type", "RollingUpdate") != "RollingUpdate":
            return ()
        first = objects.dig(live, "spec", "ordinals", "start", default=0)
        held = first + objects.dig(strategy, "rollingUpdate", "partition", default=0)
        kept = (newest, objects.dig(live, "status", "currentRevision", default=""))
        return tuple(
            pod
            for pod in pods
            if not _is_ready(pod)
            and _revision(pod) != newest
            # Below the partition an old pod is where it belongs, ready or not.
            and (_revision(pod) not in kept or _ordinal(pod) >= held)
        )


def _partition(replicas: int, updated: int) -> int:
    return max(0, replicas - updated) if updated else _NO_POD


def _held(manifest: Object, partition: int) -> Object:
    strategy = objects.dig(manifest, "spec", "updateStrategy", default={})
    rolling = {**(strategy.get("rollingUpdate") or {}), "partition": partition}
    return objects.put(
        manifest, ("spec", "updateStrategy"), {"type": "RollingUpdate", "rollingUpdate": rolling}
    )


def _is_ready(pod: Object) -> bool:
    return any(
        one.get("type") == "Ready" and one.get("status") == "True"
        for one in objects.dig(pod, "status", "conditions", default=())
    )


def _revision(pod: Object) -> str:
    return objects.labels(pod).get(REVISION_LABEL, "")


def _ordinal(pod: Object) -> int:
    number = objects.name(pod).rpartition("-")[2]
    return int(number) if number.isdecimal() else -1
