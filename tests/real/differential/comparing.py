"""Thousands of generated cases in both worlds: collected first, played side by side, shrunk last.

Cases are independent of each other, so they are played many at a time. Only where one differs is
Hypothesis asked again, one case after the other, for the smallest that differs in the same way.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import re
import traceback
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import hypothesis
from hypothesis import strategies as st

from oneco.kube.api import Api
from oneco.kube.objects import encode
from tests.real.differential import deliberate
from tests.real.differential.differences import comparable, differences
from tests.real.differential.pace import FollowingClock, Pace
from tests.real.differential.steps import Case, Place, play

AT_ONCE = 24
TIMES = 5
SHRINK_EXAMPLES = 3000
COUNTS: dict[str, int] = {}
"""How many cases each family compared in this run."""
SCALE = float(os.environ.get("ONECO_DIFFERENTIAL_SCALE", "0.6"))
"""So much of the full number of cases; 1 is for those who look for more."""
SEED = int(os.environ.get("ONECO_DIFFERENTIAL_SEED", "1"))
"""The same cases for everybody by default: what a run fails for, the change under test did."""

_numbers = itertools.count()
Play = Callable[[Place, Any], Awaitable[Sequence[Any]]]


class Pair(NamedTuple):
    """The two worlds, a namespace that both have, and the loop that they are asked in."""

    ours: Api
    theirs: Api
    clock: FollowingClock
    namespace: str
    runner: asyncio.Runner


class Found(NamedTuple):
    """A case that went differently, and where."""

    case: Any
    places: tuple[str, ...]

    @property
    def mark(self) -> str:
        """What tells this kind of difference from others: the first place, without numbers."""
        return re.sub(r"\d+", "#", self.places[0])[:160]


def compare(
    pair: Pair, family: str, cases: st.SearchStrategy[Any], count: int, player: Play = play
) -> None:
    """Fail with the smallest case that goes differently in the two worlds, if any does."""
    collected = _collected(cases, int(count * SCALE))
    found = pair.runner.run(_all_differing(pair, collected, player))
    COUNTS[family] = COUNTS.get(family, 0) + len(collected)
    if found:
        raise AssertionError(_told(pair, family, cases, found, player))


def compare_literally(pair: Pair, family: str, cases: Sequence[Any], player: Play = play) -> None:
    """Fail with those of `cases` that go differently in the two worlds."""
    found = pair.runner.run(_all_differing(pair, cases, player))
    COUNTS[family] = COUNTS.get(family, 0) + len(cases)
    assert not found, "\n\n".join(_shown(one) for one in found)


def _collected(cases: st.SearchStrategy[Any], count: int) -> list[Any]:
    collected: list[Any] = []

    @hypothesis.seed(SEED)
    @hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(cases)
    def collect(case: Any) -> None:
        collected.append(case)

    collect()
    return collected


async def _all_differing(pair: Pair, cases: Sequence[Any], player: Play) -> list[Found]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(case: Any) -> Found | None:
        async with gate:
            return await _differing(pair, case, player)

    found = [one for one in await asyncio.gather(*map(one, cases)) if one]
    again = [await _again(pair, one, player) for one in found]
    return [one for one in again if one]


async def _again(pair: Pair, found: Found, player: Play) -> Found | None:
    """What is still different when a case is played alone, as often as it differs.

    A busy machine, and the threads of the real garbage collector, decide some ends anew each time.
    """
    last: Found | None = found
    for _ in range(TIMES):
        last = await _differing(pair, found.case, player)
        if last is None:
            break
    return last


async def _differing(pair: Pair, case: Any, player: Play) -> Found | None:
    name = f"case-{next(_numbers)}"
    led = Pace()
    theirs = await player(Place(pair.theirs, pair.namespace, name, led), case)
    following = Pace(pair.clock, led)
    try:
        ours = await player(Place(pair.ours, pair.namespace, name, following), case)
    except Exception as error:
        # A server that falls over differs; the other cases are still to be compared.
        return Found(case, (f": {''.join(traceback.format_exception(error)[-4:])} | an answer",))
    # Through JSON, as over the wire: tuples and lists are the same there.
    places = deliberate.remaining(differences(*map(_plain, (ours, theirs))))
    return Found(case, tuple(places)) if places else None


def _plain(outcomes: Sequence[Any]) -> Any:
    import msgspec

    return comparable(msgspec.json.decode(encode(list(outcomes))))


def _told(
    pair: Pair, family: str, cases: st.SearchStrategy[Any], found: Sequence[Found], player: Play
) -> str:
    kinds: dict[str, list[Found]] = {}
    for one in found:
        kinds.setdefault(one.mark, []).append(one)
    lines = [f"{family}: {len(found)} cases went differently, in {len(kinds)} ways"]
    ordered = sorted(kinds.items(), key=lambda pair: -len(pair[1]))
    for mark, ones in ordered:
        lines.append(f"  {len(ones):4} x {mark}")
    if "ONECO_DIFFERENTIAL_ALL" in os.environ:
        for _, ones in ordered:
            smallest = min(ones, key=lambda one: len(repr(one.case)))
            lines += ["", _shown(smallest)]
    else:
        lines += ["", _shown(_smallest(pair, cases, ordered[0][1][0], player))]
    return "\n".join(lines)


def _smallest(pair: Pair, cases: st.SearchStrategy[Any], like: Found, player: Play) -> Found:
    last = [like]

    def is_like(case: Any) -> bool:
        found = pair.runner.run(_differing(pair, case, player))
        if found is None or found.mark != like.mark:
            return False
        last.append(found)
        return True

    settings = hypothesis.settings(
        max_examples=SHRINK_EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    try:
        smallest = hypothesis.find(cases, is_like, settings=settings, random=random.Random(SEED))
    except hypothesis.errors.NoSuchExample:
        return like
    return next((one for one in reversed(last) if one.case == smallest), last[-1])


def _shown(found: Found) -> str:
    case = found.case
    lines = [f"{case.resource.plural}:"] if isinstance(case, Case) else [repr(case)]
    if isinstance(case, Case):
        lines += [f"  {step}" for step in case.steps]
    return "\n".join([*lines, "  ours | theirs:", *(f"    {place}" for place in found.places[:12])])
