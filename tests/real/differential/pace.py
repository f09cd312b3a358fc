"""When each step of a case happened: ours takes the seconds from the real server's run.

managedFields are ordered by the second of each write, and an order that changes is a change.
"""

from __future__ import annotations

import time
from typing import Any

from oneco.clock import Instant
from oneco.kube.times import from_text

_FRESH_SECONDS = 5.0


class FollowingClock:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self._instant = Instant(time.time())

    def now(self) -> Instant:
        """The present instant."""
        return self._instant

    async def sleep_until(self, instant: Instant) -> None:
        """Nothing waits for this clock."""
        raise AssertionError("nobody sleeps while cases are compared")

    def put(self, instant: float) -> None:
        """Stand at `instant`."""
        self._instant = Instant(instant)


class Pace:
    """The instants of a case's steps: taken down in one world, followed in the other."""

    def __init__(self, clock: FollowingClock | None = None, led: Pace | None = None) -> None:
        self._clock, self._left = clock, list(led.instants) if led else []
        self.instants: list[float] = []

    def before(self) -> None:
        """A step begins."""
        if self._clock is not None and self._left:
            self._clock.put(self._left.pop(0))

    def after(self, answer: Any) -> None:
        """A step came to `answer`: the second that its writes carry is the one that counts."""
        now = time.time()
        entries = (answer.get("metadata") or {}).get("managedFields") or ()
        written = [from_text(one["time"]) for one in entries if "time" in one]
        fresh = [one for one in written if one > now - _FRESH_SECONDS]
        self.instants.append(max([*fresh, *self.instants[-1:]]) if fresh else now)
