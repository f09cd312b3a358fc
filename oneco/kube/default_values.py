"""The defaults of built-in kinds: constants by type, and functions where one depends on another.

A function is given the value with its constants and returns what else to set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from oneco.kube import quantity
from oneco.kube.objects import Json, Object

Fill = Callable[[Object], Mapping[str, Json]]
_TCP = {"protocol": "TCP"}
_MODE = {"defaultMode": 420}
_WEBHOOK = {
    "failurePolicy": "Fail", "matchPolicy": "Equivalent", "namespaceSelector": {},
    "objectSelector": {}, "timeoutSeconds": 10,
}  # fmt: skip
_CRD = "apiextensions-apiserver.pkg.apis.apiextensions.v1."
_RBAC = "rbac.authorization.k8s.io"
_CONTAINER = {
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}

CONSTANTS: dict[str, dict[str, Json]] = {
    "core.v1.PodSpec": {
        "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "securityContext": {},
        "terminationGracePeriodSeconds": 30, "schedulerName": "default-scheduler",
    },
    "core.v1.Container": _CONTAINER,
    "core.v1.EphemeralContainer": _CONTAINER,
    "core.v1.ContainerPort": _TCP,
    "core.v1.HTTPGetAction": {"path": "/", "scheme": "HTTP"},
    "core.v1.GRPCAction": {"service": ""},
    "core.v1.ObjectFieldSelector": {"apiVersion": "v1"},
    "core.v1.ResourceFieldSelector": {"divisor": "0"},
    "core.v1.Event": {"reportingComponent": "", "reportingInstance": ""},
    "core.v1.SecretVolumeSource": _MODE,
    "core.v1.ConfigMapVolumeSource": _MODE,
    "core.v1.DownwardAPIVolumeSource": _MODE,
    "core.v1.ProjectedVolumeSource": _MODE,
    "core.v1.ServiceAccountTokenProjection": {"expirationSeconds": 3600},
    "core.v1.HostPathVolumeSource": {"type": ""},
    "core.v1.ISCSIVolumeSource": {"iscsiInterface": "default"},
    "core.v1.RBDVolumeSource": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "core.v1.AzureDiskVolumeSource": {
        "cachingMode": "ReadWrite", "fsType": "ext4", "readOnly": False, "kind": "Shared",
    },
    "core.v1.ScaleIOVolumeSource": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
    "core.v1.PersistentVolumeClaimSpec": {"volumeMode": "Filesystem"},
    "core.v1.PersistentVolumeClaimStatus": {"phase": "Pending"},
    "core.v1.PersistentVolumeSpec": {
        "persistentVolumeReclaimPolicy": "Retain", "volumeMode": "Filesystem",
    },
    "core.v1.PersistentVolumeStatus": {"phase": "Pending"},
    "core.v1.NamespaceStatus": {"phase": "Active"},
    "core.v1.Secret": {"type": "Opaque"},
    "core.v1.EndpointPort": _TCP,
    "core.v1.ServicePort": _TCP,
    "core.v1.ServiceSpec": {"sessionAffinity": "None", "type": "ClusterIP"},
    "core.v1.ReplicationControllerSpec": {"replicas": 1},
    "apps.v1.DeploymentSpec": {
        "replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
    },
    "apps.v1.DeploymentStrategy": {"type": "RollingUpdate"},
    "apps.v1.ReplicaSetSpec": {"replicas": 1},
    "apps.v1.DaemonSetSpec": {"revisionHistoryLimit": 10},
    "apps.v1.DaemonSetUpdateStrategy": {"type": "RollingUpdate"},
    "apps.v1.StatefulSetSpec": {
        "podManagementPolicy": "OrderedReady", "replicas": 1, "revisionHistoryLimit": 10,
        "persistentVolumeClaimRetentionPolicy": {},
    },
    "apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy": {
        "whenDeleted": "Retain", "whenScaled": "Retain",
    },
    "batch.v1.CronJobSpec": {
        "concurrencyPolicy": "Allow", "suspend": False, "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1,
    },
    "batch.v1.PodFailurePolicyOnPodConditionsPattern": {"status": "True"},
    "autoscaling.v1.HorizontalPodAutoscalerSpec": {
        "minReplicas": 1, "targetCPUUtilizationPercentage": 80,
    },
    "autoscaling.v2.HorizontalPodAutoscalerSpec": {"minReplicas": 1},
    "discovery.v1.EndpointPort": {"name": "", "protocol": "TCP"},
    "networking.v1.NetworkPolicyPort": _TCP,
    "networking.v1.IngressClassParametersReference": {"scope": "Cluster"},
    "rbac.v1.RoleRef": {"apiGroup": _RBAC},
    "scheduling.v1.PriorityClass": {"preemptionPolicy": "PreemptLowerPriority"},
    "storage.v1.StorageClass": {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"},
    "storage.v1.CSIDriverSpec": {
        "attachRequired": True, "podInfoOnMount": False, "storageCapacity": False,
        "fsGroupPolicy": "ReadWriteOnceWithFSType", "volumeLifecycleModes": ["Persistent"],
        "requiresRepublish": False, "seLinuxMount": False,
    },
    "admissionregistration.v1.ValidatingWebhook": _WEBHOOK,
    "admissionregistration.v1.MutatingWebhook": _WEBHOOK | {"reinvocationPolicy": "Never"},
    "admissionregistration.v1.RuleWithOperations": {"scope": "*"},
    "admissionregistration.v1.NamedRuleWithOperations": {"scope": "*"},
    "admissionregistration.v1.ServiceReference": {"port": 443},
    "admissionregistration.v1.ValidatingAdmissionPolicySpec": {"failurePolicy": "Fail"},
    "admissionregistration.v1.MutatingAdmissionPolicySpec": {"failurePolicy": "Fail"},
    "admissionregistration.v1.MatchResources": {
        "matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {},
    },
    "authentication.v1.TokenRequestSpec": {"expirationSeconds": 3600},
    f"{_CRD}CustomResourceDefinitionSpec": {
        "conversion": {"strategy": "None"},
    },
    f"{_CRD}ServiceReference": {"port": 443},
    "pkg.apis.apiregistration.v1.ServiceReference": {"port": 443},
}  # fmt: skip

_POD_ONLY = {
    "enableServiceLinks": True,
    "priority": 0,
    "preemptionPolicy": "PreemptLowerPriority",
}
_TOLERATIONS = tuple(
    {
        "effect": "NoExecute",
        "key": f"node.kubernetes.io/{trouble}",
        "operator": "Exists",
        "tolerationSeconds": 300,
    }
    for trouble in ("not-ready", "unreachable")
)


def _container(container: Object) -> Mapping[str, Json]:
    if container.get("imagePullPolicy"):
        return {}
    return {"imagePullPolicy": "Always" if _is_latest(container.get("image")) else "IfNotPresent"}


def _is_latest(image: Any) -> bool:
    name = str(image or "").rpartition("/")[2]
    if "@" in name:
        return ":latest" in name
    _, colon, tag = name.partition(":")
    return not colon or tag == "latest"


def _probe(probe: Object) -> Mapping[str, Json]:
    wanted = (("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1),
              ("failureThreshold", 3))  # fmt: skip
    return {key: value for key, value in wanted if not probe.get(key)}


def _volume(volume: Object) -> Mapping[str, Json]:
    if all(part is None or key == "name" for key, part in volume.items()):
        return {"emptyDir": {}}
    return {}


def _pod(pod: Object) -> Mapping[str, Json]:
    spec = pod.get("spec") or {}
    more: dict[str, Json] = {}
    for key, value in _POD_ONLY.items():
        if spec.get(key) is None:
            more[key] = value
    tolerations = spec.get("tolerations") or []
    missing = [one for one in _TOLERATIONS if not _is_tolerated(one, tolerations)]
    if missing:
        more["tolerations"] = [*tolerations, *missing]
    for place in ("containers", "initContainers"):
        before = spec.get(place)
        after = [_with_requests(_with_host_ports(one, spec)) for one in before or ()]
        if before and any(new is not old for new, old in zip(after, before, strict=True)):
            more[place] = after
    filled = {"spec": {**spec, **more}} if more else {}
    status = pod.get("status") or {}
    if "phase" in status and "qosClass" in status:
        return filled
    quality = _quality({**spec, **more})
    return {**filled, "status": {"phase": "Pending", "qosClass": quality, **status}}


def _is_tolerated(wanted: Object, tolerations: Sequence[Object]) -> bool:
    return any(
        one.get("key") in (None, "", wanted["key"])
        and one.get("effect") in (None, "", wanted["effect"])
        for one in tolerations
    )


def _quality(spec: Object) -> str:
    """The quality of service class that the containers' resources amount to."""
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    amounts = [one.get("resources") or {} for one in containers]
    if not any(one.get("limits") or one.get("requests") for one in amounts):
        return "BestEffort"
    for one in amounts:
        limits, requests = one.get("limits") or {}, one.get("requests") or {}
        for name in ("cpu", "memory"):
            if name not in limits or not quantity.equal(limits[name], requests.get(name)):
                return "Burstable"
    return "Guaranteed"


def _pod_spec(spec: Object) -> Mapping[str, Json]:
    account, deprecated = spec.get("serviceAccountName"), spec.get("serviceAccount")
    if not (account or deprecated) or account == deprecated:
        return {}
    return {"serviceAccountName": account or deprecated, "serviceAccount": account or deprecated}


def _with_requests(container: Object) -> Object:
    resources = container.get("resources") or {}
    limits, requests = resources.get("limits"), resources.get("requests") or {}
    if not limits or all(name in requests for name in limits):
        return container
    return {**container, "resources": {**resources, "requests": {**limits, **requests}}}


def _with_host_ports(container: Object, spec: Object) -> Object:
    ports = container.get("ports")
    if not spec.get("hostNetwork") or not ports or all(port.get("hostPort") for port in ports):
        return container
    hosted = [
        port if port.get("hostPort") else {**port, "hostPort": port.get("containerPort")}
        for port in ports
    ]
    return {**container, "ports": hosted}


def _service_port(port: Object) -> Mapping[str, Json]:
    return {} if port.get("targetPort") else {"targetPort": port.get("port")}


def _service_spec(spec: Object) -> Mapping[str, Json]:
    more: dict[str, Json] = {}
    kind = spec["type"]
    is_exposed = kind in ("NodePort", "LoadBalancer") or (
        kind == "ClusterIP" and bool(spec.get("externalIPs"))
    )
    if spec["sessionAffinity"] == "None" and spec.get("sessionAffinityConfig"):
        more["sessionAffinityConfig"] = None
    if spec["sessionAffinity"] == "ClientIP" and not spec.get("sessionAffinityConfig"):
        more["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": 10800}}
    if kind != "ExternalName" and not spec.get("internalTrafficPolicy"):
        more["internalTrafficPolicy"] = "Cluster"
    if is_exposed != bool(spec.get("externalTrafficPolicy")):
        more["externalTrafficPolicy"] = "Cluster" if is_exposed else None
    if kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is None:
        more["allocateLoadBalancerNodePorts"] = True
    return more


def _rolling(defaults: Mapping[str, Json]) -> Fill:
    """A strategy whose rolling update has these defaults."""

    def fill(strategy: Object) -> Mapping[str, Json]:
        rolling = strategy.get("rollingUpdate") or {}
        if strategy["type"] != "RollingUpdate" or all(
            rolling.get(key) is not None for key in defaults
        ):
            return {}
        given = {key: value for key, value in rolling.items() if value is not None}
        return {"rollingUpdate": {**defaults, **given}}

    return fill


def _stateful_set_strategy(strategy: Object) -> Mapping[str, Json]:
    if not strategy.get("type"):
        rolling = {"partition": 0} | (strategy.get("rollingUpdate") or {})
        return {"type": "RollingUpdate", "rollingUpdate": rolling}
    given = strategy.get("rollingUpdate")
    if given is None or given.get("partition") is not None:
        return {}
    return {"rollingUpdate": {**given, "partition": 0}}


def _stateful_set_spec(spec: Object) -> Mapping[str, Json]:
    claims = spec.get("volumeClaimTemplates") or ()
    if all("kind" in claim and "apiVersion" in claim for claim in claims):
        return {}
    typed = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
    return {"volumeClaimTemplates": [{**typed, **claim} for claim in claims]}


def _job(job: Object) -> Mapping[str, Json]:
    spec, meta = job.get("spec") or {}, job.get("metadata") or {}
    wanted: dict[str, Json] = dict(_JOB_ONLY)
    if spec.get("parallelism") is None and spec.get("completions") is None:
        wanted["completions"] = 1
    if spec.get("backoffLimitPerIndex") is not None:
        wanted["backoffLimit"] = 2**31 - 1
    if spec.get("podFailurePolicy") is not None:
        wanted["podReplacementPolicy"] = "Failed"
    missing = {key: value for key, value in wanted.items() if spec.get(key) is None}
    more: dict[str, Json] = {"spec": {**spec, **missing}} if missing else {}
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    if labels and not meta.get("labels"):
        more["metadata"] = {**meta, "labels": labels}
    return more


_JOB_ONLY = {
    "parallelism": 1, "backoffLimit": 6, "completionMode": "NonIndexed", "suspend": False,
    "podReplacementPolicy": "TerminatingOrFailed", "manualSelector": False,
}  # fmt: skip
"""What a Job gets, but not the job template of a CronJob."""


def _replication_controller(controller: Object) -> Mapping[str, Json]:
    spec, meta = controller.get("spec") or {}, controller.get("metadata") or {}
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    more: dict[str, Json] = {}
    if labels and not spec.get("selector"):
        more["spec"] = {**spec, "selector": labels}
    if labels and not meta.get("labels"):
        more["metadata"] = {**meta, "labels": labels}
    return more


def _custom_definition(definition: Object) -> Mapping[str, Json]:
    status = definition.get("status") or {}
    if status.get("storedVersions"):
        return {}
    versions = (definition.get("spec") or {}).get("versions") or ()
    stored = [version.get("name") for version in versions if version.get("storage")]
    return {"status": {**status, "storedVersions": stored[:1]}} if stored else {}


_SCALE_UP = {
    "stabilizationWindowSeconds": 0,
    "selectPolicy": "Max",
    "policies": [
        {"type": "Pods", "value": 4, "periodSeconds": 15},
        {"type": "Percent", "value": 100, "periodSeconds": 15},
    ],
}
_SCALE_DOWN = {
    "selectPolicy": "Max",
    "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
}
_CPU_AT_80 = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
}


def _autoscaler(spec: Object) -> Mapping[str, Json]:
    return {} if spec.get("metrics") else {"metrics": [_CPU_AT_80]}


def _behavior(behavior: Object) -> Mapping[str, Json]:
    more = {}
    for key, wanted in (("scaleUp", _SCALE_UP), ("scaleDown", _SCALE_DOWN)):
        given = behavior.get(key) or {}
        if any(given.get(name) is None for name in wanted):
            more[key] = {**wanted, **{name: one for name, one in given.items() if one is not None}}
    return more


def _namespace(namespace: Object) -> Mapping[str, Json]:
    meta = namespace.get("metadata") or {}
    labels, name = meta.get("labels") or {}, meta.get("name")
    if not name or labels.get("kubernetes.io/metadata.name") == name:
        return {}
    return {"metadata": {**meta, "labels": {**labels, "kubernetes.io/metadata.name": name}}}


def _network_policy(spec: Object) -> Mapping[str, Json]:
    if spec.get("policyTypes"):
        return {}
    return {"policyTypes": ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]}


def _subject(subject: Object) -> Mapping[str, Json]:
    needs_group = subject.get("kind") in ("User", "Group") and not subject.get("apiGroup")
    return {"apiGroup": _RBAC} if needs_group else {}


def _node_status(status: Object) -> Mapping[str, Json]:
    if status.get("allocatable") is None and status.get("capacity") is not None:
        return {"allocatable": status["capacity"]}
    return {}


def _limit_range_item(item: Object) -> Mapping[str, Json]:
    if item.get("type") != "Container":
        return {}
    limits = {**(item.get("max") or {}), **(item.get("default") or {})}
    requests = {**(item.get("min") or {}), **limits, **(item.get("defaultRequest") or {})}
    more: dict[str, Json] = {}
    if limits and limits != item.get("default"):
        more["default"] = limits
    if requests and requests != item.get("defaultRequest"):
        more["defaultRequest"] = requests
    return more


def _custom_names(names: Object) -> Mapping[str, Json]:
    kind = names.get("kind") or ""
    wanted = {"singular": kind.lower(), "listKind": f"{kind}List"}
    return {key: value for key, value in wanted.items() if kind and not names.get(key)}


FILLS: dict[str, Fill] = {
    f"{_CRD}CustomResourceDefinition": _custom_definition,
    "core.v1.Container": _container,
    "core.v1.EphemeralContainer": _container,
    "core.v1.Probe": _probe,
    "core.v1.Volume": _volume,
    "core.v1.Pod": _pod,
    "core.v1.PodSpec": _pod_spec,
    "core.v1.ServicePort": _service_port,
    "core.v1.ServiceSpec": _service_spec,
    "core.v1.Namespace": _namespace,
    "core.v1.ReplicationController": _replication_controller,
    "core.v1.NodeStatus": _node_status,
    "core.v1.LimitRangeItem": _limit_range_item,
    "apps.v1.DeploymentStrategy": _rolling({"maxUnavailable": "25%", "maxSurge": "25%"}),
    "apps.v1.DaemonSetUpdateStrategy": _rolling({"maxUnavailable": 1, "maxSurge": 0}),
    "apps.v1.StatefulSetUpdateStrategy": _stateful_set_strategy,
    "apps.v1.StatefulSetSpec": _stateful_set_spec,
    "batch.v1.Job": _job,
    "autoscaling.v2.HorizontalPodAutoscalerSpec": _autoscaler,
    "autoscaling.v2.HorizontalPodAutoscalerBehavior": _behavior,
    "networking.v1.NetworkPolicySpec": _network_policy,
    "rbac.v1.Subject": _subject,
    f"{_CRD}CustomResourceDefinitionNames": _custom_names,
}
