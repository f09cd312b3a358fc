"""What OpenKruise's webhooks do with each write of its workloads: complete it, or refuse it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from oneco.kube import causes, defaults, selectors
from oneco.kube.errors import Cause
from oneco.kube.objects import Object
from oneco.worlds.behaviours.kruise import amounts

GROUP = "apps.kruise.io"
_LONGEST_WAIT_SECONDS = 300
_GATE = "InPlaceUpdateReady"
_Map = dict[str, Any]


class Webhook:
    """OpenKruise's own admission, in the server itself."""

    def kinds(self) -> Sequence[tuple[str, str]]:
        """The kinds that it completes and judges."""
        return tuple((GROUP, kind) for kind in _DEFAULTS)

    def complete(self, old: Object | None, new: Object) -> Object:
        """`new` with what its writer left out; a template only where it changed."""
        spec = _filled(new["spec"], {"revisionHistoryLimit": 10})
        if new["kind"] != "DaemonSet":
            spec = _filled(spec, {"replicas": 1})
            spec = _with_template(spec, (old or {}).get("spec") or {})
        spec = _DEFAULTS[new["kind"]](spec)
        return new if spec == new["spec"] else {**new, "spec": spec}

    def validate(self, operation: str, old: Object | None, new: Object | None) -> Sequence[Cause]:
        """What OpenKruise refuses about the write."""
        if new is None or "deletionTimestamp" in new["metadata"]:
            return []
        spec = new["spec"]
        found = [*_of_selector(spec), *_RULES[new["kind"]](spec)]
        if old is not None:
            found += _of_change(new["kind"], old["spec"], spec)
        return found


def _filled(given: Object, more: Mapping[str, Any]) -> _Map:
    missing = {name: value for name, value in more.items() if given.get(name) is None}
    return {**given, **missing}


def _with_template(spec: _Map, before: Object) -> _Map:
    if spec["template"] == before.get("template"):
        return spec
    filled = {**spec, "template": amounts.complete(_pulled_always(spec["template"]))}
    if spec.get("volumeClaimTemplates"):
        claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
        whole = [defaults.default({**claim, **one}) for one in spec["volumeClaimTemplates"]]
        filled["volumeClaimTemplates"] = [
            {name: value for name, value in one.items() if name in ("metadata", "spec", "status")}
            for one in whole
        ]
    return filled


def _pulled_always(template: Object) -> Object:
    """Containers that do not say how they are pulled are pulled always: the image may change."""
    spec = template["spec"]
    containers = [_filled(one, {"imagePullPolicy": "Always"}) for one in spec["containers"]]
    return {**template, "spec": {**spec, "containers": containers}}


def _clone_set(spec: _Map) -> _Map:
    more: _Map = {"type": "ReCreate", "partition": 0, "maxUnavailable": "20%", "maxSurge": 0}
    strategy = _filled(spec.get("updateStrategy") or {}, more)
    if strategy["type"] != "ReCreate":
        strategy = _filled(strategy, {"inPlaceUpdateStrategy": {}})
    return {**spec, "updateStrategy": strategy}


def _stateful_set(spec: _Map) -> _Map:
    strategy = _filled(spec.get("updateStrategy") or {}, {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        more = {"partition": 0, "maxUnavailable": 1, "minReadySeconds": 0}
        rolling = _filled(strategy.get("rollingUpdate") or {}, more)
        strategy["rollingUpdate"] = _filled(rolling, {"podUpdatePolicy": "ReCreate"})
    kept = spec.get("persistentVolumeClaimRetentionPolicy") or {}
    return _filled(
        {
            **spec,
            "updateStrategy": strategy,
            "persistentVolumeClaimRetentionPolicy": _filled(
                kept, {"whenDeleted": "Retain", "whenScaled": "Retain"}
            ),
        },
        {"podManagementPolicy": "OrderedReady"},
    )


def _daemon_set(spec: _Map) -> _Map:
    strategy = _filled(spec.get("updateStrategy") or {}, {"type": "RollingUpdate"})
    if strategy["type"] == "RollingUpdate":
        rolling = dict(strategy.get("rollingUpdate") or {})
        if rolling.get("rollingUpdateType") == "Surging":
            rolling = _filled(rolling, {"maxSurge": 1, "maxUnavailable": 0})
        if rolling.get("rollingUpdateType") in (None, "", "Surging"):
            rolling["rollingUpdateType"] = "Standard"
        if rolling.get("maxSurge") is None and rolling.get("maxUnavailable") is None:
            rolling |= {"maxUnavailable": 1, "maxSurge": 0}
        strategy["rollingUpdate"] = rolling
    return _filled({**spec, "updateStrategy": strategy}, {"burstReplicas": 250})


_DEFAULTS: Mapping[str, Callable[[_Map], _Map]] = {
    "CloneSet": _clone_set,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
}


def _of_selector(spec: Object) -> list[Cause]:
    chosen = spec.get("selector") or {}
    if not chosen.get("matchLabels") and not chosen.get("matchExpressions"):
        return [causes.invalid("spec.selector", chosen, "empty selector is not valid")]
    labels = (spec["template"].get("metadata") or {}).get("labels") or {}
    if selectors.from_object(chosen).matches(labels):
        return []
    words = "`selector` does not match template `labels`"
    return [causes.invalid("spec.template.metadata.labels", labels, words)]


def _of_clone_set(spec: Object) -> list[Cause]:
    strategy, path = spec["updateStrategy"], "spec.updateStrategy"
    kinds = ("ReCreate", "InPlaceIfPossible", "InPlaceOnly")
    found = _one_of(f"{path}.type", strategy["type"], kinds)
    found += _numbers(path, strategy, "partition", "maxUnavailable", "maxSurge")
    if found:
        return found
    missing = amounts.scaled(strategy["maxUnavailable"], spec["replicas"], is_up=True)
    surplus = amounts.scaled(strategy["maxSurge"], spec["replicas"], is_up=True)
    if spec["replicas"] > 0 and missing < 1 and surplus < 1:
        words = "maxUnavailable and maxSurge should not both be less than 1"
        found.append(causes.invalid(f"{path}.maxUnavailable", strategy["maxUnavailable"], words))
    if strategy["type"] == "InPlaceOnly" and surplus > 0:
        words = "can not use maxSurge with strategy type InPlaceOnly"
        found.append(causes.invalid(f"{path}.maxSurge", strategy["maxSurge"], words))
    return found


def _of_stateful_set(spec: Object) -> list[Cause]:
    strategy, path = spec["updateStrategy"], "spec.updateStrategy"
    found = _one_of(f"{path}.type", strategy["type"], ("RollingUpdate", "OnDelete"))
    rolling, path = strategy.get("rollingUpdate") or {}, f"{path}.rollingUpdate"
    found += _numbers(path, rolling, "partition", "minReadySeconds", "maxUnavailable")
    if rolling.get("minReadySeconds", 0) > _LONGEST_WAIT_SECONDS:
        words = "must be no more than 300 seconds"
        found.append(causes.invalid(f"{path}.minReadySeconds", rolling["minReadySeconds"], words))
    gates = spec["template"]["spec"].get("readinessGates") or ()
    policy = rolling.get("podUpdatePolicy", "ReCreate")
    if policy != "ReCreate" and not any(one["conditionType"] == _GATE for one in gates):
        words = f"must contains {_GATE} when podUpdatePolicy is {policy}"
        found.append(causes.invalid("spec.template.spec.readinessGates", gates, words))
    is_parallel = spec["podManagementPolicy"] == "Parallel"
    if rolling.get("unorderedUpdate") is not None and not is_parallel:
        words = "unorderedUpdate can only work with Parallel PodManagementPolicyType"
        found.append(causes.required(f"{path}.unorderedUpdate", words))
    return found


def _of_daemon_set(spec: Object) -> list[Cause]:
    strategy, path = spec["updateStrategy"], "spec.updateStrategy"
    found = _one_of(f"{path}.type", strategy["type"], ("RollingUpdate", "OnDelete"))
    rolling, path = strategy.get("rollingUpdate") or {}, f"{path}.rollingUpdate"
    if strategy["type"] == "RollingUpdate":
        kinds = ("Standard", "InPlaceIfPossible")
        found += _one_of(f"{path}.rollingUpdateType", rolling["rollingUpdateType"], kinds)
    return found + _numbers(path, rolling, "partition", "maxUnavailable", "maxSurge")


_RULES: Mapping[str, Callable[[Object], list[Cause]]] = {
    "CloneSet": _of_clone_set,
    "StatefulSet": _of_stateful_set,
    "DaemonSet": _of_daemon_set,
}


def _of_change(kind: str, before: Object, after: Object) -> list[Cause]:
    fixed = ("selector", "serviceName", "podManagementPolicy")
    if all(before.get(name) == after.get(name) for name in fixed):
        return []
    words = f"updates to {kind.lower()} spec for {', '.join(fixed)} are forbidden"
    return [causes.forbidden("spec", words)]


def _one_of(path: str, found: str, wanted: Sequence[str]) -> list[Cause]:
    return [] if found in wanted else [causes.unsupported(path, found, wanted)]


def _numbers(path: str, given: Object, *names: str) -> list[Cause]:
    found = []
    for name in names:
        value = given.get(name)
        text = str(value).removesuffix("%")
        if value is not None and not text.isdecimal():
            words = "must be a number that is not negative, or a percentage"
            found.append(causes.invalid(f"{path}.{name}", value, words))
    return found
