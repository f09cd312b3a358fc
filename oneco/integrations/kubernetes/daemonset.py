"""The partition of a DaemonSet, which has neither such a field nor a pause.

Under `OnDelete` its controller replaces no pod by itself, so the gate is that strategy; the
cluster's agent deletes old pods until as many as wanted are new, never more at once than the
DaemonSet's own `maxUnavailable` allows. A node that joins meanwhile gets a new pod at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oneco.agent.ports import Pod, Said
from oneco.integrations.kubernetes.deployment import MAX_UNAVAILABLE_ANNOTATION
from oneco.kinds.release import PARTITION_ANNOTATION
from oneco.kube import amounts, objects
from oneco.kube.objects import Json, Object
from oneco.kube.refs import Resource

REVISION_LABEL = "controller-revision-hash"
_DEFAULT_MAX_UNAVAILABLE = "1"


class DaemonSetWorkload:
    """Kubernetes' DaemonSet as a workload that can be updated in part."""

    history: Resource | None = Resource("apps", "v1", "controllerrevisions")
    is_on_nodes = True

    def replicas(self, manifest: Object) -> int | None:
        """None: the nodes of the cluster say how many pods there are."""
        del manifest
        return None

    def template(self, manifest: Object) -> Json:
        """The pod template."""
        return objects.dig(manifest, "spec", "template")

    def is_divisible(self, manifest: Object) -> bool:
        """A DaemonSet whose pods somebody else deletes is not to be deleted from besides."""
        is_sound = objects.has_room(manifest, "spec", "updateStrategy", "rollingUpdate")
        return is_sound and not _is_on_delete(manifest)

    def reach(self, manifest: Object, replicas: int) -> int:
        """None where somebody else deletes pods when he likes, else all."""
        is_ours = PARTITION_ANNOTATION in objects.annotations_of(manifest)
        return replicas if is_ours or not _is_on_delete(manifest) else 0

    def gate(self, manifest: Object, updated: int) -> Object:
        """The manifest under a gate at `updated` pods."""
        path = ("spec", "updateStrategy", "rollingUpdate", "maxUnavailable")
        own = objects.dig(manifest, *path, default=_DEFAULT_MAX_UNAVAILABLE)
        marks = {PARTITION_ANNOTATION: str(updated), MAX_UNAVAILABLE_ANNOTATION: str(own)}
        marked = objects.put(
            manifest, ("metadata", "annotations"), {**objects.annotations_of(manifest), **marks}
        )
        return objects.put(marked, ("spec", "updateStrategy"), {"type": "OnDelete"})

    def served(self, manifest: Object, version: str) -> Object | None:
        """The manifest itself: there is one version."""
        return manifest if version == "v1" else None

    def said(self, live: Object, history: Sequence[Object]) -> Said:
        """The status names no revision: it is the one that keeps the present template."""
        status = live.get("status") or {}
        return Said(
            replicas=status.get("desiredNumberScheduled") or 0,
            total=status.get("currentNumberScheduled") or 0,
            updated=status.get("updatedNumberScheduled") or 0,
            ready=status.get("numberReady") or 0,
            newest=_revision_of_template(live, history),
        )

    def min_ready_seconds(self, live: Object) -> int:
        """Its own field, which the gate leaves alone."""
        return objects.number(live, "spec", "minReadySeconds")

    def is_paused(self, manifest: Object) -> bool:
        """Never: it has no pause."""
        del manifest
        return False

    def step(self, manifest: Object, live: Object | None, updated_ready: int | None) -> Object:
        """The gated manifest as it is: the steps are deletions."""
        del live, updated_ready
        return manifest

    def doomed(self, live: Object, pods: Sequence[Pod], replicas: int) -> Sequence[Object]:
        """The old pods to delete now, those first that do not serve anyhow.

        The same pods for the same cluster: an answer to news that are old deletes nothing more.
        """
        marks = objects.annotations_of(live)
        target = marks.get(PARTITION_ANNOTATION, "")
        if not _is_on_delete(live) or not target.isdecimal():
            return ()
        old = sorted((pod for pod in pods if not pod.is_new), key=_place)
        # A node without a pod will get a new one: it counts as updated, and as missing.
        coming = max(0, replicas - len(pods))
        more = int(target) - (len(pods) - len(old)) - coming
        room = _allowed(marks, replicas) - coming - sum(not pod.is_available for pod in pods)
        sick = [pod.body for pod in old if not pod.is_ready]
        well = [pod.body for pod in old if pod.is_ready]
        return (*sick, *well[: max(0, room)])[: max(0, more)]


def _place(pod: Pod) -> tuple[str, str]:
    return objects.dig(pod.body, "spec", "nodeName", default=""), objects.name(pod.body)


def _is_on_delete(manifest: Object) -> bool:
    kind = objects.dig(manifest, "spec", "updateStrategy", "type", default="RollingUpdate")
    return bool(kind == "OnDelete")


def _allowed(marks: Mapping[str, str], nodes: int) -> int:
    """Kubernetes rounds a DaemonSet's `maxUnavailable` up; at least one, or nothing moves."""
    bound = marks.get(MAX_UNAVAILABLE_ANNOTATION, _DEFAULT_MAX_UNAVAILABLE)
    return max(1, amounts.pods(bound, nodes, is_up=True))


def _revision_of_template(live: Object, history: Sequence[Object]) -> str | None:
    wanted = {**objects.mapping(live, "spec", "template"), "$patch": "replace"}
    for one in history:
        if objects.dig(one, "data", "spec", "template") == wanted:
            return objects.labels(one).get(REVISION_LABEL)
    return None
