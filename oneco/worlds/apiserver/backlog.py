"""The events of one watch of this process that its reader has not taken yet."""

from __future__ import annotations

import asyncio
from collections import deque

from oneco.kube.api import Event
from oneco.kube.errors import Expired


class Backlog:
    """Events in order; `limit` says how many may wait, 0 that any number may."""

    __slots__ = ("_has_lost", "_waiter", "events", "limit")

    def __init__(self) -> None:
        self.events: deque[Event] = deque()
        self.limit = 0
        self._has_lost = False
        self._waiter: asyncio.Future[None] | None = None

    def add(self, event: Event) -> None:
        """Keep one event; past the limit all are dropped, and the reader has to list again."""
        if self.limit and len(self.events) >= self.limit:
            self._has_lost = True
            self.events.clear()
        if not self._has_lost:
            self.events.append(event)
        self._wake()

    async def next(self, end: float | None) -> Event | None:
        """The oldest event once there is one, or None at the instant `end` of the loop."""
        while not self.events:
            if self._has_lost:
                raise Expired("too old resource version: the watch is too far behind")
            if end is not None and asyncio.get_running_loop().time() >= end:
                return None
            await self._changed(end)
        return self.events.popleft()

    async def _changed(self, end: float | None) -> None:
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_at(end, self._wake) if end is not None else None
        try:
            await self._waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
