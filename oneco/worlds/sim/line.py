"""The way to a simulated cluster, which can be cut, slow, or repeat itself."""

from __future__ import annotations

import asyncio
from collections import deque

from oneco.clock import Instant
from oneco.kube.api import Event
from oneco.kube.errors import ApiError, ServiceUnavailable, Timeout
from oneco.worlds.behaviours.faults import ClusterFaults
from oneco.worlds.behaviours.timers import Agenda


class Wire:
    """The events of one watch that its reader has not taken yet."""

    __slots__ = ("_error", "_events", "_is_over", "_waiter")

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._error: ApiError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._is_over = False

    def add(self, event: Event) -> None:
        """Pass on one event."""
        if self._error is None:
            self._events.append(event)
            self._wake()

    def cut(self, error: ApiError) -> None:
        """End the watch with `error`; what was not yet taken is lost."""
        self._events.clear()
        self._error = error
        self._wake()

    def finish(self) -> None:
        """End the watch as its time-out does, after what was already sent."""
        self._is_over = True
        self._wake()

    async def take(self) -> Event | None:
        """The next event, or None when the watch is over."""
        while not self._events:
            if self._error is not None:
                raise self._error
            if self._is_over:
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._events.popleft()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Line:
    """One cluster's way to everybody else: its API server's answers and its agent's requests.

    The fields are switches for tests: every request and event waits `delay_seconds`; with
    `repeats_events` a watch tells everything twice; `loses_answers` of the next writes are
    carried out and answered by a Timeout.
    """

    def __init__(self, name: str, agenda: Agenda, faults: ClusterFaults) -> None:
        self.name, self._clock, self._faults = name, agenda.clock, faults
        self.delay_seconds = 0.0
        self.repeats_events = False
        self.loses_answers = 0
        self._is_cut = False
        self._wires: dict[Wire, None] = {}
        for begin, _ in faults.outages():
            agenda.at(begin, self.drop_watches)

    def is_open(self) -> bool:
        """Whether anything gets through now."""
        return not self._is_cut and self._faults.is_reachable(self._clock.now())

    def cut(self) -> None:
        """Let nothing through until `mend`."""
        self._is_cut = True
        self.drop_watches()

    def mend(self) -> None:
        """Let everything through again that the faults do not stop."""
        self._is_cut = False

    def drop_watches(self) -> None:
        """End every open watch with an error."""
        wires, self._wires = self._wires, {}
        for wire in wires:
            wire.cut(self._unreachable())

    async def pass_through(self) -> None:
        """Return when a request has come through; ServiceUnavailable where it cannot."""
        if not self.is_open():
            raise self._unreachable()
        if self.delay_seconds:
            await self._clock.sleep_until(Instant(self._clock.now() + self.delay_seconds))
            if not self.is_open():
                raise self._unreachable()

    def check_answer(self) -> None:
        """Raise Timeout if the answer to a write that was carried out is lost."""
        if self.loses_answers > 0:
            self.loses_answers -= 1
            raise Timeout(f"no answer from {self.name}: the request may have been carried out")

    def open_wire(self) -> Wire:
        """The channel of a new watch, ended when the way is cut."""
        wire = Wire()
        self._wires[wire] = None
        return wire

    def close_wire(self, wire: Wire) -> None:
        """Forget a watch that its reader left."""
        self._wires.pop(wire, None)

    def send(self, wire: Wire, event: Event) -> None:
        """Pass an event on as the switches say."""
        for _ in range(2 if self.repeats_events else 1):
            if self.delay_seconds:
                self._clock.call_at(
                    Instant(self._clock.now() + self.delay_seconds), lambda: wire.add(event)
                )
            else:
                wire.add(event)

    def _unreachable(self) -> ServiceUnavailable:
        return ServiceUnavailable(f"{self.name} cannot be reached")
