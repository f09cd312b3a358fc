"""One agent, wherever it runs: two clusters, its shell, and the kinds its member serves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from oneco.clock import Clock, Instant
from oneco.control.journal import Journal, forget
from oneco.control.shell import Shell
from oneco.decision import Side
from oneco.kube.api import Api
from oneco.main import agent_controllers
from oneco.main.agent_controllers import ALL, Duties
from oneco.main.kinds import ServedKinds

_REFRESH_SECONDS = 10.0


class Agent:
    """The agent of `cluster`."""

    def __init__(
        self,
        cluster: str,
        apis: Mapping[Side, Api],
        clock: Clock,
        *,
        duties: Duties = ALL,
        journal: Journal = forget,
    ) -> None:
        self.cluster, self._clock = cluster, clock
        self._kinds = ServedKinds(apis["member"])
        deciders = agent_controllers.agent(cluster, self._kinds, duties)
        self.shell = Shell(apis, deciders, clock, journal=journal, workers=duties.at_once)

    async def run(self) -> None:
        """Work until cancelled."""
        await self._refresh()
        watching = asyncio.get_running_loop().create_task(self._keep_kinds())
        try:
            await self.shell.run()
        finally:
            watching.cancel()

    async def _keep_kinds(self) -> None:
        while True:
            await self._kinds.missing.wait()
            await self._clock.sleep_until(Instant(self._clock.now() + _REFRESH_SECONDS))
            await self._refresh()
            for key in self.shell.keys("works"):
                self.shell.wake("works", key)

    async def _refresh(self) -> None:
        while not await self._kinds.refresh():
            await self._clock.sleep_until(Instant(self._clock.now() + _REFRESH_SECONDS))
