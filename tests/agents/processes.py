"""A hub and an agent as processes of their own, and a member, all on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from oneco.kube.api import Api, WriteOptions
from oneco.kube.errors import NotFound
from oneco.kube.refs import Address
from oneco.main import joining
from oneco.main.connecting import Choice
from oneco.worlds.cluster.client import ClusterApi
from oneco.worlds.cluster.kubeconfig import load

HUB = """
import asyncio, sys
from pathlib import Path
from oneco.main.up import UpOptions, up

async def ready(state):
    print("ready", state.is_waiting_for_confirmation, flush=True)

origin, key = map(Path, sys.argv[2:4]) if len(sys.argv) > 2 else (None, None)
up(UpOptions(data=Path(sys.argv[1]), origin=origin, origin_key=key), ready)
"""

AGENT = """
import sys
from pathlib import Path
from oneco.errors import OnecoError
from oneco.main.agent_process import AgentOptions, run

data, member, join, hub, name = sys.argv[1:6]
ways = {"join": Path(join) if join else None, "hub": Path(hub) if hub else None}
try:
    run(AgentOptions(data=Path(data), kubeconfig=member, name=name, **ways))
except OnecoError as failure:
    sys.exit(f"refused: {failure}")
"""


class Process:
    """One process of ours, and what it says."""

    def __init__(self, program: str, arguments: Sequence[str], log: Path) -> None:
        self.log = log
        with log.open("ab") as written:
            self.popen = subprocess.Popen(
                [sys.executable, "-c", program, *arguments], stdout=written, stderr=written
            )

    def said(self) -> str:
        """Everything it said so far."""
        return self.log.read_text()

    def waits_to_say(self, text: str) -> None:
        """Return once it has said `text`."""

        def is_said() -> bool:
            assert self.popen.poll() is None or text in self.said(), self.said()
            return text in self.said()

        until(is_said, f"{self.log.name} never said {text!r}")

    def kill(self) -> None:
        """End it as a power cut would."""
        self.popen.kill()
        self.popen.wait(10)

    def end(self) -> int:
        """Ask it to end; its exit status."""
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(20)


class Processes:
    """The processes of one test; none outlives it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._all: list[Process] = []

    def hub(
        self, name: str = "hub", origin: Path | None = None, key: Path | None = None
    ) -> Process:
        """A hub on the directory `name`, once it is ready."""
        more = [str(origin), str(key)] if origin else []
        hub = self._start(HUB, [str(self.folder / name), *more], name)
        hub.waits_to_say("ready")
        return hub

    def agent(self, member: Path, *, join: Path | None = None, name: str = "agent") -> Process:
        """An agent on the directory `name`."""
        arguments = [str(self.folder / name), str(member), str(join or ""), "", ""]
        return self._start(AGENT, arguments, name)

    def agent_of(self, cluster: str, member: Path, **ways: Path) -> Process:
        """An agent of the cluster of this name, whose way to the hub is `join` or `hub`."""
        words = [str(ways.get("join", "")), str(ways.get("hub", ""))]
        return self._start(
            AGENT, [str(self.folder / "agent"), str(member), *words, cluster], "agent"
        )

    def end(self) -> None:
        """Kill what is left."""
        for process in self._all:
            with contextlib.suppress(ProcessLookupError):
                process.kill()

    def _start(self, program: str, arguments: Sequence[str], name: str) -> Process:
        log = self.folder / f"{name}-{len(self._all)}.log"
        process = Process(program, arguments, log)
        self._all.append(process)
        return process


@contextlib.contextmanager
def processes(folder: Path) -> Iterator[Processes]:
    """Processes that are all gone when the context ends."""
    started = Processes(folder)
    try:
        yield started
    finally:
        started.end()


def until(is_so: Callable[[], Any], otherwise: str, seconds: float = 20.0) -> Any:
    """Return the first true answer of `is_so`; fail with `otherwise` if none comes in time."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        found = is_so()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds:g} s: {otherwise}")


def mode(path: Path) -> int:
    """The permission bits of a file."""
    return os.stat(path).st_mode & 0o777


class Person:
    """Somebody with a kubeconfig."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig

    def ask(self, call: Callable[[Api], Awaitable[Any]]) -> Any:
        """What `call` gives, or the refusal that it met."""

        async def asked() -> Any:
            async with ClusterApi(load(str(self.kubeconfig))) as api:
                return await call(api)

        return asyncio.run(asked())

    def get(self, address: Address) -> Any:
        """The object at `address`, or None."""

        async def get(api: Api) -> Any:
            try:
                return await api.get(address)
            except NotFound:
                return None

        return self.ask(get)

    def apply(self, address: Address, body: Any) -> None:
        """Put an object in place."""
        self.ask(lambda api: api.apply(address, body, WriteOptions(force=True)))

    def invite(self, cluster: str, file: Path) -> Path:
        """An invitation for `cluster`, in `file`."""
        choice = Choice(kubeconfig=str(self.kubeconfig))
        file.write_text(asyncio.run(joining.invite(choice, cluster)))
        return file
