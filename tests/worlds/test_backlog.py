"""Events that wait for the reader of a watch."""

from __future__ import annotations

import asyncio

import pytest

from oneco.kube.api import Event
from oneco.kube.errors import Expired
from oneco.worlds.apiserver.backlog import Backlog


def an_event(number: int) -> Event:
    return Event("ADDED", {"metadata": {"resourceVersion": str(number)}})


def test_events_come_in_order_also_to_a_reader_who_waits():
    async def run() -> list[Event | None]:
        backlog = Backlog()
        backlog.add(an_event(1))
        first = await backlog.next(None)
        waiting = asyncio.ensure_future(backlog.next(None))
        await asyncio.sleep(0)
        backlog.add(an_event(2))
        backlog.add(an_event(3))
        return [first, await waiting, await backlog.next(None)]

    assert asyncio.run(run()) == [an_event(1), an_event(2), an_event(3)]


def test_a_reader_who_is_too_far_behind_is_told_so_and_nothing_else():
    async def run() -> None:
        backlog = Backlog()
        backlog.limit = 2
        for number in range(3):
            backlog.add(an_event(number))
        for _ in range(2):
            with pytest.raises(Expired):
                await backlog.next(None)

    asyncio.run(run())


def test_waiting_ends_at_its_instant_with_nothing():
    async def run() -> Event | None:
        return await Backlog().next(asyncio.get_running_loop().time() + 0.01)

    assert asyncio.run(run()) is None
