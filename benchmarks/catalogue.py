"""Which benchmarks there are, how large each is, and how often it is run."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
from collections.abc import Mapping

from benchmarks.figures import Figure
from tools.real import building


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """One module's `measure`, called with `options`, or with `quick` where it need only work.

    `programs` are those of `tools.real` that it starts.
    """

    name: str
    title: str
    module: str
    options: Mapping[str, int | str]
    quick: Mapping[str, int | str]
    runs: int = 3
    programs: tuple[str, ...] = ()

    def measure(self, *, is_quick: bool) -> list[Figure]:
        """Measure in this process."""
        module = importlib.import_module(self.module)
        figures: list[Figure] = module.measure(**(self.quick if is_quick else self.options))
        return figures

    def method(self) -> str:
        """How it is measured, in the module's own words."""
        text = inspect.getdoc(importlib.import_module(self.module)) or ""
        return text.partition("\n\n")[2] or text


ALL = (
    Benchmark(
        name="rehearsal-100",
        title="Rehearsing a release over 100 clusters",
        module="benchmarks.rehearsal",
        options={"clusters": 100},
        quick={"clusters": 5},
    ),
    Benchmark(
        name="rehearsal-1000",
        title="Rehearsing a release over 1,000 clusters",
        module="benchmarks.rehearsal",
        options={"clusters": 1000},
        quick={"clusters": 10},
        runs=1,
    ),
    Benchmark(
        name="decisions",
        title="Deciding",
        module="benchmarks.decisions",
        options={"units": 1000, "samples": 100},
        quick={"units": 50, "samples": 3},
    ),
    Benchmark(
        name="embedded",
        title="The embedded server",
        module="benchmarks.embedded",
        options={"objects": 10_000},
        quick={"objects": 100, "watchers": 5},
    ),
    Benchmark(
        name="agent",
        title="The agent of one cluster",
        module="benchmarks.agent",
        options={"components": 11, "settle_seconds": 15},
        quick={"components": 1, "settle_seconds": 0},
    ),
    Benchmark(
        name="startup",
        title="Starting the command",
        module="benchmarks.startup",
        options={"starts": 10},
        quick={"starts": 2},
    ),
    Benchmark(
        name="behaviours",
        title="A simulated cluster by itself",
        module="benchmarks.behaviours",
        options={"clusters": 100},
        quick={"clusters": 2},
    ),
    Benchmark(
        name="applying",
        title="Writing to a simulated cluster",
        module="benchmarks.applying",
        options={"samples": 1000},
        quick={"samples": 10},
    ),
)

_SERVER = ("etcd", "kube-apiserver", "kube-controller-manager")
REAL = (
    Benchmark(
        name="works-ocm",
        title="Works: Open Cluster Management's work agent",
        module="benchmarks.works",
        options={"agent": "ocm", "works": 200, "singles": 40},
        quick={"agent": "ocm", "works": 5, "singles": 3},
        programs=(*_SERVER, "ocm-work"),
    ),
    Benchmark(
        name="works-oneco",
        title="Works: our agent",
        module="benchmarks.works",
        options={"agent": "oneco", "works": 200, "singles": 40},
        quick={"agent": "oneco", "works": 5, "singles": 3},
        programs=_SERVER,
    ),
    Benchmark(
        name="real-server",
        title="The embedded server beside kube-apiserver and etcd",
        module="benchmarks.real_server",
        options={"objects": 10_000, "watchers": 200},
        quick={"objects": 100, "watchers": 5},
        programs=("etcd", "kube-apiserver"),
    ),
    Benchmark(
        name="applications",
        title="Applications on a real hub",
        module="benchmarks.applications",
        options={"applications": 200},
        quick={"applications": 3},
        programs=building.CONTROL_PLANE,
    ),
)
"""Those that hold the product against real programs: `./dev bench --real`. What one is held
against comes before it."""


def called(name: str) -> Benchmark:
    """The benchmark of that name; KeyError where there is none."""
    return {one.name: one for one in (*ALL, *REAL)}[name]
