"""What an agent's certificate reaches on a hub of ours."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.agents import reach
from tests.agents.hubs import RealHub


@pytest.mark.timeout(120)
def test_an_agent_reaches_its_own_namespace_alone_and_nothing_when_denied(tmp_path):
    async def story() -> None:
        hub = RealHub(tmp_path / "hub")
        await hub.start()
        seed = random.randrange(1 << 30)
        print(f"seed {seed}")
        await reach.tell(hub.server.kubeconfig_path, tmp_path, seed)
        await reach.be_cut_off(hub.server.kubeconfig_path, tmp_path / "cut-off")
        await hub.stop()

    asyncio.run(story())
