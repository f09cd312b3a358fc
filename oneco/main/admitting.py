"""A person lets a cluster in: its agent's certificate requests are answered with the acceptance.

An invitation answers for its own request. Agents that come without one, as Open Cluster
Management's do with their bootstrap kubeconfig, wait for a person, and to accept the cluster is
that person's word.
"""

from __future__ import annotations

from oneco.clock import Instant
from oneco.fleet import joining
from oneco.integrations.x509.registrar import X509Registrar
from oneco.kinds.ocm import CLUSTER_NAME_LABEL
from oneco.kube import objects
from oneco.kube.api import Api, ListOptions, Match
from oneco.kube.refs import Address


async def admit(hub: Api, cluster: str, now: Instant) -> int:
    """Approve what agents of `cluster` asked for and nobody answered; how many requests."""
    match = Match(labels=f"{CLUSTER_NAME_LABEL}={cluster}")
    page = await hub.list(Address(joining.REQUESTS), ListOptions(match=match))
    registrar, count = X509Registrar(), 0
    for request in page.items:
        asked = objects.dig(request, "spec", "request", default="")
        change = joining.admitted(joining.RequestSeen(request, registrar.subject(asked)), now)
        if change is not None:
            await hub.patch(change.address, change.patch)
            count += 1
    return count
