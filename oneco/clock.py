"""The one clock of a process, as a protocol: real, scaled or virtual is decided in `main`."""

from __future__ import annotations

from typing import NewType, Protocol

Instant = NewType("Instant", float)
"""Seconds since 1970-01-01 UTC."""


class Clock(Protocol):
    """Time as everything in this process sees it."""

    def now(self) -> Instant:
        """The present instant."""
        ...

    async def sleep_until(self, instant: Instant) -> None:
        """Return at `instant` or, if it has passed, at the next turn of the loop."""
        ...
