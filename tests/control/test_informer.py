"""What an informer makes of a server that ends watches, asks for patience, or does not answer."""

from __future__ import annotations

import asyncio
import contextlib

from oneco.clock import Instant
from oneco.control.cache import Cache
from oneco.control.informer import Informer, Scope
from oneco.kube.api import ListOptions, WatchOptions
from oneco.kube.errors import ServiceUnavailable, TooManyRequests
from oneco.kube.refs import Address, Resource
from oneco.worlds.apiserver.memory import MemoryStore
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.clocks import VirtualClock, run
from oneco.worlds.sim.local import LocalApi

START = Instant(1_800_000_000.0)
MAPS = Address(Resource("", "v1", "configmaps"), "default")


class Server(LocalApi):
    """Ends each watch after `lasts` seconds; answers lists as it is told."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(ApiServer(MemoryStore(), clock))
        self._clock, self.lasts = clock, 600.0
        self.trouble: Exception | None = None
        self.asked: list[float] = []

    async def list(self, address, options=ListOptions()):
        self.asked.append(round(self._clock.now() - START, 1))
        if self.trouble is not None:
            raise self.trouble
        return await super().list(address, options)

    async def watch(self, address, options=WatchOptions()):
        self.asked.append(round(self._clock.now() - START, 1))
        if self.trouble is not None:
            raise self.trouble
        await self._clock.sleep_until(Instant(self._clock.now() + self.lasts))
        if self.lasts >= 0:
            raise ServiceUnavailable("the server ended the watch")
        async for event in super().watch(address, options):
            yield event


def after(seconds: float, prepare) -> tuple[str, list[float]]:
    """The trouble that an informer tells of after so long, and when it asked."""

    async def story(clock: VirtualClock) -> tuple[str, list[float]]:
        server = Server(clock)
        prepare(server)
        informer = Informer(server, Scope("hub", MAPS), Cache(), clock)
        work = asyncio.ensure_future(informer.run())
        await clock.sleep_until(Instant(START + seconds))
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
        return informer.trouble, server.asked

    return run(story, START)


def test_a_watch_that_ends_after_its_time_is_begun_again_at_once_and_is_no_trouble():
    trouble, asked = after(700, lambda server: None)
    assert trouble == ""
    assert asked == [0, 0, 600]


def test_watches_that_end_at_once_are_trouble_and_are_begun_less_and_less_often():
    def prepare(server: Server) -> None:
        server.lasts = 0.0

    trouble, asked = after(20, prepare)
    assert trouble == "the server ended the watch"
    assert asked == [0, 0, 1, 3, 7, 15]


def test_a_server_that_asks_for_patience_gets_it():
    def prepare(server: Server) -> None:
        server.trouble = TooManyRequests("too many requests")
        server.trouble.retry_after_seconds = 12

    trouble, asked = after(30, prepare)
    assert trouble == "too many requests"
    assert asked == [0, 12, 24]
