"""A hub in this process, with real members that it reaches by their kubeconfigs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Mapping
from pathlib import Path
from typing import Any

from oneco.kube.api import Api
from oneco.main.up import UpOptions, running
from oneco.worlds.cluster.client import connect
from tests.real import company
from tests.real.cluster import RealCluster


class Hub:
    """The hub and its members' API servers; it works while `run` does."""

    def __init__(self, runner: asyncio.Runner, clusters: Mapping[str, RealCluster]) -> None:
        self.run, self.clusters = runner.run, clusters
        self.api: Api
        self.members: dict[str, Api] = {}
        self.good = ""
        """The version that runs everywhere."""
        self._number = 0

    def next_version(self, tail: str = "") -> str:
        """The name of the version that `apply` will apply."""
        return f"v{self._number + 1}{tail}"

    async def apply(self, tail: str = "") -> str:
        """Apply the next version; the answer is its name."""
        version = self.next_version(tail)
        self._number += 1
        await company.apply(self.api, version)
        return version

    async def deliver(self) -> None:
        """Release the next version, a good one, and return when it runs everywhere."""
        version = await self.apply()
        await self.ends("Succeeded")
        await self.runs_everywhere(version)
        self.good = version

    async def ends(self, phase: str) -> None:
        """Return when the release of the last version has ended, which must be in this phase."""
        status = await company.ending(self.api, self._number)
        assert status.phase == phase, f"{status.phase}: {status.message}"

    async def status(self) -> Any:
        """How far the release of the last version is."""
        return await company.release(self.api, self._number)

    async def runs_everywhere(self, version: str) -> None:
        """Return when every pod of every member is ready and of this version."""
        for name, member in self.members.items():
            await company.until(
                lambda member=member: company.runs(member, version),  # type: ignore[misc]
                f"{name} does not run {version}",
                self.api,
            )

    @contextlib.asynccontextmanager
    async def up(self, data: Path) -> AsyncIterator[None]:
        """The hub serves, its members have joined, and the first version runs everywhere."""
        async with contextlib.AsyncExitStack() as stack:
            state, failed = await stack.enter_async_context(running(UpOptions(data=data)))
            self.api = state.api
            for name, cluster in self.clusters.items():
                member = connect(str(cluster.kubeconfig))
                self.members[name] = await stack.enter_async_context(member)
            await company.join(state.api, dict(self.clusters))
            await _unless(failed, self.deliver())
            yield


async def _unless(failed: asyncio.Future[Any], work: Awaitable[None]) -> None:
    """Do the work; the hub's own failure ends it."""
    task = asyncio.ensure_future(work)
    await asyncio.wait((failed, task), return_when=asyncio.FIRST_COMPLETED)
    if failed.done():
        task.cancel()
        failed.result()
    await task
