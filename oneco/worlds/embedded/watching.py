"""Watches over HTTP: one bounded buffer a watcher, one encoding an event for all of them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable

import msgspec

from oneco.kube.api import Event
from oneco.kube.errors import ApiError, Expired
from oneco.kube.objects import Json, Object

Encoder = Callable[[Event], bytes]
"""One event as the line that a client reads; empty for an event it is not shown."""

_MOST_BEHIND = 1_000
"""How many events a watcher may be behind before it is told to start again."""
_MOST_REMEMBERED = 1_024
_MOST_AT_ONCE = 256
_encode = msgspec.json.Encoder().encode


class SharedLines:
    """Encodes each event once, however many watchers are shown it."""

    def __init__(self) -> None:
        # The object is held with its line, so that its id cannot become that of another.
        self._lines: OrderedDict[tuple[str, int], tuple[Object, bytes]] = OrderedDict()

    def line(self, event: Event) -> bytes:
        """`event` as one line of JSON."""
        key = (event.type, id(event.object))
        known = self._lines.get(key)
        if known is not None:
            return known[1]
        line = line_of(event.type, event.object)
        self._lines[key] = (event.object, line)
        if len(self._lines) > _MOST_REMEMBERED:
            self._lines.popitem(last=False)
        return line


class WatchStream:
    """The events of one watch on their way to one client."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._events: deque[Event] = deque()
        self._limit: int | None = None
        self._wake = asyncio.Event()
        self._ending: bytes | None = None

    def sink(self, event: Event) -> None:
        """Take one event; a client that is too far behind is told that its version has expired."""
        if self._ending is not None:
            return
        if self._limit is not None and len(self._events) >= self._limit:
            self.abandon(Expired("too old resource version: the watch is too far behind"))
            return
        self._events.append(event)
        self._wake.set()

    def limit(self) -> None:
        """From now on count how far the client is behind; what stood there at first is free."""
        self._limit = len(self._events) + _MOST_BEHIND

    def abandon(self, failure: ApiError) -> None:
        """End the watch with an ERROR event in place of what the client was not shown yet."""
        self._events.clear()
        self.end(line_of("ERROR", failure.status()))

    def end(self, last_line: bytes = b"") -> None:
        """End the watch behind what the client has still to be shown."""
        if self._ending is None:
            self._ending = last_line
        self._wake.set()

    async def lines(self) -> AsyncIterator[bytes]:
        """What the client is sent, as much at a time as there is."""
        while True:
            await self._wake.wait()
            while self._events:
                yield b"".join(self._next_lines())
            if self._ending is not None:
                if self._ending:
                    yield self._ending
                return
            self._wake.clear()

    def _next_lines(self) -> list[bytes]:
        count = min(len(self._events), _MOST_AT_ONCE)
        return [self._encoder(self._events.popleft()) for _ in range(count)]


def line_of(event_type: str, value: Json) -> bytes:
    """One line of a watch."""
    return _encode({"type": event_type, "object": value}) + b"\n"
