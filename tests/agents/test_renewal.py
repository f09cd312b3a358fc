"""Certificates that renew themselves: over virtual months, and over real seconds."""

from __future__ import annotations

import asyncio
import ssl
import time
from pathlib import Path

import pytest

from oneco.clock import Clock, Instant
from oneco.control.shell import Shell
from oneco.fleet.joining import AGENT_PREFIX, AGENTS_GROUP, REQUESTS
from oneco.fleet.ports import Subject
from oneco.integrations.x509 import certificates, requests
from oneco.kinds import crds, ocm
from oneco.kube import times
from oneco.kube.api import WriteOptions
from oneco.kube.errors import ServiceUnavailable
from oneco.kube.refs import Address, Resource
from oneco.main import controllers, enrolling
from oneco.main.enrolling import Wallet
from oneco.worlds.apiserver.core import Caller
from oneco.worlds.apiserver.memory import MemoryStore
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.clocks import RealClock, run
from oneco.worlds.cluster import kubeconfig
from oneco.worlds.cluster.client import ClusterApi
from oneco.worlds.embedded import signing
from oneco.worlds.embedded.authority import Authority
from oneco.worlds.sim.local import LocalApi
from tests.agents.hubs import RealHub, failure, over

START = times.from_text("2026-11-21T08:00:00Z")
DEFINITIONS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions")
DAY = 86_400.0
THIRTEEN_MONTHS = 396
NAME = f"{AGENT_PREFIX}c1:a"
GROUPS = (f"{AGENT_PREFIX}c1", AGENTS_GROUP)


class _Line(LocalApi):
    """The hub as the agent reaches it: gone while `is_down`."""

    is_down = False

    async def get(self, address):
        self._check()
        return await super().get(address)

    async def create(self, address, body, options=WriteOptions()):
        self._check()
        return await super().create(address, body, options)

    def _check(self) -> None:
        if self.is_down:
            raise ServiceUnavailable("the hub cannot be reached")


class World:
    """A hub in memory that approves and signs, and an agent with a certificate of it."""

    def __init__(self, folder: Path, clock: Clock, days: float) -> None:
        self.clock, self.server = clock, ApiServer(MemoryStore(), clock)
        self.authority = Authority(folder / "ca", client_seconds=days * DAY, now=clock.now)
        self.wallet = Wallet(folder)
        self.hub = LocalApi(self.server)
        self.line = _Line(self.server, caller=Caller(NAME, (*GROUPS, "system:authenticated")))
        first = self.authority.client(NAME, GROUPS)
        self.wallet.certificate.write_bytes(first.certificate + first.key)
        self.said: list[str] = []
        self._checked = b""
        self.server.store.on_durable(self._sign)

    async def begin(self) -> None:
        for definition in crds.all():
            await self.hub.create(Address(DEFINITIONS), definition)
        head = {"apiVersion": ocm.CLUSTERS.api_version, "kind": "ManagedCluster"}
        body = {**head, "metadata": {"name": "c1"}, "spec": {"hubAcceptsClient": True}}
        await self.hub.create(Address(ocm.CLUSTERS), body)

    def deciders(self) -> asyncio.Future[None]:
        only = [one for one in controllers.hub() if one.name == "joining"]
        return asyncio.ensure_future(Shell({"hub": self.hub}, only, self.clock).run())

    def agent(self) -> asyncio.Future[None]:
        keeping = enrolling.keep(self.wallet, self.line, self.clock, self.said.append)
        return asyncio.ensure_future(keeping)

    def certificate(self) -> certificates.Certificate:
        """What is in the wallet, which must be a pair of a key and its certificate."""
        content = self.wallet.certificate.read_bytes()
        if content == self._checked:
            return self.wallet.read()
        self._checked = content
        key = content[content.index(b"-----BEGIN PRIVATE KEY") :]
        assert requests.is_of(content, key)
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(self.wallet.certificate)
        return self.wallet.read()

    def _sign(self, change) -> None:
        request = change.after if change.key.collection == signing.COLLECTION else None
        if request is not None and signing.is_waiting(request):
            address = Address(REQUESTS, "", change.key.name, "status")
            self.server.replace(address, signing.signed(request, self.authority))


@pytest.mark.parametrize("days", [365.0, 90.0, 30.0])
def test_thirteen_months_pass_without_a_lapse(tmp_path, days):
    async def story(clock: Clock) -> None:
        world = World(tmp_path, clock, days)
        await world.begin()
        hub, agent = world.deciders(), world.agent()
        seen = {world.certificate().ends}
        for day in range(THIRTEEN_MONTHS):
            await clock.sleep_until(Instant(START + (day + 1) * DAY))
            certificate = world.certificate()
            left = (certificate.ends - clock.now()) / DAY
            assert left > days * 0.19, f"day {day}: {left:g} days left"
            assert certificate.subject == Subject(NAME, frozenset(GROUPS))
            seen.add(certificate.ends)
        assert len(seen) - 1 >= int(THIRTEEN_MONTHS / days)
        assert world.said == []
        await over(hub, agent)

    run(story, START)


def test_an_outage_restarts_and_a_denial_in_the_middle_leave_time_to_renew(tmp_path):
    days = 30.0

    async def story(clock: Clock) -> None:
        world = World(tmp_path, clock, days)
        await world.begin()
        hub, agent = world.deciders(), world.agent()
        for day in range(THIRTEEN_MONTHS):
            await clock.sleep_until(Instant(START + (day + 1) * DAY))
            assert world.certificate().ends > clock.now()
            # Four days of every week of renewal nobody answers; every tenth day both begin anew.
            world.line.is_down = day % 30 in (22, 23, 24, 25)
            if day % 10 == 3:
                await over(hub, agent)
                hub, agent = world.deciders(), world.agent()
        assert any("asking again" in line for line in world.said)
        await over(hub, agent)

    run(story, START)


def test_a_certificate_that_is_due_at_once_is_not_asked_for_without_end(tmp_path):
    async def story(clock: Clock) -> None:
        world = World(tmp_path, clock, 30.0)
        await world.begin()
        # Its clock is behind: what it gets has always begun long ago.
        world.authority._now = lambda: clock.now() - 25 * DAY
        hub, agent = world.deciders(), world.agent()
        await clock.sleep_until(Instant(START + 40 * DAY))
        made = await world.hub.list(Address(REQUESTS))
        assert len(made.items) < 30
        await over(hub, agent)

    run(story, START)


LIFE_SECONDS = 12.0


@pytest.mark.timeout(90)
@pytest.mark.slow
def test_real_certificates_of_seconds_outlive_an_outage_and_a_restart(tmp_path):
    async def story() -> None:
        hub, clock = RealHub(tmp_path / "hub", LIFE_SECONDS), RealClock()
        said: list[str] = []
        await hub.start()
        wallet = await hub.joined(tmp_path, said.append)
        async with ClusterApi(kubeconfig.load(str(wallet.kubeconfig))) as agent:
            keeping = asyncio.ensure_future(enrolling.keep(wallet, agent, clock, said.append))
            ends, answers, begun = set(), [], time.monotonic()
            is_restarted = False
            while (passed := time.monotonic() - begun) < LIFE_SECONDS * 3:
                ends.add(wallet.read().ends)
                answers.append(await failure(agent))
                if passed > LIFE_SECONDS * 1.2 and not is_restarted:
                    await hub.stop()
                    await asyncio.sleep(LIFE_SECONDS / 6)
                    await hub.start()
                    is_restarted = True
                await asyncio.sleep(0.1)
            await over(keeping)
        await hub.stop()
        assert [one for one in answers if one not in ("", "ok")] == []
        assert answers[-5:] == ["ok"] * 5, answers[-20:]
        assert len(ends) >= 3, said

    asyncio.run(story())
