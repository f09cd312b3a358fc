"""What the server itself adds to or holds fixed in objects of particular built-in kinds."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from oneco.kube.objects import Object, dig
from oneco.kube.refs import Kind
from oneco.worlds.apiserver import customs
from oneco.worlds.apiserver.core import Caller

WITHOUT_EFFECT: Final = frozenset(
    {
        Kind("", "v1", "LimitRange"),
        Kind("", "v1", "ResourceQuota"),
        Kind("scheduling.k8s.io", "v1", "PriorityClass"),
        Kind("apiregistration.k8s.io", "v1", "APIService"),
        *(
            Kind("admissionregistration.k8s.io", "v1", f"{what}{rest}")
            for what in ("Mutating", "Validating")
            for rest in ("WebhookConfiguration", "AdmissionPolicy", "AdmissionPolicyBinding")
        ),
    }
)
"""Kinds that hold back or change other objects on a kube-apiserver, and nothing here."""
KEPT_ONLY: Final = "this server keeps it and does not enforce it"
Preparation = Callable[[Object, Caller], Object]


def prepared(kind: Kind, new: Object, caller: Caller) -> Object:
    """A new object of a built-in `kind` with what the server adds to it."""
    prepare = _CREATIONS.get(kind)
    return prepare(new, caller) if prepare else new


def written(kind: Kind, new: Object) -> Object:
    """An object of a built-in `kind` with its write-only fields turned into what is kept."""
    if kind == _SECRET:
        return _secret(new)
    return customs.completed(new) if kind == customs.KIND else new


def status(kind: Kind, given: Any) -> Any:
    """A written status of a built-in `kind` as it is kept."""
    if kind == _AUTOSCALER and isinstance(given, Mapping):
        # A required list that nobody wrote, or wrote empty, is null.
        return {
            "desiredReplicas": 0,
            **given,
            "currentMetrics": given.get("currentMetrics") or None,
        }
    return given


def finished(kind: Kind, new: Object) -> Object:
    """A complete object of a built-in `kind` with what no default may take away again."""
    if kind != _AUTOSCALER:
        return new
    return {**new, "status": status(kind, new.get("status") or {})}


def owned_spec(kind: Kind, given: Object, new: Object) -> Object | None:
    """The spec of `new` without what the server added to what was `given`: nobody owns that.

    None where everything is its writer's.
    """
    added = _ADDED.get(kind, ())
    if not added:
        return None
    before: Mapping[str, Any] = given.get("spec") or {}
    spec = {key: one for key, one in new["spec"].items() if key in before or key not in added}
    if kind == _SERVICE and "internalTrafficPolicy" in before:
        # Taken away with the type that it belonged to, after the owners are recorded.
        spec["internalTrafficPolicy"] = before["internalTrafficPolicy"]
    if kind == _SERVICE and spec.get("ports"):
        spec["ports"] = _asked_ports(before.get("ports") or (), spec["ports"])
    return spec


def _asked_ports(given: Sequence[Object], ports: Sequence[Object]) -> list[Object]:
    asked = {index for index, port in enumerate(given) if port.get("nodePort")}
    return [
        port if index in asked else {key: value for key, value in port.items() if key != "nodePort"}
        for index, port in enumerate(ports)
    ]


def fixed(kind: Kind, new: Object, old: Object) -> Object:
    """A changed object of a built-in `kind` with the parts that only the server changes."""
    if kind == _REQUEST:
        return {**new, "spec": old["spec"]}
    if kind == _DAEMON_SET:
        return _counted(new, old)
    if kind != _NAMESPACE:
        return new
    spec = {key: value for key, value in (new.get("spec") or {}).items() if key != "finalizers"}
    finalizers = dig(old, "spec", "finalizers")
    if finalizers:
        spec["finalizers"] = finalizers
    meta = new["metadata"]
    labels = {**(meta.get("labels") or {}), "kubernetes.io/metadata.name": meta["name"]}
    return {**new, "metadata": {**meta, "labels": labels}, "spec": spec}


def _counted(new: Object, old: Object | None) -> Object:
    """A DaemonSet with the number of its template, which only the server counts."""
    meta = new["metadata"]
    annotations = dict(meta.get("annotations") or {})
    if old is None:
        annotations.setdefault(_TEMPLATE_NUMBER, "1")
    else:
        last = (old["metadata"].get("annotations") or {}).get(_TEMPLATE_NUMBER, "1")
        is_same = new["spec"].get("template") == old["spec"].get("template")
        annotations[_TEMPLATE_NUMBER] = last if is_same else str(int(last) + 1)
    return {**new, "metadata": {**meta, "annotations": annotations}}


def _daemon_set(new: Object, caller: Caller) -> Object:
    return _counted(new, None)


def _namespace(new: Object, caller: Caller) -> Object:
    meta = new["metadata"]
    labels = {**(meta.get("labels") or {}), "kubernetes.io/metadata.name": meta["name"]}
    spec = {**(new.get("spec") or {}), "finalizers": ["kubernetes"]}
    return {
        **new,
        "metadata": {**meta, "labels": labels},
        "spec": spec,
        "status": {"phase": "Active"},
    }


def _pod(new: Object, caller: Caller) -> Object:
    spec: Mapping[str, Any] = new.get("spec") or {}
    held = list(spec.get("tolerations") or ())
    spec = {
        "priority": 0,
        "preemptionPolicy": "PreemptLowerPriority",
        **spec,
        "tolerations": held + [one for one in _TOLERATIONS if not _tolerates(held, one["key"])],
    }
    return {**new, "spec": spec, "status": {"phase": "Pending", "qosClass": quality_of(spec)}}


def _tolerates(held: list[Object], key: str) -> bool:
    return any(
        (one.get("key") or key) == key and one.get("effect") in (None, "", "NoExecute")
        for one in held
    )


def quality_of(spec: Object) -> str:
    """The quality of service class that a pod's requests and limits give it."""
    containers = (*(spec.get("containers") or ()), *(spec.get("initContainers") or ()))
    asked = [one.get("resources") or {} for one in containers]
    if not any(dig(one, "requests") or dig(one, "limits") for one in asked):
        return "BestEffort"
    for one in asked:
        limits = one.get("limits") or {}
        requests = {**limits, **(one.get("requests") or {})}
        for resource in ("cpu", "memory"):
            if resource not in limits or requests[resource] != limits[resource]:
                return "Burstable"
    return "Guaranteed"


def _secret(new: Object) -> Object:
    given = new.get("stringData")
    if given is None:
        return new
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in given.items()}
    kept = {key: value for key, value in new.items() if key != "stringData"}
    return {**kept, "data": {**(new.get("data") or {}), **encoded}}


def _pending(new: Object, caller: Caller) -> Object:
    return {**new, "status": {"phase": "Pending"}}


def _job(new: Object, caller: Caller) -> Object:
    spec = dict(new.get("spec") or {})
    meta = new["metadata"]
    if spec.get("manualSelector"):
        return new
    uid, name = meta["uid"], meta["name"]
    labels = {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": name,
        "controller-uid": uid,
        "job-name": name,
    }
    template = spec.get("template") or {}
    inner = template.get("metadata") or {}
    inner = {**inner, "labels": {**(inner.get("labels") or {}), **labels}}
    spec["template"] = {**template, "metadata": inner}
    spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    return {**new, "spec": spec}


def _signing_request(new: Object, caller: Caller) -> Object:
    spec = {**(new.get("spec") or {}), "username": caller.user, "groups": list(caller.groups)}
    return {**new, "spec": spec, "status": {}}


_TOLERATIONS: Final[tuple[Object, ...]] = tuple(
    {
        "key": f"node.kubernetes.io/{trouble}",
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": 300,
    }
    for trouble in ("not-ready", "unreachable")
)
_SECRET: Final = Kind("", "v1", "Secret")
_REQUEST: Final = Kind("certificates.k8s.io", "v1", "CertificateSigningRequest")
_NAMESPACE: Final = Kind("", "v1", "Namespace")
_DAEMON_SET: Final = Kind("apps", "v1", "DaemonSet")
_TEMPLATE_NUMBER: Final = "deprecated.daemonset.template.generation"
_POD: Final = Kind("", "v1", "Pod")
_SERVICE: Final = Kind("", "v1", "Service")
_ADDED: Final[Mapping[Kind, tuple[str, ...]]] = {
    _POD: ("priority", "preemptionPolicy", "tolerations"),
    _SERVICE: ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"),
}
_AUTOSCALER: Final = Kind("autoscaling", "v2", "HorizontalPodAutoscaler")
_CREATIONS: Final[Mapping[Kind, Preparation]] = {
    _NAMESPACE: _namespace,
    _POD: _pod,
    Kind("", "v1", "PersistentVolumeClaim"): _pending,
    Kind("", "v1", "PersistentVolume"): _pending,
    Kind("batch", "v1", "Job"): _job,
    _DAEMON_SET: _daemon_set,
    _REQUEST: _signing_request,
}
