"""The row of a Pod: above all its status in one word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from oneco.clock import Instant
from oneco.kube import ages, times
from oneco.kube.objects import Json, Object, dig, is_deleting, metadata
from oneco.kube.table_columns import NONE, Printer, age, columns

_TERMINAL_PHASES: Final = ("Succeeded", "Failed")
_CONDITIONS: Final = {
    "Succeeded": ("Succeeded", "The pod has completed successfully."),
    "Failed": ("Failed", "The pod failed."),
}


class _Reading:
    """Everything that the statuses of a pod's containers add up to."""

    def __init__(self, pod: Object) -> None:
        self._pod = pod
        self._sidecars = {
            one.get("name")
            for one in dig(pod, "spec", "initContainers", default=())
            if one.get("restartPolicy") == "Always"
        }
        self.total = len(dig(pod, "spec", "containers", default=())) + len(self._sidecars)
        self.ready = self.restarts = 0
        self._last_end: float = 0
        self.word = self._first_word()
        initializing = self._read_init()
        if not initializing:
            self._read_containers()
        self._read_deletion()

    def restarts_text(self, now: Instant) -> str:
        """How often containers started again, and when last."""
        if not self.restarts or not self._last_end:
            return str(self.restarts)
        return f"{self.restarts} ({ages.of_seconds(now - self._last_end)} ago)"

    def _first_word(self) -> str:
        status = self._pod.get("status") or {}
        for condition in status.get("conditions") or ():
            if condition.get("type") == "PodScheduled" and (
                condition.get("reason") == "SchedulingGated"
            ):
                return "SchedulingGated"
        return status.get("reason") or status.get("phase") or ""

    def _read_init(self) -> bool:
        """Count the init containers; whether one of them still holds up the pod."""
        total = len(dig(self._pod, "spec", "initContainers", default=()))
        restarts = sidecar_restarts = 0
        sidecar_end: float = 0
        for index, one in enumerate(dig(self._pod, "status", "initContainerStatuses", default=())):
            restarts += one.get("restartCount") or 0
            self._note_end(one)
            if one.get("name") in self._sidecars:
                sidecar_restarts += one.get("restartCount") or 0
                sidecar_end = max(sidecar_end, _end_of(one))
            if dig(one, "state", "terminated", "exitCode", default=-1) == 0 and (
                "terminated" in (one.get("state") or {})
            ):
                continue
            if one.get("name") in self._sidecars and one.get("started"):
                self.ready += bool(one.get("ready"))
                continue
            self.word, self.restarts = _init_word(one, index, total), restarts
            return not self._is_initialized()
        self.restarts, self._last_end = sidecar_restarts, sidecar_end
        return False

    def _is_initialized(self) -> bool:
        conditions = dig(self._pod, "status", "conditions", default=())
        initialized = any(
            one.get("type") == "Initialized" and one.get("status") == "True" for one in conditions
        )
        if initialized:
            self.word, self.restarts, self._last_end = self._first_word(), 0, 0
        return initialized

    def _read_containers(self) -> None:
        is_any_running = False
        for one in reversed(dig(self._pod, "status", "containerStatuses", default=())):
            self.restarts += one.get("restartCount") or 0
            self._note_end(one)
            state = one.get("state") or {}
            word = _state_word(state)
            if word:
                self.word = word
            elif one.get("ready") and "running" in state:
                is_any_running = True
                self.ready += 1
        if self.word == "Completed" and is_any_running:
            self.word = "Running" if self._is_ready() else "NotReady"

    def _read_deletion(self) -> None:
        if not is_deleting(self._pod):
            return
        status = self._pod.get("status") or {}
        if status.get("reason") == "NodeLost":
            self.word = "Unknown"
        elif status.get("phase") not in _TERMINAL_PHASES:
            self.word = "Terminating"

    def _is_ready(self) -> bool:
        return _condition(self._pod, "Ready") == "True"

    def _note_end(self, one: Object) -> None:
        self._last_end = max(self._last_end, _end_of(one))


def _end_of(status: Object) -> float:
    text = dig(status, "lastState", "terminated", "finishedAt")
    return times.from_text(text) if text else 0


def _state_word(state: Mapping[str, Json]) -> str:
    waiting, ended = state.get("waiting") or {}, state.get("terminated")
    if waiting.get("reason"):
        return waiting["reason"]  # type: ignore[no-any-return]
    if ended is None:
        return ""
    if ended.get("reason"):
        return ended["reason"]  # type: ignore[no-any-return]
    if ended.get("signal"):
        return f"Signal:{ended['signal']}"
    return f"ExitCode:{ended.get('exitCode', 0)}"


def _init_word(status: Object, index: int, total: int) -> str:
    state = status.get("state") or {}
    word = _state_word(state)
    if "terminated" in state or (word and word != "PodInitializing"):
        return f"Init:{word}"
    return f"Init:{index}/{total}"


def _condition(pod: Object, name: str) -> str:
    for condition in dig(pod, "status", "conditions", default=()):
        if condition.get("type") == name:
            return condition.get("status") or ""
    return ""


def _gates(pod: Object) -> str:
    gates = dig(pod, "spec", "readinessGates", default=())
    if not gates:
        return NONE
    passed = sum(1 for gate in gates if _condition(pod, gate.get("conditionType", "")) == "True")
    return f"{passed}/{len(gates)}"


def _cells(pod: Object, now: Instant) -> Sequence[Json]:
    reading = _Reading(pod)
    return [
        metadata(pod).get("name"),
        f"{reading.ready}/{reading.total}",
        reading.word,
        reading.restarts_text(now),
        age(pod, now),
        dig(pod, "status", "podIP") or NONE,
        dig(pod, "spec", "nodeName") or NONE,
        dig(pod, "status", "nominatedNodeName") or NONE,
        _gates(pod),
    ]


def _row_conditions(pod: Object) -> Sequence[Object]:
    phase = dig(pod, "status", "phase")
    if phase not in _CONDITIONS:
        return ()
    reason, message = _CONDITIONS[phase]
    return [{"type": "Completed", "status": "True", "reason": reason, "message": message}]


PRINTERS: Final = {
    ("", "Pod"): Printer(
        columns("Name|Ready|Status|Restarts|Age|+IP|+Node|+Nominated Node|+Readiness Gates"),
        _cells,
        _row_conditions,
    ),
}
