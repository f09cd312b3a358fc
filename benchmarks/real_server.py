"""The embedded server beside a kube-apiserver with its etcd.

Both are asked the same in the same run, one after the other, over HTTPS on loopback by this
process: durable creates and gets of objects of about 1.5 kB from 32 clients at once, a list of all
of them as JSON, the time until each of 200 watchers has seen 50 changes, and resident memory.
etcd syncs to the disk as it does by default. Servers and client share the machine's cores, so that
what a server could do alone shows in the figures per second of its own processor time; those of
kube-apiserver count etcd's too.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks import embedded
from benchmarks.embedded import CHANGES, Bench
from benchmarks.figures import Figure
from tests.real.cluster import RealCluster
from tools.real import building

_NAME = "real-server"
_CREATES_AIM, _MEMORY_AIM_MEGABYTES = 800.0, 150.0
_MOST_GETS = 5_000


def measure(objects: int, watchers: int) -> list[Figure]:
    """The figures of both servers, each with so many objects in the end."""
    return asyncio.run(_measure(objects, watchers))


async def _measure(objects: int, watchers: int) -> list[Figure]:
    async with embedded.a_server() as bench:
        ours = await _asked(bench, objects, watchers)
    async with _real() as bench:
        theirs = await _asked(bench, objects, watchers)
    figures = []
    for name, (title, unit) in _TITLES.items():
        aims = {"creates": {"least": _CREATES_AIM}, "memory": {"aim": _MEMORY_AIM_MEGABYTES}}
        title = title.format(objects=objects, events=watchers * CHANGES)
        figures += [
            Figure(
                name=name,
                title=title,
                unit=unit,
                samples=(ours[name],),
                beside=f"{_NAME}/{name}-of-kubernetes",
                **aims.get(name, {}),
            ),
            Figure(
                name=f"{name}-of-kubernetes",
                title="– kube-apiserver and etcd",
                unit=unit,
                samples=(theirs[name],),
            ),
        ]
    return figures


_TITLES = {
    "creates": ("creates", "a second"),
    "creates-cpu": ("creates, for the processor", "a CPU-second"),
    "gets": ("gets", "a second"),
    "gets-cpu": ("gets, for the processor", "a CPU-second"),
    "list": ("a list of {objects:,}", "ms"),
    "list-cpu": ("a list of {objects:,}, processor", "CPU-ms"),
    "fan-out": ("watch fan-out, {events:,} events", "s"),
    "fan-out-cpu": ("watch fan-out, for the processor", "events a CPU-second"),
    "idle-memory": ("memory when empty", "MB"),
    "memory": ("memory with {objects:,}", "MB"),
}


async def _asked(bench: Bench, objects: int, watchers: int) -> dict[str, float]:
    """Every figure of one server, by name."""
    found = {"idle-memory": _megabytes(bench)}
    names = [f"object-{number}" for number in range(objects)]
    for name, call, asked in (
        ("creates", bench.create, names),
        ("gets", bench.get, names[:_MOST_GETS]),
    ):
        before = bench.processor_seconds()
        found[name] = await embedded.rate(call, asked)
        found[f"{name}-cpu"] = len(asked) / _used(bench, before)
    before, start = bench.processor_seconds(), time.perf_counter()
    await bench.list()
    found["list"] = (time.perf_counter() - start) * 1e3
    found["list-cpu"] = _used(bench, before) * 1e3
    before = bench.processor_seconds()
    found["fan-out"] = await bench.fan_out(watchers)
    found["fan-out-cpu"] = watchers * CHANGES / _used(bench, before)
    found["memory"] = _megabytes(bench)
    return found


def _used(bench: Bench, before: float) -> float:
    """Seconds of processor time since `before`; the system counts in hundredths."""
    return max(bench.processor_seconds() - before, 0.01)


def _megabytes(bench: Bench) -> float:
    return bench.memory_mib() * (1 << 20) / 1e6


@asynccontextmanager
async def _real() -> AsyncIterator[Bench]:
    with tempfile.TemporaryDirectory() as text:
        cluster = RealCluster(Path(text), building.ready(), is_durable=True)
        try:
            cluster.start()
            cluster.wait_for_server()
            async with embedded.session(cluster.kubeconfig) as session:
                url = f"https://127.0.0.1:{cluster.port}"
                yield Bench(session, url, cluster.server.process_id, cluster.etcd.process_id)
        finally:
            cluster.end()
