"""`oneco up` and `oneco agent` as processes: the agent dials out from a real member."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oneco.kinds import ocm
from oneco.kube.api import Patch
from oneco.kube.refs import Address
from oneco.worlds.cluster.client import connect
from tests.real import company
from tests.real.processes import Program, until

ROOT = Path(__file__).parents[2]
ONECO = (sys.executable, "-m", "oneco")
NAME = "edge"


class Pair:
    """A hub and one agent, each a process with a directory of its own."""

    def __init__(self, folder: Path, member: Path) -> None:
        self.hub_data, self.member = folder / "hub", member
        self.agent_data, self.invitation = folder / "agent", folder / "invitation"
        up: list[str | Path] = [*ONECO, "up", "--data", self.hub_data, "--listen", "127.0.0.1:0"]
        self.hub = Program("oneco up", up, folder / "hub.log")
        self.agent = self._agent("--join", self.invitation)
        self.agent_again = self._agent()

    def start(self) -> None:
        """Start the hub, invite the cluster and start its agent."""
        self.hub.start()
        kubeconfig = self.hub_data / "kubeconfig"
        until(kubeconfig.exists, self.hub.last_words, 30)
        until(self._invites, self.hub.last_words, 30)
        self.agent.start()

    def end(self) -> None:
        """End all of it."""
        for program in (self.agent, self.agent_again, self.hub):
            program.end()

    def words(self) -> str:
        """What hub and agent said last."""
        return self.hub.last_words() + self.agent.last_words()

    def _agent(self, *more: str | Path) -> Program:
        words: list[str | Path] = [
            *ONECO,
            "agent",
            "--data",
            self.agent_data,
            "--kubeconfig",
            self.member,
            *more,
        ]
        return Program("oneco agent", words, self.agent_data.with_suffix(".log"))

    def _invites(self) -> bool:
        words = [*ONECO, "clusters", "join", NAME, "--data", str(self.hub_data)]
        done = subprocess.run([*words, "--to", str(self.invitation)], cwd=ROOT, check=False)
        return done.returncode == 0


@pytest.fixture
def pair(real_fleet, tmp_path) -> Iterator[Pair]:
    """A hub and an agent that joins it for the third real member."""
    pair = Pair(tmp_path, real_fleet(3)[2].kubeconfig)
    try:
        pair.start()
        yield pair
    finally:
        pair.end()


def test_an_agent_joins_by_its_invitation_and_releases_to_a_real_member(pair):
    asyncio.run(_story(pair))


async def _story(pair: Pair) -> None:
    async with (
        connect(str(pair.hub_data / "kubeconfig")) as hub,
        connect(str(pair.member)) as member,
    ):
        await company.until(lambda: _is_available(hub), pair.words(), hub)
        labels = {"metadata": {"labels": {ocm.ENVIRONMENT_LABEL: "test"}}}
        await hub.patch(Address(ocm.CLUSTERS, "", NAME), Patch("merge", labels))
        await company.apply(hub, "v1")
        assert (await company.ending(hub, 1)).phase == "Succeeded"
        await company.until(lambda: company.runs(member, "v1"), pair.words(), hub)
        await company.apply(hub, "v2")
        await company.until(lambda: _has_begun(member, "v2"), pair.words(), hub)
        # In the middle of a release the agent is lost, and comes back with what it has on disk.
        pair.agent.end(signal.SIGKILL)
        await asyncio.sleep(company.SILENCE_SECONDS)
        pair.agent_again.start()
        assert (await company.ending(hub, 2)).phase == "Succeeded"
        await company.until(lambda: company.runs(member, "v2"), pair.words(), hub)


async def _is_available(hub) -> bool:
    clusters = (await hub.list(Address(ocm.CLUSTERS))).items
    return any(
        one["type"] == "ManagedClusterConditionAvailable" and one["status"] == "True"
        for cluster in clusters
        for one in (cluster.get("status") or {}).get("conditions") or ()
    )


async def _has_begun(member, version: str) -> bool:
    pods = (await member.list(company.PODS)).items
    return any(company.image_of(one) == company.image(version) for one in pods)
