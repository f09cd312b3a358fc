"""When a CronJob is due: schedules of five fields, their names, and `@every`."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

from oneco.clock import Instant

_MACROS = {
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0", "@daily": "0 0 * * *", "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}  # fmt: skip
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_NAMES = {name: number for number, name in enumerate(_MONTHS, 1)} | {
    name: number for number, name in enumerate(_DAYS)
}
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
# A schedule that no day of so many years fits never comes.
_YEARS = 5


class Schedule(NamedTuple):
    """What each field allows; `period_seconds` instead of all of them for `@every`."""

    minutes: Sequence[int] = ()
    hours: Sequence[int] = ()
    days: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    is_any_day: bool = True
    is_any_weekday: bool = True
    period_seconds: float = 0.0


@functools.lru_cache(maxsize=256)
def parsed(text: str) -> Schedule:
    """The schedule that a sound `spec.schedule` writes."""
    if text.startswith("@every "):
        parts = re.findall(r"([\d.]+)(ms|h|m|s)", text)
        seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
        return Schedule(period_seconds=max(1.0, seconds))
    fields = _MACROS.get(text, text).lower().split()
    minutes, hours, days, months, weekdays = (
        _field(field, *bounds) for field, bounds in zip(fields, _RANGES, strict=True)
    )
    return Schedule(
        sorted(minutes),
        sorted(hours),
        frozenset(days),
        frozenset(months),
        frozenset(weekdays),
        fields[2][0] in "*?",
        fields[4][0] in "*?",
    )


def following(schedule: Schedule, after: Instant, zone: str = "") -> Instant | None:
    """The first instant behind `after` at which the schedule is due, None if there is none."""
    if schedule.period_seconds:
        return Instant(int(after) + schedule.period_seconds)
    place: tzinfo = ZoneInfo(zone) if zone else UTC
    begin = datetime.fromtimestamp(after, place)
    day = begin.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    for _ in range(366 * _YEARS):
        if _fits(schedule, day):
            for hour in schedule.hours:
                for minute in schedule.minutes:
                    due = _instant(day.replace(hour=hour, minute=minute), place)
                    if due is not None and due > after:
                        return due
        day += timedelta(days=1)
    return None


def _instant(local: datetime, place: tzinfo) -> Instant | None:
    """When the clocks there show `local`; None where they skip it."""
    at = local.replace(tzinfo=place)
    if datetime.fromtimestamp(at.timestamp(), place).replace(tzinfo=None) != local:
        return None
    return Instant(at.timestamp())


def _fits(schedule: Schedule, day: datetime) -> bool:
    if day.month not in schedule.months:
        return False
    is_day = day.day in schedule.days
    is_weekday = (day.weekday() + 1) % 7 in schedule.weekdays
    if schedule.is_any_day or schedule.is_any_weekday:
        return is_day and is_weekday
    return is_day or is_weekday  # where both are said, either will do


def _field(text: str, least: int, most: int) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if first in ("*", "?"):
            low, high = least, most
        else:
            low = _number(first)
            # `5/15` means from 5 on to the end.
            high = _number(last) if last else most if step else low
        found.update(range(low, high + 1, int(step) if step else 1))
    return found


def _number(text: str) -> int:
    return _NAMES[text] if text in _NAMES else int(text)
