"""The two fleets that stories are played on: one in memory whose time jumps, one of real clusters.

Both run the hub's own deciders and the agents' own, with a recorder before each `Api`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from oneco.clock import Clock
from oneco.control.shell import Shell
from oneco.kinds import fleet, ocm, validity
from oneco.kinds.fleet import Member
from oneco.kinds.ocm import ENVIRONMENT_LABEL
from oneco.kinds.release import RELEASES, UNITS
from oneco.kube import objects
from oneco.kube.api import Api
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource
from oneco.main import controllers, crds, hub, metrics, probing
from oneco.main.agent_controllers import Duties
from oneco.main.agents import Agent
from oneco.worlds.apiserver.memory import MemoryStore
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.behaviours.faults import CrashLoop, FaultBook
from oneco.worlds.clocks import VirtualClock
from oneco.worlds.cluster.client import connect
from oneco.worlds.sim.cluster import NodeSpec
from oneco.worlds.sim.fleet import SimFleet
from oneco.worlds.sim.local import LocalApi
from tests.real.cluster import RealCluster
from tests.real.fidelity.mirrors import Mirror
from tests.real.fidelity.recording import Recorder, Write
from tests.real.fidelity.stories import MEMBERS, NODES

NAMESPACES = Resource("", "v1", "namespaces")
PODS = Resource("", "v1", "pods")
NODE_OBJECTS = Resource("", "v1", "nodes")
_MARKS = {"onepersoncompany.io/liveness": "events"}
# What real nodes do with images whose names end so.
_BAD = CrashLoop(image="*-bad", after_seconds=0.0)
_ROOM = {"cpu": "16", "memory": "64Gi", "pods": "110"}


class Fleet:
    """A hub and its members at work, and everything that hub and agents wrote."""

    def __init__(self, hub_api: Api, members: Mapping[str, Api], clock: Clock) -> None:
        self.hub, self.members, self.clock = hub_api, dict(members), clock
        self.log: list[Write] = []
        self.look_seconds, self.settle_seconds = 0.2, 2.0
        self.tasks: list[asyncio.Task[None]] = []
        self.lost_nodes: set[tuple[str, str]] = set()
        self.releases = Mirror(hub_api, RELEASES, clock)
        self.units = Mirror(hub_api, UNITS, clock)
        self.pods = {name: Mirror(api, PODS, clock) for name, api in self.members.items()}

    async def watch(self) -> None:
        """Begin to follow what stories ask about."""
        mirrors = (self.releases, self.units, *self.pods.values())
        for mirror in mirrors:
            self.start(mirror.follow())
        for mirror in mirrors:
            await mirror.is_filled.wait()

    def start(self, work: Any) -> None:
        """Let this go on until the fleet ends."""
        self.tasks.append(asyncio.get_running_loop().create_task(work))

    def check(self) -> None:
        """Raise what ended a hub or an agent."""
        for task in self.tasks:
            if task.done():
                task.result()

    async def register(self, name: str, *, marks: Mapping[str, str] = {}) -> None:
        """Tell the hub of a member whose name is its environment."""
        registered = fleet.managed_cluster(_member(name))
        if marks:
            registered = objects.put(registered, ("metadata", "annotations"), dict(marks))
        await self.hub.create(Address(ocm.CLUSTERS), registered)

    def recorder(self, side: str, api: Api) -> Api:
        """`api`, whose writes are noted."""
        return Recorder(side, api, self.log)

    async def make_namespace(self, name: str) -> None:
        """Make a namespace everywhere."""
        for api in (self.hub, *self.members.values()):
            await api.create(Address(NAMESPACES), _namespace(name))

    async def make_nodes(self, pool: str, count: int) -> None:
        """Give every member nodes that only pods of this pool go to."""
        for api in self.members.values():
            for number in range(count):
                await api.create(Address(NODE_OBJECTS), _node(pool, number))

    async def end(self) -> None:
        """End hub and agents."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def rehearsed(clock: VirtualClock) -> AsyncIterator[Fleet]:
    """A fleet in memory, as a rehearsal has it."""
    book = FaultBook(faults=(_BAD,), start=clock.now(), seed=1)
    clusters = SimFleet(clock, seed=1, faults=book)
    server = ApiServer(MemoryStore(), clock, admission=(validity.Admission(),))
    nodes = [NodeSpec(name=f"node-{number}") for number in range(NODES)]
    for name in MEMBERS:
        for definition in crds.for_own_member():
            cluster = clusters[name] if name in clusters else clusters.add(name, nodes)
            cluster.server.inside.define(definition)
    members = {name: cluster.api for name, cluster in clusters.items()}
    made = Fleet(LocalApi(server), members, clock)
    made.look_seconds, made.settle_seconds = 0.05, 5.0
    await crds.install(made.hub, crds.for_hub())
    runners = (*controllers.hub(), probing.runner(metrics.probe(clusters)))
    made.start(Shell({"hub": made.recorder("hub", made.hub)}, runners, clock).run())
    for name, cluster in clusters.items():
        await made.register(name, marks=_MARKS)
        apis = {
            "hub": made.recorder("hub", cluster.way_to(server)),
            "member": made.recorder(name, cluster.api),
        }
        duties = Duties(has_heartbeat=False)
        made.start(Agent(name, apis, clock, duties=duties).run())  # type: ignore[arg-type]
    await made.watch()
    try:
        yield made
    finally:
        await made.end()


@contextlib.asynccontextmanager
async def real(
    hub_cluster: RealCluster, clusters: Mapping[str, RealCluster], clock: Clock
) -> AsyncIterator[Fleet]:
    """Real members and a real hub, with the hub's deciders and the agents in this process."""
    async with contextlib.AsyncExitStack() as stack:
        hub_api = await stack.enter_async_context(connect(str(hub_cluster.kubeconfig)))
        members = {
            name: await stack.enter_async_context(connect(str(one.kubeconfig)))
            for name, one in clusters.items()
        }
        made = Fleet(hub_api, members, clock)
        stack.push_async_callback(made.end)
        await hub.prepare(hub_api, clock)
        made.start(hub.shell(made.recorder("hub", hub_api), clock).run())
        for name, api in members.items():
            await crds.install(api, crds.for_member())
            await crds.served(api, crds.for_member(), clock)
            await made.register(name)
            apis = {"hub": made.recorder("hub", hub_api), "member": made.recorder(name, api)}
            made.start(Agent(name, apis, clock).run())  # type: ignore[arg-type]
        await made.watch()
        yield made


def _member(name: str) -> Member:
    return Member(name, {ENVIRONMENT_LABEL: name})  # type: ignore[arg-type]


def _namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _node(pool: str, number: int) -> Object:
    name = f"{pool}-{number}"
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "pool": pool}},
        "spec": {"taints": [{"key": "pool", "value": pool, "effect": "NoSchedule"}]},
        "status": {"allocatable": _ROOM, "capacity": _ROOM},
    }
