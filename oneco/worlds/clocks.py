"""The clocks a process can run on: real, scaled, virtual, and one that is moved by hand.

Each is a `Clock` and an `Alarm`: besides sleeping it can call back at an instant, which is how
thousands of simulated clusters share one timer.
"""

from __future__ import annotations

import asyncio
import gc
import heapq
import itertools
import math
import selectors
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from oneco.clock import Clock, Instant

T = TypeVar("T")
_Ready = tuple[selectors.SelectorKey, int]


class Ring(Protocol):
    """A call that has been asked for and can be called off."""

    def cancel(self) -> object:
        """Do not call."""
        ...


class Alarm(Clock, Protocol):
    """A clock that calls back."""

    def call_at(self, instant: Instant, callback: Callable[[], object]) -> Ring:
        """Call `callback` once at `instant`, or at the next turn if it has passed."""
        ...


class ScaledClock:
    """Time that runs `speed` times as fast as the real one, from `start` or the present on.

    A process that goes on with what a faster clock wrote starts where that one ended, otherwise
    its objects would come from the future.
    """

    def __init__(self, speed: float = 1.0, *, start: Instant | None = None) -> None:
        assert speed > 0, f"time would stand still or run backwards at speed {speed}"
        self.speed = speed
        # The monotonic clock measures the way, so that a corrected wall clock moves nothing.
        self._start = time.time() if start is None else start
        self._anchor = time.monotonic()

    def now(self) -> Instant:
        """The present instant."""
        return Instant(self._start + (time.monotonic() - self._anchor) * self.speed)

    async def sleep_until(self, instant: Instant) -> None:
        """Return at `instant` or, if it has passed, at the next turn of the loop."""
        await asyncio.sleep(0)
        while (left := instant - self.now()) > 0:
            await asyncio.sleep(left / self.speed)

    def call_at(self, instant: Instant, callback: Callable[[], object]) -> Ring:
        """Call `callback` once at `instant`, or at the next turn if it has passed."""
        left = max(0.0, instant - self.now()) / self.speed
        return asyncio.get_running_loop().call_later(left, callback)


class RealClock(ScaledClock):
    """The time of the machine."""

    def __init__(self) -> None:
        super().__init__(1.0)

    def now(self) -> Instant:
        """The present instant, with every correction the machine's clock receives."""
        return Instant(time.time())


class VirtualClock:
    """The time of an event loop of its own, which jumps whenever nothing is runnable.

    Synchronous code may use it between two calls of `run`; time stands still then.
    """

    def __init__(self, start: Instant) -> None:
        self.loop = VirtualLoop(start)

    def now(self) -> Instant:
        """The present instant."""
        return Instant(self.loop.instant)

    async def sleep_until(self, instant: Instant) -> None:
        """Return at `instant` or, if it has passed, at the next turn of the loop."""
        if instant <= self.loop.instant:
            await asyncio.sleep(0)
            return
        waiter = self.loop.create_future()
        ring = self.loop.call_at(instant, _finish, waiter)
        try:
            await waiter
        finally:
            ring.cancel()

    def call_at(self, instant: Instant, callback: Callable[[], object]) -> Ring:
        """Call `callback` once at `instant`, or at the next turn if it has passed."""
        if instant <= self.loop.instant:
            return self.loop.call_soon(callback)
        return self.loop.call_at(instant, callback)

    def run(self, main: Coroutine[Any, Any, T], *, limit_virtual_seconds: float = 1e9) -> T:
        """The result of `main`; time goes on from where the last run left it.

        AssertionError if everything waits for each other, or if `main` takes longer than the limit.
        """
        self.loop.limit = self.loop.instant + limit_virtual_seconds
        asyncio.set_event_loop(self.loop)
        try:
            return self.loop.run_until_complete(main)
        except RuntimeError:
            # The loop stops before `main` is done only where a callback failed.
            if self.loop.failure is None:
                raise
            raise self.loop.failure from None
        finally:
            self.loop.failure = None
            asyncio.set_event_loop(None)

    def close(self) -> None:
        """Cancel what still waits and let go of the loop."""
        if self.loop.is_closed():
            return
        self.loop.limit = self.loop.instant + 3600
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()


def run(
    main: Callable[[VirtualClock], Coroutine[Any, Any, T]],
    start: Instant,
    *,
    limit_virtual_seconds: float = 1e9,
) -> T:
    """The result of `main(clock)` on a virtual clock that begins at `start`."""
    clock = VirtualClock(start)
    try:
        return clock.run(main(clock), limit_virtual_seconds=limit_virtual_seconds)
    finally:
        clock.close()


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is virtual: it stands still while anything is runnable."""

    def __init__(self, start: Instant) -> None:
        self.instant: float = start
        self.limit: float = start + 1e9
        self.failure: BaseException | None = None
        super().__init__(_Jumper(self))

    def time(self) -> float:
        """The virtual instant: what `call_at` counts in."""
        return self.instant

    def jump(self) -> None:
        """Move time to the next timer."""
        # The timer's own instant is taken: adding a difference would miss it by a rounding error.
        instant = self._scheduled[0].when()  # type: ignore[attr-defined]
        assert instant <= self.limit, f"not done at the limit of virtual time; {self.waiting()}"
        self.instant = max(self.instant, instant)
        # The loop runs timers before time() + this: exactly those of this very instant.
        self._clock_resolution = math.ulp(self.instant)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """End the run with what a callback raised: a log line would let the world go on broken."""
        failure = context.get("exception")
        if failure is None or "handle" not in context:
            super().call_exception_handler(context)
            return
        self.failure = failure
        self.stop()

    def has_threads(self) -> bool:
        """Whether work may be under way in a thread that will wake the loop."""
        return self._default_executor is not None  # type: ignore[attr-defined]

    def waiting(self) -> str:
        """The tasks that are not done, and where each of them waits."""
        tasks = sorted(asyncio.all_tasks(self), key=lambda task: task.get_name())
        shown = "; ".join(_place(task) for task in tasks[:20])
        return f"{len(tasks)} tasks wait: {shown}"


class _Jumper(selectors.BaseSelector):
    """The selector of a virtual loop: waiting for a timer takes no time."""

    # The loop's own wake-up pipe; with more than that registered there is real I/O to watch.
    _OWN_PIPES = 1
    _PATIENCE_SECONDS = 30.0

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop, self._real, self._registered = loop, selectors.DefaultSelector(), 0

    def select(self, timeout: float | None = None) -> list[_Ready]:
        """What is ready now; if nothing is, time has moved to the next timer."""
        if self._registered > self._OWN_PIPES or timeout is None:
            ready = self._real.select(0)
            if ready:
                return ready
        if timeout is None:
            return self._wait_outside()
        if timeout > 0:
            self._loop.jump()
        return []

    def _wait_outside(self) -> list[_Ready]:
        """Only a thread or a socket can go on from here; without either, nothing ever will."""
        is_open = self._registered > self._OWN_PIPES or self._loop.has_threads()
        ready = self._real.select(self._PATIENCE_SECONDS) if is_open else []
        assert ready, f"deadlock: nothing is runnable and no timer is set; {self._loop.waiting()}"
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Watch `fileobj` too."""
        self._registered += 1
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """Watch `fileobj` no more."""
        self._registered -= 1
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Watch `fileobj` for other events."""
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """What is watched."""
        return self._real.get_map()

    def close(self) -> None:
        """Let go of the real selector."""
        self._real.close()


def _finish(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def _place(task: asyncio.Task[Any]) -> str:
    frames = task.get_stack(limit=1)
    if not frames:
        return task.get_name()
    code = frames[0].f_code
    return f"{task.get_name()} in {code.co_qualname} ({code.co_filename}:{frames[0].f_lineno})"


class StepClock:
    """A clock that is moved by hand: synchronous code under test needs no event loop."""

    def __init__(self, start: Instant) -> None:
        self._instant, self._count = start, itertools.count()
        self._rings: list[tuple[Instant, int, _StepRing]] = []

    def now(self) -> Instant:
        """The present instant."""
        return self._instant

    async def sleep_until(self, instant: Instant) -> None:
        """Nobody can sleep here: a hand that moves time has no turns."""
        raise AssertionError("a StepClock is for synchronous code; take a VirtualClock")

    def call_at(self, instant: Instant, callback: Callable[[], object]) -> Ring:
        """Call `callback` once when time reaches `instant`."""
        ring = _StepRing(callback)
        heapq.heappush(self._rings, (instant, next(self._count), ring))
        return ring

    def next_at(self) -> Instant | None:
        """The instant of the next call, or None where nothing is asked for."""
        while self._rings and self._rings[0][2].is_cancelled:
            heapq.heappop(self._rings)
        return self._rings[0][0] if self._rings else None

    def advance_to(self, instant: Instant) -> None:
        """Move to `instant`, making every call on the way at its own time."""
        while (due := self.next_at()) is not None and due <= instant:
            self._instant = max(self._instant, due)
            heapq.heappop(self._rings)[2].callback()
        self._instant = max(self._instant, instant)

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`, making every call on the way at its own time."""
        self.advance_to(Instant(self._instant + seconds))

    def settle(self, *, limit_seconds: float = 86400.0) -> None:
        """Move on until nothing is asked for any more within the limit."""
        end = Instant(self._instant + limit_seconds)
        while (due := self.next_at()) is not None and due <= end:
            self.advance_to(due)


class _StepRing:
    """One call a StepClock was asked for."""

    __slots__ = ("callback", "is_cancelled")

    def __init__(self, callback: Callable[[], object]) -> None:
        self.callback, self.is_cancelled = callback, False

    def cancel(self) -> None:
        """Do not call."""
        self.is_cancelled = True


@contextmanager
def rare_collections() -> Iterator[None]:
    """Within: the cyclic collector runs rarely, as suits millions of long-lived values."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
