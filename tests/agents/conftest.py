"""A hub, a member and processes for the tests of this room."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.agents.processes import Person, Processes, processes
from tests.embedded.servers import a_server


@pytest.fixture
def started(tmp_path) -> Iterator[Processes]:
    """Starts processes; none outlives the test."""
    with processes(tmp_path) as found:
        yield found


@pytest.fixture
def member(tmp_path) -> Iterator[Person]:
    """The administrator of a member that stays up for the whole test."""
    with a_server(tmp_path / "member") as server:
        yield Person(server.kubeconfig_path)
