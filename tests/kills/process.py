"""A hub's process: started, reached over HTTPS, killed, started again on the same data."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from oneco.kube.api import Api
from oneco.kube.errors import ApiOutage
from oneco.worlds.cluster import kubeconfig
from oneco.worlds.cluster.client import ClusterApi

Result = TypeVar("Result")

ROOT = Path(__file__).parents[2]
_PATIENCE_SECONDS = 30.0
_RETRY_SECONDS = 0.02


class HubProcess:
    """The process that serves one data directory; at most one at a time."""

    def __init__(self, data: Path, fleet: Path, speed: float = 60.0) -> None:
        self.data, self._fleet, self._speed = data, fleet, speed
        self._process: subprocess.Popen[str] | None = None
        self._told: asyncio.Task[str] | None = None
        self._is_up = asyncio.Event()
        self._clients: dict[str, ClusterApi] = {}
        self._log = data.with_name(data.name + ".log")
        self.is_waiting_for_confirmation = False
        self.started_in: list[float] = []
        """How many seconds each start took that was not killed before its end."""

    def start(self) -> None:
        """Start the process; `up` tells when it serves."""
        assert self._process is None, "one hub at a time may serve a data directory"
        words = [sys.executable, "-m", "tests.kills.hub", self.data, self._fleet, self._speed]
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [str(word) for word in words],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        self._told = asyncio.get_running_loop().create_task(self._listen(self._process))

    async def up(self) -> None:
        """Return when the process serves."""
        assert self._told is not None, "the hub was not started"
        line = await asyncio.wait_for(asyncio.shield(self._told), _PATIENCE_SECONDS)
        assert line, f"the hub did not start: {self.log()}"

    async def kill(self) -> None:
        """End the process as a lost machine would, wherever it is."""
        self.check_is_alive()
        await self.end(signal.SIGKILL)

    async def stop(self) -> None:
        """End the process in good order."""
        self.check_is_alive()
        await self.end(signal.SIGTERM)

    async def ask(self, what: Callable[[Api], Awaitable[Result]], member: str = "") -> Result:
        """What the hub, or a member, answers to `what`, asked until there is an answer."""
        while True:
            await self._is_up.wait()
            api = self._clients[member]
            try:
                return await what(api)
            except ApiOutage:
                await asyncio.sleep(_RETRY_SECONDS)

    def log(self) -> str:
        """The end of what the processes wrote to standard error."""
        return self._log.read_text()[-4000:]

    def check_is_alive(self) -> None:
        """Fail with the process's own words if it ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            raise AssertionError(f"the hub ended by itself: {self.log()}")

    async def _listen(self, process: subprocess.Popen[str]) -> str:
        began = time.monotonic()
        assert process.stdout is not None
        line = await asyncio.to_thread(process.stdout.readline)
        if line and process is self._process:
            self.started_in.append(time.monotonic() - began)
            await self._open(json.loads(line))
        return line

    async def _open(self, told: dict[str, Any]) -> None:
        self.is_waiting_for_confirmation = told["waits"]
        await self._close_clients()
        for member, path in {"": told["hub"], **told["clusters"]}.items():
            self._clients[member] = ClusterApi(kubeconfig.load(path, None))
        self._is_up.set()

    async def end(self, number: signal.Signals) -> None:
        """Send the signal to the process and all that it started, and wait for its end."""
        process, told = self._process, self._told
        if process is None:
            return
        self._is_up.clear()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        await asyncio.to_thread(process.wait, _PATIENCE_SECONDS)
        self._process = None
        if told is not None:
            await told
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()
        self._is_up.clear()
        await self._close_clients()

    async def _close_clients(self) -> None:
        clients = list(self._clients.values())
        self._clients.clear()
        for client in clients:
            await client.close()


@contextlib.asynccontextmanager
async def a_hub(data: Path, fleet: Path, speed: float = 60.0) -> AsyncIterator[HubProcess]:
    """A hub on `data`, not started; whatever happens, no process is left behind."""
    hub = HubProcess(data, fleet, speed)
    try:
        yield hub
    finally:
        await hub.end(signal.SIGKILL)
