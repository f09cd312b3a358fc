"""What an API server refuses about settings, storage, rights and the other small kinds."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Final

from oneco.kube import causes, names, quantity
from oneco.kube import validation_rules as rules
from oneco.kube.errors import Cause
from oneco.kube.objects import Json, Object, annotations_of, dig

_LARGEST_DATA_BYTES: Final = 1024 * 1024
_SECRET_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}
_ACCOUNT: Final = "kubernetes.io/service-account.name"
_ACCESS_MODES: Final = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_VOLUME_MODES: Final = ("Block", "Filesystem")
_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_HIGHEST_PRIORITY: Final = 1_000_000_000
_SHORTEST_CERTIFICATE_SECONDS: Final = 600
_NOT_VOLUMES: Final = frozenset(
    {
        "accessModes", "capacity", "claimRef", "mountOptions", "nodeAffinity",
        "persistentVolumeReclaimPolicy", "storageClassName", "volumeAttributesClassName",
        "volumeMode",
    }
)  # fmt: skip


def validate_config_map(obj: Object) -> list[Cause]:
    """What is wrong with a ConfigMap."""
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    found = []
    for key in data:
        found += rules.text(key, f"data[{key}]", rules.config_key_faults)
        if key in binary:
            words = "duplicate of key present in binaryData"
            found.append(causes.invalid(f"data[{key}]", key, words))
    for key in binary:
        found += rules.text(key, f"binaryData[{key}]", rules.config_key_faults)
    size = _size(data) + sum(_decoded_size(value) for value in binary.values())
    if size > _LARGEST_DATA_BYTES:
        found.append(causes.too_long("[]", _LARGEST_DATA_BYTES))
    return found


def validate_secret(obj: Object) -> list[Cause]:
    """What is wrong with a Secret."""
    data, kind = obj.get("data") or {}, obj.get("type") or ""
    found = []
    for key in data:
        found += rules.text(key, f"data[{key}]", rules.config_key_faults)
    if sum(_decoded_size(value) for value in data.values()) > _LARGEST_DATA_BYTES:
        found.append(causes.too_long("data", _LARGEST_DATA_BYTES))
    wanted = _SECRET_KEYS.get(kind, ())
    found += [causes.required(f"data[{key}]") for key in wanted if key not in data]
    if kind == "kubernetes.io/basic-auth" and not ("username" in data or "password" in data):
        found += [causes.required("data[username]"), causes.required("data[password]")]
    if kind == "kubernetes.io/service-account-token" and not annotations_of(obj).get(_ACCOUNT):
        found.append(causes.required(f"metadata.annotations[{_ACCOUNT}]"))
    return found


def validate_claim(obj: Object) -> list[Cause]:
    """What is wrong with a PersistentVolumeClaim."""
    spec = obj.get("spec") or {}
    modes = spec.get("accessModes") or ()
    found = []
    if not modes:
        found.append(causes.required("spec.accessModes", "at least 1 access mode is required"))
    found += _validate_access(modes)
    asked = dig(spec, "resources", "requests", "storage")
    where = "spec.resources[storage]"
    if asked is None:
        found.append(causes.required(where))
    elif quantity.parse(asked) <= 0:
        words = "must be greater than zero"
        found.append(causes.invalid(where, quantity.canonical(asked), words))
    if spec.get("storageClassName"):
        name = spec["storageClassName"]
        found += rules.text(name, "spec.storageClassName", names.subdomain_faults)
    return found + rules.one_of(spec.get("volumeMode"), "spec.volumeMode", _VOLUME_MODES)


def validate_volume(obj: Object) -> list[Cause]:
    """What is wrong with a PersistentVolume."""
    spec = obj.get("spec") or {}
    modes, capacity = spec.get("accessModes") or (), spec.get("capacity") or {}
    found = [] if modes else [causes.required("spec.accessModes")]
    found += _validate_access(modes)
    if not capacity:
        found.append(causes.required("spec.capacity"))
    if "storage" not in capacity:
        found.append(causes.unsupported("spec.capacity", capacity or None, ["storage"]))
    if not any(key not in _NOT_VOLUMES for key in spec):
        found.append(causes.required("spec", "must specify a volume type"))
    return found


def validate_storage_class(obj: Object) -> list[Cause]:
    """What is wrong with a StorageClass."""
    return [] if obj.get("provisioner") else [causes.required("provisioner")]


def validate_namespace(obj: Object) -> list[Cause]:
    """What is wrong with a Namespace."""
    words = "name is neither a standard finalizer name nor is it fully qualified"
    return [
        causes.invalid("spec.finalizers", finalizer, words)
        for finalizer in dig(obj, "spec", "finalizers", default=())
        if "/" not in finalizer and finalizer != "kubernetes"
    ]


def validate_node(obj: Object) -> list[Cause]:
    """What is wrong with a Node."""
    found = []
    for index, taint in enumerate(dig(obj, "spec", "taints", default=())):
        where = f"metadata.taints[{index}]"
        found += rules.text(taint.get("key") or "", f"{where}.key", names.key_faults)
        if taint.get("value"):
            found += rules.text(taint["value"], f"{where}.value", names.value_faults)
        found += rules.one_of(taint.get("effect") or "", f"{where}.effect", _EFFECTS)
    return found


def validate_lease(obj: Object) -> list[Cause]:
    """What is wrong with a Lease."""
    spec = obj.get("spec") or {}
    duration = spec.get("leaseDurationSeconds")
    found = []
    if duration is not None and duration <= 0:
        found.append(
            causes.invalid("spec.leaseDurationSeconds", duration, "must be greater than 0")
        )
    return found + rules.not_negative(spec, "spec", "leaseTransitions")


def validate_role(obj: Object) -> list[Cause]:
    """What is wrong with a Role or ClusterRole."""
    found = []
    for index, rule in enumerate(obj.get("rules") or ()):
        where = f"rules[{index}]"
        if not rule.get("verbs"):
            words = "verbs must contain at least one value"
            found.append(causes.required(f"{where}.verbs", words))
        if rule.get("nonResourceURLs"):
            continue
        for key, words in (
            ("apiGroups", "resource rules must supply at least one api group"),
            ("resources", "resource rules must supply at least one resource"),
        ):
            if not rule.get(key):
                found.append(causes.required(f"{where}.{key}", words))
    return found


def validate_binding(obj: Object) -> list[Cause]:
    """What is wrong with a RoleBinding or ClusterRoleBinding."""
    role = obj.get("roleRef") or {}
    choices = ("Role", "ClusterRole") if obj.get("kind") == "RoleBinding" else ("ClusterRole",)
    found = rules.one_of(role.get("kind") or "", "roleRef.kind", choices)
    found += rules.required_text(role, "roleRef", "name", names.path_faults)
    for index, subject in enumerate(obj.get("subjects") or ()):
        where, kind = f"subjects[{index}]", subject.get("kind") or ""
        found += rules.required_text(subject, where, "name")
        found += rules.one_of(kind, f"{where}.kind", ("ServiceAccount", "User", "Group"))
        # Inside a namespace, its own is meant.
        if kind == "ServiceAccount" and obj.get("kind") == "ClusterRoleBinding":
            found += rules.required_text(subject, where, "namespace")
    return found


def validate_signing_request(obj: Object) -> list[Cause]:
    """What is wrong with a CertificateSigningRequest."""
    spec = obj.get("spec") or {}
    found = []
    if not _is_signing_request(spec.get("request") or ""):
        words = "PEM block type must be CERTIFICATE REQUEST"
        found.append(causes.invalid("spec.request", spec.get("request"), words))
    if not spec.get("usages"):
        found.append(causes.required("spec.usages"))
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < _SHORTEST_CERTIFICATE_SECONDS:
        words = "may not specify a duration less than 600 seconds (10 minutes)"
        found.append(causes.invalid("spec.expirationSeconds", seconds, words))
    return found + rules.required_text(spec, "spec", "signerName")


def validate_priority_class(obj: Object) -> list[Cause]:
    """What is wrong with a PriorityClass."""
    if (obj.get("value") or 0) <= _HIGHEST_PRIORITY or _is_system(obj):
        return []
    words = f"maximum allowed value of a user defined priority is {_HIGHEST_PRIORITY}"
    return [causes.forbidden("value", words)]


def _is_signing_request(request: str) -> bool:
    try:
        return b"-----BEGIN CERTIFICATE REQUEST-----" in base64.b64decode(request)
    except binascii.Error:
        return False


def _is_system(obj: Object) -> bool:
    return str(dig(obj, "metadata", "name", default="")).startswith("system-")


def _validate_access(modes: Sequence[str]) -> list[Cause]:
    found = []
    for mode in modes:
        found += rules.one_of(mode, "spec.accessModes", _ACCESS_MODES)
    if "ReadWriteOncePod" in modes and len(modes) > 1:
        words = "may not use ReadWriteOncePod with other access modes"
        found.append(causes.forbidden("spec.accessModes", words))
    return found


def _size(data: Mapping[str, Json]) -> int:
    return sum(len(value.encode()) for value in data.values())


def _decoded_size(value: str) -> int:
    """How many bytes a base64 text means."""
    return len(value) * 3 // 4
