"""Following a release to its end, and what the exit status then says."""

from __future__ import annotations

from typing import Any

import pytest

from oneco.kinds.oam import APPLICATIONS
from oneco.kinds.release import RELEASES
from tests.cli.given import Hub

FILE = (
    "apiVersion: core.oam.dev/v1beta1\nkind: Application\nmetadata: {name: shop}\nspec:\n"
    "  components: [{name: web, type: webservice, properties: {image: nginx}}]\n"
)


@pytest.fixture
def hub() -> Hub:
    made = Hub()
    assert made.type("apply", "-f", "-", given=FILE).status == 0
    return made


def end(hub: Hub, phase: str, release: str) -> None:
    """The release of what was applied came to this end."""
    from oneco.kube.refs import Address

    found: Any = hub.get(APPLICATIONS, "shop", "default")
    status = {"status": phase, "observedGeneration": found["metadata"]["generation"]}
    hub.server.replace(
        Address(APPLICATIONS, "default", "shop", "status"), {**found, "status": status}
    )
    head = {"name": "shop-v1", "namespace": "default", "labels": {"app.oam.dev/name": "shop"}}
    hub.put(RELEASES, {
        "apiVersion": RELEASES.api_version, "kind": "Release", "metadata": head,
        "spec": {"application": "shop", "revision": "shop-v1"},
    }, phase=release, message="and so it ended")  # fmt: skip


@pytest.mark.parametrize(
    ("phase", "release", "status"),
    [
        ("running", "Succeeded", 0),
        ("workflowFailed", "RolledBack", 3),
        ("unhealthy", "Blocked", 3),
        ("workflowTerminated", "Aborted", 3),
    ],
)
def test_the_exit_status_tells_how_a_release_ended(hub: Hub, phase, release, status):
    end(hub, phase, release)
    watched = hub.type("status", "-w", "shop")
    assert watched.status == status
    assert "and so it ended" in watched.out
    applied = hub.type("apply", "--wait", "-f", "-", given=FILE)
    assert applied.status == status
    assert applied.out.startswith("Application default/shop unchanged\n")


def test_waiting_with_json_prints_one_document(hub: Hub):
    end(hub, "running", "Succeeded")
    answer = hub.type("apply", "--wait", "-o", "json", "-f", "-", given=FILE)
    assert list(answer.document) == ["objects", "releases"]
    assert answer.document["releases"][0]["isSuccessful"] is True
    watched = hub.type("status", "-w", "shop", "-o", "json")
    assert watched.document["releases"][0]["phase"] == "Succeeded"
