"""The two worlds that are compared, and how many cases were."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Iterator

import pytest

from oneco.kube.api import Api
from oneco.kube.refs import Address, Resource
from oneco.worlds.apiserver.core import Caller
from oneco.worlds.apiserver.memory import MemoryStore
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.cluster.client import connect
from oneco.worlds.sim.local import LocalApi
from tests.real.cluster import running
from tests.real.differential.bare import BareCluster
from tests.real.differential.comparing import COUNTS, SEED, Pair
from tests.real.differential.pace import FollowingClock
from tests.real.differential.steps import hear

NAMESPACES = Resource("", "v1", "namespaces")
RUNNING = "ONECO_DIFFERENTIAL_KUBECONFIG"
"""Names the kubeconfig of a cluster that runs already, for those who look into one difference."""


@pytest.fixture(scope="session")
def judge(request, tmp_path_factory) -> Iterator[str]:
    """The kubeconfig of the real API server that is right."""
    if RUNNING in os.environ:
        yield os.environ[RUNNING]
        return
    cluster = BareCluster(tmp_path_factory.mktemp("bare"), request.getfixturevalue("programs"))
    with running(cluster):
        yield str(cluster.kubeconfig)


@pytest.fixture
def pair(judge) -> Iterator[Pair]:
    """A new server in memory beside the real one."""
    with asyncio.Runner() as runner:
        # Opened in the loop that it is used in.
        theirs = runner.run(_opened(judge))
        clock = FollowingClock()
        server = ApiServer(MemoryStore(), clock, seed=7, lazy_managers=False)
        ours = LocalApi(server, caller=Caller(user="admin", warn=hear), shows_managers=True)
        space = f"differential-{uuid.uuid4().hex[:8]}"
        runner.run(_with_namespace(ours, space))
        runner.run(_with_namespace(theirs, space))
        try:
            yield Pair(ours, theirs, clock, space, runner)
        finally:
            runner.run(_closed(theirs, space))


async def _opened(kubeconfig: str) -> Api:
    return connect(kubeconfig, on_warning=hear)


async def _closed(theirs, space: str) -> None:
    await theirs.delete(Address(NAMESPACES, name=space))
    await theirs.close()


async def _with_namespace(api: Api, name: str) -> None:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    await api.create(Address(NAMESPACES), body)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many cases each family compared."""
    if not COUNTS:
        return
    terminalreporter.write_line("compared with a real kube-apiserver:")
    for family, count in COUNTS.items():
        terminalreporter.write_line(f"  {count:6} {family}")
    terminalreporter.write_line(
        f"  {sum(COUNTS.values()):6} cases in all, seed {SEED} (others: ONECO_DIFFERENTIAL_SEED=…)"
    )
