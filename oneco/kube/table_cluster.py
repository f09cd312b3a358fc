"""The rows of what a cluster itself is made of: nodes, storage, rights, settings, events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from oneco.clock import Instant
from oneco.kube import ages
from oneco.kube.objects import Json, Object, annotations_of, dig, is_deleting, metadata
from oneco.kube.objects import labels as labels_of
from oneco.kube.table_columns import NONE, UNKNOWN, UNSET, Printer, age, columns

_ROLE_PREFIX: Final = "node-role.kubernetes.io/"
_DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"
_ACCESS: Final = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}


def _node(obj: Object, now: Instant) -> Sequence[Json]:
    info = dig(obj, "status", "nodeInfo", default={})
    kernel, architecture = info.get("kernelVersion"), info.get("architecture")
    return [
        metadata(obj).get("name"),
        _node_status(obj),
        _node_roles(obj),
        age(obj, now),
        info.get("kubeletVersion") or "",
        _node_address(obj, "InternalIP"),
        _node_address(obj, "ExternalIP"),
        info.get("osImage") or UNKNOWN,
        (f"{kernel} ({architecture})" if architecture else kernel) if kernel else UNKNOWN,
        info.get("containerRuntimeVersion") or UNKNOWN,
    ]


def _node_status(obj: Object) -> str:
    words = [
        "Ready" if one.get("status") == "True" else "NotReady"
        for one in dig(obj, "status", "conditions", default=())
        if one.get("type") == "Ready"
    ] or ["Unknown"]
    if dig(obj, "spec", "unschedulable"):
        words.append("SchedulingDisabled")
    return ",".join(words)


def _node_roles(obj: Object) -> str:
    found = labels_of(obj)
    roles = {key.removeprefix(_ROLE_PREFIX) for key in found if key.startswith(_ROLE_PREFIX)}
    roles.add(found.get("kubernetes.io/role") or "")
    return ",".join(sorted(roles - {""})) or NONE


def _node_address(obj: Object, kind: str) -> str:
    for one in dig(obj, "status", "addresses", default=()):
        if one.get("type") == kind:
            return one.get("address") or NONE
    return NONE


def _namespace(obj: Object, now: Instant) -> Sequence[Json]:
    return [metadata(obj).get("name"), dig(obj, "status", "phase", default=""), age(obj, now)]


def _config_map(obj: Object, now: Instant) -> Sequence[Json]:
    size = len(obj.get("data") or ()) + len(obj.get("binaryData") or ())
    return [metadata(obj).get("name"), size, age(obj, now)]


def _secret(obj: Object, now: Instant) -> Sequence[Json]:
    size = len(obj.get("data") or ())
    return [metadata(obj).get("name"), obj.get("type") or "", size, age(obj, now)]


def _named(obj: Object, now: Instant) -> Sequence[Json]:
    return [metadata(obj).get("name"), age(obj, now)]


def _claim(obj: Object, now: Instant) -> Sequence[Json]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    capacity = modes = ""
    if spec.get("volumeName"):
        capacity = dig(status, "capacity", "storage", default="")
        modes = _access(status.get("accessModes") or ())
    return [
        metadata(obj).get("name"),
        "Terminating" if is_deleting(obj) else status.get("phase") or "",
        spec.get("volumeName") or "",
        capacity,
        modes,
        _class_name(obj),
        spec.get("volumeAttributesClassName") or UNSET,
        age(obj, now),
        spec.get("volumeMode") or UNSET,
    ]


def _volume(obj: Object, now: Instant) -> Sequence[Json]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    claim = spec.get("claimRef")
    return [
        metadata(obj).get("name"),
        dig(spec, "capacity", "storage", default=""),
        _access(spec.get("accessModes") or ()),
        spec.get("persistentVolumeReclaimPolicy") or "",
        "Terminating" if is_deleting(obj) else status.get("phase") or "",
        f"{claim.get('namespace')}/{claim.get('name')}" if claim else "",
        _class_name(obj),
        spec.get("volumeAttributesClassName") or UNSET,
        status.get("reason") or "",
        age(obj, now),
        spec.get("volumeMode") or UNSET,
    ]


def _class_name(obj: Object) -> str:
    named = annotations_of(obj).get("volume.beta.kubernetes.io/storage-class")
    return named or dig(obj, "spec", "storageClassName", default="")


def _access(modes: Sequence[str]) -> str:
    return ",".join(short for mode, short in _ACCESS.items() if mode in modes)


def _storage_class(obj: Object, now: Instant) -> Sequence[Json]:
    is_default = annotations_of(obj).get(_DEFAULT_CLASS) == "true"
    return [
        f"{metadata(obj).get('name')} (default)" if is_default else metadata(obj).get("name"),
        obj.get("provisioner") or "",
        obj.get("reclaimPolicy") or "Delete",
        obj.get("volumeBindingMode") or "Immediate",
        bool(obj.get("allowVolumeExpansion")),
        age(obj, now),
    ]


def _event(obj: Object, now: Instant) -> Sequence[Json]:
    about = obj.get("involvedObject") or obj.get("regarding") or {}
    count = dig(obj, "series", "count") or obj.get("count") or obj.get("deprecatedCount") or 0
    return [
        _seen(_last_seen(obj), now),
        obj.get("type") or "",
        obj.get("reason") or "",
        f"{(about.get('kind') or '').lower()}/{about.get('name') or ''}",
        about.get("fieldPath") or "",
        _source(obj),
        (obj.get("message") or obj.get("note") or "").strip(),
        _seen(_first_seen(obj), now),
        # An event that was never counted happened once.
        count or 1,
        metadata(obj).get("name"),
    ]


def _last_seen(obj: Object) -> str | None:
    repeated: str | None = dig(obj, "series", "lastObservedTime") or obj.get("lastTimestamp")
    return repeated or obj.get("deprecatedLastTimestamp") or _first_seen(obj)


def _first_seen(obj: Object) -> str | None:
    first: str | None = obj.get("firstTimestamp") or obj.get("deprecatedFirstTimestamp")
    return first or obj.get("eventTime")


def _seen(text: str | None, now: Instant) -> str:
    return ages.since(text, now)


def _source(obj: Object) -> str:
    source = obj.get("source") or obj.get("deprecatedSource") or {}
    reporter = obj.get("reportingComponent") or obj.get("reportingController")
    component = source.get("component") or reporter or ""
    host = source.get("host") or obj.get("reportingInstance") or ""
    return f"{component}, {host}" if host else component


def _lease(obj: Object, now: Instant) -> Sequence[Json]:
    holder = dig(obj, "spec", "holderIdentity", default="")
    return [metadata(obj).get("name"), holder, age(obj, now)]


def _binding(obj: Object, now: Instant) -> Sequence[Json]:
    role, subjects = obj.get("roleRef") or {}, obj.get("subjects") or ()
    accounts = [
        f"{one.get('namespace', '')}/{one.get('name')}"
        for one in subjects
        if one.get("kind") == "ServiceAccount"
    ]
    return [
        metadata(obj).get("name"),
        f"{role.get('kind')}/{role.get('name')}",
        age(obj, now),
        _subjects(subjects, "User"),
        _subjects(subjects, "Group"),
        ", ".join(accounts),
    ]


def _subjects(subjects: Sequence[Object], kind: str) -> str:
    return ", ".join(one.get("name") or "" for one in subjects if one.get("kind") == kind)


def _signing_request(obj: Object, now: Instant) -> Sequence[Json]:
    spec = obj.get("spec") or {}
    seconds = spec.get("expirationSeconds")
    return [
        metadata(obj).get("name"),
        age(obj, now),
        spec.get("signerName") or NONE,
        spec.get("username") or "",
        NONE if seconds is None else ages.of_seconds(seconds),
        _signing_status(obj),
    ]


def _signing_status(obj: Object) -> str:
    held = {one.get("type") for one in dig(obj, "status", "conditions", default=())}
    words = [word for word in ("Approved", "Denied") if word in held] or ["Pending"]
    if "Failed" in held:
        words.append("Failed")
    if dig(obj, "status", "certificate"):
        words.append("Issued")
    return ",".join(words)


def _priority_class(obj: Object, now: Instant) -> Sequence[Json]:
    return [
        metadata(obj).get("name"),
        obj.get("value") or 0,
        bool(obj.get("globalDefault")),
        age(obj, now),
        obj.get("preemptionPolicy") or "",
    ]


def _quota(obj: Object, now: Instant) -> Sequence[Json]:
    hard = dig(obj, "status", "hard", default={})
    used = dig(obj, "status", "used", default={})
    texts = {key: f"{key}: {used.get(key, '0')}/{hard[key]}" for key in sorted(hard)}
    limits = [text for key, text in texts.items() if key.startswith("limits")]
    requests = [text for key, text in texts.items() if not key.startswith("limits")]
    return [metadata(obj).get("name"), ", ".join(requests), ", ".join(limits), age(obj, now)]


_BINDING: Final = Printer(columns("Name|Role|Age|+Users|+Groups|+ServiceAccounts"), _binding)
_RBAC: Final = "rbac.authorization.k8s.io"
PRINTERS: Final = {
    ("", "Node"): Printer(
        columns(
            "Name|Status|Roles|Age|Version|+Internal-IP|+External-IP|+OS-Image"
            "|+Kernel-Version|+Container-Runtime"
        ),
        _node,
    ),
    ("", "Namespace"): Printer(columns("Name|Status|Age"), _namespace),
    ("", "ConfigMap"): Printer(columns("Name|Data|Age"), _config_map),
    ("", "Secret"): Printer(columns("Name|Type|Data|Age"), _secret),
    ("", "ServiceAccount"): Printer(columns("Name|Age"), _named),
    ("", "PersistentVolumeClaim"): Printer(
        columns(
            "Name|Status|Volume|Capacity|Access Modes|StorageClass|VolumeAttributesClass|Age"
            "|+VolumeMode"
        ),
        _claim,
    ),
    ("", "PersistentVolume"): Printer(
        columns(
            "Name|Capacity|Access Modes|Reclaim Policy|Status|Claim|StorageClass"
            "|VolumeAttributesClass|Reason|Age|+VolumeMode"
        ),
        _volume,
    ),
    ("storage.k8s.io", "StorageClass"): Printer(
        columns("Name|Provisioner|ReclaimPolicy|VolumeBindingMode|AllowVolumeExpansion|Age"),
        _storage_class,
    ),
    ("", "Event"): Printer(
        columns("Last Seen|Type|Reason|Object|+Subobject|+Source|Message|+First Seen|+Count|+Name"),
        _event,
    ),
    ("coordination.k8s.io", "Lease"): Printer(columns("Name|Holder|Age"), _lease),
    (_RBAC, "RoleBinding"): _BINDING,
    (_RBAC, "ClusterRoleBinding"): _BINDING,
    ("certificates.k8s.io", "CertificateSigningRequest"): Printer(
        columns("Name|Age|SignerName|Requestor|RequestedDuration|Condition"), _signing_request
    ),
    ("scheduling.k8s.io", "PriorityClass"): Printer(
        columns("Name|Value:integer|Global-Default:boolean|Age|PreemptionPolicy"), _priority_class
    ),
    ("", "ResourceQuota"): Printer(columns("Name|Request|Limit|Age"), _quota),
}
