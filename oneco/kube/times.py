"""Instants as Kubernetes writes them."""

from __future__ import annotations

import datetime
import functools
import math

from oneco.clock import Instant


def to_text(instant: Instant) -> str:
    """`instant` to the second, as metadata and conditions carry it: `2026-11-21T08:00:00Z`."""
    return f"{_second(int(instant))}Z"


def to_micro_text(instant: Instant) -> str:
    """`instant` to the microsecond, as leases and our own statuses carry it."""
    fraction, second = math.modf(instant)
    micros = round(fraction * 1e6)
    if micros == 1_000_000:
        second, micros = second + 1, 0
    return f"{_second(int(second))}.{micros:06d}Z"


@functools.lru_cache(maxsize=256)
def _second(second: int) -> str:
    # Everything that is decided in one second is written with the same text.
    moment = datetime.datetime.fromtimestamp(second, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def from_text(text: str) -> Instant:
    """The instant that an RFC 3339 `text` names; ValueError for anything else."""
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"no time zone in {text!r}")
    return Instant(moment.timestamp())
