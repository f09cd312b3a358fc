"""A hub that runs Open Cluster Management and nothing of ours: what an agent does there itself."""

from __future__ import annotations

import contextlib

from oneco.clock import Clock, Instant
from oneco.kinds import ocm
from oneco.kinds.release import OBSERVATIONS
from oneco.kube import objects, times
from oneco.kube.api import Api
from oneco.kube.errors import AlreadyExists, ApiError, ApiOutage, ApiRefusal, Forbidden, NotFound
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource

_LEASES = Resource("coordination.k8s.io", "v1", "leases")
LEASE_NAME = "managed-cluster-lease"
_USUAL_SECONDS, _AGAIN_SECONDS = 60, 5


async def is_watched(hub: Api, known: bool) -> bool:
    """Whether the hub knows our Observations; `known` is the answer where it gives none."""
    try:
        served = await hub.discover()
    except ApiError:
        return known
    return any(one.resource[::2] == OBSERVATIONS[::2] for one in served)


async def register(hub: Api, cluster: str) -> None:
    """Ask the hub to take in `cluster`, as every agent of Open Cluster Management's does."""
    body: Object = {
        "apiVersion": ocm.CLUSTERS.api_version,
        "kind": "ManagedCluster",
        "metadata": {"name": cluster},
        "spec": {"hubAcceptsClient": False, "leaseDurationSeconds": _USUAL_SECONDS},
    }
    # Who may not register is one whom somebody registered.
    with contextlib.suppress(Forbidden, AlreadyExists):
        try:
            await hub.get(Address(ocm.CLUSTERS, "", cluster))
        except NotFound:
            await hub.create(Address(ocm.CLUSTERS), body)


async def keep_lease(hub: Api, cluster: str, clock: Clock) -> None:
    """Renew the cluster's lease by reading and replacing: nothing more is allowed there."""
    address = Address(_LEASES, cluster, LEASE_NAME)
    while True:
        seconds = _AGAIN_SECONDS
        with contextlib.suppress(ApiOutage, ApiRefusal):
            # There is a lease once the hub has accepted the cluster.
            lease = await hub.get(address)
            renewed = times.to_micro_text(clock.now())
            await hub.replace(address, objects.put(lease, ("spec", "renewTime"), renewed))
            period = objects.dig(lease, "spec", "leaseDurationSeconds", default=_USUAL_SECONDS)
            seconds = int(period)
        await clock.sleep_until(Instant(clock.now() + seconds))
