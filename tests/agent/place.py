"""A hub and one member whose agent comes and goes, in virtual time."""

from __future__ import annotations

import asyncio
import contextlib

from oneco.clock import Instant
from oneco.decision import Side
from oneco.kinds import fleet, ocm
from oneco.kinds.release import ClusterName
from oneco.kube import objects, times
from oneco.kube.api import Api
from oneco.kube.refs import Address, Resource
from oneco.main import crds
from oneco.main.agent_controllers import Duties
from oneco.main.agents import Agent
from oneco.worlds.apiserver.memory import MemoryStore
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.clocks import VirtualClock, run
from oneco.worlds.sim.fleet import SimFleet
from oneco.worlds.sim.local import LocalApi

START = times.from_text("2026-11-21T08:00:00Z")
NAMESPACES = Resource("", "v1", "namespaces")
MAPS = Address(Resource("", "v1", "configmaps"), "shop")
SERVICES = Address(Resource("", "v1", "services"), "shop")
WORK = Address(ocm.WORKS, "here", "shop")


def a_map(name):
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "shop"},
    }


def a_service(name):
    body = {"metadata": {"name": name, "namespace": "shop"}, "spec": {"ports": [{"port": 80}]}}
    return {"apiVersion": "v1", "kind": "Service", **body}


def a_namespace(name):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def spec_of(*manifests):
    return {"workload": {"manifests": [a_namespace("shop"), *manifests]}}


class Place:
    """A hub and one member, whose agent comes and goes."""

    duties = Duties(has_heartbeat=False)

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.server = ApiServer(MemoryStore(), clock)
        self.hub = LocalApi(self.server)
        self.cluster = SimFleet(clock).add("here")
        self.member = self.cluster.api

    async def prepare(self) -> None:
        await crds.install(self.hub, crds.for_hub())
        await crds.install(self.member, crds.for_member())
        await self.hub.create(Address(NAMESPACES), a_namespace("here"))
        registered = fleet.managed_cluster(fleet.Member(ClusterName("here"), {}))
        await self.hub.create(Address(ocm.CLUSTERS), registered)

    async def with_an_agent(self, seconds: float = 30) -> None:
        """Let a new agent, that knows nothing yet, work for a while."""
        apis: dict[Side, Api] = {
            "hub": self.cluster.way_to(self.server),
            "member": self.member,
        }
        work = asyncio.ensure_future(Agent("here", apis, self.clock, duties=self.duties).run())
        await self.clock.sleep_until(Instant(self.clock.now() + seconds))
        assert not work.done()
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work

    async def deliver(self, *manifests) -> None:
        meta = {"name": "shop", "namespace": "here"}
        work = {"apiVersion": ocm.WORKS.api_version, "kind": "ManifestWork", "metadata": meta}
        await self.hub.create(Address(ocm.WORKS, "here"), {**work, "spec": spec_of(*manifests)})

    async def names(self, address: Address) -> list[str]:
        found = await self.member.list(address)
        return [objects.name(one) for one in found.items]

    async def works(self) -> list[str]:
        return [objects.name(one) for one in (await self.hub.list(WORK._replace(name=""))).items]


def tell(story):
    """The result of `story(place)` in virtual time."""

    async def main(clock: VirtualClock):
        place = Place(clock)
        await place.prepare()
        return await story(place)

    return run(main, START)
