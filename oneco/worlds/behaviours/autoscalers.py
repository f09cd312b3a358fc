"""HorizontalPodAutoscalers: they look every fifteen seconds and scale what they point at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from oneco.clock import Instant
from oneco.kube import quantity, selectors
from oneco.kube.objects import Object
from oneco.worlds.apiserver.store import Change, Key
from oneco.worlds.behaviours import events, scaling_metrics, scaling_rules
from oneco.worlds.behaviours.controller import Controller
from oneco.worlds.behaviours.faults import FaultBook
from oneco.worlds.behaviours.hand import Hand
from oneco.worlds.behaviours.index import DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS, Index
from oneco.worlds.behaviours.scaling_metrics import Invalid, Proposal, Sample, Target, Tolerances
from oneco.worlds.behaviours.scaling_rules import Bounds, Memory, Moment

COLLECTION = "autoscaling/horizontalpodautoscalers"
_COMPONENT = "horizontal-pod-autoscaler"
_LOOK_SECONDS = 15.0
_TARGETS = {
    ("apps", "Deployment"): DEPLOYMENTS,
    ("apps", "ReplicaSet"): REPLICA_SETS,
    ("apps", "StatefulSet"): STATEFUL_SETS,
    ("apps.kruise.io", "CloneSet"): "apps.kruise.io/clonesets",
    ("apps.kruise.io", "StatefulSet"): "apps.kruise.io/statefulsets",
}
_NO_METRICS = {
    "Resource": "unable to fetch metrics from resource metrics API: the server could not find the "
    "requested resource (get pods.metrics.k8s.io)",
    "Pods": "unable to fetch metrics from custom metrics API: no custom metrics API "
    "(custom.metrics.k8s.io) registered",
    "External": "unable to fetch metrics from external metrics API: no external metrics API "
    "(external.metrics.k8s.io) registered",
}


class _Failed(Exception):
    """Nothing can be done this time: the condition that says why."""

    def __init__(self, kind: str, reason: str, message: str, event: str = "") -> None:
        super().__init__(message)
        self.kind, self.reason, self.event = kind, reason, event or reason


class _Outcome(NamedTuple):
    """What the metrics ask for: how many pods, because of which, and what each said."""

    pods: int
    name: str
    statuses: list[Object]


class Autoscalers(Controller):
    """The HorizontalPodAutoscaler controller of one cluster."""

    collections: ClassVar[tuple[str, ...]] = (COLLECTION,)

    def __init__(
        self, hand: Hand, index: Index, stir: Callable[[], None], faults: FaultBook
    ) -> None:
        super().__init__(hand, index, stir)
        self._faults = faults.of(hand.cluster)
        self._memories: dict[str, Memory] = {}

    def notice(self, change: Change) -> None:
        """Look at an autoscaler that is new or asks for something else."""
        before, after = change.before, change.after
        if after is None:
            assert before is not None, "an autoscaler that neither was nor is"
            self._memories.pop(before["metadata"]["uid"], None)
        elif before is None or before["spec"] is not after["spec"]:
            self.mark(change.key)

    def reconcile(self, key: Key) -> None:
        """Scale, say why, and come back."""
        owner = self.hand.store.get(key)
        if owner is None or "deletionTimestamp" in owner["metadata"]:
            return
        self.mark_at(Instant(self.hand.now() + _LOOK_SECONDS), key)
        look = _Look(self, owner)
        status = look.status()
        if status != owner.get("status"):
            self.hand.report(key, owner, status)

    def memory_of(self, owner: Object, current: int) -> Memory:
        """What is remembered of this autoscaler; at first, how many pods there are."""
        uid = owner["metadata"]["uid"]
        found = self._memories.get(uid)
        if found is None:
            found = self._memories[uid] = Memory([Moment(current, self.hand.now())])
        return found

    def used(self, pods: list[Object], metric: str) -> dict[str, int] | None:
        """What each pod uses of a metric in thousandths; None where nobody measures it."""
        return self._faults.usage(pods, metric, self.hand.now())

    def value(self, metric: str) -> int | None:
        """What a metric is that belongs to no pod, in thousandths."""
        return self._faults.load(metric, self.hand.now())

    def say(self, owner: Object, reason: str, message: str, *, is_warning: bool) -> None:
        """Record an event."""
        kind = "Warning" if is_warning else "Normal"
        events.record(self.hand, owner, kind, (reason, message), _COMPONENT)  # type: ignore[arg-type]


class _Look:
    """One look of one autoscaler at its target."""

    def __init__(self, all_: Autoscalers, owner: Object) -> None:
        self._all, self._owner, self._spec = all_, owner, owner["spec"]
        self._namespace = owner["metadata"]["namespace"]
        before = owner.get("status") or {}
        self._conditions = {one["type"]: one for one in before.get("conditions") or ()}
        self._scaled_at = before.get("lastScaleTime")
        self._wanted = before.get("desiredReplicas", 0)
        self._current = before.get("currentReplicas", 0)
        self._metrics: list[Object] = list(before.get("currentMetrics") or ())

    def status(self) -> Object:
        """Do what there is to do; the status that says so."""
        try:
            self._scale()
        except _Failed as failed:
            self._condition(failed.kind, False, failed.reason, str(failed))
        found: dict[str, Any] = {"desiredReplicas": self._wanted}
        if self._current:
            found["currentReplicas"] = self._current
        if self._scaled_at:
            found["lastScaleTime"] = self._scaled_at
        found["currentMetrics"] = self._metrics or None
        found["conditions"] = list(self._conditions.values())
        return found

    def _scale(self) -> None:
        key, target = self._target()
        words = "the HPA controller was able to get the target's current scale"
        self._condition("AbleToScale", True, "SucceededGetScale", words)
        replicas = target["spec"].get("replicas")
        current = 1 if replicas is None else int(replicas)
        memory = self._all.memory_of(self._owner, current)
        least = self._spec.get("minReplicas", 1)
        bounds = Bounds(least, self._spec["maxReplicas"], current)
        wanted, reason = self._desired(target, bounds, memory)
        self._current = current
        self._wanted = wanted
        if wanted == current or not current:
            return
        self._all.hand.change(key, {**target, "spec": {**target["spec"], "replicas": wanted}})
        words = f"the HPA controller was able to update the target scale to {wanted}"
        self._condition("AbleToScale", True, "SucceededRescale", words)
        said = f"New size: {wanted}; reason: {reason}"
        self._all.say(self._owner, "SuccessfulRescale", said, is_warning=False)
        now = self._all.hand.now()
        memory.note(current, wanted, now, self._spec.get("behavior"))
        self._scaled_at = self._all.hand.now_text()

    def _desired(self, target: Object, bounds: Bounds, memory: Memory) -> tuple[int, str]:
        current = bounds.current
        if not current:
            words = "scaling is disabled since the replica count of the target is zero"
            self._condition("ScalingActive", False, "ScalingDisabled", words)
            self._metrics = []
            return 0, ""
        if current > bounds.most:
            self._metrics = []
            return bounds.most, "Current number of replicas above Spec.MaxReplicas"
        if current < bounds.least:
            self._metrics = []
            return bounds.least, "Current number of replicas below Spec.MinReplicas"
        try:
            outcome = self._measured(target, current)
        except _Failed:
            self._current = current
            raise
        self._metrics = outcome.statuses
        behavior, now = self._spec.get("behavior"), self._all.hand.now()
        steady = scaling_rules.stabilized(memory, behavior, current, outcome.pods, now)
        if steady.pods == outcome.pods:
            words = "recommended size matches current size"
            self._condition("AbleToScale", True, "ReadyForNewScale", words)
        else:
            self._condition("AbleToScale", True, steady.reason, steady.message)
        said = scaling_rules.limited(memory, behavior, bounds, steady.pods, now)
        self._condition("ScalingLimited", said.pods != steady.pods, said.reason, said.message)
        above = f"{outcome.name} above target"
        return said.pods, above if outcome.pods > current else "All metrics below target"

    def _target(self) -> tuple[Key, Object]:
        reference = self._spec["scaleTargetRef"]
        group = str(reference.get("apiVersion") or "").rpartition("/")[0]
        collection = _TARGETS.get((group, reference["kind"]))
        plural = collection.partition("/")[2] if collection else f"{reference['kind'].lower()}s"
        found = None
        if collection is not None:
            key = Key(collection, self._namespace, reference["name"])
            found = self._all.hand.store.get(key)
            if found is not None:
                return key, found
        problem = f'{plural}.{group} "{reference["name"]}" not found'
        if collection is None:
            problem = f'no matches for kind "{reference["kind"]}" in group "{group}"'
        self._all.say(self._owner, "FailedGetScale", problem, is_warning=True)
        words = f"the HPA controller was unable to get the target's current scale: {problem}"
        raise _Failed("AbleToScale", "FailedGetScale", words)

    def _pods(self, target: Object) -> list[Object]:
        """The pods that the target's selector chooses; no other autoscaler may choose them too."""
        chosen = selectors.from_object(target["spec"].get("selector"))
        there = self._all.index.pods(self._namespace)
        pods = [pod for _, pod in sorted(there.items()) if chosen.matches(_labels(pod))]
        rivals = [one for one in self._rivals() if _chooses(one[1], pods)]
        if len(rivals) > 1:
            names = " ".join(f"{self._namespace}/{name}" for name, _ in rivals)
            words = f"pods by selector {chosen} are controlled by multiple HPAs: [{names}]"
            self._all.say(self._owner, "AmbiguousSelector", words, is_warning=True)
            self._fail_compute(words)
            raise _Failed("ScalingActive", "AmbiguousSelector", words)
        return pods

    def _rivals(self) -> list[tuple[str, Object]]:
        """Every autoscaler of the namespace, with the selector of its target."""
        found = []
        store = self._all.hand.store
        for one in store.scan(COLLECTION, self._namespace):
            reference = one["spec"]["scaleTargetRef"]
            group = str(reference.get("apiVersion") or "").rpartition("/")[0]
            collection = _TARGETS.get((group, reference["kind"]))
            target = collection and store.get(Key(collection, self._namespace, reference["name"]))
            if target:
                found.append((one["metadata"]["name"], target["spec"].get("selector") or {}))
        return found

    def _measured(self, target: Object, current: int) -> _Outcome:
        pods = self._pods(target)
        there = (target.get("status") or {}).get("replicas") or 0
        best, name, statuses = 0, "", list[Object]()
        failures: list[_Failed] = []
        for metric in self._spec.get("metrics") or ():
            try:
                proposal, named, status = self._metric(metric, pods, current, there)
            except _Failed as failed:
                failures.append(failed)
                statuses.append({"type": ""})
                continue
            statuses.append(status)
            if not best or proposal.pods > best:
                best, name = proposal.pods, named
        if failures and (len(failures) == len(statuses) or best < current):
            count = f"{len(failures)} invalid out of {len(statuses)}"
            self._metrics = statuses
            self._fail_compute(f"invalid metrics ({count}), first error is: {failures[0].event}")
            raise failures[0]
        words = f"the HPA was able to successfully calculate a replica count from {name}"
        self._condition("ScalingActive", True, "ValidMetricFound", words)
        return _Outcome(best, name, statuses)

    def _metric(
        self, metric: Object, pods: list[Object], current: int, there: int
    ) -> tuple[Proposal, str, Object]:
        kind = metric["type"]
        part = metric[kind[0].lower() + kind[1:]]
        goal = part["target"]
        try:
            if kind in ("Resource", "ContainerResource"):
                proposal = self._resource(kind, part, pods, current)
            elif kind == "Pods":
                name = part["metric"]["name"]
                sample = self._sample(pods, name, f"unable to get metric {name}: ", "Pods")
                wanted = Target(None, scaling_metrics.milli_of(goal["averageValue"]))
                proposal = scaling_metrics.of_pods(sample, current, wanted)
            else:
                proposal = self._outside(kind, part, pods, (current, there))
        except Invalid as invalid:
            reason = f"FailedGet{kind}Metric"
            text = str(invalid)
            self._all.say(self._owner, reason, text, is_warning=True)
            words = f"the HPA was unable to compute the replica count: {text}"
            event = f"failed to get {_short(kind, part)} value: {text}"
            raise _Failed("ScalingActive", reason, words, event) from invalid
        return proposal, _called(kind, part), _told(kind, part, proposal)

    def _resource(self, kind: str, part: Object, pods: list[Object], current: int) -> Proposal:
        name, goal = part["name"], part["target"]
        is_share = goal.get("averageUtilization") is not None
        what = "utilization" if is_share else "usage"
        milli = None if is_share else scaling_metrics.milli_of(goal["averageValue"])
        try:
            text = f"unable to get metrics for resource {name}: "
            sample = self._sample(pods, name, text, "Resource")
            target = Target(
                goal.get("averageUtilization"), milli, name, part.get("container") or ""
            )
            return scaling_metrics.of_pods(sample, current, target)
        except Invalid as invalid:
            raise Invalid(f"failed to get {name} {what}: {invalid}") from invalid

    def _outside(
        self, kind: str, part: Object, pods: list[Object], sizes: tuple[int, int]
    ) -> Proposal:
        name, goal = part["metric"]["name"], part["target"]
        used = self._all.value(name)
        if used is None:
            source = "External" if kind == "External" else "Pods"
            raise Invalid(f"unable to get metric {name}: {_NO_METRICS[source]}")
        if goal.get("averageValue") is not None:
            wanted = scaling_metrics.milli_of(goal["averageValue"])
            return scaling_metrics.of_average(sizes[1], used, wanted, self._tolerances())
        wanted = scaling_metrics.milli_of(goal["value"])
        sample = Sample(pods, {}, self._all.hand.now(), self._tolerances())
        return scaling_metrics.of_value(sample, sizes[0], used, wanted)

    def _sample(self, pods: list[Object], metric: str, text: str, kind: str) -> Sample:
        usage = self._all.used(pods, metric)
        if usage is None:
            raise Invalid(text + _NO_METRICS[kind])
        return Sample(pods, usage, self._all.hand.now(), self._tolerances())

    def _tolerances(self) -> Tolerances:
        behavior = self._spec.get("behavior") or {}
        down = (behavior.get("scaleDown") or {}).get("tolerance", "0.1")
        up = (behavior.get("scaleUp") or {}).get("tolerance", "0.1")
        return Tolerances(float(quantity.parse(down)), float(quantity.parse(up)))

    def _fail_compute(self, text: str) -> None:
        self._all.say(self._owner, "FailedComputeMetricsReplicas", text, is_warning=True)

    def _condition(self, kind: str, is_true: bool, reason: str, message: str) -> None:
        state = "True" if is_true else "False"
        before = self._conditions.get(kind)
        changed = self._all.hand.now_text()
        if before is not None and before["status"] == state:
            changed = before["lastTransitionTime"]
        self._conditions[kind] = {
            "type": kind,
            "status": state,
            "lastTransitionTime": changed,
            "reason": reason,
            "message": message,
        }


def _short(kind: str, part: Object) -> str:
    if kind == "Resource":
        return f"{part['name']} resource metric"
    if kind == "ContainerResource":
        return f"{part['container']} container metric"
    if kind == "External":
        return f"{part['metric']['name']} external metric"
    return f"{kind.lower()} metric"


def _called(kind: str, part: Object) -> str:
    if kind in ("Resource", "ContainerResource"):
        what = "container resource" if kind == "ContainerResource" else "resource"
        if part["target"].get("averageUtilization") is not None:
            return f"{part['name']} {what} utilization (percentage of request)"
        return f"{part['name']} resource"
    name = part["metric"]["name"]
    return f"pods metric {name}" if kind == "Pods" else f"{kind.lower()} metric {name}(nil)"


def _told(kind: str, part: Object, proposal: Proposal) -> Object:
    """A metric as the status shows it."""
    is_memory = part.get("name") == "memory"
    shown = _bytes(proposal.milli) if is_memory else quantity.canonical(f"{proposal.milli}m")
    is_whole = part["target"].get("value") is not None
    current: dict[str, Any] = {"value" if is_whole else "averageValue": shown}
    if proposal.percent is not None:
        current = {"averageUtilization": proposal.percent, **current}
    if kind in ("Resource", "ContainerResource"):
        named = {name: part[name] for name in ("container", "name") if name in part}
        return {"type": kind, kind[0].lower() + kind[1:]: {**named, "current": current}}
    named = {name: part[name] for name in ("metric", "describedObject") if name in part}
    return {"type": kind, kind[0].lower() + kind[1:]: {**named, "current": current}}


def _bytes(milli: int) -> str:
    number = milli // 1000
    return quantity.canonical(f"{number // 1024}Ki" if number % 1024 == 0 else str(number))


def _chooses(selector: Object, pods: list[Object]) -> bool:
    chosen = selectors.from_object(selector)
    return any(chosen.matches(_labels(pod)) for pod in pods)


def _labels(pod: Object) -> Object:
    return pod["metadata"].get("labels") or {}
