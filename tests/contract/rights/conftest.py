"""The worlds that ask who somebody is: those that listen on a socket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from oneco.worlds.cluster.client import ClusterApi, connect
from tests.contract.conftest import PARAMETERS, WORLDS
from tests.contract.rights.people import People


@pytest.fixture(params=[one for one in PARAMETERS if one not in ("memory", "in process")])
def api(request, runner, ran) -> Iterator[ClusterApi]:
    """A cluster that asks who somebody is, as its administrator."""
    ran(request.param)
    if request.param == "real":
        where = request.getfixturevalue("real_cluster").kubeconfig
        world: AbstractAsyncContextManager[Any] = connect(str(where))
    else:
        world = WORLDS[request.param]()
    yield runner.run(world.__aenter__())
    runner.run(world.__aexit__(None, None, None))


@pytest.fixture
def people(api, runner, space) -> Iterator[People]:
    """Others than the administrator."""
    found = People(api, space)
    yield found
    runner.run(found.close())
