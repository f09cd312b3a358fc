"""How many pods of each workload a batch updates: cumulative, rounded up, never fewer than one."""

from __future__ import annotations

import functools
from collections.abc import Sequence

Targets = tuple[int, ...]


def plan(batches: Sequence[str | int], replicas: Sequence[int]) -> tuple[Targets, ...]:
    """The batches of one unit: for each, how many pods of each workload run the new template.

    Batches that come to the same numbers are one; the last one is always everything. Without any
    workload to divide there is one batch.
    """
    # Asked at every look at a unit, mostly with the same numbers.
    return _plan(tuple(batches), tuple(replicas))


def beyond(plan: Sequence[Targets], reached: Targets) -> tuple[Targets, ...]:
    """Of the batches, those that make more pods new than there are; none takes any of them back."""
    rows = (tuple(map(max, row, reached)) for row in plan)
    return tuple(dict.fromkeys(row for row in rows if row != reached))


def is_whole_early(batches: Sequence[str | int], replicas: int) -> bool:
    """Whether so few pods are all new before the batch that is meant to be everything."""
    shares = (one for one in batches if isinstance(one, int) or float(one.rstrip("%")) < 100)
    return any(_target(one, replicas) == replicas for one in shares)


@functools.lru_cache(maxsize=4096)
def _plan(batches: tuple[str | int, ...], replicas: tuple[int, ...]) -> tuple[Targets, ...]:
    steps: list[Targets] = []
    reached = (0,) * len(replicas)
    for batch in (*batches, "100%"):
        # Numbers and shares may stand mixed, and which of two is more depends on the workload: what
        # has been updated is never taken back.
        targets = tuple(map(max, reached, (_target(batch, count) for count in replicas)))
        if not steps or targets != steps[-1]:
            steps.append(targets)
        reached = targets
    return tuple(steps)


def _target(batch: str | int, replicas: int) -> int:
    if isinstance(batch, int):
        return min(batch, replicas)
    percent = float(batch.rstrip("%"))
    if percent == 0 or replicas == 0:
        return 0
    # Rounded up in whole numbers: a float product such as 7.000000001 must not add a pod.
    hundredths = round(percent * 100)
    return min(replicas, max(1, -(-replicas * hundredths // 10_000)))
