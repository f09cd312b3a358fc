"""How the hub raises a batch's fields itself: in steps no larger than the workload allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oneco.kube import objects
from oneco.kube.objects import Object
from oneco.kube.refs import kind_of
from oneco.release import batches, variants
from oneco.release.ports import Gate, Steps, Workloads
from oneco.release.variants import Identity, Variant

# A workload whose size its cluster chooses may have as many pods as this, or more.
_MANY = 100


def openings(
    divided: Sequence[Object],
    reached: Sequence[int],
    targets: Sequence[int],
    pods: Sequence[int],
    steps: Steps,
) -> tuple[int, ...]:
    """How far each workload's gate opens next, where `reached` is complete."""
    rows = zip(divided, reached, targets, pods, strict=True)
    return tuple(
        min(target, done + max(1, steps[kind_of(one)].stride(one, count)))
        if done < target < count
        else target
        for one, done, target, count in rows
    )


def ladder(
    divided: Sequence[Object],
    reached: Sequence[int],
    targets: Sequence[int],
    pods: Sequence[int],
    steps: Steps,
) -> tuple[tuple[int, ...], ...]:
    """The steps from `reached` to `targets`, both ends included."""
    rungs = [tuple(reached)]
    # Each step opens at least one pod more of some workload.
    for _ in range(sum(pods) + 1):
        opened = openings(divided, rungs[-1], targets, pods, steps)
        if opened == rungs[-1]:
            break
        rungs.append(opened)
    return tuple(rungs)


def gates(
    divided: Sequence[Object],
    opened: Sequence[int],
    reached: Sequence[int],
    targets: Sequence[int],
    pods: Sequence[int],
) -> dict[Identity, Gate]:
    """The workloads whose gates are not open to all pods, each with how far they are."""
    rows = zip(divided, opened, reached, targets, pods, strict=True)
    return {
        variants.identity(one): Gate(min(now, target), min(done, now, target), count)
        for one, now, done, target, count in rows
        if target < count
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
