"""What the agent of one cluster costs.

The installed `oneco agent` as a process of its own, joined over HTTPS by an invitation to a hub,
its cluster another server on this machine, and the Online Boutique (eleven workloads) delivered.
Its memory (VmRSS) and processor time are taken once the release has succeeded and it was left
alone for 15 seconds; a Python that has imported nothing has about 10 MB.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from benchmarks import boutique, processes
from benchmarks.figures import Figure
from oneco.kinds.fleet import Member
from oneco.kinds.oam import APPLICATIONS
from oneco.kinds.release import FINAL_PHASES, RELEASES, ClusterName
from oneco.kube import objects
from oneco.kube.api import Api
from oneco.kube.refs import Address
from oneco.main import joining
from oneco.main.builtin import BuiltinFleet
from oneco.main.connecting import Choice
from oneco.main.up import UpOptions, running
from oneco.worlds.behaviours.faults import NO_FAULTS
from oneco.worlds.clocks import RealClock

_SCRIPT = Path(sys.executable).parent / "oneco"
_CLUSTER = "one"
_PATIENCE_SECONDS = 180.0
_AIM_MEGABYTES = 60.0


def measure(components: int, settle_seconds: int) -> list[Figure]:
    """The figures of one agent that holds so many components."""
    return asyncio.run(_measure(components, settle_seconds))


async def _measure(components: int, settle_seconds: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        async with running(UpOptions(data=folder / "hub")) as (hub, _), _member(folder) as member:
            invitation = folder / "invitation"
            chosen = Choice(kubeconfig=str(hub.kubeconfig))
            invitation.write_text(await joining.invite(chosen, _CLUSTER))
            with _started(folder, member, invitation) as agent:
                await _deliver(hub.api, components, agent)
                before = processes.processor_seconds(agent.pid)
                await asyncio.sleep(settle_seconds)
                used = processes.processor_seconds(agent.pid) - before
                resident = processes.memory(agent.pid, "VmRSS") / 1e6
                peak = processes.memory(agent.pid, "VmHWM") / 1e6
    idle = used * 100 / settle_seconds if settle_seconds else 0.0
    return [
        Figure(
            name="memory", title="memory, idle", unit="MB", samples=(resident,), aim=_AIM_MEGABYTES
        ),
        Figure(name="peak", title="memory, at its peak", unit="MB", samples=(peak,)),
        Figure(name="processor", title="processor, idle", unit="% of a core", samples=(idle,)),
    ]


@asynccontextmanager
async def _member(folder: Path) -> AsyncIterator[Path]:
    """A cluster with running behaviours; the kubeconfig of whoever owns it."""
    member = Member(ClusterName(_CLUSTER), {}, 3, "16", "64Gi")
    fleet = BuiltinFleet([member], folder / "members", RealClock(), NO_FAULTS)
    await fleet.start()
    try:
        yield fleet[_CLUSTER].server.kubeconfig_path
    finally:
        await fleet.stop()


@contextmanager
def _started(folder: Path, member: Path, invitation: Path) -> Iterator[subprocess.Popen[bytes]]:
    data = str(folder / "agent")
    options = ("--data", data, "--kubeconfig", str(member), "--join", str(invitation))
    agent = subprocess.Popen([str(_SCRIPT), "agent", *options], stdin=subprocess.DEVNULL)
    try:
        yield agent
    finally:
        agent.kill()
        agent.wait()


async def _deliver(hub: Api, components: int, agent: subprocess.Popen[bytes]) -> None:
    body = boutique.application("v1", components)
    await hub.apply(Address(APPLICATIONS, "default", objects.name(body)), body)

    async def has_ended() -> bool:
        assert agent.poll() is None, f"the agent ended with status {agent.returncode}"
        found = (await hub.list(Address(RELEASES))).items
        phases = {objects.dig(one, "status", "phase", default="") for one in found}
        assert not phases & FINAL_PHASES or phases == {"Succeeded"}, f"the release is {phases}"
        return phases == {"Succeeded"}

    await _until(has_ended)


async def _until(is_so: Callable[[], Awaitable[bool]]) -> None:
    limit = time.monotonic() + _PATIENCE_SECONDS
    while not await is_so():
        assert time.monotonic() < limit, f"not within {_PATIENCE_SECONDS:g} s"
        await asyncio.sleep(0.2)
