"""The report of a rehearsal as a person reads it in a minute."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from oneco.cli import printing
from oneco.kinds import durations

if TYPE_CHECKING:
    from oneco.main.report import Event, Report, WaveTime

_HEADLINES: Final = {
    "succeeded": "succeeded",
    "blocked": "was blocked",
    "rolledBack": "was rolled back",
    "failed": "failed",
}
# What every cluster does on its way is told by the waves already.
_ROUTINE: Final = frozenset(
    {
        "BatchStarted", "BatchHealthy", "UnitSucceeded", "WaveStarted", "CheckPassed",
        "UnitRolledBack", "RollbackStarted",
    }
)  # fmt: skip
_SHOWN: Final = 24


def text(report: Report, *, has_all: bool = False) -> str:
    """The whole report; `has_all` tells every event."""
    parts = [_headline(report), _waves(report.waves), _reach(report)]
    events = report.events if has_all else tuple(_notable(report.events))
    if events:
        parts.append(_events(events, has_all=has_all))
    return "\n\n".join(part for part in parts if part)


def _headline(report: Report) -> str:
    clusters = printing.counted(report.clusters, "cluster")
    took = durations.show(report.virtual_seconds)
    line = (
        f"The release of {report.application} to {clusters} {_HEADLINES[report.outcome]}"
        f" after {took}."
    )
    spent = f"(Rehearsed in {report.wall_seconds:.1f} s, seed {report.seed}.)"
    return "\n".join(part for part in (line, _sentence(report.message), spent) if part)


def _waves(waves: Sequence[WaveTime]) -> str:
    rows = [
        (
            f"  {wave.name}",
            printing.counted(wave.clusters, "cluster"),
            "never begun" if wave.started_at is None else _at(wave.started_at),
            _ended(wave),
        )
        for wave in waves
    ]
    return printing.table(("  WAVE", "SIZE", "BEGUN", "ENDED"), rows) if rows else ""


def _ended(wave: WaveTime) -> str:
    if wave.finished_at is not None:
        return _at(wave.finished_at)
    return "never" if wave.started_at is not None else ""


def _reach(report: Report) -> str:
    if not report.max_exposed_share:
        return "No pod ever ran a version that had not proven itself."
    share = report.max_exposed_share * 100
    where = printing.counted(report.max_exposed_clusters, "cluster")
    return (
        f"At most {share:.3g} % of all pods, in {where} at most, ran the new version before it"
        " had proven itself."
    )


def _notable(events: Sequence[Event]) -> Iterator[Event]:
    return (one for one in events if one.what not in _ROUTINE)


def _events(events: Sequence[Event], *, has_all: bool) -> str:
    shown = list(events)
    left = 0
    if not has_all and len(shown) > _SHOWN:
        # How it began and how it ended tell the most.
        left = len(shown) - _SHOWN
        shown = [*shown[: _SHOWN // 2], *shown[-_SHOWN // 2 :]]
    rows = [(f"  {_at(one.at)}", one.cluster or "", one.what, one.why) for one in shown]
    told = printing.table(("  AT", "CLUSTER", "WHAT", "WHY"), rows)
    return f"{told}\n  … and {left} more in between; --events tells all." if left else told


def _at(seconds: float) -> str:
    return durations.show(seconds)


def _sentence(message: str) -> str:
    return f"{message[0].upper()}{message[1:].rstrip('.')}." if message else ""
