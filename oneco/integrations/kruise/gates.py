"""What the gates of OpenKruise's workloads have in common: marks, and numbers instead of shares.

Each of them has a `partition`, which counts the pods that stay old. OpenKruise also takes shares
there and rounds them up for a CloneSet and down for a DaemonSet; a number means the same to all.
"""

from __future__ import annotations

from collections.abc import Mapping

from oneco.kinds.release import PARTITION_ANNOTATION
from oneco.kube import objects
from oneco.kube.objects import Object

GROUP = "apps.kruise.io"
OWN_PARTITION_ANNOTATION = "onepersoncompany.io/own-partition"
"""On a gated workload: the partition that its owner wrote, which no gate goes below."""
ALL_OLD = 32767
"""More pods than any workload has: those that it gets meanwhile are old ones too."""


def marked(manifest: Object, updated: int, own: object) -> Object:
    """The manifest with the marks that say how far its gate is open."""
    marks = {PARTITION_ANNOTATION: str(updated), OWN_PARTITION_ANNOTATION: str(own)}
    annotations = {**objects.annotations_of(manifest), **marks}
    return objects.put(manifest, ("metadata", "annotations"), annotations)


def target(manifest: Object) -> int | None:
    """How many pods its marks let run the template; None where there is no gate."""
    text = objects.annotations_of(manifest).get(PARTITION_ANNOTATION, "")
    return int(text) if text.isdecimal() else None


def own_partition(manifest: Object) -> str | None:
    """The partition that its owner wrote, as the marks keep it; None where there is no gate.

    Under a gate the field says more, or nothing yet where the cluster chooses the size.
    """
    return objects.annotations_of(manifest).get(OWN_PARTITION_ANNOTATION)


def own_number(manifest: Object) -> int:
    """The partition that its owner wrote, where it can only be a number."""
    text = own_partition(manifest)
    if text is None:
        return objects.number(rolling(manifest), "partition")
    return int(text) if text.isdecimal() else 0


def partition(replicas: int | None, updated: int, own: int) -> int:
    """The number of pods to keep old, so that `updated` of `replicas` become new."""
    if replicas is None or updated == 0:
        return ALL_OLD
    return max(own, replicas - updated, 0)


def strategy(manifest: Object) -> Mapping[str, object]:
    """Its `updateStrategy`."""
    return objects.mapping(manifest, "spec", "updateStrategy")


def rolling(manifest: Object) -> Mapping[str, object]:
    """Its `updateStrategy.rollingUpdate`."""
    return objects.mapping(strategy(manifest), "rollingUpdate")


def is_on_delete(manifest: Object) -> bool:
    """Whether pods become new only when somebody deletes them."""
    return strategy(manifest).get("type") == "OnDelete"


def is_sound(manifest: Object) -> bool:
    """Whether there is room for its fields; what there is instead is for its cluster to refuse."""
    return objects.has_room(manifest, "spec", "updateStrategy", "rollingUpdate")


def in_version(manifest: Object, version: str) -> Object:
    """The same manifest under another version of OpenKruise's API."""
    return {**manifest, "apiVersion": f"{GROUP}/{version}"}


def version_of(manifest: Object) -> str:
    """The version of OpenKruise's API that the manifest is written in."""
    return str(manifest.get("apiVersion") or "").rpartition("/")[2]
