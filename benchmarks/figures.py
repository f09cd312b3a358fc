"""A measured figure, beside what it should be."""

from __future__ import annotations

import statistics

import msgspec

_MANY = 40


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was measured, as often as it was: the figure is the median of `samples`.

    `aim` is the most it should be, `least` the least; `aim_ratio` is the most it should be as a
    multiple of the figure `beside`, which is a `benchmark/name` of the same run.
    """

    name: str
    title: str
    unit: str
    samples: tuple[float, ...]
    aim: float | None = None
    least: float | None = None
    beside: str = ""
    aim_ratio: float | None = None

    @property
    def value(self) -> float:
        """The median."""
        return statistics.median(self.samples)

    @property
    def spread(self) -> tuple[float, float]:
        """The least and the most; of many samples, what nine tenths of them lie between."""
        if len(self.samples) < _MANY:
            return min(self.samples), max(self.samples)
        steps = statistics.quantiles(self.samples, n=20)
        return steps[0], steps[-1]


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one benchmark over all its runs, and how they were measured.

    `load` is how many processes wanted a core in the minute before the first run.
    """

    name: str
    title: str
    method: str
    runs: int
    load: float
    figures: tuple[Figure, ...]
    is_real: bool = False


def pooled(runs: list[list[Figure]]) -> tuple[Figure, ...]:
    """The figures of several runs of one benchmark, each with the samples of all of them."""
    found: dict[str, Figure] = {}
    for figure in (figure for run in runs for figure in run):
        before = found.get(figure.name)
        samples = (*before.samples, *figure.samples) if before else figure.samples
        found[figure.name] = msgspec.structs.replace(figure, samples=samples)
    return tuple(found.values())


def verdicts(measured: list[Measured]) -> dict[str, str]:
    """By `benchmark/name`: `met` or `missed` for every figure that has an aim to be held to."""
    values = {f"{one.name}/{figure.name}": figure for one in measured for figure in one.figures}
    found = {}
    for key, figure in values.items():
        limit = limit_of(figure, values)
        if limit is not None or figure.least is not None:
            is_enough = figure.least is None or figure.value >= figure.least
            is_little = limit is None or figure.value <= limit
            found[key] = "met" if is_enough and is_little else "missed"
    return found


def limit_of(figure: Figure, values: dict[str, Figure]) -> float | None:
    """The most that `figure` should be; None where it has no aim, or no figure to stand beside."""
    if figure.aim is not None:
        return figure.aim
    other = values.get(figure.beside)
    if other is None or figure.aim_ratio is None:
        return None
    return other.value * figure.aim_ratio
