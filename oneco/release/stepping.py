"""How the hub raises a batch's fields itself: in steps no larger than the workload allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from oneco.kube import objects
from oneco.kube.objects import Object
from oneco.kube.refs import kind_of
from oneco.release import batches, variants
from oneco.release.ports import Gate, Steps, Workloads
from oneco.release.variants import Identity, Variant

# A workload whose size its cluster chooses may have as many pods as this, or more.
_MANY = 100


class Row(NamedTuple):
    """One workload in a batch: from how many new pods to how many, of how many."""

    manifest: Object
    reached: int
    target: int
    pods: int
    is_held: bool
    """Whether its gate stays, so that no other pod becomes new."""


def openings(rows: Sequence[Row], opened: Sequence[int], steps: Steps) -> tuple[int, ...]:
    """How far each workload's gate opens next, where `opened` is complete."""
    return tuple(
        min(row.target, done + max(1, steps[kind_of(row.manifest)].stride(row.manifest, row.pods)))
        if row.is_held and done < row.target
        else row.target
        for row, done in zip(rows, opened, strict=True)
    )


def ladder(rows: Sequence[Row], steps: Steps) -> tuple[tuple[int, ...], ...]:
    """The steps from what was reached to the batch's numbers, both ends included."""
    rungs = [tuple(row.reached for row in rows)]
    # Each step opens at least one pod more of some workload.
    for _ in range(sum(row.pods for row in rows) + 1):
        opened = openings(rows, rungs[-1], steps)
        if opened == rungs[-1]:
            break
        rungs.append(opened)
    return tuple(rungs)


def gates(
    rows: Sequence[Row], opened: Sequence[int], reached: Sequence[int]
) -> dict[Identity, Gate]:
    """The workloads whose gates are not open to all pods, each with how far they are."""
    return {
        variants.identity(row.manifest): Gate(
            min(now, row.target), min(done, now, row.target), row.pods
        )
        for row, now, done in zip(rows, opened, reached, strict=True)
        if row.is_held
    }


def limits(gates: Mapping[Identity, Gate]) -> dict[Identity, int]:
    """Of each held workload, how many pods it may update."""
    return {key: gate.updated for key, gate in gates.items()}


def obstacle(
    target: Variant,
    before: Variant,
    amounts: Sequence[str | int],
    workloads: Workloads,
    steps: Steps,
) -> str:
    """Why the change cannot go out in these batches where the hub has only fields; or nothing."""
    for one in variants.divided(target, before, workloads):
        count = workloads[kind_of(one)].replicas(one)
        if len(batches.plan(amounts, (_MANY if count is None else count,))) < 2:
            continue
        driver = steps.get(kind_of(one))
        fault = (
            driver.obstacle(one)
            if driver is not None
            else "no fields are known that hold it; wanted oneco's own agent in this cluster"
        )
        if fault:
            label = f"{kind_of(one).kind} {objects.name(one)}"
            return (
                f"{label} cannot be updated batch by batch where the agent is not oneco's: {fault},"
                ' or batches: ["100%"]'
            )
    return ""
