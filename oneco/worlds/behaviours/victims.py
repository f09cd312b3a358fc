"""Which pods go first when there are too many."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from oneco.clock import Instant
from oneco.kube.objects import Object
from oneco.worlds.behaviours import instants, stages, statuses

_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def choose(
    pods: Sequence[Object], count: int, now: Instant, per_node: Mapping[str, int]
) -> Sequence[Object]:
    """The `count` pods that are missed least, in the order of the real controller.

    Unbound before bound, pending before running, unready before ready, cheap before dear, crowded
    nodes before others, then younger before older: by the power of two of the age, so that pods
    of nearly one age are taken by uid and not all from the last to come.
    """
    return sorted(pods, key=lambda pod: _rank(pod, now, per_node))[:count]


def _rank(
    pod: Object, now: Instant, per_node: Mapping[str, int]
) -> tuple[bool, int, bool, int, int, int, int, int, str]:
    metadata, node = pod["metadata"], pod["spec"].get("nodeName") or ""
    ready = statuses.condition(pod, "Ready")
    is_ready = ready is not None and ready["status"] == "True"
    ready_age = _bucket(ready["lastTransitionTime"], now) if is_ready and ready else 0
    return (
        bool(node),
        _PHASES.get((pod.get("status") or {}).get("phase", "Pending"), 1),
        is_ready,
        int((metadata.get("annotations") or {}).get(_COST, "0")),
        -per_node.get(node, 0),
        ready_age,
        -stages.restarts(pod),
        _bucket(metadata["creationTimestamp"], now),
        metadata["uid"],
    )


def _bucket(text: str, now: Instant) -> int:
    age = now - instants.parsed(text)
    return int(math.log2(age * 1e9)) if age > 0 else -1
