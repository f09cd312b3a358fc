"""Each key once, never twice at the same time, and at the earliest time that was asked for."""

from __future__ import annotations

import asyncio

import pytest

from oneco.clock import Instant
from oneco.control.queue import Queue
from oneco.worlds.clocks import VirtualClock, run

START = Instant(1_800_000_000.0)


def told(story):
    """What `story(queue, clock)` returns, in virtual time."""

    async def main(clock: VirtualClock):
        queue: Queue[str] = Queue(clock)
        try:
            return await story(queue, clock)
        finally:
            queue.close()

    return run(main, START)


async def takes(queue: Queue[str], clock: VirtualClock, seconds: float) -> list[tuple[str, float]]:
    """Everything that is handed out within so many seconds, with its time; work takes none."""
    found: list[tuple[str, float]] = []

    async def work() -> None:
        while True:
            key = await queue.take()
            found.append((key, clock.now() - START))
            queue.done(key)

    task = asyncio.ensure_future(work())
    await clock.sleep_until(Instant(clock.now() + seconds))
    task.cancel()
    return found


def test_a_key_added_twice_before_it_is_taken_is_taken_once():
    async def story(queue, clock):
        for key in ("a", "b", "a"):
            queue.add(key)
        return await takes(queue, clock, 1)

    assert told(story) == [("a", 0.0), ("b", 0.0)]


def test_keys_that_give_way_come_last_but_come():
    async def story(_, clock):
        queue: Queue[str] = Queue(clock, gives_way=lambda key: key.startswith("new"))
        for key in ("new-1", "new-2", *(f"old-{number}" for number in range(10))):
            queue.add(key)
        try:
            return [key for key, _ in await takes(queue, clock, 1)]
        finally:
            queue.close()

    first, rest = [f"old-{number}" for number in range(8)], ["old-8", "old-9", "new-2"]
    assert told(story) == [*first, "new-1", *rest]


def test_a_key_added_while_it_is_worked_on_is_handed_out_again_afterwards():
    async def story(queue, clock):
        queue.add("a")
        assert await queue.take() == "a"
        queue.add("a")
        queue.add("a")
        waiting = asyncio.ensure_future(queue.take())
        await asyncio.sleep(0)
        assert not waiting.done()
        queue.done("a")
        again = await waiting
        queue.done(again)
        return again, queue.is_idle()

    assert told(story) == ("a", True)


def test_the_earlier_of_two_times_wins_and_is_used_once():
    async def story(queue, clock):
        queue.add_at("a", Instant(START + 9))
        queue.add_at("a", Instant(START + 3))
        queue.add_at("a", Instant(START + 6))
        return await takes(queue, clock, 20)

    assert told(story) == [("a", 3.0)]


def test_a_key_looked_at_now_is_not_looked_at_again_when_planned_before():
    async def story(queue, clock):
        queue.add_at("a", Instant(START + 5))
        queue.add("a")
        return await takes(queue, clock, 20)

    assert told(story) == [("a", 0.0)]


def test_a_look_planned_while_working_comes_at_its_time():
    async def story(queue, clock):
        queue.add("a")
        await queue.take()
        queue.add_at("a", Instant(START + 5))
        queue.done("a")
        return await takes(queue, clock, 20)

    assert told(story) == [("a", 5.0)]


def test_keys_planned_for_one_instant_come_in_the_order_of_their_planning():
    async def story(queue, clock):
        for key in ("c", "a", "b"):
            queue.add_at(key, Instant(START + 5))
        return await takes(queue, clock, 20)

    assert told(story) == [("c", 5.0), ("a", 5.0), ("b", 5.0)]


def test_a_time_that_has_passed_is_now():
    async def story(queue, clock):
        queue.add_at("a", Instant(START - 5))
        return await takes(queue, clock, 1)

    assert told(story) == [("a", 0.0)]


@pytest.mark.parametrize("workers", [1, 3])
def test_every_key_is_handed_out_whoever_waits(workers):
    async def story(queue, clock):
        found: list[str] = []

        async def work() -> None:
            while True:
                key = await queue.take()
                await clock.sleep_until(Instant(clock.now() + 1))
                found.append(key)
                queue.done(key)

        tasks = [asyncio.ensure_future(work()) for _ in range(workers)]
        await asyncio.sleep(0)
        for number in range(7):
            queue.add(f"key {number}")
        await clock.sleep_until(Instant(START + 10))
        for task in tasks:
            task.cancel()
        return sorted(found)

    assert told(story) == [f"key {number}" for number in range(7)]
