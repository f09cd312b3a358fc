"""What an agent's certificate reaches on a real API server, with the hub's deciders at work."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from oneco.errors import Refused
from oneco.fleet import rights
from oneco.kinds import ocm
from oneco.kube.api import Event, Patch, WatchOptions
from oneco.kube.refs import Address
from oneco.main import cutting_off, hub
from oneco.worlds.clocks import RealClock, ScaledClock
from oneco.worlds.cluster.client import connect
from tests.agents import reach
from tests.agents.hubs import over

TEN_YEARS = 10 * 365 * 86_400


def test_what_a_denied_agent_watches_is_ended_however_long_it_asked_for(real_cluster, tmp_path):
    async def story() -> None:
        kubeconfig, clock = real_cluster.kubeconfig, RealClock()
        async with connect(str(kubeconfig)) as api:
            await hub.prepare(api, clock)
            deciders = asyncio.ensure_future(hub.shell(api, clock).run())
            wallet = await reach.joined(kubeconfig, "watcher", tmp_path / "watcher")
            async with reach.agent(wallet) as own:
                await reach.until(lambda: reach.may_read(own, "watcher"))
                # A kube-apiserver gives whoever asks as long as was asked for.
                options = WatchOptions(timeout_seconds=TEN_YEARS)
                watch = own.watch(Address(ocm.WORKS, "watcher"), options)
                watching = asyncio.ensure_future(_all_of(watch))
                await asyncio.sleep(1)
                cluster = Address(ocm.CLUSTERS, "", "watcher")
                await api.patch(cluster, Patch("merge", {"spec": {"hubAcceptsClient": False}}))
                begun = clock.now()
                await cutting_off.cut_off(api, ["watcher"], clock)
                assert not await reach.may_read(own, "watcher")
                await asyncio.wait_for(watching, 30)
                print(f"the watch ended {clock.now() - begun:.1f} s after the denial")
                # Everybody else goes on where they were, the hub's deciders among them.
                await api.patch(cluster, Patch("merge", {"spec": {"hubAcceptsClient": True}}))
                await reach.until(lambda: reach.may_read(own, "watcher"))
            await over(deciders)
            await api.delete(cluster)

    asyncio.run(story())


def test_a_denial_that_no_hub_carries_out_is_told(real_cluster):
    async def story() -> None:
        # Its patience is over sooner by a clock that runs faster.
        clock = ScaledClock(20.0)
        async with connect(str(real_cluster.kubeconfig)) as api:
            await hub.prepare(api, RealClock())
            binding = {**_HEAD, "metadata": {"name": "onepersoncompany.io:agent:left"}}
            await api.create(Address(rights.BINDINGS), binding)
            with pytest.raises(Refused, match="a process that works for this hub"):
                await cutting_off.cut_off(api, ["left"], clock)
            await api.delete(Address(rights.BINDINGS, "", "onepersoncompany.io:agent:left"))

    asyncio.run(story())


_HEAD = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "roleRef": {"apiGroup": rights.GROUP, "kind": "ClusterRole", "name": "view"},
}


async def _all_of(watch: AsyncIterator[Event]) -> None:
    async for _ in watch:
        continue


def test_an_agent_reaches_its_own_namespace_alone_and_nothing_when_denied(real_cluster, tmp_path):
    async def story() -> None:
        async with connect(str(real_cluster.kubeconfig)) as api:
            await hub.prepare(api, RealClock())
            deciders = asyncio.ensure_future(hub.shell(api, RealClock()).run())
            seed = random.randrange(1 << 30)
            print(f"seed {seed}")
            try:
                await reach.tell(real_cluster.kubeconfig, tmp_path, seed)
                await reach.be_cut_off(real_cluster.kubeconfig, tmp_path / "cut-off")
            finally:
                await over(deciders)

    asyncio.run(story())
