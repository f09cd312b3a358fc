"""Hubs on a socket in this process, with their deciders, and agents' ways to them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from oneco.clock import Instant
from oneco.errors import Unavailable
from oneco.kinds import ocm
from oneco.kube.api import Api
from oneco.kube.errors import ApiError, Unauthorized
from oneco.kube.refs import Address
from oneco.main import authority_change, enrolling, joining, server_certificates
from oneco.main import hub as hub_main
from oneco.main.enrolling import Wallet
from oneco.worlds.clocks import RealClock
from oneco.worlds.cluster import kubeconfig
from oneco.worlds.embedded.serve import EmbeddedServer, Settings

YEAR_SECONDS = 365 * 86_400.0


async def over(*tasks: asyncio.Future[None]) -> None:
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


class RealHub:
    """A hub whose certificates live for `seconds`; it can be stopped and started again."""

    server: EmbeddedServer

    def __init__(self, folder: Path, seconds: float = YEAR_SECONDS) -> None:
        self._folder, self._settings = folder, Settings(client_seconds=seconds)
        self._works: list[asyncio.Future[None]] = []

    async def start(self) -> None:
        self.server = EmbeddedServer(self._folder, RealClock(), self._settings)
        await hub_main.prepare(self.server.api, RealClock())
        await self.server.start()
        shell = hub_main.shell(self.server.api, RealClock())
        keeper = authority_change.Keeper(self.server, RealClock())
        certificates = server_certificates.keep([self.server], RealClock())
        runs = (shell.run(), keeper.run(), certificates)
        self._works = [asyncio.ensure_future(run) for run in runs]

    async def stop(self) -> None:
        await over(*self._works)
        await self.server.stop()

    async def joined(self, folder: Path, say: Callable[[str], None]) -> Wallet:
        """The wallet of an agent of cluster c1 that was invited and has joined."""
        clock = RealClock()
        token = await joining.token(self.server.api, "c1", Instant(clock.now() + 60))
        where = kubeconfig.load(str(self.server.kubeconfig_path)).cluster
        invitation, wallet = folder / "invitation", Wallet(folder)
        invitation.write_text(joining.kubeconfig_text(where, "c1", {"token": token}))
        await enrolling.enrol(wallet, invitation, clock, say)
        return wallet


async def failure(api: Api) -> str:
    """How a request of c1's agent ends: `ok`, empty for an outage, else in words."""
    try:
        await api.list(Address(ocm.WORKS, "c1"))
    except Unauthorized as refusal:
        return f"lapsed: {refusal}"
    except ApiError as outage:
        return "" if isinstance(outage, Unavailable) else str(outage)
    return "ok"
