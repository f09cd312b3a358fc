"""Runs a scenario: the very controllers and agents of production, on clusters in memory and a
clock that jumps from one thing that happens to the next.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from oneco.clock import Instant
from oneco.control.journal import Entry
from oneco.control.shell import Shell
from oneco.decision import Apply, Change, Create, Delete, Replace
from oneco.delivery.seen import sequence_of
from oneco.errors import Refused
from oneco.fleet import clusters
from oneco.kinds import durations, fleet, ocm, validity
from oneco.kinds.conditions import Condition, with_condition
from oneco.kinds.oam import APPLICATIONS
from oneco.kinds.parts import parse
from oneco.kinds.release import FINAL_PHASES, RELEASES, ReleaseStatus
from oneco.kube import objects, times
from oneco.kube.api import Api, ListOptions, Match, Patch, WriteOptions
from oneco.kube.errors import NotFound
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Kind, Resource, kind_of
from oneco.main import controllers, crds, metrics, probing, scenario
from oneco.main.agents import Agent
from oneco.main.exposure import Exposure
from oneco.main.kinds import ServedKinds
from oneco.main.report import Event, Outcome, Report, WaveTime
from oneco.main.scenario import Scenario
from oneco.worlds import clocks
from oneco.worlds.apiserver.memory import MemoryStore
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.behaviours.faults import FaultBook
from oneco.worlds.clocks import VirtualClock
from oneco.worlds.sim.fleet import SimFleet
from oneco.worlds.sim.local import LocalApi

BEGINNING = Instant(1_800_000_000.0)
_PREPARATION_SECONDS = 3600.0
"""What runs already is delivered in this time before the rehearsal's start."""
_REACTION_SECONDS = 10.0
_SILENT_SECONDS = 300.0
"""How long a cluster's agent is silent before the hub says so: five missed heartbeats."""
_OUTCOMES: dict[str, Outcome] = {
    "Succeeded": "succeeded",
    "Blocked": "blocked",
    "RolledBack": "rolledBack",
}


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
        self.tasks: list[asyncio.Task[None]] = []

    async def run(self) -> Report:
        """Prepare, release, wait for the end, tell."""
        began = time.perf_counter()
        try:
            await self._prepare()
            await self._begin()
            outcome, message, release = await self._follow()
            return self._report(outcome, message, release, time.perf_counter() - began)
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
            await self._apply(obj)

    async def _add(self, member: fleet.Member) -> None:
        cluster = self.fleet.add(member.name, member.nodes)
        self.exposure.watch(member.name, cluster.store)
        for definition in crds.for_member():
            cluster.server.inside.define(definition)
        registered = fleet.managed_cluster(member)
        marks = {"onepersoncompany.io/liveness": "events"}
        registered = objects.put(registered, ("metadata", "annotations"), marks)
        await self.hub.create(Address(ocm.CLUSTERS), registered)
        agent = Agent(
            member.name,
            {"hub": cluster.way_to(self.server), "member": cluster.api},
            self.clock,
            has_heartbeat=False,
            journal=self._note,
        )
        self._start(agent.run())
        self._start(self._notice_outages(member.name))

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
        self.tasks.append(asyncio.get_running_loop().create_task(work))

    async def _begin(self) -> None:
        """What runs already is delivered at once, before the rehearsal's time begins."""
        if self.asked.before is not None:
            await self._apply(without_policy(self.asked.before))
            release = await self._ended(self.start)
            if release is None or _status(release).phase != "Succeeded":
                said = _status(release).message if release is not None else "it was not begun"
                _raise_unready(self.asked.application, said)
        await self.clock.sleep_until(self.start)
        self.exposure.begin({name: one.store for name, one in self.fleet.items()})
        self.is_measuring = True
        await self._apply(self.asked.after)

    async def _follow(self) -> tuple[Outcome, str, Object | None]:
        deadline = Instant(self.start + self.asked.until_seconds)
        acting = asyncio.get_running_loop().create_task(self._act())
        self.tasks.append(acting)
        release = await self._ended(deadline, acting)
        if release is None:
            return "failed", await self._complaint(), None
        status = _status(release)
        outcome = _OUTCOMES.get(status.phase)
        if outcome is None:
            is_over = status.phase in FINAL_PHASES
            said = status.message if is_over else f"not at an end by then: {status.message}"
            return "failed", said, release
        return outcome, status.message, release

    async def _ended(
        self, deadline: Instant, acting: asyncio.Task[None] | None = None
    ) -> Object | None:
        """The Application's newest release when it ends, or as it is at the deadline."""
        while True:
            for task in self.tasks:
                if task.done() and not task.cancelled():
                    task.result()
            newest = await self._newest()
            if newest is not None and self._is_old(newest):
                newest = None
            phase = _status(newest).phase
            if phase in FINAL_PHASES or phase == "Blocked":
                if acting is None or acting.done():
                    return newest
                # Only what somebody still does can make it go on.
                await asyncio.wait((acting,))
            if self.clock.now() >= deadline:
                return newest
            await self.clock.sleep_until(min(deadline, Instant(self.clock.now() + 5.0)))

    def _is_old(self, release: Object) -> bool:
        made = objects.metadata(release).get("creationTimestamp", "")
        return bool(self.is_measuring and times.from_text(made) < self.start)

    async def _newest(self) -> Object | None:
        match = Match(labels=f"app.oam.dev/name={self.asked.application}")
        page = await self.hub.list(Address(RELEASES), ListOptions(match=match))
        return max(page.items, key=sequence_of, default=None)

    async def _complaint(self) -> str:
        try:
            application = await self.hub.get(_address_of(self.asked.after, APPLICATIONS))
        except NotFound:
            return "the application was deleted"
        conditions = objects.dig(application, "status", "conditions", default=())
        wrong = [one.get("message", "") for one in conditions if one.get("status") == "False"]
        return "; ".join(one for one in wrong if one) or "no release came of it"

    async def _act(self) -> None:
        for action in self.asked.actions:
            at = Instant(self.start + durations.parse(action.at, "spec.actions.at"))
            await self.clock.sleep_until(at)
            await self._do(action)
        # What the last one did has begun by then: a release that had ended may go on.
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
        newest = await self._newest()
        if newest is not None:
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

    def _report(
        self, outcome: Outcome, message: str, release: Object | None, wall_seconds: float
    ) -> Report:
        return Report(
            outcome=outcome,
            virtual_seconds=round(self._end(release) - self.start, 3),
            writes=self.writes,
            max_exposed_share=self.exposure.share,
            max_exposed_clusters=self.exposure.clusters,
            events=tuple(self.events),
            message=message,
            application=self.asked.application,
            clusters=len(self.fleet),
            waves=self._waves(release),
            wall_seconds=wall_seconds,
            seed=self.asked.seed,
        )

    def _end(self, release: Object | None) -> Instant:
        finished = _status(release).finished_at if release is not None else ""
        return times.from_text(finished) if finished else self.clock.now()

    def _waves(self, release: Object | None) -> tuple[WaveTime, ...]:
        waves = _status(release).waves if release is not None else ()
        return tuple(
            WaveTime(one.name, one.units, self._since(one.started_at), self._since(one.finished_at))
            for one in waves
        )

    def _since(self, text: str) -> float | None:
        return round(times.from_text(text) - self.start, 3) if text else None


def _raise_unready(application: str, said: str) -> None:
    """The version that should already run does not: there is nothing to rehearse on."""
    raise Refused(
        f"the version of {application} that should run before the rehearsal",
        found=said,
        wanted="one that gets healthy on every cluster within an hour",
    )


def _status(release: Object | None) -> ReleaseStatus:
    return parse(ReleaseStatus, (release or {}).get("status"), "status")


def _address_of(obj: Object, resource: Resource) -> Address:
    return Address(resource, objects.namespace(obj) or "default", objects.name(obj))


def without_policy(application: Object) -> Object:
    """The Application without its release policy: it goes everywhere at once."""
    policies: Sequence[Object] = objects.dig(application, "spec", "policies", default=())
    left = [one for one in policies if one.get("type") != "release"]
    return objects.put(application, ("spec", "policies"), left)


def _is_spec_write(action: object) -> bool:
    assert isinstance(action, Create | Replace | Apply | Change | Delete), f"no action: {action!r}"
    resource = action.address.resource
    if isinstance(action, Change):
        return False  # finalizers and marks
    return resource == ocm.WORKS or (action.side == "member" and resource != ocm.APPLIED_WORKS)
