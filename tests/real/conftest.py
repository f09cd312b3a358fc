"""Real clusters for the tests of this folder: `./dev real` runs them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.real.cluster import LIVING, RealCluster, running
from tools.real import building, leftovers

HERE = Path(__file__).parent
NODES = 3
SECONDS = 240


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here is `real`; whatever hangs is ended."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.real)
            item.add_marker(pytest.mark.timeout(SECONDS))


@pytest.fixture(scope="session")
def programs() -> Mapping[str, Path]:
    """The programs of a control plane, built if they are not there yet."""
    leftovers.sweep()
    return building.build()


@pytest.fixture(scope="session")
def real_cluster(programs, tmp_path_factory) -> Iterator[RealCluster]:
    """A cluster whose controllers work and that has no nodes: pods stay as they are made."""
    cluster = RealCluster(tmp_path_factory.mktemp("real"), programs)
    with running(cluster):
        yield cluster


@pytest.fixture(scope="session")
def real_fleet(programs, tmp_path_factory) -> Iterator[Callable[[int], Sequence[RealCluster]]]:
    """`real_fleet(n)`: the first n clusters of this run, each with nodes that pods run on."""
    fleet: list[RealCluster] = []
    with contextlib.ExitStack() as stack:

        def first(count: int) -> Sequence[RealCluster]:
            new = [
                RealCluster(tmp_path_factory.mktemp(f"member-{number}"), programs, nodes=NODES)
                for number in range(len(fleet), count)
            ]
            stack.enter_context(running(*new))
            fleet.extend(new)
            return fleet[:count]

        yield first


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the ends of the clusters' logs beside a failure."""
    report = yield
    if report.failed and report.when == "call":
        for log in (log for cluster in LIVING for log in cluster.logs() if log.exists()):
            report.sections.append((str(log), log.read_text(errors="replace")[-1500:]))
    return report
