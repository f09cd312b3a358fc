"""What may not change once an object is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from oneco.kube import causes, quantity, selectors
from oneco.kube import validation_rules as rules
from oneco.kube.errors import Cause
from oneco.kube.objects import Object, dig, is_deleting, metadata
from oneco.kube.validation_pods import validate_pod_update

_STATEFUL_MUTABLE: Final = (
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
)  # fmt: skip
_WHEN_IMMUTABLE: Final = "field is immutable when `immutable` is set"
_CLAIM_WORDS: Final = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName "
    "for bound claims"
)


def validate_metadata_update(new: Object, old: Object) -> list[Cause]:
    """What is wrong with changing the metadata of an object from that of `old` to that of `new`.

    What the server silently keeps, such as creationTimestamp, is the caller's to restore first.
    """
    meta, before = metadata(new), metadata(old)
    found = []
    for key in ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp"):
        found += rules.immutable(f"metadata.{key}", meta.get(key), before.get(key))
    key = "deletionGracePeriodSeconds"
    found += rules.immutable(f"metadata.{key}", meta.get(key), before.get(key))
    if is_deleting(old):
        known = before.get("finalizers") or ()
        added = [one for one in meta.get("finalizers") or () if one not in known]
        if added:
            shown = ", ".join(f'"{one}"' for one in added)
            words = (
                "no new finalizers can be added if the object is being deleted, found new "
                f"finalizers []string{{{shown}}}"
            )
            found.append(causes.forbidden("metadata.finalizers", words))
    return found


def validate_update(new: Object, old: Object) -> list[Cause]:
    """What is wrong with changing `old` to `new`, as far as its kind forbids a change."""
    rule = _RULES.get(new.get("kind") or "")
    return rule(new, old) if rule is not None else []


def _same(*path: str) -> Callable[[Object, Object], list[Cause]]:
    field = ".".join(path)

    def rule(new: Object, old: Object) -> list[Cause]:
        now, before = dig(new, *path), dig(old, *path)
        if path[-1] == "selector" and isinstance(now, dict):
            now = selectors.shown(now)
        return rules.immutable(field, now, before)

    return rule


def _stateful_set(new: Object, old: Object) -> list[Cause]:
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    if _without(spec, _STATEFUL_MUTABLE) == _without(before, _STATEFUL_MUTABLE):
        return []
    listed = "', '".join(_STATEFUL_MUTABLE[:-1])
    words = (
        f"updates to statefulset spec for fields other than '{listed}' and "
        f"'{_STATEFUL_MUTABLE[-1]}' are forbidden"
    )
    return [causes.forbidden("spec", words)]


def _job(new: Object, old: Object) -> list[Cause]:
    found = []
    for key in (
        "completions",
        "selector",
        "completionMode",
        "podFailurePolicy",
        "backoffLimitPerIndex",
    ):
        if key == "completions" and _is_elastic(new, old):
            continue
        found += _same("spec", key)(new, old)
    path: tuple[str, ...] = ("spec", "template")
    if dig(old, "spec", "suspend") and not dig(old, "status", "startTime"):
        path = ("spec", "template", "spec")
        template, before = dig(new, *path, default={}), dig(old, *path, default={})
        if _fixed(template) == _fixed(before):
            return found
    return found + _same(*path)(new, old)


def _is_elastic(new: Object, old: Object) -> bool:
    """An indexed job may grow or shrink when parallelism goes along."""
    if dig(new, "spec", "completionMode") != "Indexed":
        return False
    wanted = dig(new, "spec", "completions")
    return wanted is not None and bool(wanted == dig(new, "spec", "parallelism"))


def _fixed(spec: Object) -> Object:
    """A pod specification without what may still change while its job is held."""
    left = _without(spec, ("nodeSelector", "affinity", "tolerations", "schedulingGates"))
    containers = [_without(one, ("resources",)) for one in spec.get("containers") or ()]
    return {**left, "containers": containers}


def _service(new: Object, old: Object) -> list[Cause]:
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    was, now = before.get("clusterIP") or "", spec.get("clusterIP") or ""
    if not was or not now or was == now or "ExternalName" in (spec.get("type"), before.get("type")):
        return []
    return [causes.invalid("spec.clusterIPs[0]", [now], "may not change once set")]


def _claim(new: Object, old: Object) -> list[Cause]:
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    is_bound = dig(old, "status", "phase") == "Bound"
    mutable: tuple[str, ...] = ("resources", "volumeAttributesClassName") if is_bound else ()
    # A claim gets its volume once.
    mutable += () if before.get("volumeName") else ("volumeName",)
    if before.get("storageClassName") is None:
        mutable += ("storageClassName",)
    if _without(spec, mutable) != _without(before, mutable):
        return [causes.forbidden("spec", _CLAIM_WORDS)]
    asked = dig(spec, "resources", "requests", "storage")
    held = dig(old, "status", "capacity", "storage")
    if is_bound and asked and held and quantity.compare(asked, held) < 0:
        words = "field can not be less than status.capacity"
        return [causes.forbidden("spec.resources.requests.storage", words)]
    return []


def _sealed(*keys: str) -> Callable[[Object, Object], list[Cause]]:
    def rule(new: Object, old: Object) -> list[Cause]:
        if not old.get("immutable"):
            return []
        found = []
        if not new.get("immutable"):
            found.append(causes.forbidden("immutable", _WHEN_IMMUTABLE))
        for key in keys:
            if (new.get(key) or {}) != (old.get(key) or {}):
                found.append(causes.forbidden(key, _WHEN_IMMUTABLE))
        return found

    return rule


def _secret(new: Object, old: Object) -> list[Cause]:
    return _same("type")(new, old) + _sealed("data")(new, old)


def _binding(new: Object, old: Object) -> list[Cause]:
    if new.get("roleRef") == old.get("roleRef"):
        return []
    return [causes.invalid("roleRef", new.get("roleRef"), "cannot change roleRef")]


def _priority_class(new: Object, old: Object) -> list[Cause]:
    return [
        causes.forbidden(key, "may not be changed in an update.")
        for key in ("value", "preemptionPolicy")
        if new.get(key) != old.get(key)
    ]


def _storage_class(new: Object, old: Object) -> list[Cause]:
    found = []
    for key in ("provisioner", "reclaimPolicy", "volumeBindingMode", "parameters"):
        found += _same(key)(new, old)
    return found


def _without(part: Object, keys: tuple[str, ...]) -> Object:
    return {key: value for key, value in part.items() if key not in keys}


_RULES: Final[Mapping[str, Callable[[Object, Object], list[Cause]]]] = {
    "Pod": validate_pod_update,
    "Deployment": _same("spec", "selector"),
    "ReplicaSet": _same("spec", "selector"),
    "DaemonSet": _same("spec", "selector"),
    "StatefulSet": _stateful_set,
    "Job": _job,
    "Service": _service,
    "PersistentVolumeClaim": _claim,
    "ConfigMap": _sealed("data", "binaryData"),
    "Secret": _secret,
    "RoleBinding": _binding,
    "ClusterRoleBinding": _binding,
    "PriorityClass": _priority_class,
    "StorageClass": _storage_class,
    "EndpointSlice": _same("addressType"),
}
