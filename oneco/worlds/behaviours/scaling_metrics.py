"""From what pods use to how many there should be, as the autoscaler's calculator does it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from oneco.clock import Instant
from oneco.kube import quantity
from oneco.kube.objects import Object
from oneco.worlds.behaviours import instants, statuses

_CPU_START_SECONDS = 300.0
_READINESS_SECONDS = 30.0


class Tolerances(NamedTuple):
    """How far a metric may be off before anything is done, below and above."""

    down: float = 0.1
    up: float = 0.1

    def hold(self, ratio: float) -> bool:
        """Whether the ratio of what is used to what should be is near enough to one."""
        return 1.0 - self.down <= ratio <= 1.0 + self.up


class Invalid(Exception):
    """A metric that cannot be computed; its text is what the condition says."""


class Target(NamedTuple):
    """What is wanted of a metric: a share of the requests, or so many thousandths a pod."""

    percent: int | None
    milli: int | None
    resource: str = ""
    container: str = ""


class Proposal(NamedTuple):
    """How many pods a metric asks for, and what the pods use: percent, thousandths each."""

    pods: int
    percent: int | None
    milli: int


class Sample(NamedTuple):
    """What is known of one workload when it is scaled: its pods, and what each uses."""

    pods: Sequence[Object]
    usage: Mapping[str, int]
    now: Instant
    tolerances: Tolerances


def of_pods(sample: Sample, current: int, target: Target) -> Proposal:
    """What a metric of the pods themselves asks for."""
    if not sample.pods:
        raise Invalid("no pods returned by selector while calculating replica count")
    ready, unready, missing = _grouped(sample, target.resource)
    if not ready:
        raise Invalid("did not receive metrics for targeted pods (pods might be unready)")
    requests = (
        {_name(pod): requested(pod, target.resource, target.container) for pod in sample.pods}
        if target.percent is not None
        else {}
    )
    usage = {name: sample.usage[name] for name in ready}
    ratio, percent, milli = _ratio(usage, requests, target)
    is_growing_unready = bool(unready) and ratio > 1.0
    if not is_growing_unready and not missing:
        pods = current if sample.tolerances.hold(ratio) else math.ceil(ratio * len(ready))
        return Proposal(pods, percent, milli)
    # Nobody knows what these use: whatever they do, it must not turn the answer around.
    for name in missing:
        usage[name] = _assumed(ratio, requests.get(name, 0), target)
    if is_growing_unready:
        usage.update(dict.fromkeys(unready, 0))
    again = _ratio(usage, requests, target)[0]
    pods = math.ceil(again * len(usage))
    is_turned = (ratio < 1.0 < again) or (again < 1.0 < ratio)
    is_turned = is_turned or (again < 1.0 and pods > current) or (again > 1.0 and pods < current)
    return Proposal(current if is_turned or sample.tolerances.hold(again) else pods, percent, milli)


def of_value(sample: Sample, current: int, used: int, wanted: int) -> Proposal:
    """What a metric of something else asks for, compared as a whole."""
    ratio = used / wanted
    if not current:
        return Proposal(math.ceil(ratio), None, used)
    if sample.tolerances.hold(ratio):
        return Proposal(current, None, used)
    if not sample.pods:
        raise Invalid("no pods returned by selector while calculating replica count")
    ready = sum(map(statuses.is_ready, sample.pods))
    return Proposal(math.ceil(ratio * ready), None, used)


def of_average(there: int, used: int, wanted: int, tolerances: Tolerances) -> Proposal:
    """What a metric of something else asks for, shared among the pods there are."""
    ratio = used / (wanted * there) if there else math.inf
    pods = there if tolerances.hold(ratio) else math.ceil(used / wanted)
    return Proposal(pods, None, math.ceil(used / there) if there else used)


def requested(pod: Object, resource: str, container: str = "") -> int:
    """What the pod, or one container of it, asks for in thousandths."""
    total = Fraction(0)
    chosen = [one for one in pod["spec"]["containers"] if container in ("", one["name"])]
    for one in chosen:
        asked = ((one.get("resources") or {}).get("requests") or {}).get(resource)
        if asked is None:
            where = f"in container {one['name']} of Pod {_name(pod)}"
            raise Invalid(f"missing request for {resource} {where}")
        total += quantity.parse(asked)
    if not chosen:
        raise Invalid(f"container {container} not found in Pod {_name(pod)}")
    return milli_of(total)


def milli_of(value: Fraction | str | int) -> int:
    """Thousandths, rounded up as the API does."""
    number = value if isinstance(value, Fraction) else quantity.parse(value)
    return math.ceil(number * 1000)


def _grouped(sample: Sample, resource: str) -> tuple[list[str], list[str], list[str]]:
    """The names of pods that are measured, that are not ready for it, and of those nobody knows."""
    ready, unready, missing = list[str](), list[str](), list[str]()
    for pod in sample.pods:
        phase = (pod.get("status") or {}).get("phase")
        if "deletionTimestamp" in pod["metadata"] or phase == "Failed":
            continue
        if phase == "Pending":
            unready.append(_name(pod))
        elif _name(pod) not in sample.usage:
            missing.append(_name(pod))
        elif resource == "cpu" and _is_starting(pod, sample.now):
            unready.append(_name(pod))
        else:
            ready.append(_name(pod))
    return ready, unready, missing


def _is_starting(pod: Object, now: Instant) -> bool:
    condition = statuses.condition(pod, "Ready")
    if condition is None or "startTime" not in pod["status"]:
        return True
    began = instants.parsed(pod["status"]["startTime"])
    if now < began + _CPU_START_SECONDS:
        return bool(condition["status"] == "False")
    changed = instants.parsed(condition["lastTransitionTime"])
    return bool(condition["status"] == "False" and changed < began + _READINESS_SECONDS)


def _ratio(
    usage: Mapping[str, int], requests: Mapping[str, int], target: Target
) -> tuple[float, int | None, int]:
    total = sum(usage.values())
    if target.percent is None:
        assert target.milli is not None, "a target without any amount is refused when written"
        return total // len(usage) / target.milli, None, total // len(usage)
    asked = sum(requests[name] for name in usage)
    if not asked:
        raise Invalid("no metrics returned matched known pods")
    percent = total * 100 // asked
    return percent / target.percent, percent, total // len(usage)


def _assumed(ratio: float, request: int, target: Target) -> int:
    if ratio >= 1.0:
        return 0
    if target.percent is None:
        return target.milli or 0
    return request * max(100, target.percent) // 100


def _name(pod: Object) -> str:
    return str(pod["metadata"]["name"])
