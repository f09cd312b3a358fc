"""What an agent costs that brings works of one ConfigMap into its cluster.

Hub and member are real control planes of their own (kube-apiserver and etcd, whose writes are not
flushed), and the hub knows Open Cluster Management's kinds only. The agent is a process of its own
with its defaults. *All at once*: 200 works are made by one client as fast as it can, until the hub
reads `Applied` of each; the processor time a work is the agent's own over that time. *Single*: one
work every 0.3 seconds, each timed from the hub's answer to its creation until a watch of the member
shows the ConfigMap. Memory (VmRSS) is taken at the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from pathlib import Path

from benchmarks import processes
from benchmarks.figures import Figure
from oneco.kinds import ocm
from oneco.kube import objects
from oneco.kube.api import Api, WatchOptions
from oneco.kube.errors import ApiOutage
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource
from oneco.main import crds
from oneco.worlds.cluster.client import connect
from tests.real.cluster import RealCluster, running
from tests.real.processes import free_ports
from tools.real import building

CLUSTER = "one"
MAPS = Address(Resource("", "v1", "configmaps"), "default")
NAMESPACES = Address(Resource("", "v1", "namespaces"))
LEASES = Address(Resource("coordination.k8s.io", "v1", "leases"), CLUSTER)
_PATIENCE_SECONDS = 180.0
_PAUSE_SECONDS = 0.3
_OTHER = "works-ocm"
_AIM_MEGABYTES, _AIM_SECONDS, _AIM_P50_MS, _AIM_P95_MS = 60.0, 3.0, 20.0, 100.0


def measure(agent: str, works: int, singles: int) -> list[Figure]:
    """The figures of one agent."""
    programs = building.ready()
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        clusters = [RealCluster(folder / name, programs) for name in ("hub", "member")]
        with running(*clusters):
            hub, member = (one.kubeconfig for one in clusters)
            bench = Bench(hub, member, folder)
            asyncio.run(bench.prepare())
            with bench.started(_COMMANDS[agent](bench, programs)) as process:
                figures = asyncio.run(bench.measure(process, works, singles))
    return figures if agent == "ocm" else [_aimed(figure) for figure in figures]


class Bench:
    """A hub and a member by their kubeconfigs, and a folder for an agent."""

    def __init__(self, hub: Path, member: Path, folder: Path) -> None:
        self.hub, self.member, self.folder = hub, member, folder

    async def prepare(self) -> None:
        """Teach both the kinds that they need, and accept the cluster."""
        async with connect(str(self.hub)) as hub, connect(str(self.member)) as member:
            of_ocm = [one for one in crds.for_hub() if objects.name(one).endswith(_OCM_GROUP)]
            await crds.install(hub, of_ocm)
            await crds.install(member, crds.for_member())
            await hub.create(NAMESPACES, {"metadata": {"name": CLUSTER}})
            cluster = {"metadata": {"name": CLUSTER}, "spec": {"hubAcceptsClient": True}}
            await _created(hub, Address(ocm.CLUSTERS), {**_typed("ManagedCluster"), **cluster})
            await hub.create(LEASES, {"metadata": {"name": "managed-cluster-lease"}, "spec": {}})

    @contextmanager
    def started(self, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
        """The agent's process while the context lasts."""
        with (self.folder / "agent.log").open("ab") as log:
            agent = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            yield agent
        finally:
            agent.kill()
            agent.wait()

    async def measure(
        self, agent: subprocess.Popen[bytes], works: int, singles: int
    ) -> list[Figure]:
        """The figures of the agent that runs."""
        async with connect(str(self.hub)) as hub, connect(str(self.member)) as member:
            await self._together(hub, agent, "first", 1)
            before = processes.processor_seconds(agent.pid)
            seconds = await self._together(hub, agent, "many", works)
            used = processes.processor_seconds(agent.pid) - before
            waits = await self._one_by_one(hub, member, singles)
            resident = processes.memory(agent.pid, "VmRSS") / 1e6
        return [
            Figure(name="processor", title="processor time a work", unit="ms",
                   samples=(used * 1000 / works,)),
            Figure(name="seconds", title=f"{works} works at once", unit="s", samples=(seconds,)),
            Figure(name="p50", title="single work to object, P50", unit="ms",
                   samples=(statistics.median(waits),)),
            Figure(name="p95", title="single work to object, P95", unit="ms",
                   samples=(statistics.quantiles(waits, n=20)[-1],)),
            Figure(name="memory", title="memory at the end", unit="MB", samples=(resident,)),
        ]  # fmt: skip

    async def _together(
        self, hub: Api, agent: subprocess.Popen[bytes], name: str, count: int
    ) -> float:
        began = time.monotonic()
        left = {f"{name}-{number}" for number in range(count)}
        for one in sorted(left):
            await hub.create(Address(ocm.WORKS, CLUSTER), _work(one))
        while left:
            assert agent.poll() is None, f"the agent ended: {self._said()}"
            assert time.monotonic() < began + _PATIENCE_SECONDS, f"left: {left}: {self._said()}"
            # A server that has just been taught the kind puts readers off for a moment.
            with contextlib.suppress(ApiOutage):
                found = (await hub.list(Address(ocm.WORKS, CLUSTER))).items
                left -= {objects.name(one) for one in found if _is_applied(one)}
            await asyncio.sleep(0.05)
        return time.monotonic() - began

    async def _one_by_one(self, hub: Api, member: Api, count: int) -> list[float]:
        seen: dict[str, asyncio.Future[float]] = {}
        page = await member.list(MAPS)
        options = WatchOptions(from_version=page.resource_version)

        async def watch() -> None:
            async with aclosing(member.watch(MAPS, options)) as events:  # type: ignore[type-var]
                async for event in events:
                    waiter = seen.get(objects.name(event.object))
                    if waiter is not None and not waiter.done():
                        waiter.set_result(time.monotonic())

        watching = asyncio.create_task(watch())
        waits = []
        for number in range(count):
            name = f"single-{number}"
            seen[name] = asyncio.get_running_loop().create_future()
            await hub.create(Address(ocm.WORKS, CLUSTER), _work(name))
            committed = time.monotonic()
            there = await asyncio.wait_for(seen[name], _PATIENCE_SECONDS)
            waits.append(max(0.0, (there - committed) * 1000))
            await asyncio.sleep(_PAUSE_SECONDS)
        watching.cancel()
        return waits

    def _said(self) -> str:
        return (self.folder / "agent.log").read_text(errors="replace")[-2000:]


def _oneco(bench: Bench, _: Mapping[str, Path]) -> list[str]:
    script = str(Path(sys.executable).parent / "oneco")
    data = ("--data", str(bench.folder / "agent"))
    hub = ("--hub-kubeconfig", str(bench.hub), "--name", CLUSTER)
    return [script, "agent", *data, "--kubeconfig", str(bench.member), *hub]


def _ocm(bench: Bench, programs: Mapping[str, Path]) -> list[str]:
    return [
        str(programs["ocm-work"]),
        "agent",
        f"--hub-kubeconfig={bench.hub}",
        f"--workload-source-config={bench.hub}",
        f"--spoke-kubeconfig={bench.member}",
        f"--kubeconfig={bench.member}",
        f"--spoke-cluster-name={CLUSTER}",
        f"--agent-id={CLUSTER}",
        "--disable-leader-election",
        f"--listen=127.0.0.1:{free_ports(1)[0]}",
        "--namespace=default",
    ]


_COMMANDS: Mapping[str, Callable[[Bench, Mapping[str, Path]], list[str]]] = {
    "oneco": _oneco,
    "ocm": _ocm,
}
_OCM_GROUP = "open-cluster-management.io"


def _aimed(figure: Figure) -> Figure:
    """Our own figure beside the other agent's, with its aim."""
    aims = {
        "seconds": _AIM_SECONDS,
        "p50": _AIM_P50_MS,
        "p95": _AIM_P95_MS,
        "memory": _AIM_MEGABYTES,
    }
    ratio = 0.5 if figure.name == "processor" else None
    return Figure(
        name=figure.name, title=figure.title, unit=figure.unit, samples=figure.samples,
        beside=f"{_OTHER}/{figure.name}", aim=aims.get(figure.name), aim_ratio=ratio,
    )  # fmt: skip


def _typed(kind: str) -> Object:
    group = ocm.CLUSTERS if kind == "ManagedCluster" else ocm.WORKS
    return {"apiVersion": group.api_version, "kind": kind}


def _work(name: str) -> Object:
    meta = {"name": name, "namespace": "default"}
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"text": name}}
    spec = {"workload": {"manifests": [manifest]}}
    return {**_typed("ManifestWork"), "metadata": {"name": name}, "spec": spec}


def _is_applied(work: Object) -> bool:
    conditions = objects.dig(work, "status", "conditions", default=())
    return any(one["type"] == "Applied" and one["status"] == "True" for one in conditions)


async def _created(api: Api, address: Address, body: Object) -> None:
    """Create an object of a kind that the server may have heard of a moment ago."""
    from oneco.kube.errors import NotFound

    for _ in range(100):
        try:
            await api.create(address, body)
            return
        except NotFound:
            await asyncio.sleep(0.1)
    raise AssertionError(f"{address} is not served")
