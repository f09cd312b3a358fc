"""The partition of an Advanced StatefulSet, which counts the pods that stay old.

It shares one trouble with Kubernetes' own: where pods come in order, one that never gets ready
holds up its set for ever, even when the old template is back. Such a pod has to be deleted.
"""

from __future__ import annotations

from collections.abc import Sequence

from oneco.agent.ports import Pod, Said
from oneco.integrations.kruise import gates
from oneco.integrations.kruise.sized import SizedWorkload
from oneco.kube import objects
from oneco.kube.objects import Object

_REVISION_LABEL = "controller-revision-hash"
# What v1alpha1 cannot say; it would be lost without a word.
_NEWER_FIELDS = frozenset(
    {
        "lifecycle",
        "ordinals",
        "persistentVolumeClaimRetentionPolicy",
        "reserveOrdinals",
        "scaleStrategy",
        "volumeClaimUpdateStrategy",
    }
)


class StatefulSetWorkload(SizedWorkload):
    """OpenKruise's Advanced StatefulSet as a workload that can be updated in part."""

    def reach(self, manifest: Object, replicas: int) -> int:
        """All but what its partition holds; none while its owner pauses it."""
        if not self.is_divisible(manifest):
            return 0
        return max(0, replicas - gates.own_number(manifest))

    def gate(self, manifest: Object, updated: int) -> Object:
        """The manifest under a gate at `updated` pods."""
        own = gates.own_number(manifest)
        return self.held(gates.marked(manifest, updated, own), self.replicas(manifest))

    def served(self, manifest: Object, version: str) -> Object | None:
        """The manifest in that version, unless it says what the older one has no words for."""
        if gates.version_of(manifest) == version:
            return manifest
        if version == "v1alpha1" and _NEWER_FIELDS & set(objects.mapping(manifest, "spec")):
            return None
        return gates.in_version(manifest, version)

    def said(self, live: Object, history: Sequence[Object]) -> Said:
        """What its status says; its older version does not count new pods that are ready."""
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
        return objects.number(gates.rolling(live), "minReadySeconds")

    def is_paused(self, manifest: Object) -> bool:
        """Whether it is paused."""
        return bool(gates.rolling(manifest).get("paused"))

    def held(self, manifest: Object, replicas: int | None) -> Object:
        """The manifest with the partition that its marks mean at this size."""
        kept = gates.own_number(manifest)
        partition = gates.partition(replicas, gates.target(manifest) or 0, kept)
        fields = {**gates.rolling(manifest), "partition": partition}
        strategy = {**gates.strategy(manifest), "type": "RollingUpdate", "rollingUpdate": fields}
        return objects.put(manifest, ("spec", "updateStrategy"), strategy)

    def doomed(self, live: Object, pods: Sequence[Pod], replicas: int) -> Sequence[Object]:
        """The pods that hold up an ordered set although they are to be replaced anyhow.

        Where a hook wants to be asked before a pod goes, nothing goes behind its back.
        """
        del replicas
        spec = objects.mapping(live, "spec")
        is_hooked = objects.dig(spec, "lifecycle", "preDelete") is not None
        if spec.get("podManagementPolicy") == "Parallel" or is_hooked:
            return ()
        if not self.is_divisible(live):
            return ()
        held = objects.number(gates.rolling(live), "partition")
        current = objects.dig(live, "status", "currentRevision", default="")
        # The partition counts pods, whatever ordinals are reserved.
        ordered = sorted(pods, key=lambda pod: _ordinal(pod.body))
        return tuple(
            pod.body
            for place, pod in enumerate(ordered)
            if not pod.is_ready
            and not pod.is_new
            # Below the partition an old pod is where it belongs, ready or not.
            and (_revision(pod.body) != current or place >= held)
        )


def _revision(pod: Object) -> str:
    return objects.labels(pod).get(_REVISION_LABEL, "")


def _ordinal(pod: Object) -> int:
    number = objects.name(pod).rpartition("-")[2]
    return int(number) if number.isdecimal() else -1
