"""What one decision costs.

A unit of the Online Boutique (eleven workloads) in its second batch, and a wave of 1,000 such
units, gathered from the cache as the shell does it and decided. *After a change* is the case of
every day: an observation (or, for the wave, one unit's status) has come in that no memory knows,
all else was seen before. *Unchanged* is a decision over nothing new, *cold* is a process's first:
every object is new to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from benchmarks import boutique
from benchmarks.boutique import Midway
from benchmarks.figures import Figure
from oneco.clock import Instant
from oneco.control.cache import CacheReader
from oneco.decision import Decision
from oneco.kinds.release import OBSERVATIONS, RELEASES, UNITS
from oneco.kube import objects
from oneco.kube.objects import Object
from oneco.main.workloads import WORKLOADS
from oneco.release import releases, seen
from oneco.release import units as unit_decider
from oneco.worlds.clocks import rare_collections

_UNIT_AIM_MICROSECONDS, _WAVE_AIM_MILLISECONDS = 200.0, 5.0


class Cost(NamedTuple):
    """Seconds that gathering and deciding took."""

    gather: float
    decide: float

    @property
    def whole(self) -> float:
        """Both together."""
        return self.gather + self.decide


Decide = Callable[[CacheReader, Instant], Cost]


def measure(units: int, samples: int) -> list[Figure]:
    """One sample a decision."""
    with rare_collections():
        midway = boutique.midway()
        return [*_unit_figures(midway, samples), *_wave_figures(midway, units, samples)]


def _unit_figures(midway: Midway, samples: int) -> list[Figure]:
    unit = midway.unit()
    key = (objects.namespace(unit), objects.name(unit))

    def decide(reader: CacheReader, now: Instant) -> Cost:
        began = time.perf_counter()
        found = seen.unit(reader, key)
        gathered = time.perf_counter()
        assert found is not None, f"there is no unit {key}"
        decision = unit_decider.decide(found, now, WORKLOADS)
        decided = time.perf_counter()
        _check(decision)
        return Cost(gathered - began, decided - gathered)

    # The first decision fills the memories of what does not change.
    decide(midway.reader(), midway.now)
    changed = _costs(decide, _observed(midway, samples))
    same = _costs(decide, [midway] * samples)
    cold = _costs(decide, (midway.decoded_anew() for _ in range(samples)))
    return [
        _figure("unit", "a unit after a change", changed, "µs", _UNIT_AIM_MICROSECONDS),
        _figure("unit-decide", "– without the gathering", _decides(changed), "µs"),
        _figure("unit-same", "a unit, unchanged", same, "µs"),
        _figure("unit-cold", "a unit, cold", cold, "µs"),
    ]


def _wave_figures(midway: Midway, units: int, samples: int) -> list[Figure]:
    wave = boutique.with_wave(midway, units)
    [release] = wave.held[RELEASES]
    key = (objects.namespace(release), objects.name(release))

    def decide(reader: CacheReader, now: Instant) -> Cost:
        began = time.perf_counter()
        found = seen.release(reader, key)
        gathered = time.perf_counter()
        assert found is not None, f"there is no release {key}"
        assert len(found.units) == units, f"a wave of {len(found.units)} units"
        decision = releases.decide(found, now)
        decided = time.perf_counter()
        _check(decision)
        return Cost(gathered - began, decided - gathered)

    decide(wave.reader(), wave.now)
    changed = _costs(decide, _told(wave, samples))
    same = _costs(decide, [wave] * samples)
    # A tenth of the samples: each decodes a thousand units.
    cold = _costs(decide, (wave.decoded_anew() for _ in range(max(2, samples // 10))))
    title = f"a wave of {units:,}"
    return [
        _figure("wave", f"{title} after a change", changed, "ms", _WAVE_AIM_MILLISECONDS),
        _figure("wave-decide", "– without the gathering", _decides(changed), "ms"),
        _figure("wave-same", f"{title}, unchanged", same, "ms"),
        _figure("wave-cold", f"{title}, cold", cold, "ms"),
    ]


def _observed(midway: Midway, samples: int) -> Iterator[Midway]:
    """Midway with one observation after another, each decoded from what an agent sent."""
    for _ in range(samples):
        news = boutique.decoded_anew(midway.observation())
        others = [one for one in midway.held[OBSERVATIONS] if one is not midway.observation()]
        yield midway.having(OBSERVATIONS, [*others, news])


def _told(wave: Midway, samples: int) -> Iterator[Midway]:
    """A wave with one unit's status after another new."""
    told: list[Object] = list(wave.held[UNITS])
    for number in range(samples):
        place = number % len(told)
        told[place] = boutique.decoded_anew(told[place])
        yield wave.having(UNITS, tuple(told))


def _costs(decide: Decide, moments: Iterable[Midway]) -> list[Cost]:
    found: list[Cost] = []
    last: tuple[Midway, CacheReader] | None = None
    for moment in moments:
        if last is None or last[0] is not moment:
            last = (moment, moment.reader())
        found.append(decide(last[1], moment.now))
    return found


def _decides(costs: list[Cost]) -> list[Cost]:
    return [Cost(0.0, one.decide) for one in costs]


def _figure(
    name: str, title: str, costs: list[Cost], unit: str, aim: float | None = None
) -> Figure:
    factor = 1e6 if unit == "µs" else 1e3
    samples = tuple(one.whole * factor for one in costs)
    return Figure(name=name, title=title, unit=unit, samples=samples, aim=aim)


def _check(decision: Decision) -> None:
    """A decision that says nothing would be cheap for the wrong reason."""
    assert decision.statuses, f"the decision has no status: {decision}"
