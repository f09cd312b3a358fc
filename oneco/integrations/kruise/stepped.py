"""OpenKruise's workloads led by their fields alone, where the cluster's agent only applies.

Their own controllers take small steps by themselves, so a batch is one change of the partition.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from oneco.integrations.kruise.cloneset import CloneSetWorkload
from oneco.integrations.kruise.daemonset import DaemonSetWorkload
from oneco.integrations.kruise.statefulset import StatefulSetWorkload
from oneco.kube import objects
from oneco.kube.objects import Json, Object
from oneco.release.counting import counted, number
from oneco.release.ports import Counts, Gate

_SIZED: Final = {
    "replicas": ".spec.replicas",
    "total": ".status.replicas",
    "updated": ".status.updatedReplicas",
    "ready": ".status.readyReplicas",
}
_NODES: Final = {
    "replicas": ".status.desiredNumberScheduled",
    "total": ".status.currentNumberScheduled",
    "updated": ".status.updatedNumberScheduled",
    "ready": ".status.numberReady",
}
_ORDERED: Final = (
    "a pod that never gets ready holds up the rollback of an ordered set until somebody deletes it;"
    " wanted podManagementPolicy: Parallel"
)


class Stepped:
    """One of them: its driver, and what its status tells."""

    def __init__(
        self,
        driver: CloneSetWorkload | StatefulSetWorkload | DaemonSetWorkload,
        reads: Mapping[str, str],
        *,
        is_ordered: bool = False,
    ) -> None:
        self.reads = reads
        self._driver, self._is_ordered = driver, is_ordered

    def obstacle(self, manifest: Object) -> str:
        """What an ordered set may need a person for."""
        policy = objects.dig(manifest, "spec", "podManagementPolicy", default="")
        return _ORDERED if self._is_ordered and policy != "Parallel" else ""

    def stride(self, manifest: Object, pods: int) -> int:
        """All of them: their own controller takes the steps."""
        del manifest
        return pods

    def hold(self, manifest: Object, gate: Gate) -> Object:
        """The gate at the size that the workload is known to have."""
        size: Object = {
            "spec": {"replicas": gate.pods},
            "status": {"desiredNumberScheduled": gate.pods},
        }
        return self._driver.step(self._driver.gate(manifest, gate.updated), size, None)

    def count(self, manifest: Object, values: Mapping[str, Json]) -> Counts:
        """The pods; where the status itself counts new pods that are ready, by that."""
        del manifest
        counts = counted(values)
        if "new" not in self.reads:
            return counts
        return counts._replace(updated_ready=min(counts.updated, number(values, "new")))


STEPPED: Final = {
    "CloneSet": Stepped(CloneSetWorkload(), {**_SIZED, "new": ".status.updatedAvailableReplicas"}),
    "StatefulSet": Stepped(StatefulSetWorkload(), _SIZED, is_ordered=True),
    "DaemonSet": Stepped(DaemonSetWorkload(), _NODES),
}
