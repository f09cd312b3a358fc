"""A whole company on this machine: a hub of either kind, three real members, an agent for each.

Hub processes and agents are started as a person starts them, and everything is asked by commands.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from oneco.kube.refs import Address, Resource
from oneco.worlds.cluster.client import connect
from tests.real.cluster import RealCluster
from tests.real.processes import Program, until

ROOT = Path(__file__).parents[2]
ONECO = (sys.executable, "-m", "oneco")
NAMES = ("test", "canary", "production")
"""The members are called as their environments are."""
TOKEN = Address(Resource("", "v1", "serviceaccounts"), "oneco-system", "oneco-hub", "token")
_SECONDS = 60.0


async def write_account(kubeconfig: Path, file: Path) -> None:
    """A kubeconfig of the service account that `oneco install` made there."""
    async with connect(str(kubeconfig)) as api:
        made = await api.create(TOKEN, {"spec": {"expirationSeconds": 3600}})
    token = file.with_suffix(".token")
    token.write_text(made["status"]["token"])
    found = yaml.safe_load(kubeconfig.read_text())
    found["users"][0]["user"] = {"tokenFile": token.name}
    file.write_text(yaml.safe_dump(found))


class Site:
    """What both kinds of hub have; a kind starts its own processes."""

    def __init__(self, folder: Path, kubeconfig: Path, members: Sequence[RealCluster]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.kubeconfig = folder, kubeconfig
        self.members = dict(zip(NAMES, members, strict=True))
        self.hubs = self._hubs()
        self.agents = {name: self._agent(name) for name in NAMES}

    def start(self) -> None:
        """Start the hub, invite the members, start their agents, and wait until all joined."""
        self.hubs[0].start()
        until(self.is_up, self.hubs[0].last_words, _SECONDS)
        for name, agent in self.agents.items():
            to = self.folder / f"{name}.invitation"
            self.oneco("clusters", "join", name, "--environment", name, "--to", str(to))
            agent.start()
        until(self._is_joined, self.words, _SECONDS)

    def end(self) -> None:
        """End all of it."""
        for program in (*self.agents.values(), *self.hubs):
            program.end()

    def is_up(self) -> bool:
        """Whether the first hub process says that it works."""
        self.hubs[0].check()
        return self.hubs[0].log.exists() and "hub is " in self.hubs[0].log.read_text()

    def oneco(self, *words: str, status: int = 0) -> str:
        """What a command about this hub prints."""
        environment = {**os.environ, "KUBECONFIG": str(self.kubeconfig), "HOME": str(self.folder)}
        done = subprocess.run(
            [*ONECO, *words], cwd=ROOT, env=environment, text=True, capture_output=True, timeout=200
        )
        assert done.returncode == status, (
            f"oneco {' '.join(words)}\n{done.stdout}{done.stderr}{self.words()}"
        )
        return done.stdout

    def asked(self, *words: str) -> Any:
        """The document that a command prints."""
        return json.loads(self.oneco(*words, "-o", "json"))

    def kill(self, name: str) -> None:
        """Kill the agent of a member as the machine does that has no memory left."""
        self.agents[name].end(signal.SIGKILL)

    def words(self) -> str:
        """What hub and agents said last."""
        programs = (*self.hubs, *self.agents.values())
        return "\n".join(
            f"{one.log.name}: {one.last_words()}" for one in programs if one.log.exists()
        )

    def _hubs(self) -> list[Program]:
        raise NotImplementedError

    def _agent(self, name: str) -> Program:
        words: list[str | Path] = [
            *ONECO, "agent", "--data", self.folder / f"agent-{name}",
            "--kubeconfig", self.members[name].kubeconfig,
            "--join", self.folder / f"{name}.invitation",
        ]  # fmt: skip
        return Program(f"oneco agent {name}", words, self.folder / f"agent-{name}.log")

    def _is_joined(self) -> bool:
        rows = self.asked("clusters")["clusters"]
        return len(rows) == len(NAMES) and all(one["available"] == "yes" for one in rows)


class EmbeddedSite(Site):
    """One person's normal case: the hub with its store in one process."""

    def __init__(self, folder: Path, members: Sequence[RealCluster]) -> None:
        super().__init__(folder, folder / "hub" / "kubeconfig", members)

    def _hubs(self) -> list[Program]:
        up = [*ONECO, "up", "--data", str(self.folder / "hub"), "--listen", "127.0.0.1:0"]
        return [Program("oneco up", up, self.folder / "hub.log")]


class RealSite(Site):
    """A real control plane is the hub; two processes stand for it, with the rights they need."""

    def __init__(self, folder: Path, hub: RealCluster, members: Sequence[RealCluster]) -> None:
        self.hub = hub
        super().__init__(folder, hub.kubeconfig, members)

    def start(self) -> None:
        """As always, after the cluster was made ready to be a hub."""
        self.oneco("install")
        asyncio.run(write_account(self.kubeconfig, self._account))
        super().start()

    @property
    def _account(self) -> Path:
        return self.folder / "account"

    def _hubs(self) -> list[Program]:
        return [
            Program(
                f"oneco up {name}",
                [*ONECO, "up", "--kubeconfig", self._account, "--data", self.folder / name],
                self.folder / f"hub-{name}.log",
            )
            for name in "ab"
        ]
