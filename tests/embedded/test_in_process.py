"""The same server for parts of its own process, and watchers that are too slow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from oneco.kube.api import Event, WatchOptions
from oneco.kube.errors import AlreadyExists, NotFound
from oneco.kube.refs import Address, Resource
from oneco.worlds.clocks import RealClock
from oneco.worlds.embedded.serve import EmbeddedServer
from oneco.worlds.embedded.watching import SharedLines, WatchStream

MAPS = Address(Resource("", "v1", "configmaps"), "default")


def a_map(name: str) -> dict:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "1"}}


def serving(directory, body: Callable[[EmbeddedServer], Awaitable[None]]) -> None:
    async def run() -> None:
        server = EmbeddedServer(directory, RealClock())
        await server.start()
        try:
            await body(server)
        finally:
            await server.stop()

    asyncio.run(run())


def test_an_answer_in_process_is_durable_too(tmp_path):
    async def body(server):
        created = await server.api.create(MAPS, a_map("x"))
        version = int(created["metadata"]["resourceVersion"])
        assert server.store.durable_revision() >= version
        server.server.create(MAPS, a_map("y"))
        assert server.store.durable_revision() < server.store.revision()
        with pytest.raises(AlreadyExists):
            await server.api.create(MAPS, a_map("y"))
        assert server.store.durable_revision() == server.store.revision()
        await server.api.delete(MAPS._replace(name="x"))
        with pytest.raises(NotFound):
            await server.api.get(MAPS._replace(name="x"))

    serving(tmp_path, body)


def test_a_watch_in_process_sees_what_was_written_and_ends_at_its_time(tmp_path):
    async def body(server):
        seen = []
        await server.api.create(MAPS, a_map("before"))
        options = WatchOptions(initial_events=True, timeout_seconds=0.2)
        async for event in server.api.watch(MAPS, options):
            seen.append((event.type, event.object["metadata"].get("name")))
            if event.type == "BOOKMARK":
                await server.api.create(MAPS, a_map("after"))
        assert seen == [("ADDED", "before"), ("BOOKMARK", None), ("ADDED", "after")]

    serving(tmp_path, body)


def test_nine_servers_live_in_one_process(tmp_path):
    async def run():
        servers = [EmbeddedServer(tmp_path / str(number), RealClock()) for number in range(9)]
        for server in servers:
            await server.start()
        assert len({server.url for server in servers}) == 9
        space = Address(Resource("", "v1", "namespaces"), "", "default")
        uids = {(await server.api.get(space))["metadata"]["uid"] for server in servers}
        assert len(uids) == 9
        await asyncio.gather(*(server.stop() for server in servers))

    asyncio.run(run())


def an_event(number: int) -> Event:
    return Event("ADDED", {"metadata": {"resourceVersion": str(number)}})


def test_a_watcher_that_falls_behind_is_told_to_start_again():
    async def run():
        stream = WatchStream(SharedLines().line)
        stream.limit()
        for number in range(2_000):
            stream.sink(an_event(number))
        lines = [line async for line in stream.lines()]
        assert len(lines) == 1
        assert b'"code":410' in lines[0]
        assert b'"type":"ERROR"' in lines[0]

    asyncio.run(run())


def test_what_stands_there_at_the_beginning_never_counts_as_behind():
    async def run():
        stream = WatchStream(SharedLines().line)
        for number in range(5_000):
            stream.sink(an_event(number))
        stream.limit()
        stream.end()
        text = b"".join([lines async for lines in stream.lines()])
        assert text.count(b"\n") == 5_000

    asyncio.run(run())


def test_an_event_is_encoded_once_for_all_watchers():
    shared, event = SharedLines(), an_event(1)
    assert shared.line(event) is shared.line(Event("ADDED", event.object))
    assert shared.line(event) is not shared.line(Event("DELETED", event.object))
