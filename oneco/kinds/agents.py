"""Whose agent serves a cluster, told by what everybody can see of its ManagedCluster."""

from __future__ import annotations

from typing import Literal

from oneco.kinds import conditions, ocm
from oneco.kube import objects
from oneco.kube.objects import Object

_JOINED = "ManagedClusterJoined"

Agent = Literal["oneco", "foreign", ""]


def of(cluster: Object | None) -> Agent:
    """Ours where it says so, a foreign one where a cluster joined without; empty before that.

    Other agents replace the claims of a cluster by their own when they take it over.
    """
    found = cluster or {}
    if version(found):
        return "oneco"
    status = objects.dig(found, "status", "conditions", default=())
    return "foreign" if conditions.status_of(status, _JOINED) == "True" else ""


def version(cluster: Object) -> str:
    """The version of our agent that serves the cluster, empty where none says so."""
    for claim in objects.dig(cluster, "status", "clusterClaims", default=()):
        if claim.get("name") == ocm.AGENT_CLAIM:
            return str(claim.get("value") or "unknown")
    return ""
