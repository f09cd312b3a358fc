"""Lines that carry nothing just now, kept for the next request."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import NamedTuple

from oneco.worlds.cluster.line import Line

# Shorter than any server's own patience, so that a request seldom meets a closing connection.
IDLE_SECONDS = 30.0


class _Kept(NamedTuple):
    line: Line
    since: float


class IdleLines:
    """The lines of one client; those that nobody takes for a while are ended."""

    def __init__(self) -> None:
        self._kept: deque[_Kept] = deque()
        self._sweep: asyncio.TimerHandle | None = None

    def take(self, context: object) -> Line | None:
        """A line that was made with `context`, the last used first; None where there is none."""
        while self._kept:
            kept = self._kept.pop()
            # A credential or an authority that was replaced must not be used any more.
            if kept.line.is_open and kept.line.context is context:
                return kept.line
            kept.line.end()
        return None

    def give(self, line: Line) -> None:
        """Keep `line` for a while."""
        loop = asyncio.get_running_loop()
        self._kept.append(_Kept(line, loop.time()))
        if self._sweep is None:
            self._sweep = loop.call_later(IDLE_SECONDS, self._end_old)

    def end(self) -> None:
        """End them all."""
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        while self._kept:
            self._kept.pop().line.end()

    def _end_old(self) -> None:
        self._sweep = None
        loop = asyncio.get_running_loop()
        # The longest unused stand in front: what is taken and given comes from behind.
        while self._kept and self._kept[0].since + IDLE_SECONDS <= loop.time():
            self._kept.popleft().line.end()
        if self._kept:
            left = self._kept[0].since + IDLE_SECONDS - loop.time()
            self._sweep = loop.call_later(left, self._end_old)
