"""One agenda orders everything that happens in any number of clusters."""

from __future__ import annotations

import pytest

from oneco.clock import Instant
from oneco.worlds.behaviours.timers import Agenda
from oneco.worlds.clocks import StepClock, VirtualClock

START = Instant(1_800_000_000.0)


def an_agenda() -> tuple[StepClock, Agenda, list[object]]:
    clock = StepClock(START)
    return clock, Agenda(clock), []


def at(seconds: float) -> Instant:
    return Instant(START + seconds)


def test_calls_come_in_the_order_of_their_instants_and_then_of_asking():
    clock, agenda, seen = an_agenda()
    agenda.at(at(2), lambda: seen.append("b"))
    agenda.at(at(1), lambda: seen.append("a"))
    agenda.at(at(2), lambda: seen.append("c"))
    clock.advance(5)
    assert seen == ["a", "b", "c"]


def test_what_is_asked_for_soon_waits_for_all_that_is_due():
    clock, agenda, seen = an_agenda()
    agenda.at(at(1), lambda: agenda.soon(lambda: seen.append("soon")))
    agenda.at(at(1), lambda: seen.append("due"))
    clock.advance(1)
    assert seen == ["due", "soon"]


def test_a_call_asked_for_in_the_past_comes_in_this_turn():
    clock, agenda, seen = an_agenda()
    agenda.at(at(1), lambda: agenda.at(at(0), lambda: seen.append(clock.now() - START)))
    clock.advance(10)
    assert seen == [1.0]


def test_a_cancelled_call_does_not_come():
    clock, agenda, seen = an_agenda()
    agenda.at(at(1), lambda: seen.append("never")).cancel()
    agenda.at(at(2), lambda: seen.append("second"))
    clock.advance(5)
    assert seen == ["second"]


def test_an_earlier_call_moves_the_alarm():
    clock, agenda, seen = an_agenda()
    agenda.at(at(100), lambda: seen.append(clock.now() - START))
    agenda.at(at(1), lambda: seen.append(clock.now() - START))
    clock.advance(200)
    assert seen == [1.0, 100.0]


def test_work_that_feeds_itself_is_an_error_and_not_a_standstill():
    _, agenda, _ = an_agenda()

    def feed():
        agenda.soon(feed)

    agenda.soon(feed)
    with pytest.raises(AssertionError, match="without end"):
        agenda.turn()


def test_on_a_virtual_clock_the_agenda_is_one_timer():
    clock = VirtualClock(START)
    agenda, seen = Agenda(clock), []
    for number in range(1000):
        agenda.at(at(number), lambda: seen.append(clock.now()))

    async def wait():
        await clock.sleep_until(at(2000))

    clock.run(wait())
    clock.close()
    assert seen == [at(number) for number in range(1000)]
