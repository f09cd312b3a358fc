"""What a rehearsal found, as a value: the JSON of `oneco rehearse -o json` is exactly this."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import msgspec

Outcome = Literal["succeeded", "blocked", "rolledBack", "failed"]


class Event(NamedTuple):
    """One thing that happened, in seconds since the start; `cluster` is None for the whole."""

    at: float
    cluster: str | None
    what: str
    why: str


class WaveTime(NamedTuple):
    """One wave of the release, in seconds since the start; None where it never came to it."""

    name: str
    clusters: int
    started_at: float | None
    finished_at: float | None


class Report(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How a rehearsal ended, what happened on the way, and how far an unfinished version got."""

    outcome: Outcome
    virtual_seconds: float
    writes: int
    max_exposed_share: float
    max_exposed_clusters: int
    events: tuple[Event, ...]
    message: str
    application: str
    clusters: int
    waves: tuple[WaveTime, ...]
    wall_seconds: float
    seed: int

    def document(self) -> dict[str, Any]:
        """The JSON document of the command line: the same for the same seed."""
        return {
            "outcome": self.outcome,
            "virtualSeconds": self.virtual_seconds,
            "writes": self.writes,
            "maxExposedShare": round(self.max_exposed_share, 6),
            "maxExposedClusters": self.max_exposed_clusters,
            "events": [event._asdict() for event in self.events],
        }
