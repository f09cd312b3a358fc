"""Subresources beside `status`: scale, approval, finalize, binding, eviction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from oneco.kube import causes, selectors
from oneco.kube.errors import BadRequest, Cause, Conflict
from oneco.kube.objects import Object, dig, put
from oneco.kube.refs import Kind
from oneco.worlds.apiserver.customs import Scale
from oneco.worlds.apiserver.registry import Served, no_such_resource

_SCALE: Final = Kind("autoscaling", "v1", "Scale")
_BUILTIN_SCALE: Final = Scale(("spec", "replicas"), ("status", "replicas"), ())


def shown(served: Served, subresource: str, obj: Object) -> Object:
    """What reading a subresource of `obj` gives."""
    if subresource == "scale":
        return scale_of(served, obj)
    if subresource in ("status", "approval"):
        return obj
    raise no_such_resource()


def changed(served: Served, subresource: str, obj: Object, body: Object, now: str) -> Object:
    """`obj` after `body` was written to a subresource of it, at the time `now`."""
    if subresource == "scale":
        return _scaled(served, obj, body)
    if subresource == "approval":
        status = {**(obj.get("status") or {})}
        conditions = dig(body, "status", "conditions")
        if conditions is not None:
            status["conditions"] = [
                {"lastUpdateTime": now, "lastTransitionTime": now, **one} for one in conditions
            ]
        return {**obj, "status": status}
    if subresource == "finalize":
        finalizers = dig(body, "spec", "finalizers", default=[])
        return put(obj, ("spec", "finalizers"), finalizers)
    raise no_such_resource()


def scale_of(served: Served, obj: Object) -> Object:
    """The `Scale` that shows the size of `obj`."""
    paths = _paths(served)
    meta = obj["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    wanted = dig(obj, *paths.spec_replicas)
    status: dict[str, Any] = {"replicas": dig(obj, *paths.status_replicas, default=0)}
    selector = _selector(obj, paths)
    if selector:
        status["selector"] = selector
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: meta[key] for key in kept if key in meta},
        "spec": {"replicas": wanted} if wanted else {},
        "status": status,
    }


def bound(pod: Object, body: Object, now: str) -> Object:
    """`pod` on the node that a Binding names."""
    name = pod["metadata"]["name"]
    node = dig(body, "target", "name")
    if not node:
        fault = Cause("target.name", "Required value", "FieldValueRequired")
        raise causes.refusal(Kind("", "v1", "Binding"), name, [fault])
    held = dig(pod, "spec", "nodeName")
    if held:
        raise Conflict(
            f'Operation cannot be fulfilled on pods/binding "{name}": pod {name} is already '
            f'assigned to node "{held}"',
            details={"name": name, "kind": "pods/binding"},
        )
    scheduled = {
        "type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": now,
    }  # fmt: skip
    conditions = [
        one for one in dig(pod, "status", "conditions", default=()) if one["type"] != "PodScheduled"
    ]
    status = {**(pod.get("status") or {}), "conditions": [*conditions, scheduled]}
    return {**pod, "spec": {**pod["spec"], "nodeName": node}, "status": status}


def done(code: int = 201) -> Object:
    """The answer to a request that has nothing to show."""
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": code}


def _scaled(served: Served, obj: Object, body: Object) -> Object:
    replicas = dig(body, "spec", "replicas", default=0)
    if isinstance(replicas, bool) or not isinstance(replicas, int):
        raise BadRequest(
            'Scale in version "v1" cannot be handled as a Scale: json: cannot unmarshal '
            f"{_go_name(replicas)} into Go struct field ScaleSpec.spec.replicas of type int32"
        )
    if replicas < 0:
        words = "must be greater than or equal to 0"
        fault = causes.invalid("spec.replicas", replicas, words)
        raise causes.refusal(_SCALE, obj["metadata"]["name"], [fault])
    return put(obj, _paths(served).spec_replicas, replicas)


def _go_name(value: object) -> str:
    kinds: Mapping[type, str] = {str: "string", bool: "bool", list: "array", dict: "object"}
    return kinds.get(type(value), "number")


def _paths(served: Served) -> Scale:
    if served.custom is None:
        return _BUILTIN_SCALE
    assert served.custom.scale is not None, f"{served.kind} is scaled and has no scale"
    return served.custom.scale


def _selector(obj: Object, paths: Scale) -> str:
    if paths.selector:
        return str(dig(obj, *paths.selector, default=""))
    if paths is not _BUILTIN_SCALE:
        return ""
    selector = dig(obj, "spec", "selector")
    read: Callable[[Any], selectors.Selector] = selectors.from_object
    if obj.get("kind") == "ReplicationController":
        read = selectors.from_labels
    return str(read(selector)) if selector else ""
