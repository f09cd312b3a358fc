"""The partition of a StatefulSet: a field of its own, which counts the pods that stay old.

Pods are updated from the highest ordinal down, one after the other, and never below `partition`.
One thing the field cannot do: a pod that never gets ready holds up its set for ever, even when
the old template is back (kubernetes issue 67250). Such a pod has to be deleted.
"""

from __future__ import annotations

from collections.abc import Sequence

from oneco.agent.ports import Pod, Said
from oneco.kinds.release import PARTITION_ANNOTATION
from oneco.kube import amounts, objects
from oneco.kube.objects import Json, Object
from oneco.kube.refs import Resource

OWN_PARTITION_ANNOTATION = "onepersoncompany.io/own-partition"
"""On a gated set: the partition that its owner wrote, which no gate goes below."""
REVISION_LABEL = "controller-revision-hash"
# Higher than any ordinal: pods that a set gets while no pod may be new are old ones too.
_NO_POD = 32767


class StatefulSetWorkload:
    """Kubernetes' StatefulSet as a workload that can be updated in part."""

    history: Resource | None = None
    is_on_nodes = False

    def replicas(self, manifest: Object) -> int | None:
        """How many pods the manifest asks for; None where it leaves that to its cluster."""
        return amounts.replicas(manifest)

    def template(self, manifest: Object) -> Json:
        """The pod template."""
        return objects.dig(manifest, "spec", "template")

    def is_divisible(self, manifest: Object) -> bool:
        """A set whose pods somebody else replaces cannot be held too."""
        is_sound = objects.has_room(manifest, "spec", "updateStrategy", "rollingUpdate")
        return is_sound and _is_rolling(manifest)

    def reach(self, manifest: Object, replicas: int) -> int:
        """All but what its partition holds; none where somebody else replaces pods."""
        if not _is_rolling(manifest):
            return 0
        # Under a gate the field says more, or nothing yet where the cluster chooses the size.
        own = objects.annotations_of(manifest).get(OWN_PARTITION_ANNOTATION, "")
        kept = int(own) if own.isdecimal() else _partition(manifest)
        return max(0, replicas - kept)

    def gate(self, manifest: Object, updated: int) -> Object:
        """The manifest under a gate at `updated` pods."""
        marks = {
            PARTITION_ANNOTATION: str(updated),
            OWN_PARTITION_ANNOTATION: str(_partition(manifest)),
        }
        marked = objects.put(
            manifest, ("metadata", "annotations"), {**objects.annotations_of(manifest), **marks}
        )
        # Where the cluster chooses the size, its agent knows better: until then nothing is new.
        return _held(marked, self.replicas(manifest))

    def served(self, manifest: Object, version: str) -> Object | None:
        """The manifest itself: there is one version."""
        return manifest if version == "v1" else None

    def said(self, live: Object, history: Sequence[Object]) -> Said:
        """What its status says; only pods tell which of them are new *and* ready."""
        del history
        status = live.get("status") or {}
        return Said(
            replicas=objects.number(live, "spec", "replicas", default=1),
            total=status.get("replicas") or 0,
            updated=status.get("updatedReplicas") or 0,
            ready=status.get("readyReplicas") or 0,
            newest=status.get("updateRevision") or None,
        )

    def min_ready_seconds(self, live: Object) -> int:
        """Its own field, which the gate leaves alone."""
        return objects.number(live, "spec", "minReadySeconds")

    def is_paused(self, manifest: Object) -> bool:
        """Never: it has no pause but its partition."""
        del manifest
        return False

    def step(self, manifest: Object, live: Object | None, updated_ready: int | None) -> Object:
        """The gated manifest at the size that the set has; its controller takes small steps."""
        del updated_ready
        is_gated = PARTITION_ANNOTATION in objects.annotations_of(manifest)
        if not is_gated or self.replicas(manifest) is not None:
            return manifest
        return _held(manifest, objects.number(live, "spec", "replicas", default=1))

    def doomed(self, live: Object, pods: Sequence[Pod], replicas: int) -> Sequence[Object]:
        """The pods that hold up an ordered set although they are to be replaced anyhow."""
        del replicas
        if objects.dig(live, "spec", "podManagementPolicy", default="") == "Parallel":
            return ()
        if not _is_rolling(live):
            return ()
        first = objects.number(live, "spec", "ordinals", "start")
        held = first + _partition(live)
        current = objects.dig(live, "status", "currentRevision", default="")
        return tuple(
            pod.body
            for pod in pods
            if not pod.is_ready
            and not pod.is_new
            # Below the partition an old pod is where it belongs, ready or not.
            and (_revision(pod.body) != current or _ordinal(pod.body) >= held)
        )


def _is_rolling(manifest: Object) -> bool:
    kind = objects.dig(manifest, "spec", "updateStrategy", "type", default="RollingUpdate")
    return bool(kind == "RollingUpdate")


def _partition(manifest: Object) -> int:
    return objects.number(manifest, "spec", "updateStrategy", "rollingUpdate", "partition")


def _held(manifest: Object, replicas: int | None) -> Object:
    """The manifest with the partition that its marks mean at this size."""
    marks = objects.annotations_of(manifest)
    updated, own = marks[PARTITION_ANNOTATION], int(marks.get(OWN_PARTITION_ANNOTATION, "0"))
    free = int(updated) if updated.isdecimal() else 0
    partition = max(own, replicas - free) if replicas is not None and free else _NO_POD
    kept = objects.mapping(manifest, "spec", "updateStrategy", "rollingUpdate")
    rolling = {**kept, "partition": partition}
    return objects.put(
        manifest, ("spec", "updateStrategy"), {"type": "RollingUpdate", "rollingUpdate": rolling}
    )


def _revision(pod: Object) -> str:
    return objects.labels(pod).get(REVISION_LABEL, "")


def _ordinal(pod: Object) -> int:
    number = objects.name(pod).rpartition("-")[2]
    return int(number) if number.isdecimal() else -1
