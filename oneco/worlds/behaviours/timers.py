"""The agenda: what happens when, for any number of clusters on one timer."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from oneco.clock import Instant
from oneco.worlds.clocks import Alarm, Ring

Callback = Callable[[], object]


class Entry:
    """One thing on an agenda; cancelling it leaves a hole that costs nothing."""

    __slots__ = ("callback", "instant")

    def __init__(self, instant: Instant, callback: Callback) -> None:
        self.instant = instant
        self.callback: Callback | None = callback

    def cancel(self) -> None:
        """Do not call."""
        self.callback = None


class Agenda:
    """Calls in the order of (instant, when they were asked for), driven by one alarm of the clock.

    What `soon` is given runs at the end of the turn, once everything that is due has run: there
    the many small changes of one instant become one piece of work.
    """

    __slots__ = ("_count", "_heap", "_is_turning", "_ring", "_rings_at", "_soon", "clock")

    # A turn that feeds itself without end would freeze the process at one instant.
    _ROUNDS = 100_000

    def __init__(self, clock: Alarm) -> None:
        self.clock = clock
        self._heap: list[tuple[Instant, int, Entry]] = []
        self._soon: list[Callback] = []
        self._count = 0
        self._ring: Ring | None = None
        self._rings_at = Instant(float("inf"))
        self._is_turning = False

    def now(self) -> Instant:
        """The present instant."""
        return self.clock.now()

    def at(self, instant: Instant, callback: Callback) -> Entry:
        """Call `callback` at `instant`, or in this turn if it has passed."""
        entry = Entry(instant, callback)
        self._count += 1
        heapq.heappush(self._heap, (instant, self._count, entry))
        if not self._is_turning:
            self._wake_at(instant)
        return entry

    def soon(self, callback: Callback) -> None:
        """Call `callback` at the end of this turn."""
        self._soon.append(callback)
        if not self._is_turning:
            self._wake_at(self.clock.now())

    def next_at(self) -> Instant | None:
        """The instant of the next call, or None on an empty agenda."""
        if self._soon:
            return self.clock.now()
        while self._heap and self._heap[0][2].callback is None:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def turn(self) -> None:
        """Do everything that is due now, whatever the alarm says."""
        if self._is_turning:
            return
        self._is_turning = True
        try:
            now = self.clock.now()
            for _ in range(self._ROUNDS):
                if not (self._run_due(now) or self._run_soon()):
                    break
            else:
                raise AssertionError(f"work at {now} goes on without end")
        finally:
            self._is_turning = False
        following = self.next_at()
        if following is not None:
            self._wake_at(following)

    def close(self) -> None:
        """Forget everything."""
        self._heap.clear()
        self._soon.clear()
        if self._ring is not None:
            self._ring.cancel()

    def _run_due(self, now: Instant) -> bool:
        heap, is_any = self._heap, False
        while heap and heap[0][0] <= now:
            callback = heapq.heappop(heap)[2].callback
            if callback is not None:
                callback()
                is_any = True
        return is_any

    def _run_soon(self) -> bool:
        waiting, self._soon = self._soon, []
        for callback in waiting:
            callback()
        return bool(waiting)

    def _wake_at(self, instant: Instant) -> None:
        if instant >= self._rings_at:
            return
        if self._ring is not None:
            self._ring.cancel()
        self._rings_at = instant
        self._ring = self.clock.call_at(instant, self._on_ring)

    def _on_ring(self) -> None:
        self._ring, self._rings_at = None, Instant(float("inf"))
        self.turn()
