"""Spans of time in the few characters of a table's cell."""

from __future__ import annotations

from typing import Final

from oneco.clock import Instant
from oneco.kube import times

UNKNOWN: Final = "<unknown>"
_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_YEAR: Final = 365 * _DAY


def since(text: str | None, now: Instant) -> str:
    """How long ago the instant that `text` names was; `<unknown>` if it names none."""
    if not text:
        return UNKNOWN
    try:
        return of_seconds(now - times.from_text(text))
    except ValueError:
        return UNKNOWN


def of_seconds(seconds: float) -> str:
    """A span with two or three digits that matter: `5m3s`, `2d4h`."""
    # Clocks differ a little between machines, so just ahead of now is now.
    whole = int(seconds)
    if whole < 0:
        return "<invalid>" if whole < -1 else "0s"
    if whole < 2 * _MINUTE:
        return f"{whole}s"
    if whole < 3 * _HOUR:
        minutes, rest = divmod(whole, _MINUTE)
        return _pair(minutes, "m", rest if minutes < 10 else 0, "s")
    if whole < 2 * _DAY:
        hours, rest = divmod(whole, _HOUR)
        return _pair(hours, "h", rest // _MINUTE if hours < 8 else 0, "m")
    if whole < 2 * _YEAR:
        days, rest = divmod(whole, _DAY)
        return _pair(days, "d", rest // _HOUR if days < 8 else 0, "h")
    years, rest = divmod(whole, _YEAR)
    return _pair(years, "y", rest // _DAY if years < 8 else 0, "d")


def _pair(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"
