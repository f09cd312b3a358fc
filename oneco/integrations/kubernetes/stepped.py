"""Kubernetes' workloads led by their fields alone, where the cluster's agent only applies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from oneco.integrations.kubernetes import deployment
from oneco.integrations.kubernetes.daemonset import DaemonSetWorkload
from oneco.integrations.kubernetes.deployment import DeploymentWorkload
from oneco.integrations.kubernetes.statefulset import StatefulSetWorkload
from oneco.kube import amounts, objects
from oneco.kube.objects import Json, Object
from oneco.release.counting import counted, number
from oneco.release.ports import Counts, Gate

_SIZED: Final = {
    "replicas": ".spec.replicas",
    "total": ".status.replicas",
    "updated": ".status.updatedReplicas",
    "ready": ".status.readyReplicas",
}


class SteppedDeployment:
    """A Deployment, whose gate is raised by as many pods as its owner lets be missing."""

    reads: Mapping[str, str] = {**_SIZED, "available": ".status.availableReplicas"}

    def obstacle(self, manifest: Object) -> str:
        """None: its fields can do all of it."""
        del manifest
        return ""

    def stride(self, manifest: Object, pods: int) -> int:
        """By its own `maxUnavailable`, or where that is none by its `maxSurge`; at least one."""
        missing, more = _allowed(manifest, pods)
        return missing or more or 1

    def hold(self, manifest: Object, gate: Gate) -> Object:
        """The gate; where no pod may be missing, new ones come beside the old."""
        marked = DeploymentWorkload().gate(manifest, gate.updated)
        missing, more = _allowed(manifest, gate.pods)
        if gate.updated == 0:
            return marked
        if missing or not more:
            return deployment.opened(marked, 0, gate.updated, gate.pods)
        return deployment.opened(marked, gate.updated - gate.reached, gate.reached, gate.pods)

    def count(self, manifest: Object, values: Mapping[str, Json]) -> Counts:
        """The pods; under the gate only old ones are ever available, as soon as they are ready."""
        counts = counted(values)
        own = objects.annotations_of(manifest).get(deployment.MIN_READY_ANNOTATION)
        if own != "0":
            return counts
        new = max(0, counts.ready - number(values, "available"))
        return counts._replace(updated_ready=min(counts.updated, max(counts.updated_ready, new)))


class SteppedStatefulSet:
    """A StatefulSet, whose own controller goes one by one down to its partition."""

    reads: Mapping[str, str] = _SIZED

    def obstacle(self, manifest: Object) -> str:
        """An ordered set that is held up waits until somebody deletes its pod."""
        if objects.dig(manifest, "spec", "podManagementPolicy", default="") == "Parallel":
            return ""
        return (
            "a pod that never gets ready holds up the rollback of an ordered set until somebody"
            " deletes it; wanted podManagementPolicy: Parallel"
        )

    def stride(self, manifest: Object, pods: int) -> int:
        """All of them: its own controller goes one by one."""
        del manifest
        return pods

    def hold(self, manifest: Object, gate: Gate) -> Object:
        """The gate at the size that the set is known to have."""
        driver = StatefulSetWorkload()
        size: Object = {"spec": {"replicas": gate.pods}}
        return driver.step(driver.gate(manifest, gate.updated), size, None)

    def count(self, manifest: Object, values: Mapping[str, Json]) -> Counts:
        """The pods, as far as the status tells new ones from old."""
        del manifest
        return counted(values)


class SteppedDaemonSet:
    """A DaemonSet, which only goes out at once: it has no field that holds it."""

    reads: Mapping[str, str] = {
        "replicas": ".status.desiredNumberScheduled",
        "total": ".status.currentNumberScheduled",
        "updated": ".status.updatedNumberScheduled",
        "ready": ".status.numberReady",
    }

    def obstacle(self, manifest: Object) -> str:
        """The steps of a DaemonSet are deletions, which no field can say."""
        del manifest
        return "its pods have to be deleted one after the other; wanted oneco's own agent there"

    def stride(self, manifest: Object, pods: int) -> int:
        """All of them: it is never held."""
        del manifest
        return pods

    def hold(self, manifest: Object, gate: Gate) -> Object:
        """The gate, under which nothing moves where nobody deletes pods."""
        return DaemonSetWorkload().gate(manifest, gate.updated)

    def count(self, manifest: Object, values: Mapping[str, Json]) -> Counts:
        """The pods, as far as the status tells new ones from old."""
        del manifest
        return counted(values)


def _allowed(manifest: Object, pods: int) -> tuple[int, int]:
    """How many pods may be missing, and how many more than wanted there may be."""
    own = objects.dig(manifest, "spec", "strategy", "rollingUpdate", default={})
    missing = amounts.pods(own.get("maxUnavailable", "25%"), pods, is_up=False)
    return missing, amounts.pods(own.get("maxSurge", "25%"), pods, is_up=True)
