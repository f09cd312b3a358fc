"""The live paths that tell the health of objects that everybody knows."""

from __future__ import annotations

from oneco.kube.objects import Object

_WORKLOAD = ("metadata.generation", "status.observedGeneration", "spec.replicas")
_COUNTS = ("status.replicas", "status.updatedReplicas", "status.readyReplicas")
_DAEMONS = (
    "metadata.generation",
    "status.observedGeneration",
    "status.desiredNumberScheduled",
    "status.updatedNumberScheduled",
    "status.numberReady",
)
_PATHS: dict[tuple[str, str], tuple[str, ...]] = {
    ("apps", "Deployment"): (*_WORKLOAD, *_COUNTS, "status.availableReplicas"),
    ("apps", "StatefulSet"): (*_WORKLOAD, *_COUNTS, "status.currentRevision"),
    ("apps", "DaemonSet"): _DAEMONS,
    ("apps.kruise.io", "CloneSet"): (*_WORKLOAD, *_COUNTS, "status.updatedAvailableReplicas"),
    ("apps.kruise.io", "StatefulSet"): (*_WORKLOAD, *_COUNTS, "status.currentRevision"),
    ("apps.kruise.io", "DaemonSet"): _DAEMONS,
    ("batch", "Job"): (
        "spec.completions",
        "status.succeeded",
        "status.failed",
        "status.conditions",
    ),
    ("networking.k8s.io", "Ingress"): ("status.loadBalancer.ingress",),
    ("", "PersistentVolumeClaim"): ("status.phase",),
    ("", "Pod"): ("status.phase",),
}


def reads(obj: Object) -> tuple[str, ...]:
    """The paths in the live `obj` that say whether it is well; none where existing is enough."""
    group, _, _ = (obj.get("apiVersion") or "").rpartition("/")
    return _PATHS.get((group, obj.get("kind") or ""), ())


def reads_service(obj: Object) -> tuple[str, ...]:
    """As `reads`; a load balancer's Service is well once it has an address."""
    is_balanced = (obj.get("spec") or {}).get("type") == "LoadBalancer"
    return ("status.loadBalancer.ingress",) if is_balanced else ()
