"""What an Application costs on a real hub, from its application until it is healthy.

One real control plane with simulated nodes is both the hub and its only member: kube-apiserver,
etcd (whose writes are not flushed), controller-manager, scheduler and KWOK share the machine's two
cores with the hub. The hub is a process of its own, `oneco up --kubeconfig`, and runs the agent of
the member too, so that its processor time is that of hub and agent together. Every Application is
one `webservice` of one pod with the traits `scaler` and `labels` and an exposed port. One client
applies all of them as fast as it can; the time ends when a watch has shown each as `running` with
every service healthy. KubeVela 1.10 took 138 ms of processor time an Application and 52 s for 200
of them with the same parts on a machine of this kind: the aims are a tenth and a fifth.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path

from benchmarks import processes
from benchmarks.figures import Figure
from oneco.kinds.oam import APPLICATIONS
from oneco.kube import objects
from oneco.kube.api import Api, WatchOptions, WriteOptions
from oneco.kube.objects import Object
from oneco.kube.refs import Address
from oneco.main import adding
from oneco.main.connecting import Choice
from oneco.worlds.cluster.client import connect
from tests.real.cluster import RealCluster, running
from tools.real import building

_SCRIPT = Path(sys.executable).parent / "oneco"
_NAMESPACE = "default"
_NODES = 3
_PATIENCE_SECONDS = 300.0
_AIM_MILLISECONDS, _AIM_SECONDS = 13.8, 10.4


def measure(applications: int) -> list[Figure]:
    """The figures of so many Applications at once."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        cluster = RealCluster(folder / "cluster", building.ready(), nodes=_NODES)
        with running(cluster), _hub(folder, cluster.kubeconfig) as hub:
            return asyncio.run(_measure(hub, cluster, applications))


@contextmanager
def _hub(folder: Path, kubeconfig: Path) -> Iterator[subprocess.Popen[bytes]]:
    options = ("--kubeconfig", str(kubeconfig), "--data", str(folder / "hub"))
    with (folder / "hub.log").open("ab") as log:
        hub = subprocess.Popen(
            [str(_SCRIPT), "up", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    try:
        assert hub.stdout is not None
        # It says where it is as soon as it works.
        assert hub.stdout.readline(), "the hub did not come up"
        yield hub
    except AssertionError as failure:
        failure.add_note((folder / "hub.log").read_text(errors="replace")[-2000:])
        raise
    finally:
        hub.kill()
        hub.wait()


async def _measure(
    hub: subprocess.Popen[bytes], cluster: RealCluster, applications: int
) -> list[Figure]:
    async with connect(str(cluster.kubeconfig)) as api:
        await adding.add(api, "one", Choice(kubeconfig=str(cluster.kubeconfig)), {})
        # The first pays for what is imported and discovered once.
        await _healthy(api, hub, ["first"])
        before = processes.processor_seconds(hub.pid)
        seconds = await _healthy(api, hub, [f"shop-{number}" for number in range(applications)])
        used = processes.processor_seconds(hub.pid) - before
    resident = processes.memory(hub.pid, "VmRSS") / 1e6
    cost = used * 1000 / applications
    return [
        Figure(name="processor", title="processor time an Application, hub and agent", unit="ms",
               samples=(cost,), aim=_AIM_MILLISECONDS),
        Figure(name="seconds", title=f"{applications} Applications until healthy", unit="s",
               samples=(seconds,), aim=_AIM_SECONDS),
        Figure(name="memory", title="memory at the end", unit="MB", samples=(resident,)),
    ]  # fmt: skip


async def _healthy(api: Api, hub: subprocess.Popen[bytes], names: list[str]) -> float:
    """Seconds from the first apply until all of these are healthy."""
    began = time.monotonic()
    version = (await api.list(Address(APPLICATIONS, _NAMESPACE))).resource_version
    left = set(names)
    following = asyncio.get_running_loop().create_task(_follow(api, version, left))
    for name in names:
        await api.apply(
            Address(APPLICATIONS, _NAMESPACE, name),
            _application(name),
            WriteOptions(manager="person", force=True),
        )
    try:
        async with asyncio.timeout_at(began + _PATIENCE_SECONDS):
            await following
    except TimeoutError as late:
        raise AssertionError(f"{len(left)} are not healthy") from late
    assert hub.poll() is None, f"the hub ended with status {hub.returncode}"
    return time.monotonic() - began


async def _follow(api: Api, version: str, left: set[str]) -> None:
    """Take each name off `left` when it is healthy; return when none is left."""
    # Lists of all of them again and again would take the machine's cores from what is measured.
    options = WatchOptions(from_version=version)
    events = api.watch(Address(APPLICATIONS, _NAMESPACE), options)
    async with aclosing(events) as following:  # type: ignore[type-var]
        async for event in following:
            if _is_healthy(event.object):
                left.discard(objects.name(event.object))
            if not left:
                return


def _is_healthy(application: Object) -> bool:
    services = objects.dig(application, "status", "services", default=())
    phase = objects.dig(application, "status", "status", default="")
    return phase == "running" and bool(services) and all(one["healthy"] for one in services)


def _application(name: str) -> Object:
    web = {
        "name": name,
        "type": "webservice",
        "properties": {
            "image": "registry.example/web:v1",
            "ports": [{"port": 8080, "name": "http", "expose": True}],
        },
        "traits": [
            {"type": "scaler", "properties": {"replicas": 1}},
            {"type": "labels", "properties": {"team": "shop"}},
        ],
    }
    return {
        "apiVersion": APPLICATIONS.api_version,
        "kind": "Application",
        "metadata": {"name": name, "namespace": _NAMESPACE},
        "spec": {"components": [web]},
    }
