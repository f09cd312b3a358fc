"""The stages of a pod's life as a table, and how a stored pod tells which one it is in.

Nothing about a pod is remembered besides the pod itself: its stage, since when it is in it and
what comes next are read from the object, so that a process that was killed goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from oneco.clock import Instant
from oneco.kube.objects import Object
from oneco.worlds.behaviours import instants
from oneco.worlds.behaviours.faults import NEVER, PULL_SECONDS, RUN_SECONDS, Fate

GONE_SECONDS = 1.0
_BACKOFF_SECONDS = 10.0
_LONGEST_BACKOFF_SECONDS = 300.0

StageName = Literal[
    "unbound", "creating", "unpulled", "running", "ready", "changed", "crashed", "terminating",
    "finished",
]  # fmt: skip
Effect = Literal["pull_fails", "start", "become_ready", "crash", "finish", "restart", "go"]


class Standing(NamedTuple):
    """Where a pod is in its life, and since when."""

    stage: StageName
    since: Instant


class Moment(NamedTuple):
    """What the table looks at to say when a step is due."""

    pod: Object
    since: Instant
    fate: Fate


class Step(NamedTuple):
    """One way from a stage: when it is due (NEVER if not at all), and its effect."""

    stage: StageName
    due: Callable[[Moment], float]
    effect: Effect


def _pulled(moment: Moment) -> float:
    return NEVER if moment.fate.pull_fails else moment.since + PULL_SECONDS


def _pull_failed(moment: Moment) -> float:
    return moment.since + PULL_SECONDS if moment.fate.pull_fails else NEVER


def _ready(moment: Moment) -> float:
    return ready_at(moment.pod, moment.since, moment.fate)


def _crashed(moment: Moment) -> float:
    return moment.fate.crashes_at


def _restarted(moment: Moment) -> float:
    doubled: float = _BACKOFF_SECONDS * 2 ** min(restarts(moment.pod), 10)
    wait = min(_LONGEST_BACKOFF_SECONDS, doubled)
    return moment.since + wait


def _completed(moment: Moment) -> float:
    runs_on = moment.pod["spec"].get("restartPolicy", "Always") == "Always"
    return NEVER if runs_on else moment.since + RUN_SECONDS


STEPS: tuple[Step, ...] = (
    Step("creating", _pull_failed, "pull_fails"),
    Step("creating", _pulled, "start"),
    Step("unpulled", lambda moment: moment.fate.pull_ends, "start"),
    Step("running", _crashed, "crash"),
    Step("running", _completed, "finish"),
    Step("running", _ready, "become_ready"),
    Step("ready", _crashed, "crash"),
    Step("ready", _completed, "finish"),
    Step("changed", lambda moment: moment.since, "restart"),
    Step("crashed", _restarted, "start"),
    Step("terminating", lambda moment: moment.since + GONE_SECONDS, "go"),
)
_BY_STAGE: dict[str, tuple[Step, ...]] = {
    stage: tuple(step for step in STEPS if step.stage == stage)
    for stage in {step.stage for step in STEPS}
}


def next_step(pod: Object, standing: Standing, fate: Fate) -> tuple[Effect, float]:
    """What happens to the pod next, and when; the first of the table where two are due at once."""
    moment = Moment(pod, standing.since, fate)
    chosen: Effect = "go"
    earliest = NEVER
    for step in _BY_STAGE.get(standing.stage, ()):
        due = step.due(moment)
        if due < earliest:
            chosen, earliest = step.effect, due
    return chosen, earliest


def standing(pod: Object) -> Standing:
    """The stage that the stored pod is in, and since when."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    if "deletionTimestamp" in metadata:
        end = instants.parsed(metadata["deletionTimestamp"])
        return Standing("terminating", Instant(end - metadata.get("deletionGracePeriodSeconds", 0)))
    if status.get("phase") in ("Succeeded", "Failed"):
        return Standing("finished", Instant(0.0))
    if not pod["spec"].get("nodeName") or "startTime" not in status:
        return Standing("unbound", Instant(0.0))
    if metadata.get("generation", 1) > 1 and _has_other_images(pod):
        return Standing("changed", Instant(0.0))
    return _running(status)


def _has_other_images(pod: Object) -> bool:
    """Whether somebody gave containers that have been started another image."""
    running = {one["name"]: one["image"] for one in pod["status"].get("containerStatuses") or ()}
    return any(
        running.get(one["name"], one["image"]) != one["image"] for one in pod["spec"]["containers"]
    )


def _running(status: Object) -> Standing:
    started, is_ready = status["startTime"], True
    for container in status.get("containerStatuses") or ():
        state = container["state"]
        if "waiting" in state:
            return _waiting(container, status)
        is_ready = is_ready and container["ready"]
        started = max(started, state["running"]["startedAt"])
    return Standing("ready" if is_ready else "running", instants.parsed(started))


def _waiting(container: Object, status: Object) -> Standing:
    reason = container["state"]["waiting"]["reason"]
    if reason == "CrashLoopBackOff":
        ended = container["lastState"]["terminated"]["finishedAt"]
        return Standing("crashed", instants.parsed(ended))
    stage: StageName = "creating" if reason == "ContainerCreating" else "unpulled"
    return Standing(stage, instants.parsed(status["startTime"]))


def restarts(pod: Object) -> int:
    """How often the container that restarts most has restarted."""
    found: Sequence[Object] = pod.get("status", {}).get("containerStatuses") or ()
    return max((container["restartCount"] for container in found), default=0)


def ready_at(pod: Object, started: Instant, fate: Fate) -> float:
    """When a pod whose containers started at `started` becomes ready."""
    delay = 0.0
    for container in pod["spec"]["containers"]:
        probe = container.get("readinessProbe")
        if probe:
            delay = max(delay, probe.get("initialDelaySeconds") or 0)
    return max(started + delay + fate.ready_after, fate.unready_until)
