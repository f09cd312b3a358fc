"""Which keys want a look, and when: each key once, never twice at the same time."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from oneco.clock import Clock, Instant

_MOST_IN_A_ROW = 8
KeyT = TypeVar("KeyT", bound=Hashable)


class Queue(Generic[KeyT]):
    """Keys that are due now, and keys that will be.

    A key added again before it is taken is taken once; a key added while it is being worked on is
    handed out again when that work is done. Keys that `gives_way` names come after all others, but
    after `_MOST_IN_A_ROW` of these one of them has its turn.
    """

    def __init__(self, clock: Clock, gives_way: Callable[[KeyT], bool] = lambda _: False) -> None:
        self._clock = clock
        self._gives_way = gives_way
        self._ready: deque[KeyT] = deque()
        self._ready_last: deque[KeyT] = deque()
        self._in_a_row = 0
        self._waiting: set[KeyT] = set()
        self._working: set[KeyT] = set()
        self._again: set[KeyT] = set()
        self._due: dict[KeyT, Instant] = {}
        self._later: list[tuple[Instant, int, KeyT]] = []
        self._order = 0
        self._takers: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.Task[None] | None = None
        self._timer_at: Instant | None = None

    def add(self, key: KeyT) -> None:
        """`key` wants a look now."""
        self._due.pop(key, None)
        if key in self._working:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            (self._ready_last if self._gives_way(key) else self._ready).append(key)
            self._call_a_taker()

    def add_at(self, key: KeyT, instant: Instant) -> None:
        """`key` wants a look at `instant`, unless an earlier look is already planned."""
        if instant <= self._clock.now():
            self.add(key)
            return
        planned = self._due.get(key)
        if key in self._waiting or (planned is not None and planned <= instant):
            return
        self._due[key] = instant
        self._order += 1
        heapq.heappush(self._later, (instant, self._order, key))
        self._set_timer()

    async def take(self) -> KeyT:
        """The next key that is due; it must be given back with `done`."""
        while not (self._ready or self._ready_last):
            taker: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._takers.append(taker)
            await taker
        key = self._next()
        self._waiting.discard(key)
        self._working.add(key)
        return key

    def _next(self) -> KeyT:
        is_last = not self._ready or (self._ready_last and self._in_a_row >= _MOST_IN_A_ROW)
        self._in_a_row = 0 if is_last else self._in_a_row + 1
        return (self._ready_last if is_last else self._ready).popleft()

    def done(self, key: KeyT) -> None:
        """The work on `key` is over."""
        self._working.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def is_idle(self) -> bool:
        """Whether nothing is due now and nothing is being worked on."""
        return not (self._ready or self._ready_last or self._working)

    def close(self) -> None:
        """Forget the timer; keys are not handed out by time any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _call_a_taker(self) -> None:
        while self._takers:
            taker = self._takers.popleft()
            if not taker.done():
                taker.set_result(None)
                return

    def _set_timer(self) -> None:
        if not self._later:
            return
        earliest = self._later[0][0]
        if self._timer_at is not None and self._timer_at <= earliest:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = earliest
        self._timer = asyncio.get_running_loop().create_task(self._ring(earliest))

    async def _ring(self, instant: Instant) -> None:
        await self._clock.sleep_until(instant)
        self._timer = self._timer_at = None
        now = self._clock.now()
        while self._later and self._later[0][0] <= now:
            due, _, key = heapq.heappop(self._later)
            # A key that was looked at meanwhile, or planned anew, has another entry or none.
            if self._due.get(key) == due:
                self.add(key)
        self._set_timer()
