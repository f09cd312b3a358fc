"""What a Deployment says of itself: counts, conditions, and whether it gets on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from oneco.clock import Instant
from oneco.kube.objects import Object
from oneco.worlds.behaviours import instants
from oneco.worlds.behaviours.hand import Hand
from oneco.worlds.behaviours.rolling import Fence

NEW_SET_AVAILABLE = "NewReplicaSetAvailable"
TIMED_OUT = "ProgressDeadlineExceeded"
PAUSED = "DeploymentPaused"
# The value that says: no deadline.
_NO_DEADLINE = 2147483647

# What is added up over the ReplicaSets.
_SUMMED = ("replicas", "readyReplicas", "availableReplicas", "terminatingReplicas")

Conditions = Sequence[Object]


def wanted(deployment: Object) -> int:
    """How many pods it wants."""
    replicas = deployment["spec"].get("replicas")
    return 1 if replicas is None else int(replicas)


def has_deadline(deployment: Object) -> bool:
    """Whether it is to notice that it does not get on."""
    seconds = deployment["spec"].get("progressDeadlineSeconds", 600)
    return seconds is not None and seconds != _NO_DEADLINE


def condition(conditions: Conditions, kind: str) -> Object | None:
    """The condition of this type."""
    for found in conditions:
        if found["type"] == kind:
            return found
    return None


def conditions_of(deployment: Object) -> Conditions:
    """The conditions it has."""
    return (deployment.get("status") or {}).get("conditions") or ()


def made(kind: str, status: str, reason: str, message: str, now: str) -> Object:
    """A condition that holds since now."""
    return {
        "type": kind,
        "status": status,
        "lastUpdateTime": now,
        "lastTransitionTime": now,
        "reason": reason,
        "message": message,
    }


def with_condition(conditions: Conditions, new: Object) -> Conditions:
    """`conditions` with `new` last; unchanged where it says what is there, but for the message."""
    present = condition(conditions, new["type"])
    if present is not None:
        if present["status"] == new["status"] and present["reason"] == new["reason"]:
            return conditions
        if present["status"] == new["status"]:
            new = {**new, "lastTransitionTime": present["lastTransitionTime"]}
    return [*without_condition(conditions, new["type"]), new]


def without_condition(conditions: Conditions, kind: str) -> Conditions:
    """`conditions` without the one of this type."""
    return [found for found in conditions if found["type"] != kind]


def count(
    deployment: Object, sets: Sequence[Object], new: Object | None, fence: Fence, now: str
) -> Object:
    """The status over its ReplicaSets, with the old conditions and a true Available one."""
    totals = dict.fromkeys(_SUMMED, 0)
    desired = 0
    for one in sets:
        desired += replicas_of(one)
        found = one.get("status") or {}
        for name in _SUMMED:
            if name in found:
                totals[name] += found[name]
    replicas, available = wanted(deployment), totals["availableReplicas"]
    least = replicas - fence.unavailable
    if available >= least:
        true = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        true = (
            "False",
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
        )
    conditions = with_condition(conditions_of(deployment), made("Available", *true, now))
    status: dict[str, Any] = {"observedGeneration": deployment["metadata"].get("generation", 0)}
    counts = {
        **totals,
        "updatedReplicas": ((new or {}).get("status") or {}).get("replicas", 0),
        "unavailableReplicas": max(0, desired - available),
    }
    status.update((name, number) for name, number in counts.items() if number)
    status["terminatingReplicas"] = totals["terminatingReplicas"]
    status["conditions"] = conditions
    collisions = (deployment.get("status") or {}).get("collisionCount")
    if collisions is not None:
        status["collisionCount"] = collisions
    return status


def with_progress(deployment: Object, status: Object, new: Object | None, hand: Hand) -> Object:
    """`status` with a Progressing condition that says whether the rollout gets on."""
    text = hand.now_text()
    conditions = status["conditions"]
    present = condition(conditions_of(deployment), "Progressing")
    if not has_deadline(deployment):
        return {**status, "conditions": without_condition(conditions, "Progressing")}
    was_complete = present is not None and present["reason"] == NEW_SET_AVAILABLE
    if was_complete and status.get("replicas", 0) == status.get("updatedReplicas", 0):
        return status
    what = f'ReplicaSet "{new["metadata"]["name"]}"' if new else (
        f'Deployment "{deployment["metadata"]["name"]}"'
    )  # fmt: skip
    if is_complete(deployment, status):
        said = made(
            "Progressing", "True", NEW_SET_AVAILABLE, f"{what} has successfully progressed.", text
        )
        return {**status, "conditions": with_condition(conditions, said)}
    if _gets_on(deployment.get("status") or {}, status):
        said = made("Progressing", "True", "ReplicaSetUpdated", f"{what} is progressing.", text)
        if present is not None and present["status"] == "True":
            said = {**said, "lastTransitionTime": present["lastTransitionTime"]}
        return {**status, "conditions": [*without_condition(conditions, "Progressing"), said]}
    if _is_late(deployment, present, hand.now()):
        said = made("Progressing", "False", TIMED_OUT, f"{what} has timed out progressing.", text)
        return {**status, "conditions": with_condition(conditions, said)}
    return status


def is_complete(deployment: Object, status: Object) -> bool:
    """Whether every pod is new and available, and nothing else is left."""
    replicas = wanted(deployment)
    return bool(
        status.get("updatedReplicas", 0) == replicas
        and status.get("replicas", 0) == replicas
        and status.get("availableReplicas", 0) == replicas
        and status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    )


def deadline(deployment: Object, status: Object) -> Instant | None:
    """When it will be late if nothing happens, or None where that does not matter any more."""
    present = condition(status.get("conditions") or (), "Progressing")
    if present is None or not has_deadline(deployment) or is_complete(deployment, status):
        return None
    if present["reason"] in (TIMED_OUT, NEW_SET_AVAILABLE, PAUSED):
        return None
    seconds = deployment["spec"].get("progressDeadlineSeconds", 600)
    # Texts carry whole seconds, and the real controller asks whether the deadline is *past*.
    return Instant(instants.parsed(present["lastUpdateTime"]) + seconds + 1)


def _gets_on(old: Object, new: Object) -> bool:
    old_left = old.get("replicas", 0) - old.get("updatedReplicas", 0)
    new_left = new.get("replicas", 0) - new.get("updatedReplicas", 0)
    return new_left < old_left or any(
        new.get(name, 0) > old.get(name, 0)
        for name in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )


def _is_late(deployment: Object, present: Object | None, now: Instant) -> bool:
    if present is None or present["reason"] == NEW_SET_AVAILABLE:
        return False
    if present["reason"] == TIMED_OUT:
        return True
    seconds = deployment["spec"].get("progressDeadlineSeconds", 600)
    return bool(instants.parsed(present["lastUpdateTime"]) + seconds < now)


def replicas_of(replica_set: Object) -> int:
    """How many pods a ReplicaSet wants."""
    replicas = replica_set["spec"].get("replicas")
    return 1 if replicas is None else int(replicas)


def available_of(replica_set: Object) -> int:
    """How many pods of a ReplicaSet are available."""
    return int((replica_set.get("status") or {}).get("availableReplicas", 0))
