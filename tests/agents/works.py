"""Works and what they make, for tests of agents."""

from __future__ import annotations

from typing import Any

from oneco.kinds import ocm
from oneco.kube.refs import Address, Resource

MAPS = Resource("", "v1", "configmaps")


def a_map(name: str, text: str) -> dict[str, Any]:
    """A ConfigMap that says `text`."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "default"},
        "data": {"text": text},
    }


def a_work(cluster: str, *manifests: dict[str, Any]) -> tuple[Address, dict[str, Any]]:
    """Where the one work of a cluster stands, and the work."""
    body = {
        "apiVersion": ocm.WORKS.api_version,
        "kind": "ManifestWork",
        "metadata": {"name": "w", "namespace": cluster},
        "spec": {"workload": {"manifests": list(manifests)}},
    }
    return Address(ocm.WORKS, cluster, "w"), body


def map_at(name: str) -> Address:
    """Where `a_map` stands in a member."""
    return Address(MAPS, "default", name)
