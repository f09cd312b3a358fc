"""Running servers for the tests of this room."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from oneco.worlds.embedded.serve import EmbeddedServer
from tests.embedded.servers import Client, Kubectl, a_server, an_administrator


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[EmbeddedServer]:
    """One server for the tests of a module: each test uses names of its own."""
    with a_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def admin(server) -> Client:
    """The person whose server it is, with plain requests."""
    return an_administrator(server)


@pytest.fixture
def kubectl(server) -> Kubectl:
    """The real kubectl for the running server."""
    return Kubectl(server)
