"""An agent of a cluster that is denied or gone is cut off, whatever it has open."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from oneco.fleet import rights
from oneco.kinds import crds, ocm
from oneco.kube.api import Api, Patch, WatchOptions, WriteOptions
from oneco.kube.errors import ApiOutage
from oneco.kube.refs import Address, Resource
from oneco.worlds.clocks import RealClock
from oneco.worlds.cluster.client import ClusterApi
from oneco.worlds.cluster.target import Cluster, Material, Target, User
from oneco.worlds.embedded.serve import EmbeddedServer
from tests.embedded.test_identity import an_agent

DEFINITIONS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions")
NAMESPACES = Resource("", "v1", "namespaces")
SOON_SECONDS = 1.0


class Hub:
    """A server with the clusters c1 and c10, and a client of each one's agent."""

    def __init__(self, server: EmbeddedServer) -> None:
        self.server, self.api = server, server.api
        self.clients: list[ClusterApi] = []

    async def begin(self) -> None:
        for definition in crds.all():
            await self.api.create(Address(DEFINITIONS), definition)
        for address, body in rights.for_hub():
            await self.api.apply(address, body)
        for name in ("c1", "c10"):
            await self.accepts(name)

    async def accepts(self, name: str) -> None:
        """Register and accept a cluster, and write its agent's rights as the hub's decider does."""
        head = {"apiVersion": ocm.CLUSTERS.api_version, "kind": "ManagedCluster"}
        body = {**head, "metadata": {"name": name}, "spec": {"hubAcceptsClient": True}}
        options = WriteOptions(force=True)
        cluster = await self.api.apply(Address(ocm.CLUSTERS, "", name), body, options)
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        await self.api.apply(Address(NAMESPACES, "", name), space)
        for address, right in rights.of_cluster(cluster).items():
            await self.api.apply(address, right)

    async def denies(self, name: str) -> None:
        patch = Patch("merge", {"spec": {"hubAcceptsClient": False}})
        await self.api.patch(Address(ocm.CLUSTERS, "", name), patch)

    def agent(self, name: str) -> ClusterApi:
        user = an_agent(name)
        credential = self.server.authority.client(user.name, user.groups[:2])
        proof = User(
            certificate=Material(data=credential.certificate), key=Material(data=credential.key)
        )
        authority = Material(data=self.server.authority.certificate_pem)
        where = Cluster(server=self.server.url, authority=authority)
        self.clients.append(ClusterApi(Target(cluster=where, user=proof)))
        return self.clients[-1]


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def hub(tmp_path, runner) -> Iterator[Hub]:
    async def start() -> Hub:
        server = EmbeddedServer(tmp_path / "hub", RealClock())
        await server.start()
        hub = Hub(server)
        await hub.begin()
        return hub

    hub = runner.run(start())
    yield hub
    for client in hub.clients:
        runner.run(client.close())
    runner.run(hub.server.stop())


async def reads(agent: Api, name: str) -> bool:
    try:
        await agent.list(Address(ocm.WORKS, name))
    except ApiOutage:
        return False
    return True


async def a_watch(agent: Api, name: str) -> asyncio.Task[str]:
    """A watch that has begun; its end says how it came."""
    begun = asyncio.Event()

    async def follow() -> str:
        options = WatchOptions(initial_events=True, bookmarks=True)
        try:
            async for _ in agent.watch(Address(ocm.WORKS, name), options):
                begun.set()
        except ApiOutage:
            return "cut off"
        return "ended"

    task = asyncio.ensure_future(follow())
    await asyncio.wait_for(begun.wait(), 10)
    return task


@pytest.mark.parametrize("way", ["denied", "deleted"])
def test_an_agent_is_cut_off_within_a_second_and_nobody_else_is(hub, runner, way):
    async def story() -> None:
        agent, idle, neighbour = hub.agent("c1"), hub.agent("c1"), hub.agent("c10")
        assert await reads(agent, "c1")
        assert await reads(idle, "c1")
        watching, other = await a_watch(agent, "c1"), await a_watch(neighbour, "c10")
        begun = time.monotonic()
        if way == "denied":
            await hub.denies("c1")
        else:
            await hub.api.delete(Address(ocm.CLUSTERS, "", "c1"))
        assert await asyncio.wait_for(watching, SOON_SECONDS) in ("cut off", "ended")
        assert time.monotonic() - begun < SOON_SECONDS
        # A connection that was open and idle, and one that is new.
        assert not await reads(idle, "c1")
        assert not await reads(hub.agent("c1"), "c1")
        assert not other.done()
        assert await reads(neighbour, "c10")
        other.cancel()
        await hub.accepts("c1")
        assert await reads(agent, "c1")

    runner.run(story())


def test_a_certificate_of_two_clusters_is_let_in_only_for_both(hub, runner):
    async def story() -> None:
        assert await reads(hub.agent("c1"), "c1")
        user = an_agent("c1")
        assert hub.server._admittance.lets_in(user)
        both = user._replace(groups=(*user.groups, an_agent("c2").groups[0]))
        assert not hub.server._admittance.lets_in(both)

    runner.run(story())


def test_who_is_denied_stays_so_over_a_restart(hub, runner):
    async def story() -> None:
        await hub.denies("c1")
        await hub.server.stop()
        again = EmbeddedServer(hub.server.directory, RealClock())
        await again.start()
        hub.server, hub.api = again, again.api
        assert not await reads(hub.agent("c1"), "c1")
        assert await reads(hub.agent("c10"), "c10")

    runner.run(story())
