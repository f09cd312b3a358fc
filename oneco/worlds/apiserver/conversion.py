"""Several versions of one kind over one collection: only where the way is short."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from oneco.kube.objects import Object, dig
from oneco.kube.refs import Kind
from oneco.worlds.apiserver.registry import Served


def to_served(served: Served, obj: Object) -> Object:
    """A stored object as this version shows it."""
    # What answers a deletion may say that it succeeded, in place of the object.
    if served.is_stored_version or obj.get("kind") == "Status":
        return obj
    convert = _READERS.get(served.kind)
    return convert(obj) if convert else {**obj, "apiVersion": served.kind.api_version}


def to_stored(served: Served, obj: Object) -> Object:
    """An object of this version as it is stored."""
    if served.is_stored_version:
        return obj
    convert = _WRITERS.get(served.kind)
    return convert(obj) if convert else {**obj, "apiVersion": served.storage.api_version}


def all_served(served: Served, objects: Sequence[Object]) -> Sequence[Object]:
    """Stored objects as this version shows them."""
    if served.is_stored_version:
        return objects
    return [to_served(served, obj) for obj in objects]


_EVENT_FIELDS = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
_CORE_EVENT_FIELDS = {new: old for old, new in _EVENT_FIELDS.items()}


def _new_event(obj: Object) -> Object:
    renamed = {_EVENT_FIELDS.get(key, key): value for key, value in obj.items()}
    return {**renamed, "apiVersion": "events.k8s.io/v1"}


def _core_event(obj: Object) -> Object:
    renamed = {_CORE_EVENT_FIELDS.get(key, key): value for key, value in obj.items()}
    return {"involvedObject": {}, **renamed, "apiVersion": "v1"}


def _old_autoscaler(obj: Object) -> Object:
    spec = {key: value for key, value in obj.get("spec", {}).items() if key in _AUTOSCALER_SHARED}
    for metric in dig(obj, "spec", "metrics", default=()):
        if dig(metric, "resource", "name") == "cpu":
            wanted = dig(metric, "resource", "target", "averageUtilization")
            if wanted is not None:
                spec["targetCPUUtilizationPercentage"] = wanted
    status = {
        "currentReplicas": 0,
        "desiredReplicas": 0,
        **{
            key: value
            for key, value in (obj.get("status") or {}).items()
            if key in _AUTOSCALER_STATUS
        },
    }
    return {**obj, "apiVersion": "autoscaling/v1", "spec": spec, "status": status}


def _new_autoscaler(obj: Object) -> Object:
    spec: dict[str, Any] = {
        key: value for key, value in obj.get("spec", {}).items() if key in _AUTOSCALER_SHARED
    }
    percent = dig(obj, "spec", "targetCPUUtilizationPercentage")
    if percent is not None:
        target = {"type": "Utilization", "averageUtilization": percent}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    return {**obj, "apiVersion": "autoscaling/v2", "spec": spec}


_AUTOSCALER_SHARED = ("scaleTargetRef", "minReplicas", "maxReplicas")
_AUTOSCALER_STATUS = ("observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas")
_NEW_EVENT = Kind("events.k8s.io", "v1", "Event")
_OLD_AUTOSCALER = Kind("autoscaling", "v1", "HorizontalPodAutoscaler")
_READERS: dict[Kind, Callable[[Object], Object]] = {
    _NEW_EVENT: _new_event,
    _OLD_AUTOSCALER: _old_autoscaler,
}
_WRITERS: dict[Kind, Callable[[Object], Object]] = {
    _NEW_EVENT: _core_event,
    _OLD_AUTOSCALER: _new_autoscaler,
}
