"""The batches of one unit: how many pods each of them lets be new, and how they are held there.

Where a cluster chooses the size of a workload, what a batch means is counted anew when the batch
begins, and when the workload shrinks in the middle of it. What was counted is in the unit's status.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from oneco.kinds.release import ObservedObject, UnitStatus
from oneco.kube import amounts
from oneco.kube.objects import Object
from oneco.kube.refs import kind_of
from oneco.release import batches, stepping, variants
from oneco.release.batches import Targets
from oneco.release.judgement import identity_of, is_about
from oneco.release.ports import Gate, Workloads
from oneco.release.seen import UnitSeen
from oneco.release.stepping import Row
from oneco.release.variants import Identity


class Count(NamedTuple):
    """The pods of each divided workload, and how many of them the batches so far made new."""

    pods: tuple[int, ...]
    reached: tuple[int, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Where a unit is on its way through its batches."""

    divided: tuple[Object, ...]
    """The workloads that the batches divide."""
    count: Count
    targets: Targets
    """How many pods of each the present batch lets be new."""
    length: int
    """How many batches there are in all, as far as the sizes tell now."""
    gates: Mapping[Identity, Gate]
    """The workloads that are held back, each with how far it is open."""
    is_opening: bool
    """Whether every pod is new already, and only the gates of the last batch go."""
    steps: tuple[int, ...] = ()
    """Where the hub raises the fields itself, how far each gate stands open."""
    next_steps: tuple[int, ...] = ()
    """There, how far each gate will stand open when the present step is complete."""
    is_first_step: bool = True

    @property
    def held(self) -> dict[Identity, int]:
        """Of each held workload, how many pods it may update."""
        return stepping.limits(self.gates)


def of(seen: UnitSeen, workloads: Workloads) -> Course | None:
    """The batches, or None as long as nobody knows how many pods there are to divide."""
    assert seen.target is not None and seen.before is not None, "asked without two versions"
    divided = variants.divided(seen.target, seen.before, workloads)
    count = _counted(seen.status, len(divided), seen.policy.batches)
    if count is None:
        found = tuple(_pods(seen, one, workloads) for one in divided)
        pods = tuple(one for one in found if one is not None)
        if len(pods) != len(found):
            return None
        count = Count(pods, (0,) * len(pods))
    done = max(seen.status.batch, 1) - 1
    left = _left(seen, count, is_first=not done and not any(count.reached))
    is_opening = not left and bool(divided)
    targets = left[0] if left else count.pods
    rows = _rows(seen, divided, count, targets, workloads)
    course = Course(
        divided=divided,
        count=count,
        targets=targets,
        length=done + max(1, len(left)),
        gates=stepping.gates(rows, targets, (0,) * len(rows)),
        is_opening=is_opening,
        is_first_step=not is_opening,
    )
    return course if seen.foreign is None else _stepped(seen, course, rows)


def counted_anew(seen: UnitSeen, course: Course, workloads: Workloads) -> Count:
    """The sizes that the agent tells now, with what the present batch has made new of them."""
    sizes = tuple(_pods(seen, one, workloads) for one in course.divided)
    pods = tuple(
        old if new is None else new for old, new in zip(course.count.pods, sizes, strict=True)
    )
    rows = zip(course.divided, course.targets, course.count.pods, pods, strict=True)
    reached = tuple(
        max(amounts.share(target, old, new), min(new, _new_pods(seen, one)))
        for one, target, old, new in rows
    )
    return Count(pods, reached)


def shrunk(seen: UnitSeen, course: Course, workloads: Workloads) -> Count | None:
    """The batch counted anew where a held workload has fewer pods than it was counted for.

    One that grows keeps its number until the next batch: fewer new pods than allowed harm nobody.
    """
    if seen.observed is None or not is_about(seen.observed, seen.work or {}):
        return None
    pods: list[int] = []
    for one, count in zip(course.divided, course.count.pods, strict=True):
        is_left = workloads[kind_of(one)].replicas(one) is None
        found = _live(seen, one) if is_left and variants.identity(one) in course.gates else None
        pods.append(min(count, found.replicas) if found and found.is_current else count)
    if tuple(pods) == course.count.pods:
        return None
    rows = zip(course.count.reached, course.count.pods, pods, strict=True)
    return Count(tuple(pods), tuple(amounts.share(*row) for row in rows))


def is_all_new(seen: UnitSeen, count: Count) -> bool:
    """Whether no batch after this one would make another pod new."""
    return not _left(seen, count, is_first=False)


def length_after(seen: UnitSeen, done: int, count: Count) -> int:
    """How many batches there are in all once `done` are complete."""
    return done + len(_left(seen, count, is_first=not done))


def _counted(status: UnitStatus, length: int, given: Sequence[str | int]) -> Count | None:
    """What the status keeps; None where nothing was counted yet."""
    if not status.is_touched or len(status.pods) != length:
        return None
    if len(status.reached) == length:
        return Count(status.pods, status.reached)
    # Written before this was kept: the sizes have not changed since the first batch.
    plan = batches.plan(given, status.pods)
    done = min(max(status.batch, 1), len(plan)) - 1
    return Count(status.pods, plan[done - 1] if done else (0,) * length)


def _left(seen: UnitSeen, count: Count, *, is_first: bool) -> Sequence[Targets]:
    """The batches that are still to come, the present one included."""
    plan = batches.plan(seen.policy.batches, count.pods)
    return plan if is_first else batches.beyond(plan, count.reached)


def _rows(
    seen: UnitSeen,
    divided: Sequence[Object],
    count: Count,
    targets: Targets,
    workloads: Workloads,
) -> tuple[Row, ...]:
    given = seen.policy.batches
    rows = zip(divided, *count, targets, strict=True)
    return tuple(
        Row(one, reached, target, pods, is_held=target < pods or (
            # So few pods that earlier batches would be whole too: it may have got more meanwhile.
            # So it is held at their number until that is certain.
            reached < pods
            and workloads[kind_of(one)].replicas(one) is None
            and batches.is_whole_early(given, pods)
        ))
        for one, pods, reached, target in rows
    )  # fmt: skip


def _stepped(seen: UnitSeen, course: Course, rows: Sequence[Row]) -> Course:
    """The course where the hub raises the fields itself, in steps up to the batch's numbers."""
    assert seen.foreign is not None, "our own agent takes the steps itself"
    drivers = seen.foreign.steps
    if any(kind_of(one.manifest) not in drivers for one in rows):
        # It can only go out at once, or not at all: there is nothing to hold.
        return dataclasses.replace(course, gates={})
    rungs = stepping.ladder(rows, drivers)
    first = rungs[min(1, len(rungs) - 1)]
    steps = seen.status.steps if seen.status.steps in rungs else first
    place = rungs.index(steps)
    return dataclasses.replace(
        course,
        gates=stepping.gates(rows, steps, rungs[max(0, place - 1)]),
        steps=steps,
        next_steps=rungs[min(place + 1, len(rungs) - 1)],
        is_first_step=steps == first and not course.is_opening,
    )


def _pods(seen: UnitSeen, manifest: Object, workloads: Workloads) -> int | None:
    """How many pods a workload has: as its manifest says, else as its cluster does."""
    said = workloads[kind_of(manifest)].replicas(manifest)
    if said is not None:
        return said
    found = _live(seen, manifest)
    return found.replicas if found is not None else None


def _new_pods(seen: UnitSeen, manifest: Object) -> int:
    """The new pods that are ready, as its cluster says."""
    found = _live(seen, manifest)
    return found.updated_ready if found is not None and found.is_current else 0


def _live(seen: UnitSeen, manifest: Object) -> ObservedObject | None:
    """The workload as the agent sees it."""
    there: Sequence[ObservedObject] = seen.observed.objects if seen.observed else ()
    wanted = variants.place(variants.identity(manifest))
    found = (one for one in there if variants.place(identity_of(one)) == wanted)
    return next(found, None)
