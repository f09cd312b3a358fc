"""The parts of a pod's status, built once for all the pods that share them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from oneco.kube.objects import Object
from oneco.worlds.behaviours import instants

Containers = Sequence[Object]
_REMEMBERED = 512


@functools.lru_cache(maxsize=4096)
def conditions(scheduled: str, changed: str, is_ready: bool, is_finished: bool) -> list[Object]:
    """The conditions of a pod bound at `scheduled` whose readiness is as it is since `changed`."""
    why: dict[str, str] = {}
    if is_finished:
        why = {"reason": "PodCompleted"}
    elif not is_ready:
        why = {"reason": "ContainersNotReady", "message": "containers are not ready"}
    state = "True" if is_ready else "False"
    return [
        _condition("PodReadyToStartContainers", "True", scheduled),
        _condition("Initialized", "True", scheduled),
        {**_condition("Ready", state, changed), **why},
        {**_condition("ContainersReady", state, changed), **why},
        _condition("PodScheduled", "True", scheduled),
    ]


@functools.lru_cache(maxsize=1024)
def unschedulable(changed: str, message: str) -> list[Object]:
    """The conditions of a pod that fits on no node."""
    why = {"reason": "Unschedulable", "message": message}
    return [{**_condition("PodScheduled", "False", changed), **why}]


def _condition(kind: str, status: str, changed: str) -> dict[str, Any]:
    return {
        "type": kind,
        "status": status,
        "lastProbeTime": None,
        "lastTransitionTime": changed,
    }


def condition(pod: Object, kind: str) -> Object | None:
    """The condition of this type."""
    status = pod.get("status")
    if status:
        for found in status.get("conditions") or ():
            if found["type"] == kind:
                return found  # type: ignore[no-any-return]
    return None


def is_ready(pod: Object) -> bool:
    """Whether the pod says that it is ready."""
    found = condition(pod, "Ready")
    return found is not None and found["status"] == "True"


def available_at(pod: Object, patience: float) -> float:
    """Since when, or from when on, a ready pod counts as available."""
    found = condition(pod, "Ready") if patience else None
    return 0.0 if found is None else instants.parsed(found["lastTransitionTime"]) + patience


def is_finished(pod: Object) -> bool:
    """Whether all its containers have ended for good."""
    return (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def is_active(pod: Object) -> bool:
    """Whether the pod counts as a replica: neither finished nor on its way out."""
    return "deletionTimestamp" not in pod["metadata"] and (
        pod["status"]["phase"] not in ("Succeeded", "Failed") if "status" in pod else True
    )


class Shared:
    """Values made from a pod's containers, one for all pods that share the containers."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, object], tuple[Containers, list[Object]]] = {}

    def get(
        self, containers: Containers, about: object, make: Callable[[Containers], list[Object]]
    ) -> list[Object]:
        """`make(containers)`, or what it made before for these very containers and `about`."""
        found = self._made.get((id(containers), about))
        if found is not None:
            return found[1]
        if len(self._made) >= _REMEMBERED:
            self._made.clear()
        made = make(containers)
        # The containers are kept with it: an id says nothing once its list is gone.
        self._made[id(containers), about] = containers, made
        return made


def waiting(containers: Containers, reason: str) -> list[Object]:
    """Statuses of containers that have not started."""
    return [
        _container(one, ready=False, restarts=0, state={"waiting": {"reason": reason}})
        for one in containers
    ]


def running(
    containers: Containers, started: str, is_ready: bool, broken: frozenset[str]
) -> list[Object]:
    """Statuses of containers that run for the first time."""
    state = {"running": {"startedAt": started}}
    return [
        _container(one, ready=is_ready or one["name"] not in broken, restarts=0, state=state)
        if broken
        else _container(one, ready=is_ready, restarts=0, state=state)
        for one in containers
    ]


def unpulled(containers: Containers, broken: frozenset[str]) -> list[Object]:
    """Statuses of containers of which some images cannot be pulled."""
    return [
        _container(
            one,
            ready=False,
            restarts=0,
            state={
                "waiting": {
                    "reason": "ImagePullBackOff",
                    "message": f'Back-off pulling image "{one["image"]}"',
                }
                if one["name"] in broken
                else {"reason": "ContainerCreating"}
            },
        )
        for one in containers
    ]


def readied(statuses: Sequence[Object]) -> list[Object]:
    """The same containers, ready."""
    return [one if one["ready"] else {**one, "ready": True} for one in statuses]


def crashed(statuses: Sequence[Object], broken: frozenset[str], now: str) -> list[Object]:
    """The same containers, the broken ones waiting for their next start."""
    return [_crashed(one, now) if one["name"] in broken else one for one in statuses]


def _crashed(status: Object, now: str) -> Object:
    seconds = min(300, 10 * 2 ** min(status["restartCount"], 10))
    shown = f"{seconds // 60}m{seconds % 60}s" if seconds >= 60 else f"{seconds}s"
    waiting = {
        "reason": "CrashLoopBackOff",
        "message": f"back-off {shown} restarting failed container={status['name']}",
    }
    last = {"terminated": _terminated(status, now, exit_code=1)}
    return {
        **status, "ready": False, "started": False,
        "state": {"waiting": waiting}, "lastState": last,
    }  # fmt: skip


def restarted(statuses: Sequence[Object], now: str) -> list[Object]:
    """The same containers, those that waited running once more and not yet ready."""
    return [
        {
            **one, "started": True, "restartCount": one["restartCount"] + 1,
            "state": {"running": {"startedAt": now}},
        }
        if "waiting" in one["state"]
        else one
        for one in statuses
    ]  # fmt: skip


def replaced(statuses: Sequence[Object], containers: Containers, now: str) -> list[Object]:
    """The same containers, those with another image now ended and about to be started with it."""
    images = {one["name"]: one["image"] for one in containers}
    return [
        one
        if images.get(one["name"], one["image"]) == one["image"]
        else {
            **one, "image": images[one["name"]], "ready": False, "started": False,
            "state": {"waiting": {"reason": "ContainerCreating"}},
            "lastState": {"terminated": _terminated(one, now, exit_code=0)},
        }
        for one in statuses
    ]  # fmt: skip


def finished(statuses: Sequence[Object], now: str, broken: frozenset[str]) -> list[Object]:
    """The same containers, all ended; the broken ones with an error."""
    return [
        {
            **one, "ready": False, "started": False,
            "state": {"terminated": _terminated(one, now, exit_code=int(one["name"] in broken))},
        }
        for one in statuses
    ]  # fmt: skip


def _terminated(status: Object, now: str, *, exit_code: int) -> Mapping[str, Any]:
    running = status["state"].get("running") or {}
    return {
        "exitCode": exit_code,
        "reason": "Error" if exit_code else "Completed",
        "startedAt": running.get("startedAt", now),
        "finishedAt": now,
    }


def _container(container: Object, *, ready: bool, restarts: int, state: Object) -> Object:
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": ready,
        "started": "running" in state,
        "restartCount": restarts,
        "state": state,
        "lastState": {},
    }
