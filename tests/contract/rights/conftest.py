"""The worlds that ask who somebody is: those that listen on a socket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from oneco.worlds.cluster.client import ClusterApi
from tests.contract.conftest import WORLDS
from tests.contract.rights.people import People


@pytest.fixture(params=[name for name in WORLDS if name in ("embedded", "real")])
def api(request, runner) -> Iterator[ClusterApi]:
    """A cluster that asks who somebody is, as its administrator."""
    world = WORLDS[request.param]()
    yield runner.run(world.__aenter__())
    runner.run(world.__aexit__(None, None, None))


@pytest.fixture
def people(api, runner, space) -> Iterator[People]:
    """Others than the administrator."""
    found = People(api, space)
    yield found
    runner.run(found.close())
