"""What an agent's certificate reaches on a real API server, with the hub's deciders at work."""

from __future__ import annotations

import asyncio
import random

from oneco.main import hub
from oneco.worlds.clocks import RealClock
from oneco.worlds.cluster.client import connect
from tests.agents import reach
from tests.agents.hubs import over


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
