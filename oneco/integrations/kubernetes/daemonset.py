"""The partition of a DaemonSet, which has neither such a field nor a pause.

Under `OnDelete` its controller replaces no pod by itself, so the gate is that strategy; the
cluster's agent deletes old pods until as many as wanted are new, never more at once than the
DaemonSet's own `maxUnavailable` allows. A node that joins meanwhile gets a new pod at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oneco.integrations.kubernetes.deployment import MAX_UNAVAILABLE_ANNOTATION
from oneco.kinds.release import PARTITION_ANNOTATION
from oneco.kube import objects
from oneco.kube.objects import Json, Object

REVISION_LABEL = "controller-revision-hash"
_DEFAULT_MAX_UNAVAILABLE = "1"


class DaemonSetWorkload:
    """Kubernetes' DaemonSet as a workload that can be updated in part."""

    def replicas(self, manifest: Object) -> int | None:
        """None: the nodes of the cluster say how many pods there are."""
        del manifest
        return None

    def template(self, manifest: Object) -> Json:
        """The pod template."""
        return objects.dig(manifest, "spec", "template")

    def is_divisible(self, manifest: Object) -> bool:
        """A DaemonSet whose pods somebody else deletes is not to be deleted from besides."""
        kind = objects.dig(manifest, "spec", "updateStrategy", "type", default="RollingUpdate")
        return bool(kind == "RollingUpdate")

    def gate(self, manifest: Object, updated: int) -> Object:
        """The manifest under a gate at `updated` pods."""
        path = ("spec", "updateStrategy", "rollingUpdate", "maxUnavailable")
        own = objects.dig(manifest, *path, default=_DEFAULT_MAX_UNAVAILABLE)
        marks = {PARTITION_ANNOTATION: str(updated), MAX_UNAVAILABLE_ANNOTATION: str(own)}
        marked = objects.put(
            manifest, ("metadata", "annotations"), {**objects.annotations_of(manifest), **marks}
        )
        return objects.put(marked, ("spec", "updateStrategy"), {"type": "OnDelete"})

    def step(self, manifest: Object, live: Object | None, updated_ready: int | None) -> Object:
        """The gated manifest as it is: the steps are deletions."""
        del live, updated_ready
        return manifest

    def doomed(self, live: Object, pods: Sequence[Object], newest: str) -> Sequence[Object]:
        """The old pods to delete now, those first that do not serve anyhow.

        The same pods for the same cluster: an answer to news that are old deletes nothing more.
        """
        marks = objects.annotations_of(live)
        target = marks.get(PARTITION_ANNOTATION, "")
        kind = objects.dig(live, "spec", "updateStrategy", "type", default="RollingUpdate")
        if kind != "OnDelete" or not target.isdecimal():
            return ()
        wanted = objects.dig(live, "status", "desiredNumberScheduled", default=0)
        old = [pod for pod in pods if objects.labels(pod).get(REVISION_LABEL) != newest]
        # A node without a pod will get a new one: it counts as updated, and as missing.
        coming = max(0, wanted - len(pods))
        more = int(target) - (len(pods) - len(old)) - coming
        room = _allowed(marks, wanted) - coming - sum(not _is_ready(pod) for pod in pods)
        sick = [pod for pod in sorted(old, key=_place) if not _is_ready(pod)]
        well = [pod for pod in sorted(old, key=_place) if _is_ready(pod)]
        return (*sick, *well[: max(0, room)])[: max(0, more)]


def _place(pod: Object) -> tuple[str, str]:
    return objects.dig(pod, "spec", "nodeName", default=""), objects.name(pod)


def _is_ready(pod: Object) -> bool:
    return any(
        one.get("type") == "Ready" and one.get("status") == "True"
        for one in objects.dig(pod, "status", "conditions", default=())
    )


def _allowed(marks: Mapping[str, str], nodes: int) -> int:
    """Kubernetes rounds a DaemonSet's `maxUnavailable` up; at least one, or nothing moves."""
    bound = marks.get(MAX_UNAVAILABLE_ANNOTATION, _DEFAULT_MAX_UNAVAILABLE)
    if bound.endswith("%"):
        return max(1, -(-nodes * int(bound.rstrip("%")) // 100))
    return max(1, int(bound)) if bound.isdecimal() else 1
