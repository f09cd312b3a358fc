"""Our definitions come to a cluster without harm to what is there."""

from __future__ import annotations

import asyncio

import pytest

from oneco.errors import Refused
from oneco.kube import objects
from oneco.kube.refs import Address
from oneco.main import crds
from oneco.worlds.apiserver.memory import MemoryStore
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.clocks import RealClock
from oneco.worlds.sim.local import LocalApi

APPLICATIONS = Address(crds.DEFINITIONS, "", "applications.core.oam.dev")


@pytest.fixture
def server():
    return ApiServer(MemoryStore(), RealClock())


def install(server) -> None:
    asyncio.run(crds.install(LocalApi(server), crds.for_hub()))


def foreign(*versions: str, scope: str = "Namespaced", has_status: bool = True):
    """A definition of Applications that somebody else wrote."""
    rows = [
        {
            "name": version,
            "served": True,
            "storage": version == versions[0],
            "schema": {
                "openAPIV3Schema": {
                    "type": "object", "x-kubernetes-preserve-unknown-fields": True,
                },
            },
            **({"subresources": {"status": {}}} if has_status else {}),
        }
        for version in versions
    ]  # fmt: skip
    names = {"kind": "Application", "plural": "applications", "listKind": "ApplicationList"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": APPLICATIONS.name},
        "spec": {"group": "core.oam.dev", "names": names, "scope": scope, "versions": rows},
    }


def put(server, definition) -> None:
    server.create(Address(crds.DEFINITIONS), definition)


def test_a_definition_of_somebody_else_that_serves_us_stays_as_it_is(server):
    put(server, foreign("v1beta1", "v2"))
    before = server.get(APPLICATIONS)
    install(server)
    assert server.get(APPLICATIONS) == before


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        (foreign("v2"), "one that serves v2"),
        (foreign("v1beta1", scope="Cluster"), "the scope Cluster"),
        (foreign("v1beta1", has_status=False), "v1beta1 without status"),
    ],
    ids=["version", "scope", "status"],
)
def test_a_definition_of_somebody_else_that_does_not_serve_us_is_told(server, definition, said):
    put(server, definition)
    before = server.get(APPLICATIONS)
    with pytest.raises(Refused, match=said):
        install(server)
    assert server.get(APPLICATIONS) == before


def test_our_own_definition_is_written_once(server):
    install(server)
    before = objects.resource_version(server.get(APPLICATIONS))
    install(server)
    assert objects.resource_version(server.get(APPLICATIONS)) == before


@pytest.mark.parametrize(("version", "is_replaced"), [("0.0.9", True), ("99.0.0", False)])
def test_an_older_definition_of_ours_is_replaced_and_a_newer_one_is_not(
    server, version, is_replaced
):
    marks = {crds.GENERATED_ANNOTATION: "another", crds.VERSION_ANNOTATION: version}
    put(server, objects.put(foreign("v1beta1"), ("metadata", "annotations"), marks))
    install(server)
    now = objects.annotations_of(server.get(APPLICATIONS))
    assert (now[crds.GENERATED_ANNOTATION] != "another") is is_replaced


def test_a_definition_that_is_served_is_not_waited_for(server):
    install(server)
    asyncio.run(crds.served(LocalApi(server), crds.for_hub(), RealClock()))
