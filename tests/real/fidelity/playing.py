"""Plays one story on a fleet and tells what came of it."""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import functools
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from oneco.clock import Instant
from oneco.kinds.oam import APPLICATIONS
from oneco.kinds.release import FINAL_PHASES, OBSERVATIONS
from oneco.kube import objects
from oneco.kube.api import Api, WriteOptions
from oneco.kube.objects import Object
from oneco.kube.refs import Address
from oneco.main import ending
from tests.real.fidelity.recording import Write, normal
from tests.real.fidelity.stages import Fleet
from tests.real.fidelity.stories import (
    APPLICATION,
    COMPONENT,
    KINDS,
    MEMBERS,
    NODES,
    PODS,
    Step,
    Story,
    scales,
)

_BEFORE = "v1"
_GRACE_SECONDS = 1.0
"""So long may the news of a batch take longer than the news of its pods."""
_WHOSE = "onepersoncompany.io/application"
_SEQUENCE = "onepersoncompany.io/sequence"


@dataclasses.dataclass(slots=True)
class Told:
    """What came of one story in one world."""

    writes: dict[str, list[tuple[str, Any]]]
    batches: dict[str, list[int]]
    begin: Any
    end: Any
    broken: list[str]


class Stage:
    """One story's part of a fleet."""

    def __init__(self, fleet: Fleet, story: Story) -> None:
        self.fleet, self.story, self.namespace = fleet, story, f"story-{story.name}"
        self.hub, self.members, self.clock = fleet.hub, fleet.members, fleet.clock
        self.first = ""
        """The release of the version that runs already."""

    def newest(self) -> Any:
        """The newest release of the story; one without a name before there is any."""
        found = self.fleet.releases.of(self.namespace)
        return max(found, key=_number, default={"metadata": {"name": ""}})

    def unit(self, cluster: str) -> Any:
        """The unit of a cluster; an empty object before there is any."""
        found = filter(self.is_ours, self.fleet.units.of(cluster))
        return next(found, {})

    def lost(self, cluster: str, node: str) -> None:
        """Note that a node is gone."""
        self.fleet.lost_nodes.add((cluster, node))

    def _is_on_a_lost_node(self, cluster: str) -> bool:
        pods = self.fleet.pods[cluster].of(self.namespace)
        return any((cluster, one["spec"].get("nodeName")) in self.fleet.lost_nodes for one in pods)

    def is_ours(self, obj: Object) -> bool:
        """Whether the object is about the story's Application."""
        return objects.annotations_of(obj).get(_WHOSE) == f"{self.namespace}/{APPLICATION}"

    async def apply(self, version: str, *, is_careful: bool = True) -> None:
        """Apply the Application at a version as a person does."""
        body = self.story.application(version, self.namespace)
        body = body if is_careful else ending.at_once(body)
        address = Address(APPLICATIONS, self.namespace, APPLICATION)
        await self.hub.apply(address, body, WriteOptions(manager="person", force=True))

    async def until(self, look: Callable[[], bool], what: str, seconds: float) -> None:
        """Return when `look` says so."""
        limit = self.clock.now() + seconds
        while not look():
            self.fleet.check()
            assert self.clock.now() < limit, f"{self.story.name}: {what}\n{await self.state()}"
            await self.sleep(self.fleet.look_seconds)

    async def sleep(self, seconds: float) -> None:
        """Let time go by."""
        await self.clock.sleep_until(Instant(self.clock.now() + seconds))

    async def state(self) -> Any:
        """How everything that counts is now, on the hub and in the members."""
        told = self.newest().get("status") or {}
        return {
            "release": {key: told.get(key) for key in ("phase", "reason", "wave", "opened")},
            "units": {name: _unit(self.unit(name)) for name in MEMBERS},
            "members": {name: await self._member(name, api) for name, api in self.members.items()},
        }

    def is_over(self) -> bool:
        """Whether the newest release has come to its end."""
        phase = (self.newest().get("status") or {}).get("phase")
        return phase in FINAL_PHASES or phase == "Blocked"

    async def settled(self) -> Any:
        """The state once nothing moves any more."""
        limit, before = self.clock.now() + 3600.0, None
        while True:
            now = (await self.state(), self._count())
            if now == before and now[0]["release"]["phase"] and self._is_at_rest(now[0]):
                for one in now[0]["members"].values():
                    del one["isObserved"]
                return now[0]
            assert self.clock.now() < limit, f"{self.story.name} never came to rest: {now[0]}"
            before = now
            await self.sleep(self.fleet.settle_seconds)

    def _count(self) -> int:
        return sum(one.namespace == self.namespace for one in self.fleet.log)

    def _is_at_rest(self, state: Any) -> bool:
        if any(map(self._is_on_a_lost_node, MEMBERS)):
            # A cluster takes its time to clear away what was on a node that is gone.
            return False
        return all(
            one["isObserved"] and not any("leaving" in pod for pod in one["pods"])
            for one in state["members"].values()
        )

    async def _member(self, name: str, api: Api) -> Any:
        live = await api.get(Address(KINDS[self.story.kind], self.namespace, COMPONENT))
        told = live.get("status") or {}
        counts = {
            key: value
            for key, value in sorted(told.items())
            if isinstance(value, int) and value and key != "observedGeneration"
        }
        found = self.fleet.pods[name].of(self.namespace)
        pods = collections.Counter(f"{image(one)} {_readiness(one)}" for one in found)
        return {
            "spec": normal(live["spec"]),
            "counts": counts,
            "pods": dict(sorted(pods.items())),
            "isObserved": told.get("observedGeneration") == objects.generation(live),
        }


class Watcher:
    """The batches that the units get to, and whether pods ever were ahead of them."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.batches: dict[str, list[int]] = {name: [] for name in MEMBERS}
        self.broken: list[str] = []
        self._most = dict.fromkeys(MEMBERS, 0)
        self._judging: set[asyncio.Task[None]] = set()
        stage.fleet.units.listeners.append(self._on_unit)
        for name in MEMBERS:
            stage.fleet.pods[name].listeners.append(functools.partial(self._on_pod, name))

    def _on_unit(self, unit: Object) -> None:
        told = unit.get("status") or {}
        batch = told.get("batch", 0)
        if self._stage.is_ours(unit) and told.get("release") != self._stage.first and batch:
            seen = self.batches[objects.namespace(unit)]
            if seen[-1:] != [batch]:
                seen.append(batch)

    def _on_pod(self, cluster: str, pod: Object) -> None:
        if objects.namespace(pod) != self._stage.namespace:
            return
        pods = self._stage.fleet.pods[cluster].of(self._stage.namespace)
        new = sum(_is_new(one, self._stage.story.after) for one in pods)
        if new > self._most[cluster]:
            self._most[cluster] = new
            task = asyncio.get_running_loop().create_task(self._judge(cluster, new))
            self._judging.add(task)
            task.add_done_callback(self._judging.discard)

    async def _judge(self, cluster: str, new: int) -> None:
        limit = self._stage.clock.now() + _GRACE_SECONDS
        while new > (allowed := await self._allowed(cluster)):
            if self._stage.clock.now() >= limit:
                self.broken.append(f"{cluster}: {new} new pods where {allowed} are allowed")
                return
            await self._stage.sleep(0.1)

    async def _allowed(self, cluster: str) -> int:
        told = self._stage.unit(cluster).get("status") or {}
        batch, pods = told.get("batch", 0), sum(told.get("pods") or [])
        if told.get("release") == self._stage.first or not batch or not pods:
            return 0
        batches = self._stage.story.batches
        planned = max(1, math.ceil(pods * batches[min(batch, len(batches)) - 1] / 100))
        if not self._stage.story.is_loose:
            return planned
        address = Address(KINDS[self._stage.story.kind], self._stage.namespace, COMPONENT)
        live = await self._stage.members[cluster].get(address)
        # Most partitions count old pods: those that somebody adds may be new at once.
        return planned + max(0, live["spec"].get("replicas", pods) - pods)


async def play(stage: Stage) -> Told:
    """The story from the first version to its end."""
    fleet, story = stage.fleet, stage.story
    await fleet.make_namespace(stage.namespace)
    if story.has_own_nodes:
        await fleet.make_nodes(stage.namespace, NODES)
    await stage.apply(_BEFORE, is_careful=False)
    await stage.until(stage.is_over, "the first version did not run", 300.0)
    if story.pods is None:
        await _grow(stage)
    begin = await stage.settled()
    stage.first, since = objects.name(stage.newest()), len(fleet.log)
    watcher = Watcher(stage)
    await stage.apply(story.after)
    await stage.until(lambda: _has_begun(stage), "no release came of it", 60.0)
    for step in story.steps:
        await _take(stage, step)
    await stage.until(lambda: _has_ended(stage), f"it did not end {story.ends}", 400.0)
    end = await stage.settled()
    writes = written(fleet.log[since:], stage.namespace)
    return Told(writes, watcher.batches, begin, end, watcher.broken)


async def _grow(stage: Stage) -> None:
    """Scale every member by hand, and wait until the hub has heard of it."""
    for cluster in MEMBERS:
        await scales(cluster, stage.story.kind, PODS)(stage)
    while not all([await _has_heard(stage, cluster) for cluster in MEMBERS]):
        await stage.sleep(stage.fleet.look_seconds)


async def _has_heard(stage: Stage, cluster: str) -> bool:
    page = await stage.hub.list(Address(OBSERVATIONS, cluster))
    rows = (objects.dig(obj, "observed", "objects", default=()) for obj in page.items)
    ours = (one for row in rows for one in row if _is_in(one, stage.namespace))
    return any(one.get("ready") == PODS for one in ours)


def _is_in(told: Any, namespace: str) -> bool:
    return bool(told["ref"].get("namespace") == namespace)


async def _take(stage: Stage, step: Step) -> None:
    if step.when is not None:
        when = step.when
        await stage.until(lambda: when(stage), "what a step waits for never came", 300.0)
    await stage.sleep(step.after)
    act: Awaitable[None] = step.act(stage)
    await act


def _has_begun(stage: Stage) -> bool:
    return objects.name(stage.newest()) != stage.first


def _has_ended(stage: Stage) -> bool:
    phase = (stage.newest().get("status") or {}).get("phase")
    return _has_begun(stage) and phase == stage.story.ends


def written(log: Sequence[Write], namespace: str) -> dict[str, list[tuple[str, Any]]]:
    """What was written about each object of a story, in order."""
    found: dict[str, list[tuple[str, Any]]] = {}
    for one in log:
        if one.namespace == namespace or _is_about(one.body, namespace):
            found.setdefault(one.object, []).append((one.verb, one.body))
    return found


def _is_about(body: Any, namespace: str) -> bool:
    text = repr(body)
    return f"{namespace}/{APPLICATION}" in text or f"'{namespace}'" in text


def image(pod: Any) -> str:
    """The version that a pod runs."""
    return str(pod["spec"]["containers"][0]["image"]).rpartition(":")[2]


def _is_new(pod: Any, version: str) -> bool:
    """Whether it is a living pod of the version: what was on a lost node fails, and then goes."""
    has_ended = objects.dig(pod, "status", "phase") in ("Failed", "Succeeded")
    return image(pod) == version and not has_ended and not objects.is_deleting(pod)


def _readiness(pod: Any) -> str:
    if objects.is_deleting(pod):
        return "leaving"
    conditions = objects.dig(pod, "status", "conditions", default=())
    is_ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return "ready" if is_ready else "unready"


def _unit(found: Any) -> Any:
    told = found.get("status") or {}
    good = (told.get("good") or {}).get("revision")
    return {**{key: told.get(key) for key in ("phase", "reason", "batch")}, "good": good}


def _number(release: Object) -> int:
    return int(objects.labels(release)[_SEQUENCE])
