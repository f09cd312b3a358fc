"""The worlds that every case here runs in, and the namespace that each case has for itself.

`memory`, `in process` and `embedded` always run; a real kube-apiserver joins under `./dev real`. It
has a controller manager and no scheduler.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import pathlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from oneco.clock import Instant
from oneco.kube.api import Api
from oneco.kube.refs import Address
from oneco.worlds.apiserver.memory import MemoryStore
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.clocks import RealClock, StepClock
from oneco.worlds.cluster.client import connect
from oneco.worlds.embedded.serve import EmbeddedServer
from oneco.worlds.sim.local import LocalApi
from tests.conftest import REAL_VARIABLE, Ran
from tests.contract.given import NAMESPACES

NOON = Instant(1_795_262_400.0)


@asynccontextmanager
async def memory() -> AsyncIterator[Api]:
    """A new server in memory."""
    yield LocalApi(ApiServer(MemoryStore(), StepClock(NOON), seed=7), shows_managers=True)


@asynccontextmanager
async def in_process() -> AsyncIterator[Api]:
    """A new server on disk, asked without a socket."""
    async with embedded_server() as server:
        yield server.api


@asynccontextmanager
async def embedded() -> AsyncIterator[Api]:
    """A new server on disk, asked over HTTPS."""
    async with embedded_server() as server, connect(str(server.kubeconfig_path)) as api:
        yield api


@asynccontextmanager
async def embedded_server() -> AsyncIterator[EmbeddedServer]:
    """A new server in a directory of its own."""
    with tempfile.TemporaryDirectory() as directory:
        server = EmbeddedServer(pathlib.Path(directory), RealClock())
        await server.start()
        try:
            yield server
        finally:
            await server.stop()


WORLDS = {"memory": memory, "in process": in_process, "embedded": embedded}
PARAMETERS: list[Any] = list(WORLDS)
if REAL_VARIABLE in os.environ:
    from tests.real.fixtures import MARKS

    PARAMETERS.append(pytest.param("real", marks=MARKS))


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """The event loop of one case."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(params=PARAMETERS)
def api(request: pytest.FixtureRequest, runner: asyncio.Runner, ran: Ran) -> Iterator[Api]:
    """One answer to `Api`."""
    ran(request.param)
    if request.param == "real":
        world: AbstractAsyncContextManager[Api] = connect(
            str(request.getfixturevalue("real_cluster").kubeconfig)
        )
    else:
        world = WORLDS[request.param]()
    yield runner.run(world.__aenter__())
    runner.run(world.__aexit__(None, None, None))


@pytest.fixture
def space(api: Api, runner: asyncio.Runner) -> Iterator[str]:
    """A namespace that only this case uses."""
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"generateName": "contract-"}}
    name = runner.run(api.create(Address(NAMESPACES), body))["metadata"]["name"]
    yield name
    runner.run(api.delete(Address(NAMESPACES, name=name)))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a case that is a coroutine in its own event loop."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    given = {
        name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters
    }
    runner: Any = pyfuncitem.funcargs["runner"]
    runner.run(pyfuncitem.obj(**given))
    return True
