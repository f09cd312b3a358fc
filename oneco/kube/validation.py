"""Validation of built-in kinds, with an API server's words for what is wrong.

Objects are expected decoded (`decoding.check`) and defaulted. Kinds without rules here are held
to the rules of metadata alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from oneco.kube import (
    names,
    validation_others,
    validation_pods,
    validation_services,
    validation_updates,
    validation_workloads,
)
from oneco.kube.decoding import check, unknown_fields
from oneco.kube.errors import Cause
from oneco.kube.objects import Object, metadata
from oneco.kube.refs import kind_of

__all__ = ["check", "unknown_fields", "validate"]


def validate(obj: Object, old: Object | None = None, *, namespaced: bool = True) -> list[Cause]:
    """What an API server refuses about `obj`, or about changing `old` to `obj`."""
    kind = kind_of(obj)
    found = []
    if old is None or not _shares_metadata(metadata(obj), metadata(old)):
        found = names.validate_metadata(metadata(obj), kind=kind.kind, namespaced=namespaced)
    if old is not None:
        found += validation_updates.validate_metadata_update(obj, old)
    rule = _RULES.get((kind.group, kind.kind))
    if rule is None:
        return found
    found += rule(obj)
    if old is not None:
        found += validation_updates.validate_update(obj, old)
    return found


def _shares_metadata(meta: Object, before: Object) -> bool:
    """Whether what people write into metadata is the very same as before."""
    return all(meta.get(key) is before.get(key) for key in _WRITTEN)


_WRITTEN: Final = ("labels", "annotations", "ownerReferences", "finalizers", "name", "namespace")
_RBAC: Final = "rbac.authorization.k8s.io"
_RULES: Final[Mapping[tuple[str, str], Callable[[Object], list[Cause]]]] = {
    ("", "Pod"): validation_pods.validate_pod,
    ("", "PodTemplate"): validation_pods.validate_pod_template,
    ("apps", "Deployment"): validation_workloads.validate_deployment,
    ("apps", "ReplicaSet"): validation_workloads.validate_replica_set,
    ("apps", "StatefulSet"): validation_workloads.validate_stateful_set,
    ("apps", "DaemonSet"): validation_workloads.validate_daemon_set,
    ("batch", "Job"): validation_workloads.validate_job,
    ("batch", "CronJob"): validation_workloads.validate_cron_job,
    ("autoscaling", "HorizontalPodAutoscaler"): validation_workloads.validate_autoscaler,
    ("policy", "PodDisruptionBudget"): validation_workloads.validate_budget,
    ("", "Service"): validation_services.validate_service,
    ("networking.k8s.io", "Ingress"): validation_services.validate_ingress,
    ("networking.k8s.io", "NetworkPolicy"): validation_services.validate_network_policy,
    ("discovery.k8s.io", "EndpointSlice"): validation_services.validate_endpoint_slice,
    ("", "ConfigMap"): validation_others.validate_config_map,
    ("", "Secret"): validation_others.validate_secret,
    ("", "PersistentVolumeClaim"): validation_others.validate_claim,
    ("", "PersistentVolume"): validation_others.validate_volume,
    ("storage.k8s.io", "StorageClass"): validation_others.validate_storage_class,
    ("", "Namespace"): validation_others.validate_namespace,
    ("", "Node"): validation_others.validate_node,
    ("coordination.k8s.io", "Lease"): validation_others.validate_lease,
    (_RBAC, "Role"): validation_others.validate_role,
    (_RBAC, "ClusterRole"): validation_others.validate_role,
    (_RBAC, "RoleBinding"): validation_others.validate_binding,
    (_RBAC, "ClusterRoleBinding"): validation_others.validate_binding,
    ("certificates.k8s.io", "CertificateSigningRequest"): (
        validation_others.validate_signing_request
    ),
    ("scheduling.k8s.io", "PriorityClass"): validation_others.validate_priority_class,
}
