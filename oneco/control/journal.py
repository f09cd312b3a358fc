"""What was decided and done, for people and for replays: only decisions that act are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from oneco.clock import Instant
from oneco.decision import Decision

Key = tuple[str, str]


class Entry(NamedTuple):
    """One decision that acted: who decided, about what, when, and how many writes came of it."""

    at: Instant
    controller: str
    key: Key
    decision: Decision
    writes: int


Journal = Callable[[Entry], None]


def forget(entry: Entry) -> None:
    """A journal that keeps nothing."""
