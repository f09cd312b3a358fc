"""Agents whose certificates live for minutes, on a real and an embedded hub, without a lapse.

./dev real certificates [--minutes N]

A real control plane signs for ten minutes, the least that Kubernetes knows; beside it an embedded
hub signs for two. The agent of each is a process of its own. Every second each hub is asked anew
with the certificate that the agent has then; every five a work changes, which has to arrive. What
fails is said at once, and the exit status is 1 then.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import itertools
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from oneco.kinds import ocm
from oneco.kube.api import Api, WriteOptions
from oneco.kube.errors import NotFound
from oneco.kube.refs import Address
from oneco.main import hub as hub_main
from oneco.main import joining
from oneco.main.connecting import Choice
from oneco.main.enrolling import Wallet
from oneco.worlds.clocks import RealClock
from oneco.worlds.cluster.client import connect
from tests.agents.hubs import RealHub, over
from tests.agents.works import a_map, a_work, map_at
from tests.real.cluster import RealCluster, running
from tests.real.processes import Program
from tests.real.site import ONECO
from tools.real import building

REAL_SECONDS, EMBEDDED_SECONDS = 600, 120
_ASK_SECONDS, _TICK_SECONDS, _ARRIVE_SECONDS = 1.0, 5.0, 15.0
_TROUBLES = ("could not be renewed", "trying again", "refused", "Traceback")


class ShortLived(RealCluster):
    """A real control plane whose controllers sign for ten minutes."""

    def _program(self, name: str, *options: str) -> Program:
        if name == "kube-controller-manager":
            options = (*options, f"--cluster-signing-duration={REAL_SECONDS}s")
        return super()._program(name, *options)


@dataclasses.dataclass(slots=True)
class Agent:
    """One agent of cluster `name`, and what was seen of it."""

    name: str
    hub: Path
    member: Path
    folder: Path
    ends: list[float] = dataclasses.field(default_factory=list)
    failures: list[str] = dataclasses.field(default_factory=list)
    asked: int = 0
    arrived: list[float] = dataclasses.field(default_factory=list)

    @property
    def wallet(self) -> Wallet:
        """What the agent shows to its hub."""
        return Wallet(self.folder / self.name)

    async def begin(self) -> Program:
        """Invite it and start it; it has joined when this returns."""
        invitation = self.folder / f"{self.name}.invitation"
        invitation.write_text(await joining.invite(Choice(kubeconfig=str(self.hub)), self.name))
        words: list[str | Path] = [
            *ONECO, "--data", self.folder / self.name, "--kubeconfig", self.member,
            "agent", "--join", invitation,
        ]  # fmt: skip
        program = Program(f"agent {self.name}", words, self.folder / f"{self.name}.log")
        program.start()
        async with asyncio.timeout(60):
            while "agent of cluster" not in program.log.read_text():
                program.check()
                await asyncio.sleep(0.1)
        return program

    async def follow(self) -> None:
        """Ask and note, until cancelled."""
        await asyncio.gather(self._ask_all_the_time(), self._change_all_the_time())

    def say(self, text: str) -> None:
        """Say it with the time."""
        print(f"{time.strftime('%H:%M:%S')} {self.name}: {text}", flush=True)

    async def _ask_all_the_time(self) -> None:
        while True:
            present = self.wallet.read()
            if not self.ends or present.ends != self.ends[-1]:
                self.ends.append(present.ends)
                left = present.ends - time.time()
                self.say(f"certificate {len(self.ends)}, good for {left:.0f} s more")
            self.asked += 1
            try:
                # A connection of its own: the handshake is what fails first.
                async with connect(str(self.wallet.kubeconfig)) as hub:
                    await hub.list(Address(ocm.WORKS, self.name))
            except Exception as failure:
                self._failed(f"{type(failure).__name__}: {failure}")
            await asyncio.sleep(_ASK_SECONDS)

    async def _change_all_the_time(self) -> None:
        async with connect(str(self.hub)) as hub, connect(str(self.member)) as member:
            for number in itertools.count(1):
                place, body = a_work(self.name, a_map(self.name, str(number)))
                # Both hubs have this member: what they deliver has names of its own.
                named = {**body, "metadata": {**body["metadata"], "name": self.name}}
                await hub.apply(place._replace(name=self.name), named, WriteOptions(force=True))
                begun = time.monotonic()
                while not await _says(member, self.name, str(number)):
                    if time.monotonic() - begun > _ARRIVE_SECONDS:
                        self._failed(f"change {number} did not arrive in {_ARRIVE_SECONDS:g} s")
                        break
                    await asyncio.sleep(0.05)
                self.arrived.append(time.monotonic() - begun)
                await asyncio.sleep(_TICK_SECONDS)

    def _failed(self, text: str) -> None:
        self.failures.append(text)
        self.say(f"FAILED: {text}")


async def _says(member: Api, name: str, text: str) -> bool:
    try:
        return bool((await member.get(map_at(name)))["data"]["text"] == text)
    except NotFound:
        return False


async def _story(cluster: RealCluster, folder: Path, seconds: float) -> int:
    embedded = RealHub(folder / "hub", EMBEDDED_SECONDS)
    await embedded.start()
    async with connect(str(cluster.kubeconfig)) as api:
        await hub_main.prepare(api, RealClock())
        deciders = asyncio.ensure_future(hub_main.shell(api, RealClock()).run())
        ways = {"real": cluster.kubeconfig, "embedded": embedded.server.kubeconfig_path}
        agents = [Agent(name, way, cluster.kubeconfig, folder) for name, way in ways.items()]
        programs = [await one.begin() for one in agents]
        following = asyncio.gather(*(one.follow() for one in agents))
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(following, seconds)
            for program in programs:
                program.check()
        finally:
            for program in programs:
                program.end()
            await over(deciders)
            await embedded.stop()
    return _summary(agents, programs, cluster)


def _summary(agents: Sequence[Agent], programs: Sequence[Program], cluster: RealCluster) -> int:
    is_bad = False
    for agent, program in zip(agents, programs, strict=True):
        said = program.log.read_text().splitlines()
        troubles = [line for line in said if any(one in line for one in _TROUBLES)]
        late = max(agent.arrived, default=0.0)
        print(
            f"{agent.name}: {len(agent.ends)} certificates, {agent.asked} times asked,"
            f" {len(agent.failures)} failures, {len(agent.arrived)} changes"
            f" (the slowest took {late:.2f} s), troubles said by the agent: {troubles}"
        )
        is_bad = is_bad or bool(agent.failures or troubles) or len(agent.ends) < 2
    log = cluster.server.log.read_text(errors="replace").splitlines()
    refused = [line for line in log if "Unable to authenticate" in line or "TLS handshake" in line]
    print(f"kube-apiserver: {len(refused)} requests or handshakes refused")
    print("\n".join(refused[-5:]))
    return 1 if is_bad else 0


def main(arguments: Sequence[str]) -> int:
    """Run for so many minutes; 1 if anything lapsed."""
    parser = argparse.ArgumentParser("./dev real certificates", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=25.0, metavar="N", help="how long (25)")
    wanted = parser.parse_args(arguments)
    programs = building.build(building.CONTROL_PLANE)
    with tempfile.TemporaryDirectory(prefix="oneco-certificates-") as name:
        folder = Path(name)
        with running(ShortLived(folder / "cluster", programs)) as (cluster,):
            return asyncio.run(_story(cluster, folder, wanted.minutes * 60))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
