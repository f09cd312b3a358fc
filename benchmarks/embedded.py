"""What the embedded server does over HTTPS on loopback.

The server is a process of its own, asked by this one: durable creates and gets of objects of about
1.5 kB from 32 clients at once, a list of all 10,000 as JSON and as kubectl's table, the time until
each of 200 watchers has seen 50 changes, and the server's resident memory. Client and server share
the machine's cores.
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from benchmarks import processes
from benchmarks.figures import Figure

SERVER = """
import asyncio, pathlib, sys
from oneco.worlds.clocks import RealClock
from oneco.worlds.embedded.serve import EmbeddedServer

async def main():
    server = EmbeddedServer(pathlib.Path(sys.argv[1]), RealClock())
    await server.start()
    print(server.url, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
MAPS = "/api/v1/namespaces/default/configmaps"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
CLIENTS, CHANGES = 32, 50


def a_map(name: str) -> dict[str, Any]:
    """An object of about one and a half kilobytes."""
    data = {f"key-{number}": "v" * 40 for number in range(20)}
    meta = {"name": name, "labels": {"app": "benchmark"}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


class Bench:
    """One running server, of one process or more, and a session with it."""

    def __init__(self, session: aiohttp.ClientSession, url: str, *process_ids: int) -> None:
        self._session, self._path = session, url + MAPS
        self._process_ids = process_ids

    async def create(self, name: str) -> None:
        """Create one object and read the whole answer."""
        async with self._session.post(self._path, json=a_map(name)) as reply:
            assert reply.status == 201, await reply.text()
            await reply.read()

    async def get(self, name: str) -> None:
        """Read one object."""
        async with self._session.get(f"{self._path}/{name}") as reply:
            assert reply.status == 200, await reply.text()
            await reply.read()

    async def list(self, accept: str = "application/json") -> int:
        """Read the whole collection; its size in bytes."""
        headers = {"accept": accept, "accept-encoding": "identity"}
        async with self._session.get(self._path, headers=headers) as reply:
            return len(await reply.read())

    async def fan_out(self, watching: int) -> float:
        """Seconds from the first of CHANGES creations until every watcher has seen all of them."""
        async with self._session.get(f"{self._path}?limit=1") as reply:
            version = (await reply.json())["metadata"]["resourceVersion"]
        begun: asyncio.Semaphore = asyncio.Semaphore(0)
        watchers = [asyncio.create_task(self._watch(version, begun)) for _ in range(watching)]
        for _ in watchers:
            await begun.acquire()
        start = time.perf_counter()
        await asyncio.gather(*(self.create(f"change-{number}") for number in range(CHANGES)))
        await asyncio.gather(*watchers)
        return time.perf_counter() - start

    def memory_mib(self) -> float:
        """Resident memory of the server."""
        return sum(processes.memory(one, "VmRSS") for one in self._process_ids) / (1 << 20)

    def processor_seconds(self) -> float:
        """Processor time that the server has used so far."""
        return sum(map(processes.processor_seconds, self._process_ids))

    async def _watch(self, version: str, begun: asyncio.Semaphore) -> None:
        path = f"{self._path}?watch=1&resourceVersion={version}"
        async with self._session.get(path) as reply:
            begun.release()
            seen = 0
            async for line in reply.content:
                assert json.loads(line)["type"] == "ADDED"
                seen += 1
                if seen == CHANGES:
                    return


@asynccontextmanager
async def a_server() -> AsyncIterator[Bench]:
    """A new server in a process of its own, ended at the end."""
    with tempfile.TemporaryDirectory() as text:
        directory = Path(text)
        process = subprocess.Popen(
            [sys.executable, "-c", SERVER, text], stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            kubeconfig = directory / "kubeconfig"
            async with session(kubeconfig) as client:
                yield Bench(client, url, process.pid)
        finally:
            process.kill()
            process.wait()


def measure(objects: int, watchers: int = 200) -> list[Figure]:
    """The figures of one server that ends up with `objects` objects."""
    return asyncio.run(_measure(objects, watchers))


async def _measure(objects: int, watchers: int) -> list[Figure]:
    async with a_server() as bench:
        names = [f"object-{number}" for number in range(objects)]
        idle = bench.memory_mib()
        creates = await rate(bench.create, names)
        gets = await rate(bench.get, names[:5_000])
        lists = {}
        for accept in ("application/json", TABLE):
            start = time.perf_counter()
            await bench.list(accept)
            lists[accept] = (time.perf_counter() - start) * 1e3
        fan_out = await bench.fan_out(watchers)
        sent = f"{watchers * CHANGES:,} events"
        return [
            _figure("creates", "creates", "a second", creates),
            _figure("gets", "gets", "a second", gets),
            _figure("list", f"a list of {objects:,}", "ms", lists["application/json"]),
            _figure("table", f"a table of {objects:,}", "ms", lists[TABLE]),
            _figure("fan-out", f"watch fan-out, {sent}", "s", fan_out),
            _figure("idle-memory", "memory when empty", "MiB", idle),
            _figure("memory", f"memory with {objects:,}", "MiB", bench.memory_mib()),
        ]


def _figure(name: str, title: str, unit: str, value: float) -> Figure:
    return Figure(name=name, title=title, unit=unit, samples=(value,))


async def rate(call: Callable[[str], Awaitable[None]], names: list[str]) -> float:
    """Calls a second of CLIENTS clients that share the names among them."""

    async def client(mine: Iterable[str]) -> None:
        for name in mine:
            await call(name)

    start = time.perf_counter()
    await asyncio.gather(*(client(names[number::CLIENTS]) for number in range(CLIENTS)))
    return len(names) / (time.perf_counter() - start)


@asynccontextmanager
async def session(kubeconfig: Path) -> AsyncIterator[aiohttp.ClientSession]:
    """A session as the person of a kubeconfig, with as many connections as are wanted."""
    connector = aiohttp.TCPConnector(ssl=_context(kubeconfig), limit=0)
    async with aiohttp.ClientSession(connector=connector) as found:
        yield found


def _context(kubeconfig: Path) -> ssl.SSLContext:
    document = yaml.safe_load(kubeconfig.read_text())
    cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    context = ssl.create_default_context(cadata=authority)
    parts = (user["client-certificate-data"], user["client-key-data"])
    # Python's ssl takes a client's certificate from a file only.
    both = kubeconfig.with_name("client.pem")
    both.write_bytes(b"".join(base64.b64decode(part) for part in parts))
    context.load_cert_chain(both)
    return context
