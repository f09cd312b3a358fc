"""A server that is killed at any moment while many write to it."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import ssl
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
import yaml

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
WRITERS = 8


class Ledger:
    """What was acknowledged, and what a watch has seen."""

    def __init__(self) -> None:
        self.values: dict[str, int] = {}
        self.tried: dict[str, int] = {}
        self.newest = 0
        self.count = 0
        self.seen = 0

    def acknowledge(self, name: str, value: int, version: int) -> None:
        self.values[name] = value
        assert version > 0
        self.count += 1
        self.newest = max(self.newest, version)


def start(directory: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(directory)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def a_context(directory: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=directory / "pki" / "ca.crt")
    user = yaml.safe_load((directory / "kubeconfig").read_text())["users"][0]["user"]
    both = directory / "client.pem"
    parts = (user["client-certificate-data"], user["client-key-data"])
    both.write_bytes(b"".join(base64.b64decode(part) for part in parts))
    context.load_cert_chain(both)
    return context


async def write_until_dead(session, url: str, ledger: Ledger, number: int) -> None:
    """Count objects up until the server is gone; each acknowledged value enters the ledger."""
    turn = 0
    while True:
        name = f"w{number}-{turn % 3}"
        value = ledger.tried.get(name, 0) + 1
        ledger.tried[name] = value
        body = {"metadata": {"name": name}, "data": {"v": str(value)}}
        try:
            kind = {"content-type": "application/apply-patch+yaml"}
            full = {"apiVersion": "v1", "kind": "ConfigMap", **body}
            path = f"{url}{MAPS}/{name}?fieldManager=t"
            async with session.patch(path, data=json.dumps(full), headers=kind) as reply:
                found = await reply.json()
                assert reply.status in (200, 201), found
        except (aiohttp.ClientError, OSError):
            return
        assert found["data"] == {"v": str(value)}
        ledger.acknowledge(name, value, int(found["metadata"]["resourceVersion"]))
        turn += 1


async def watch_until_dead(session, url: str, ledger: Ledger) -> None:
    """Follow the changes from where the last server left; versions only ever grow."""
    # From the first version on: without one, what is there already would come by name.
    path = f"{url}{MAPS}?watch=1&resourceVersion={ledger.seen or 1}"
    try:
        async with session.get(path) as reply:
            assert reply.status == 200
            async for line in reply.content:
                event = json.loads(line)
                assert event["type"] in ("ADDED", "MODIFIED"), event
                version = int(event["object"]["metadata"]["resourceVersion"])
                assert version > ledger.seen
                ledger.seen = version
    except (aiohttp.ClientError, OSError):
        return


async def one_life(directory: Path, ledger: Ledger, writes: int, seconds: float = 0) -> None:
    """One start to its kill, `seconds` after `writes` were acknowledged: load delays nothing."""
    process, url = start(directory)
    try:
        connector = aiohttp.TCPConnector(ssl=a_context(directory))
        async with aiohttp.ClientSession(connector=connector) as session:
            await check(session, url, ledger)
            watcher = asyncio.create_task(watch_until_dead(session, url, ledger))
            writers = [
                asyncio.create_task(write_until_dead(session, url, ledger, number))
                for number in range(WRITERS)
            ]
            aim = ledger.count + writes
            while ledger.count < aim and not all(writer.done() for writer in writers):
                await asyncio.sleep(0.002)
            await asyncio.sleep(seconds)
            process.kill()
            await asyncio.gather(watcher, *writers)
    finally:
        process.kill()
        process.communicate()


async def check(session, url: str, ledger: Ledger) -> None:
    """Everything acknowledged is there, and no version was taken back."""
    async with session.get(f"{url}{MAPS}") as reply:
        found = await reply.json()
    assert int(found["metadata"]["resourceVersion"]) >= max(ledger.newest, ledger.seen)
    values = {one["metadata"]["name"]: int(one["data"]["v"]) for one in found["items"]}
    for name, value in ledger.values.items():
        assert value <= values[name] <= ledger.tried[name], name


def live_and_die(directory: Path, seed: int, lives: int) -> Ledger:
    ledger, chance = Ledger(), random.Random(seed)

    async def run() -> None:
        for _ in range(lives):
            writes, seconds = chance.randrange(20, 80), chance.uniform(0, 0.05)
            await one_life(directory, ledger, writes, seconds)
        await one_life(directory, ledger, 0)

    asyncio.run(run())
    return ledger


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_no_acknowledged_write_is_missing_after_ten_kills(tmp_path, seed):
    ledger = live_and_die(tmp_path, seed, lives=10)
    assert len(ledger.values) == WRITERS * 3
    assert ledger.newest > 100


def test_a_killed_server_comes_back_with_what_it_promised(tmp_path, seed):
    assert live_and_die(tmp_path, seed, lives=1).newest > 0
