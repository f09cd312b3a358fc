"""Real clusters for tests: `./dev real` runs those that need one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.real.cluster import LIVING, RealCluster, running
from tools.real import building, leftovers

NODES = 3
NEEDS = {
    "programs": building.CONTROL_PLANE,
    "kruise_fleet": ("kruise-manager",),
    "ocm_agents": ("ocm-registration", "ocm-work"),
}
"""The programs that a fixture needs, by its name."""
SECONDS = 240
GROUP = "real"
"""All tests of a run that need a real cluster share its process, and so the clusters."""
MARKS = (pytest.mark.real, pytest.mark.timeout(SECONDS), pytest.mark.xdist_group(GROUP))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build what the chosen tests need, before the clock of any of them runs."""
    if session.config.option.collectonly:
        return
    real = [item for item in session.items if item.get_closest_marker("real")]
    chosen = {name for item in real for name in ("programs", *getattr(item, "fixturenames", ()))}
    needed = {program for fixture in chosen for program in NEEDS.get(fixture, ())}
    if real:
        try:
            building.build(needed)
        except building.Unbuildable as failure:
            raise pytest.UsageError(str(failure)) from None


@pytest.fixture(scope="session")
def programs() -> Mapping[str, Path]:
    """The programs of a control plane."""
    leftovers.sweep()
    return building.build(NEEDS["programs"])


@pytest.fixture(scope="session")
def ocm_agents() -> Mapping[str, Path]:
    """Open Cluster Management's agents: `ocm-work` and `ocm-registration`."""
    return building.build(NEEDS["ocm_agents"])


@pytest.fixture(scope="session")
def real_cluster(programs, tmp_path_factory) -> Iterator[RealCluster]:
    """A cluster whose controllers work and that has no nodes: pods stay as they are made."""
    cluster = RealCluster(tmp_path_factory.mktemp("real"), programs)
    with running(cluster):
        yield cluster


class Fleet:
    """`fleet(n)`: the first n clusters of this run, each with nodes that pods run on.

    All tests of a run share them: whoever changes more than a namespace of their own puts it back.
    """

    def __init__(self, folder: Callable[[str], Path], programs: Mapping[str, Path]) -> None:
        self._folder, self._programs = folder, programs
        self._clusters: list[RealCluster] = []
        self._stack = contextlib.ExitStack()

    def __call__(self, count: int, *, nodes: int = NODES) -> Sequence[RealCluster]:
        """The first clusters, each with at least so many nodes."""
        new = [self._made(number, nodes) for number in range(len(self._clusters), count)]
        self._stack.enter_context(running(*new))
        self._clusters += new
        for one in self._clusters[:count]:
            one.need_nodes(nodes)
        return self._clusters[:count]

    def end(self) -> None:
        """End all of them."""
        self._stack.close()

    def _made(self, number: int, nodes: int) -> RealCluster:
        kruise = "kruise-manager" in self._programs
        folder = self._folder(f"{'kruise' if kruise else 'member'}-{number}")
        return RealCluster(folder, self._programs, nodes=nodes, kruise=kruise)


@pytest.fixture(scope="session")
def real_fleet(programs, tmp_path_factory) -> Iterator[Fleet]:
    """`real_fleet(n)`: clusters with nodes."""
    fleet = Fleet(tmp_path_factory.mktemp, programs)
    yield fleet
    fleet.end()


@pytest.fixture(scope="session")
def kruise_fleet(programs, tmp_path_factory) -> Iterator[Fleet]:
    """`kruise_fleet(n)`: clusters with nodes and OpenKruise; not those of `real_fleet`."""
    fleet = Fleet(tmp_path_factory.mktemp, {**programs, **building.build(NEEDS["kruise_fleet"])})
    yield fleet
    fleet.end()


def mark(item: pytest.Item) -> None:
    """Make a test one that needs a real cluster; if it hangs, it is ended."""
    for one in MARKS:
        item.add_marker(one)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the ends of the clusters' logs beside a failure."""
    report = yield
    if report.failed and report.when == "call":
        for log in (log for cluster in LIVING for log in cluster.logs() if log.exists()):
            report.sections.append((str(log), log.read_text(errors="replace")[-1500:]))
    return report
