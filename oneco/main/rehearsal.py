"""Runs a scenario: the very controllers and agents of production, on clusters in memory and a
clock that jumps from one thing that happens to the next.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from oneco.clock import Instant
from oneco.control.journal import Entry
from oneco.control.shell import Shell
from oneco.decision import Apply, Change, Create, Delete, Replace, Side
from oneco.errors import Refused
from oneco.fleet import clusters
from oneco.kinds import durations, fleet, ocm, validity
from oneco.kinds.conditions import Condition, with_condition
from oneco.kinds.oam import APPLICATIONS
from oneco.kinds.release import RELEASES, UNITS, ReleaseStatus, WaveStatus, sequence_of
from oneco.kube import objects, times
from oneco.kube.api import Api, ListOptions, Match, Patch, WriteOptions
from oneco.kube.errors import NotFound
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Kind, Resource, kind_of
from oneco.main import controllers, crds, ending, metrics, probing, scenario
from oneco.main.agent_controllers import Duties
from oneco.main.agents import Agent
from oneco.main.exposure import Exposure
from oneco.main.kinds import ServedKinds
from oneco.main.report import Event, Outcome, Report, WaveTime
from oneco.main.scenario import Scenario
from oneco.worlds import clocks
from oneco.worlds.apiserver.memory import MemoryStore
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.apiserver.store import Change as Commit
from oneco.worlds.behaviours.faults import FaultBook
from oneco.worlds.clocks import VirtualClock
from oneco.worlds.sim.fleet import SimFleet
from oneco.worlds.sim.local import LocalApi

BEGINNING = Instant(1_800_000_000.0)
_PREPARATION_SECONDS = 3600.0
"""What runs already is delivered in this time before the rehearsal's start."""
_REACTION_SECONDS = 10.0
_SETTLE_SECONDS = 5.0
"""How long after its end a delivery is watched: what follows at once belongs to it."""
_SILENT_SECONDS = 300.0
"""How long a cluster's agent is silent before the hub says so: five missed heartbeats."""
_TELLING = tuple(f"{one.group}/{one.plural}" for one in (RELEASES, APPLICATIONS))
"""The collections of the hub that say whether a delivery has ended."""
_CAREFUL = ("ReleasePolicy",)
"""Kinds that would only slow down what has to run already."""
_OUTCOMES: dict[str, Outcome] = {
    "Succeeded": "succeeded",
    "Blocked": "blocked",
    "RolledBack": "rolledBack",
}


class End(NamedTuple):
    """How a rehearsal ended, and when."""

    outcome: Outcome
    message: str
    at: Instant


def rehearse(path: str | Path) -> Report:
    """The report of the rehearsal that a folder or file describes."""
    return run(scenario.read(path))


def run(asked: Scenario) -> Report:
    """The report of one rehearsal; the same for the same scenario, event for event."""
    with clocks.rare_collections():
        return clocks.run(lambda clock: Rehearsal(asked, clock).run(), BEGINNING)


class Rehearsal:
    """One hub, one fleet, one release, in this process alone."""

    def __init__(self, asked: Scenario, clock: VirtualClock) -> None:
        self.asked, self.clock = asked, clock
        self.start = Instant(clock.now() + _PREPARATION_SECONDS)
        book = FaultBook(
            faults=tuple(asked.faults),
            start=self.start,
            labels={one.name: one.labels for one in asked.members},
            seed=asked.seed,
        )
        self.fleet = SimFleet(clock, seed=asked.seed, faults=book)
        self.server = ApiServer(MemoryStore(), clock, admission=(validity.Admission(),))
        self.hub: Api = LocalApi(self.server)
        self.exposure = Exposure(asked.application)
        self.events: list[Event] = []
        self.writes = 0
        self.is_measuring = False
        self._earlier: frozenset[str] = frozenset()
        self._moved = asyncio.Event()
        self.server.store.on_commit(self._notice)
        self.tasks: list[asyncio.Task[None]] = []

    async def run(self) -> Report:
        """Prepare, release, wait for the end, tell."""
        began = time.perf_counter()
        try:
            await self._prepare()
            await self._begin()
            end = await self._follow()
            statuses = [ending.status_of(one) for one in await self._releases()]
            return self._report(end, statuses, time.perf_counter() - began)
        finally:
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _prepare(self) -> None:
        await crds.install(self.hub, crds.for_hub())
        probe = metrics.probe(self.fleet)
        hub = Shell(
            {"hub": self.hub},
            (*controllers.hub(), probing.runner(probe)),
            self.clock,
            journal=self._note,
        )
        self._start(hub.run())
        for member in self.asked.members:
            await self._add(member)
        for obj in self.asked.others:
            if objects.dig(obj, "kind") not in _CAREFUL:
                await self._apply(obj)

    async def _add(self, member: fleet.Member) -> None:
        cluster = self.fleet.add(member.name, member.nodes)
        self.exposure.watch(member.name, cluster.store)
        for definition in crds.for_own_member():
            cluster.server.inside.define(definition)
        registered = fleet.managed_cluster(member)
        marks = {"onepersoncompany.io/liveness": "events"}
        registered = objects.put(registered, ("metadata", "annotations"), marks)
        await self.hub.create(Address(ocm.CLUSTERS), registered)
        self._start(self._serve(member.name, cluster.way_to(self.server), cluster.api))
        self._start(self._notice_outages(member.name))

    async def _serve(self, cluster: str, hub: Api, member: Api) -> None:
        """Be the agent of a cluster."""
        apis: dict[Side, Api] = {"hub": hub, "member": member}
        duties = Duties(has_heartbeat=False)
        await Agent(cluster, apis, self.clock, duties=duties, journal=self._note).run()

    async def _notice_outages(self, cluster: str) -> None:
        """Say of a cluster what its missing heartbeats would: here nobody writes any."""
        for begin, end in self.fleet[cluster].faults.outages():
            await self.clock.sleep_until(Instant(begin + _SILENT_SECONDS))
            if self.clock.now() < end:
                await self._silence(cluster)

    async def _silence(self, cluster: str) -> None:
        address = Address(ocm.CLUSTERS, "", cluster)
        found = await self.hub.get(address)
        silent = Condition(
            clusters.AVAILABLE, "Unknown", clusters.LEASE_STOPPED, "The agent stopped reporting."
        )
        before = objects.dig(found, "status", "conditions", default=())
        after = with_condition(before, silent, self.clock.now())
        patch = Patch("merge", {"status": {"conditions": list(after)}})
        await self.hub.patch(address._replace(subresource="status"), patch)

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(lambda _: self._moved.set())
        self.tasks.append(task)

    def _notice(self, change: Commit) -> None:
        if change.key.collection in _TELLING:
            self._moved.set()

    async def _begin(self) -> None:
        """What runs already is delivered at once, before the rehearsal's time begins."""
        if self.asked.before is not None:
            await self._apply(ending.at_once(self.asked.before))
            ended = await self._ended(self.start)
            last = ending.status_of(next(iter(reversed(await self._releases())), None))
            if ended is None or last.phase != "Succeeded":
                said = await self._complaint() if ended is None else last.message
                _raise_unready(self.asked.application, said)
        for obj in self.asked.others:
            if objects.dig(obj, "kind") in _CAREFUL:
                await self._apply(obj)
        await self.clock.sleep_until(self.start)
        self.exposure.begin({name: one.store for name, one in self.fleet.items()})
        self._earlier = frozenset(objects.name(one) for one in await self._releases())
        self.is_measuring = True
        await self._apply(self.asked.after)

    async def _follow(self) -> End:
        deadline = Instant(self.start + self.asked.until_seconds)
        acting = asyncio.get_running_loop().create_task(self._act())
        acting.add_done_callback(lambda _: self._moved.set())
        self.tasks.append(acting)
        ended = await self._ended(deadline, acting)
        releases = await self._releases()
        if ended is None:
            after = durations.show(self.asked.until_seconds)
            said = f"not at an end after {after}: {await self._complaint()}"
            self._tell(None, "TimeIsUp", said)
            return End("failed", said, deadline)
        if await self._application() is None:
            return End("failed", await self._complaint(), ended)
        if not releases:
            self._tell(None, "NothingChanged", ending.NOTHING_CHANGED)
            return End("succeeded", ending.NOTHING_CHANGED, ended)
        last = ending.status_of(releases[-1])
        said = "; ".join(dict.fromkeys(ending.status_of(one).message for one in releases))
        finished = times.from_text(last.finished_at) if last.finished_at else ended
        return End(_OUTCOMES.get(last.phase, "failed"), said, finished)

    async def _ended(
        self, deadline: Instant, acting: asyncio.Task[None] | None = None
    ) -> Instant | None:
        """When the delivery ended; None where the deadline comes first."""
        self.clock.call_at(deadline, self._moved.set)
        while True:
            self._moved.clear()
            for task in self.tasks:
                if task.done() and not task.cancelled():
                    task.result()
            now = self.clock.now()
            # Only what somebody still does can make a delivery go on that has ended.
            if (acting is None or acting.done()) and await self._is_over():
                await self.clock.sleep_until(min(deadline, Instant(now + _SETTLE_SECONDS)))
                if await self._is_over():
                    return now
            if self.clock.now() >= deadline:
                return None
            await self._moved.wait()

    async def _is_over(self) -> bool:
        newest = next(iter(reversed(await self._releases())), None)
        return ending.is_over(await self._application(), newest)

    async def _releases(self) -> list[Object]:
        """The Application's releases since the rehearsal's start, the newest last."""
        match = Match(labels=f"app.oam.dev/name={self.asked.application}")
        page = await self.hub.list(Address(RELEASES), ListOptions(match=match))
        ours = [one for one in page.items if objects.name(one) not in self._earlier]
        return sorted(ours, key=sequence_of)

    async def _application(self) -> Object | None:
        try:
            return await self.hub.get(_address_of(self.asked.after, APPLICATIONS))
        except NotFound:
            return None

    async def _complaint(self) -> str:
        match = Match(labels=f"app.oam.dev/name={self.asked.application}")
        units = await self.hub.list(Address(UNITS), ListOptions(match=match))
        newest = next(iter(reversed(await self._releases())), None)
        return ending.complaint(await self._application(), newest, units.items)

    async def _act(self) -> None:
        for action in self.asked.actions:
            at = Instant(self.start + durations.parse(action.at, "spec.actions.at"))
            await self.clock.sleep_until(at)
            await self._do(action)
        # What the last one did has begun by then: a release that had ended may go on.
        if self.asked.actions:
            await self.clock.sleep_until(Instant(self.clock.now() + _REACTION_SECONDS))

    async def _do(self, action: fleet.RehearsalAction) -> None:
        if action.do == "scale":
            await self._scale(action)
            return
        changes: dict[str, Object] = {
            "pause": {"paused": True},
            "resume": {"paused": False},
            "abort": {"request": "Abort"},
            "rollback": {"request": "Rollback"},
        }
        for newest in (await self._releases())[-1:]:
            address = Address(RELEASES, objects.namespace(newest), objects.name(newest))
            await self.hub.patch(address, Patch("merge", {"spec": changes[action.do]}))
            self._tell(None, action.do.capitalize(), "the rehearsal's action")

    async def _scale(self, action: fleet.RehearsalAction) -> None:
        namespace = objects.namespace(self.asked.after) or "default"
        deployments = Resource("apps", "v1", "deployments")
        for name in action.clusters or tuple(self.fleet):
            address = Address(deployments, namespace, action.component)
            body = {"spec": {"replicas": action.replicas}}
            await self.fleet[name].api.patch(address, Patch("merge", body))
            self._tell(name, "Scaled", f"{action.component} to {action.replicas} pods")

    async def _apply(self, obj: Object) -> None:
        address = await self._address(obj)
        await self.hub.apply(address, obj, WriteOptions(manager="oneco-rehearsal", force=True))

    async def _address(self, obj: Object) -> Address:
        kinds = ServedKinds(self.hub)
        await kinds.refresh()
        kind: Kind = kind_of(obj)
        info = kinds(kind)
        assert info is not None, f"a rehearsal's hub does not serve {kind.kind}"
        namespace = (objects.namespace(obj) or "default") if info.namespaced else ""
        return Address(info.resource, namespace, objects.name(obj))

    def _note(self, entry: Entry) -> None:
        if not self.is_measuring:
            return
        self.writes += min(entry.writes, sum(map(_is_spec_write, entry.decision.actions)))
        cluster = entry.key[0] if entry.controller in ("units", "works") else None
        if entry.controller in ("releases", "units", "works"):
            for reason in entry.decision.reasons:
                if reason.code != "Applied":
                    self._tell(cluster, reason.code, reason.message)

    def _tell(self, cluster: str | None, what: str, why: str) -> None:
        self.events.append(Event(round(self.clock.now() - self.start, 3), cluster, what, why))

    def _report(self, end: End, statuses: Sequence[ReleaseStatus], wall_seconds: float) -> Report:
        return Report(
            outcome=end.outcome,
            virtual_seconds=round(end.at - self.start, 3),
            writes=self.writes,
            max_exposed_share=self.exposure.share,
            max_exposed_clusters=self.exposure.clusters,
            events=tuple(self.events),
            message=end.message,
            application=self.asked.application,
            clusters=len(self.fleet),
            waves=tuple(self._wave(wave) for one in statuses for wave in one.waves),
            wall_seconds=wall_seconds,
            seed=self.asked.seed,
        )

    def _wave(self, one: WaveStatus) -> WaveTime:
        began, ended = self._since(one.started_at), self._since(one.finished_at)
        return WaveTime(one.name, one.units, began, ended)

    def _since(self, text: str) -> float | None:
        return round(times.from_text(text) - self.start, 3) if text else None


def _raise_unready(application: str, said: str) -> None:
    """The version that should already run does not: there is nothing to rehearse on."""
    raise Refused(
        f"the version of {application} that should run before the rehearsal",
        found=said,
        wanted="one that gets healthy on every cluster within an hour",
    )


def _address_of(obj: Object, resource: Resource) -> Address:
    return Address(resource, objects.namespace(obj) or "default", objects.name(obj))


def _is_spec_write(action: object) -> bool:
    assert isinstance(action, Create | Replace | Apply | Change | Delete), f"no action: {action!r}"
    resource = action.address.resource
    if isinstance(action, Change):
        return False  # finalizers and marks
    return resource == ocm.WORKS or (action.side == "member" and resource != ocm.APPLIED_WORKS)
