"""The servers that foreign clients are tried on: ours, and a real one under `./dev real`."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config

from tests.conftest import REAL_VARIABLE, Ran
from tests.embedded.servers import a_server

WORLDS: list[Any] = ["embedded"]
if REAL_VARIABLE in os.environ:
    from tests.real.fixtures import MARKS

    WORLDS.append(pytest.param("real", marks=MARKS))


@pytest.fixture(scope="module")
def embedded_kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The administrator's way to a server of ours."""
    with a_server(tmp_path_factory.mktemp("clients")) as server:
        yield server.kubeconfig_path


@pytest.fixture(params=WORLDS)
def kubeconfig(request: pytest.FixtureRequest, ran: Ran) -> Path:
    """The administrator's way to a server."""
    ran(request.param)
    if request.param == "real":
        return Path(request.getfixturevalue("real_cluster").kubeconfig)
    return Path(request.getfixturevalue("embedded_kubeconfig"))


@pytest.fixture
def api(kubeconfig: Path) -> Iterator[client.ApiClient]:
    """The official client for Python, as its users set it up."""
    with config.new_client_from_config(str(kubeconfig)) as found:
        yield found


@pytest.fixture
def space(api: client.ApiClient) -> Iterator[str]:
    """A namespace that only this test uses."""
    core, name = client.CoreV1Api(api), f"python-{uuid.uuid4().hex[:8]}"
    core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=name)))
    yield name
    core.delete_namespace(name)
