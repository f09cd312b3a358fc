"""How OpenKruise reads numbers and shares, and which pods it takes first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from oneco.kube import defaults, selectors
from oneco.kube.objects import Object
from oneco.worlds.behaviours import instants, stages, statuses

COST = "controller.kubernetes.io/pod-deletion-cost"
STATE_LABEL = "lifecycle.apps.kruise.io/state"
NORMAL = "Normal"
DELETE_LABEL = "apps.kruise.io/specified-delete"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}
_NUMBER = re.compile(r"[0-9]+$")


def scaled(value: int | str, whole: int, *, is_up: bool) -> int:
    """`value`, of `whole` where it is a share."""
    if isinstance(value, int):
        return value
    percent = int(value.rstrip("%"))
    return -(-percent * whole // 100) if is_up else percent * whole // 100


def kept_old(partition: int | str, replicas: int) -> int:
    """How many pods a CloneSet's partition keeps on their revision.

    A share rounds up; below 100% at least one pod of several is updated.
    """
    found = scaled(partition, replicas, is_up=True)
    if isinstance(partition, str) and partition != "100%" and replicas > 1 and found == replicas:
        found = replicas - 1
    return max(0, min(found, replicas))


def wanted(owner: Object) -> int:
    """How many pods the workload wants."""
    replicas = owner["spec"].get("replicas")
    return 1 if replicas is None else int(replicas)


def label_selector(owner: Object) -> str:
    """The workload's selector as its status shows it."""
    return str(selectors.from_object(owner["spec"].get("selector")))


def complete(template: Object) -> Object:
    """A pod template as an API server would complete it; OpenKruise's CRDs do not."""
    whole = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {}, "template": template}
    return defaults.default(whole)["template"]  # type: ignore[no-any-return]


def is_chosen_to_go(pod: Object) -> bool:
    """Whether somebody, or an update, marked the pod to be deleted."""
    return DELETE_LABEL in (pod["metadata"].get("labels") or {})


def first_to_go(pod: Object) -> tuple[Any, ...]:
    """Unbound, pending, unready, younger pods sort first, as in every controller."""
    return (*_place(pod), statuses.is_ready(pod), *_age(pod))


def spared_last(pod: Object, *, is_available: bool, crowding: Mapping[str, int]) -> tuple[Any, ...]:
    """The order in which a CloneSet shrinks: cost and crowded nodes count as well."""
    metadata = pod["metadata"]
    cost = int((metadata.get("annotations") or {}).get(COST, "0"))
    serves = (is_available, statuses.is_ready(pod))
    return (*_place(pod), *serves, cost, -crowding.get(metadata["uid"], 0), *_age(pod))


def crowding(pods: Sequence[Object]) -> Mapping[str, int]:
    """By uid, how many pods of the same node are spared before this one."""
    on_nodes: dict[str, list[Object]] = {}
    for pod in pods:
        node = pod["spec"].get("nodeName")
        if node:
            on_nodes.setdefault(node, []).append(pod)
    return {
        pod["metadata"]["uid"]: len(there) - 1 - place
        for there in on_nodes.values()
        for place, pod in enumerate(sorted(there, key=first_to_go))
    }


def by_priority(strategy: Object | None, pods: Sequence[Object]) -> list[Object]:
    """`pods` with those first that the strategy's weights or labels put first."""
    if not strategy:
        return list(pods)
    return sorted(pods, key=lambda pod: _priority(strategy, pod["metadata"].get("labels") or {}))


def _priority(strategy: Object, labels: Object) -> tuple[int, int]:
    weights = strategy.get("weightPriority") or ()
    if weights:
        fitting = (
            one["weight"]
            for one in weights
            if selectors.from_object(one["matchSelector"]).matches(labels)
        )
        return -sum(fitting), 0
    for level, term in enumerate(strategy.get("orderPriority") or ()):
        if term["orderedKey"] in labels:
            number = _NUMBER.search(str(labels[term["orderedKey"]]))
            return level, -int(number[0]) if number else 0
    return -1, 0


def _place(pod: Object) -> tuple[bool, int]:
    phase = (pod.get("status") or {}).get("phase", "Pending")
    return bool(pod["spec"].get("nodeName")), _PHASES.get(phase, 1)


def _age(pod: Object) -> tuple[float, int, float, str]:
    ready = statuses.condition(pod, "Ready")
    since = -float(instants.parsed(ready["lastTransitionTime"])) if ready else 0.0
    is_ready = ready is not None and ready["status"] == "True"
    born = -float(instants.parsed(pod["metadata"]["creationTimestamp"]))
    return since if is_ready else 0.0, -stages.restarts(pod), born, pod["metadata"]["name"]
