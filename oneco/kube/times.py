"""Instants as Kubernetes writes them."""

from __future__ import annotations

import datetime

from oneco.clock import Instant


def to_text(instant: Instant) -> str:
    """`instant` to the second, as metadata and conditions carry it: `2026-11-21T08:00:00Z`."""
    moment = datetime.datetime.fromtimestamp(int(instant), datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def to_micro_text(instant: Instant) -> str:
    """`instant` to the microsecond, as leases and our own statuses carry it."""
    moment = datetime.datetime.fromtimestamp(instant, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_text(text: str) -> Instant:
    """The instant that an RFC 3339 `text` names; ValueError for anything else."""
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"no time zone in {text!r}")
    return Instant(moment.timestamp())
