"""Asking a hub's API, and the members whose kubeconfigs it holds."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

from oneco.clock import Clock, Instant
from oneco.errors import OnecoError
from oneco.fleet.joining import REQUESTS
from oneco.integrations.x509 import certificates
from oneco.kinds import conditions, ocm
from oneco.kinds.parts import parse
from oneco.kube import objects, times
from oneco.kube.api import Api, ListOptions, Match, WriteOptions
from oneco.kube.objects import Object, dig
from oneco.kube.refs import Address, Resource
from oneco.main import crds, kubeconfigs
from oneco.main.connecting import Choice, Connected, connect
from oneco.main.doctor.facts import Cluster, Fleet, Reached
from oneco.main.epoch import SYSTEM_NAMESPACE
from oneco.main.remote import LEASE

_LEASES = Resource("coordination.k8s.io", "v1", "leases")
_CONFIG_MAPS = Resource("", "v1", "configmaps")
_LEASE = "managed-cluster-lease"
_AVAILABLE = "ManagedClusterConditionAvailable"
_PATIENCE_SECONDS = 10.0


async def look(hub: Connected) -> Fleet:
    """What the hub says of itself and its members."""
    try:
        async with asyncio.timeout(4 * _PATIENCE_SECONDS):
            return await _look(hub)
    except (OnecoError, TimeoutError) as failure:
        return Fleet(server=hub.server, error=str(failure) or "it does not answer")


async def _look(hub: Connected) -> Fleet:
    api = hub.api
    shown = hub.now()
    # A clock that was ever sped up has a time of its own.
    ahead = await _ahead(api, hub.clock) if abs(shown - hub.clock.now()) < 1 else 0.0
    missing = await _missing_kinds(api, crds.for_hub())
    clusters: tuple[Cluster, ...] = ()
    worker: Object = {}
    if objects.name(_definition(ocm.CLUSTERS)) not in missing:
        found = await api.list(Address(ocm.CLUSTERS))
        leases = await api.list(Address(_LEASES))
        worker = next((one for one in leases.items if objects.name(one) == LEASE.name), {})
        certificates = await _certificates(api)
        held = {objects.namespace(one): one for one in leases.items if objects.name(one) == _LEASE}
        clusters = tuple(
            _cluster(one, held.get(objects.name(one)), certificates.get(objects.name(one)))
            for one in found.items
        )
    options = ListOptions(match=Match(labels=kubeconfigs.MEMBER_LABEL))
    secrets = (await api.list(Address(kubeconfigs.SECRETS, SYSTEM_NAMESPACE), options)).items
    reached = await asyncio.gather(*(_reach(one, hub.clock) for one in secrets))
    return Fleet(
        server=hub.server,
        error="",
        now=shown,
        ahead_seconds=ahead,
        missing_kinds=missing,
        worker=dig(worker, "spec", "holderIdentity", default=""),
        worker_heard_at=_instant(dig(worker, "spec", "renewTime", default="")),
        clusters=clusters,
        reached=tuple(reached),
    )


def _definition(resource: Resource) -> Object:
    return {"metadata": {"name": f"{resource.plural}.{resource.group}"}}


async def _ahead(api: Api, clock: Clock) -> float:
    """How far a server's clock is before `clock`, to the second: it dates what it would make."""
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"generateName": "oneco-doctor-", "namespace": "default"},
    }
    begun = clock.now()
    try:
        made = await api.create(Address(_CONFIG_MAPS, "default"), body, WriteOptions(dry_run=True))
        shown = times.from_text(dig(made, "metadata", "creationTimestamp", default=""))
    except (OnecoError, ValueError):
        # Who may not ask does not learn it.
        return 0.0
    ended = clock.now()
    # It was dated in between, and cut to the second.
    if begun - 1 <= shown <= ended + 1:
        return 0.0
    return shown - (begun + ended) / 2


async def _missing_kinds(api: Api, wanted: Sequence[Object]) -> tuple[str, ...]:
    page = await api.list(Address(crds.DEFINITIONS))
    there = {objects.name(one): one for one in page.items}
    return tuple(
        objects.name(one)
        for one in wanted
        if objects.name(one) not in there or crds.is_outdated(there[objects.name(one)], one)
    )


async def _certificates(api: Api) -> dict[str, tuple[Instant, Instant]]:
    """Of each cluster, the life of the newest certificate that its agent got."""
    found: dict[str, tuple[Instant, Instant]] = {}
    for one in (await api.list(Address(REQUESTS))).items:
        cluster = objects.labels(one).get(ocm.CLUSTER_NAME_LABEL, "")
        pem = dig(one, "status", "certificate", default="")
        if not cluster or not pem:
            continue
        with contextlib.suppress(ValueError):
            life = certificates.read(base64.b64decode(pem))
            if life.ends > found.get(cluster, (Instant(0), Instant(0)))[1]:
                found[cluster] = (life.begins, life.ends)
    return found


def _cluster(
    one: Object, lease: Object | None, certificate: tuple[Instant, Instant] | None
) -> Cluster:
    spec = parse(ocm.ClusterSpec, one.get("spec"), "spec")
    status = parse(ocm.ClusterStatus, one.get("status"), "status")
    said = conditions.find(status.conditions, _AVAILABLE) or {}
    renewed = dig(lease or {}, "spec", "renewTime", default="")
    marks = objects.annotations_of(one)
    epoch = marks.get(ocm.HUB_EPOCH_ANNOTATION, "")
    versions = [row.value for row in status.cluster_claims if row.name == ocm.AGENT_CLAIM]
    return Cluster(
        name=objects.name(one),
        is_accepted=spec.hub_accepts_client,
        available=said.get("status") or "",
        message=(said.get("message") or "") if said.get("status") != "True" else "",
        heard_at=_instant(renewed),
        lease_seconds=float(spec.lease_duration_seconds or 60),
        ahead_seconds=_lease_ahead(lease),
        needs_confirmation=bool(epoch) and epoch != marks.get(ocm.CONFIRMED_EPOCH_ANNOTATION, ""),
        agent_version=versions[0] if versions else "",
        certificate=certificate,
    )


def _lease_ahead(lease: Object | None) -> float:
    """How far the agent's clock was before the hub's when it renewed its lease last.

    The agent dates the renewal, the hub dates the write of it in the managed fields.
    """
    renewed = _instant(dig(lease or {}, "spec", "renewTime", default=""))
    rows = dig(lease or {}, "metadata", "managedFields", default=())
    written = [
        _instant(row.get("time"))
        for row in rows
        if "f:renewTime" in dig(row, "fieldsV1", "f:spec", default={})
    ]
    known = [one for one in written if one is not None]
    return renewed - max(known) if renewed is not None and known else 0.0


async def _reach(secret: Object, clock: Clock) -> Reached:
    cluster = objects.labels(secret)[kubeconfigs.MEMBER_LABEL]
    try:
        text = base64.b64decode(dig(secret, "data", kubeconfigs.KEY, default=""))
        async with asyncio.timeout(_PATIENCE_SECONDS):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, kubeconfigs.KEY)
                path.touch(mode=0o600)
                path.write_bytes(text)
                async with connect(Choice(kubeconfig=str(path))) as member:
                    missing = await _missing_kinds(member.api, crds.for_member())
                    ahead = await _ahead(member.api, clock)
    except (OnecoError, TimeoutError, ValueError) as failure:
        return Reached(cluster=cluster, error=str(failure) or "it does not answer")
    return Reached(cluster=cluster, error="", ahead_seconds=ahead, missing_kinds=missing)


def _instant(text: str | None) -> Instant | None:
    try:
        return times.from_text(text) if text else None
    except ValueError:
        return None
