"""Virtual time jumps, stands still and notices that nothing can go on."""

from __future__ import annotations

import asyncio
import time

import pytest

from oneco.clock import Instant
from oneco.worlds.clocks import RealClock, ScaledClock, StepClock, VirtualClock, run

START = Instant(1_800_000_000.0)


def test_a_virtual_year_passes_at_once():
    async def main(clock):
        await clock.sleep_until(Instant(START + 365 * 86400))
        return clock.now()

    began = time.monotonic()
    assert run(main, START) == START + 365 * 86400
    assert time.monotonic() - began < 1


def test_sleepers_wake_in_the_order_of_their_instants():
    woken = []

    async def sleeper(clock, seconds):
        await clock.sleep_until(Instant(START + seconds))
        woken.append((seconds, clock.now() - START))

    async def main(clock):
        await asyncio.gather(*(sleeper(clock, seconds) for seconds in (30, 10, 0.25, 20, 10)))

    run(main, START)
    assert woken == [(0.25, 0.25), (10, 10.0), (10, 10.0), (20, 20.0), (30, 30.0)]


def test_time_stands_still_while_anything_is_runnable():
    async def main(clock):
        rung = []
        clock.call_at(Instant(START + 1), lambda: rung.append(clock.now()))
        for _ in range(100):
            await asyncio.sleep(0)
        assert clock.now() == START and not rung
        await clock.sleep_until(Instant(START + 2))
        return rung

    assert run(main, START) == [START + 1]


def test_a_sleep_into_the_past_gives_one_turn():
    async def main(clock):
        await clock.sleep_until(Instant(START - 5))
        return clock.now()

    assert run(main, START) == START


def test_a_deadlock_names_the_tasks_that_wait():
    async def waits_for_nobody():
        await asyncio.get_running_loop().create_future()

    async def main(_clock):
        await asyncio.create_task(waits_for_nobody(), name="the-lonely-one")

    with pytest.raises(AssertionError, match=r"deadlock.*the-lonely-one in .*waits_for_nobody"):
        run(main, START)


def test_a_limit_of_virtual_time_ends_a_run_that_never_would():
    async def main(clock):
        while True:
            await clock.sleep_until(Instant(clock.now() + 60))

    with pytest.raises(AssertionError, match="limit of virtual time"):
        run(main, START, limit_virtual_seconds=3600)


def test_asyncio_sleep_and_timeouts_follow_virtual_time():
    async def main(clock):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(90):
                await asyncio.sleep(1000)
        return clock.now()

    assert run(main, START) == START + 90


def test_a_thread_is_waited_for_without_moving_time():
    async def main(clock):
        answer = await asyncio.to_thread(lambda: 42)
        return answer, clock.now()

    assert run(main, START) == (42, START)


def test_runs_of_one_clock_continue_in_time():
    clock = VirtualClock(START)

    async def wait(seconds):
        await clock.sleep_until(Instant(clock.now() + seconds))

    clock.run(wait(5))
    assert clock.now() == START + 5
    clock.run(wait(5))
    assert clock.now() == START + 10
    clock.close()


def test_a_virtual_sleep_costs_little():
    count = 20_000

    async def main(clock):
        for _ in range(count):
            await clock.sleep_until(Instant(clock.now() + 1))

    began = time.process_time()
    run(main, START)
    # Measured at 5 µs; the bound leaves room for a busy machine.
    assert (time.process_time() - began) / count < 30e-6


def test_a_scaled_clock_runs_as_many_times_faster():
    clock = ScaledClock(speed=1000)

    async def main():
        began = clock.now()
        await clock.sleep_until(Instant(began + 20))
        return clock.now() - began

    began = time.monotonic()
    assert 20 <= asyncio.run(main()) < 400
    assert time.monotonic() - began < 0.5


def test_a_real_clock_rings_and_can_be_called_off():
    clock, rung = RealClock(), []

    async def main():
        clock.call_at(Instant(clock.now() + 0.01), lambda: rung.append("first"))
        clock.call_at(Instant(clock.now() + 0.01), lambda: rung.append("second")).cancel()
        await clock.sleep_until(Instant(clock.now() + 0.05))

    asyncio.run(main())
    assert rung == ["first"]


def test_a_step_clock_makes_every_call_at_its_own_time():
    clock = StepClock(START)
    rung: list[object] = []
    clock.call_at(Instant(START + 3), lambda: rung.append(clock.now()))
    clock.call_at(Instant(START + 1), lambda: rung.append(clock.now()))
    clock.call_at(Instant(START + 2), lambda: rung.append("never")).cancel()
    clock.advance(2.5)
    assert rung == [START + 1] and clock.now() == START + 2.5
    clock.settle()
    assert rung == [START + 1, START + 3]


def test_a_callback_that_fails_ends_the_run_with_its_error():
    async def main(clock):
        clock.call_at(Instant(START + 1), lambda: 1 // 0)
        await clock.sleep_until(Instant(START + 60))

    with pytest.raises(ZeroDivisionError):
        run(main, START)
