"""The clusters of a fleet: what a person sees of them, and says about them."""

from __future__ import annotations

from typing import Any

import pytest

from oneco.kinds import ocm
from tests.cli.given import NAMESPACES, Hub

LEASES = ("coordination.k8s.io", "v1", "leases")


def join(hub: Hub, name: str, *, accepted: bool = True, available: str = "True", **more: Any):
    annotations = {key.replace("_", "-"): value for key, value in more.items()}
    hub.put(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    hub.put(
        ocm.CLUSTERS,
        {
            "apiVersion": ocm.CLUSTERS.api_version,
            "kind": "ManagedCluster",
            "metadata": {
                "name": name,
                "labels": {
                    ocm.ENVIRONMENT_LABEL: "test" if name == "lab" else "production",
                    "topology.kubernetes.io/region": "eu-1",
                },
                "annotations": {f"onepersoncompany.io/{k}": v for k, v in annotations.items()},
            },
            "spec": {"hubAcceptsClient": accepted},
        },
        conditions=[{
            "type": "ManagedClusterConditionAvailable", "status": available, "reason": "Why",
            "message": "The agent stopped.", "lastTransitionTime": "2026-11-21T11:55:00Z",
        }],
        clusterClaims=[{"name": ocm.NODES_CLAIM, "value": "3"}],
    )  # fmt: skip


@pytest.fixture
def hub() -> Hub:
    return Hub()


def test_clusters_are_listed_least_dangerous_first_with_what_is_known(hub: Hub):
    join(hub, "eu", available="Unknown")
    join(hub, "lab")
    lines = hub.type("clusters").out.splitlines()
    assert lines[1].split() == ["lab", "test", "eu-1", "3", "-", "yes", "yes", "5m", "ago"]
    assert lines[2].split()[:7] == ["eu", "production", "eu-1", "3", "-", "yes", "silent"]
    assert lines[2].endswith("The agent stopped.")


def test_a_cluster_as_json_says_the_same(hub: Hub):
    join(hub, "lab")
    (row,) = hub.type("clusters", "list", "-o", "json").document["clusters"]
    assert row["environment"] == "test"
    assert row["nodes"] == 3
    assert row["needsConfirmation"] is False


def test_a_cluster_is_accepted_and_denied(hub: Hub):
    join(hub, "lab", accepted=False)
    assert hub.type("clusters", "accept", "lab").out == "cluster lab is accepted\n"
    found = hub.get(ocm.CLUSTERS, "lab")
    assert found is not None and found["spec"]["hubAcceptsClient"] is True
    hub.type("clusters", "deny", "lab")
    found = hub.get(ocm.CLUSTERS, "lab")
    assert found is not None and found["spec"]["hubAcceptsClient"] is False


def test_after_a_start_from_a_copy_clusters_wait_to_be_confirmed(hub: Hub):
    join(hub, "eu", hub_epoch="life-2", confirmed_epoch="life-1")
    join(hub, "lab", hub_epoch="life-2", confirmed_epoch="life-2")
    assert "oneco clusters confirm" in hub.type("clusters").out
    answer = hub.type("clusters", "confirm", "--all", "-o", "json")
    assert answer.document["clusters"] == [
        {"name": "eu", "did": "is confirmed"},
        {"name": "lab", "did": "needs no confirmation"},
    ]
    found = hub.get(ocm.CLUSTERS, "eu")
    assert found is not None
    assert found["metadata"]["annotations"][ocm.CONFIRMED_EPOCH_ANNOTATION] == "life-2"


def test_a_name_that_does_not_exist_stops_before_any_change(hub: Hub):
    join(hub, "lab", accepted=False)
    before = hub.version()
    answer = hub.type("clusters", "accept", "lab", "labb")
    assert answer.status == 1
    assert 'did you mean "lab"?' in answer.err
    assert hub.version() == before
