"""The two worlds that kubectl is asked on: a built-in member, and a real cluster."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import yaml

from oneco.kinds.fleet import Member
from oneco.kinds.release import ClusterName
from oneco.kube.refs import Address, Resource
from oneco.main.builtin import BuiltinFleet
from oneco.worlds.behaviours.faults import FaultBook
from oneco.worlds.clocks import RealClock

NODES = 3
DEFINITIONS = Address(Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions"))
_SECONDS = 40
_START_SECONDS = 30
FILES = Path(__file__).with_name("files")


class Said(NamedTuple):
    """What one command answered."""

    status: int
    out: str
    err: str


@dataclasses.dataclass(frozen=True, slots=True)
class World:
    """One cluster, asked with the real kubectl."""

    name: str
    kubeconfig: Path
    kubectl: Path
    folder: Path

    def within(self, space: str) -> World:
        """The same cluster, with `space` as the namespace that is meant by default."""
        config = yaml.safe_load(self.kubeconfig.read_text())
        for one in config["contexts"]:
            one["context"]["namespace"] = space
        path = self.folder / f"{space}.kubeconfig"
        path.write_text(yaml.safe_dump(config))
        return dataclasses.replace(self, kubeconfig=path)

    def ask(self, command: str) -> Said:
        """The answer to one command, run by a shell in the folder of the files."""
        self.folder.mkdir(exist_ok=True)
        environment = {
            "PATH": f"{self.kubectl.parent}:{os.environ['PATH']}",
            "KUBECONFIG": str(self.kubeconfig),
            "KUBECACHEDIR": str(self.folder / "cache"),
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "TZ": "UTC",
            "KUBE_EDITOR": "false",
        }
        try:
            done = subprocess.run(
                ["bash", "-c", command], cwd=FILES, env=environment, stdin=subprocess.DEVNULL,
                capture_output=True, text=True, timeout=_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as late:
            return Said(-1, _text(late.stdout), f"it was still running after {_SECONDS} s")
        return Said(done.returncode, done.stdout, done.stderr)


@contextlib.contextmanager
def builtin_member(folder: Path, programs: Mapping[str, Path]) -> Iterator[World]:
    """A built-in member in a thread of this process, as `oneco up` has them."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> BuiltinFleet:
        clock = RealClock()
        book = FaultBook(faults=(), start=clock.now(), labels={})
        fleet = BuiltinFleet(
            [Member(ClusterName("member"), {}, NODES, "64", "256Gi")], folder, clock, book
        )
        await fleet.start()
        # OpenKruise's kinds, which the real cluster does not have, would answer to short names.
        await fleet["member"].server.api.delete_many(DEFINITIONS)
        return fleet

    try:
        fleet = asyncio.run_coroutine_threadsafe(start(), loop).result(_START_SECONDS)
        try:
            path = fleet["member"].server.kubeconfig_path
            yield World("embedded", path, programs["kubectl"], folder / "asked")
        finally:
            asyncio.run_coroutine_threadsafe(fleet.stop(), loop).result(_START_SECONDS)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_START_SECONDS)
        loop.close()


def _text(output: str | bytes | None) -> str:
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""
