"""Rehearsing one release.

Three workloads of ten pods and three nodes on every cluster; version 1 is installed everywhere,
then version 2 goes out in five waves of up to six batches (1, 5, 10, 25, 50 and 100 %; of ten pods
these are four different steps) with 30 minutes of silence after each batch and each wave. Hub,
agents and clusters all run in one process on one core, the full agent loop for every cluster. At
the end every cluster must list its 30 pods of version 2 and the hub a unit, a work and an
observation for each cluster; that reading back is timed apart. Installing counts from an empty
hub: it makes the clusters and their agents too. The peak of memory is the whole process's.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import resource
import time
from typing import NamedTuple

from benchmarks import shop
from benchmarks.figures import Figure
from oneco.clock import Instant
from oneco.kinds import ocm
from oneco.kinds.release import OBSERVATIONS, UNITS
from oneco.kube import objects
from oneco.kube.refs import Address, Resource
from oneco.main.rehearsal import BEGINNING, Rehearsal
from oneco.main.report import Report
from oneco.worlds import clocks
from oneco.worlds.clocks import VirtualClock

_PODS = Resource("", "v1", "pods")
_AIMED_CLUSTERS = 1000


class Mark(NamedTuple):
    """What this process had used at a moment; memory is the peak so far, in MiB."""

    wall: float
    processor: float
    memory: float


class Run(NamedTuple):
    """A rehearsal with what it had used when it began, had installed, had ended, was read back."""

    report: Report
    began: Mark
    installed: Mark
    ended: Mark
    verified: Mark


def measure(clusters: int) -> list[Figure]:
    """One rehearsal over so many clusters."""
    return _figures(rehearse(clusters), clusters)


def rehearse(clusters: int) -> Run:
    """Run one, and hold its end against what it should be."""
    began = _mark()
    marks: list[Mark] = []
    held: list[Rehearsal] = []

    async def main(clock: VirtualClock) -> Report:
        rehearsal = Rehearsal(shop.a_release(clusters), clock)
        held.append(rehearsal)
        clock.call_at(rehearsal.start, lambda: marks.append(_mark()))
        return await rehearsal.run()

    with clocks.rare_collections():
        report = clocks.run(main, Instant(BEGINNING))
        ended = _mark()
        assert report.outcome == "succeeded", report.message
        verify(held[0], clusters)
        return Run(report, began, marks[0], ended, _mark())


def verify(rehearsal: Rehearsal, clusters: int) -> None:
    """Every object of the end is there to be read."""
    images = sorted(shop.image_of(name, 2) for name in shop.COMPONENTS for _ in range(shop.PODS))
    for name, cluster in rehearsal.fleet.items():
        pods = cluster.server.list(Address(_PODS)).items
        found = sorted(pod["spec"]["containers"][0]["image"] for pod in pods)
        assert found == images, f"{name} does not run 30 pods of version 2: {found}"
        phases = {objects.dig(pod, "status", "phase") for pod in pods}
        assert phases == {"Running"}, f"{name} has pods that are {phases}"
    for kind in (UNITS, ocm.WORKS, OBSERVATIONS):
        count = len(rehearsal.server.list(Address(kind)).items)
        assert count == clusters, f"the hub lists {count} {kind.plural}"


def _figures(run: Run, clusters: int) -> list[Figure]:
    seconds, megabytes = (60.0, 2048.0) if clusters == _AIMED_CLUSTERS else (None, None)
    whole = run.ended.wall - run.began.wall
    processor = run.ended.processor - run.began.processor
    released = run.ended.processor - run.installed.processor
    read = run.verified.wall - run.ended.wall
    small = "" if clusters < _AIMED_CLUSTERS else "rehearsal-100/"
    return [
        _one("wall", "whole, wall", "s", whole, aim=seconds),
        _one("install-wall", "– installing version 1", "s", run.installed.wall - run.began.wall),
        _one("release-wall", "– releasing version 2", "s", run.ended.wall - run.installed.wall),
        _one("processor", "whole, processor time", "s", processor, aim=seconds),
        _one("release-processor", "– releasing version 2", "s", released),
        _one("memory", "peak of memory", "MiB", run.ended.memory, aim=megabytes),
        _beside("cost", "processor time a cluster", "ms", processor * 1e3 / clusters, small),
        _beside("release-cost", "– releasing", "ms", released * 1e3 / clusters, small),
        _one("read-wall", "reading every object back", "ms", read * 1e3),
        _one("virtual", "virtual time of the release", "h", run.report.virtual_seconds / 3600),
        _one("writes", "writes of the release", "", run.report.writes),
    ]


def _one(name: str, title: str, unit: str, value: float, aim: float | None = None) -> Figure:
    return Figure(name=name, title=title, unit=unit, samples=(value,), aim=aim)


def _beside(name: str, title: str, unit: str, value: float, small: str) -> Figure:
    """A cost that should be flat: by no more than a fifth above that of a hundred clusters."""
    beside = small + name if small else ""
    ratio = 1.2 if small else None
    return Figure(
        name=name, title=title, unit=unit, samples=(value,), beside=beside, aim_ratio=ratio
    )


def _mark() -> Mark:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Mark(time.perf_counter(), time.process_time(), peak)


def main() -> None:
    """Profile one rehearsal and print its most costly functions."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--clusters", type=int, default=300)
    parser.add_argument("--rows", type=int, default=25)
    options = parser.parse_args()
    profile = cProfile.Profile()
    profile.enable()
    rehearse(options.clusters)
    profile.disable()
    pstats.Stats(profile).sort_stats("tottime").print_stats(options.rows)


if __name__ == "__main__":
    main()
