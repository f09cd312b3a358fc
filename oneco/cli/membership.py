"""What a person sees of the clusters of a fleet; pure, from their objects."""

from __future__ import annotations

from typing import Any

import msgspec

from oneco.kinds import agents, conditions, ocm
from oneco.kinds.fleet import REGION_LABEL
from oneco.kinds.parts import parse
from oneco.kube import objects
from oneco.kube.objects import Object

_AVAILABLE = "ManagedClusterConditionAvailable"
_ANSWERS = {"True": "yes", "False": "no", "Unknown": "silent", "": "never seen"}


class Cluster(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One cluster; `reported_at` is when its agent was last heard of, empty if that is unknown.

    `agent` is `oneco` with its version, `foreign`, or empty before an agent has spoken.
    """

    name: str
    environment: str
    region: str
    nodes: int
    agent: str
    is_accepted: bool
    available: str
    message: str
    reported_at: str
    needs_confirmation: bool
    version: str


def read(cluster: Object, lease: Object | None) -> Cluster:
    """One cluster as its object, and its agent's lease, tell."""
    labels = objects.labels(cluster)
    spec = parse(ocm.ClusterSpec, cluster.get("spec"), "spec")
    status = parse(ocm.ClusterStatus, cluster.get("status"), "status")
    available = conditions.find(status.conditions, _AVAILABLE) or {}
    said = available.get("status") or ""
    renewed = objects.dig(lease or {}, "spec", "renewTime", default="")
    return Cluster(
        name=objects.name(cluster),
        environment=labels.get(ocm.ENVIRONMENT_LABEL) or ocm.ENVIRONMENTS[-1],
        region=labels.get(REGION_LABEL, ""),
        nodes=_nodes(status),
        agent=f"oneco {version}" if (version := agents.version(cluster)) else agents.of(cluster),
        is_accepted=spec.hub_accepts_client,
        available=_ANSWERS[said],
        message=(available.get("message") or "") if said != "True" else "",
        reported_at=renewed or available.get("lastTransitionTime") or "",
        needs_confirmation=bool(unconfirmed_epoch(cluster)),
        version=status.version.get("kubernetes", ""),
    )


def unconfirmed_epoch(cluster: Object) -> str:
    """The hub's life that nobody has confirmed for this cluster; empty where all is confirmed."""
    marks = objects.annotations_of(cluster)
    epoch = marks.get(ocm.HUB_EPOCH_ANNOTATION, "")
    return epoch if epoch != marks.get(ocm.CONFIRMED_EPOCH_ANNOTATION, "") else ""


def order(one: Cluster) -> tuple[int, str, str]:
    """Least dangerous environments first."""
    known = ocm.ENVIRONMENTS
    place = known.index(one.environment) if one.environment in known else len(known) - 1
    return place, one.environment, one.name


def document(one: Cluster) -> dict[str, Any]:
    """One cluster as JSON."""
    built: dict[str, Any] = msgspec.to_builtins(one)
    return built


def _nodes(status: ocm.ClusterStatus) -> int:
    for claim in status.cluster_claims:
        if claim.name == ocm.NODES_CLAIM and claim.value.isdecimal():
            return int(claim.value)
    return 0
