"""Inviting a cluster: a token bound to its name, in a kubeconfig that its agent starts with."""

from __future__ import annotations

import base64
import dataclasses
import secrets
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from oneco.clock import Instant
from oneco.errors import Refused
from oneco.fleet.joining import (
    FETCHERS_GROUP,
    JOIN_GROUP_PREFIX,
    JOINERS_GROUP,
    SECRETS,
    TOKEN_NAMESPACE,
    fetch_token,
)
from oneco.kinds import ocm
from oneco.kube import names, times
from oneco.kube.api import Api, Patch
from oneco.kube.errors import AlreadyExists
from oneco.kube.objects import Object
from oneco.kube.refs import Address
from oneco.main.connecting import Choice
from oneco.worlds.clocks import RealClock

if TYPE_CHECKING:
    from oneco.worlds.cluster.target import Cluster

TOKEN_SECONDS = 3600.0
"""How long an invitation is good, if nothing else is said."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How an invitation is meant: for how long, labels of the cluster, and the hub's address.

    Without `server` it is the one that the kubeconfig names.
    """

    seconds: float = TOKEN_SECONDS
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    server: str = ""


async def invite(choice: Choice, cluster: str, terms: Terms = Terms()) -> str:
    """The text of a kubeconfig with which the agent of `cluster` joins, once, in time.

    To invite is to accept: the cluster is registered and accepted by this.
    """
    from oneco.worlds.cluster import kubeconfig
    from oneco.worlds.cluster.client import ClusterApi

    target = kubeconfig.load(choice.file(), choice.context or None)
    async with ClusterApi(target) as hub:
        expires = Instant(RealClock().now() + terms.seconds)
        made = await token(hub, cluster, expires, terms.labels)
    where = dataclasses.replace(target.cluster, server=terms.server or target.cluster.server)
    return kubeconfig_text(where, cluster, {"token": made})


async def token(
    hub: Api, cluster: str, expires: Instant, labels: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Register and accept `cluster`; a new token that leads to one certificate of its agent."""
    check_name(cluster)
    await _accept(hub, cluster, labels)
    made = f"{secrets.token_hex(3)}.{secrets.token_hex(8)}"
    # The second sleeps until the hub has deleted the first: no token could fetch what came of it.
    for secret in (_fetching(cluster, made, expires), _joining(cluster, made, expires)):
        await hub.create(Address(SECRETS, TOKEN_NAMESPACE), secret)
    return made


def check_name(cluster: str) -> None:
    """Refused unless a cluster may be called so: its name is a namespace of the hub."""
    faults = names.label_faults(cluster)
    if faults:
        raise Refused("cluster", found=cluster, wanted=f"a name: {faults[0]}")
    if cluster in ocm.RESERVED_NAMES:
        wanted = "another name: the hub keeps its own things in a namespace of this one"
        raise Refused("cluster", found=cluster, wanted=wanted)


def kubeconfig_text(server: Cluster, cluster: str, user: dict[str, str]) -> str:
    """A kubeconfig for `server` whose context is the namespace of `cluster`."""
    place: dict[str, Any] = {"server": server.server}
    authority = server.authority
    if authority:
        pem = authority.data or Path(authority.file).read_bytes()
        place["certificate-authority-data"] = base64.b64encode(pem).decode()
    if server.insecure:
        place["insecure-skip-tls-verify"] = True
    if server.server_name:
        place["tls-server-name"] = server.server_name
    if server.proxy_url:
        place["proxy-url"] = server.proxy_url
    context = {"cluster": "hub", "user": "agent", "namespace": cluster}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "hub", "cluster": place}],
        "users": [{"name": "agent", "user": user}],
        "contexts": [{"name": cluster, "context": context}],
        "current-context": cluster,
    }
    return msgspec.yaml.encode(content).decode()


async def _accept(hub: Api, cluster: str, labels: Mapping[str, str]) -> None:
    registered: Object = {
        "apiVersion": ocm.CLUSTERS.api_version,
        "kind": "ManagedCluster",
        "metadata": {"name": cluster, "labels": dict(labels)},
        "spec": {"hubAcceptsClient": True},
    }
    try:
        await hub.create(Address(ocm.CLUSTERS), registered)
    except AlreadyExists:
        metadata = {"labels": dict(labels)}
        patch = Patch("merge", {"metadata": metadata, "spec": registered["spec"]})
        await hub.patch(Address(ocm.CLUSTERS, "", cluster), patch)


def _joining(cluster: str, token: str, expires: Instant) -> Object:
    said = {
        "usage-bootstrap-authentication": "true",
        "auth-extra-groups": f"{JOINERS_GROUP},{JOIN_GROUP_PREFIX}{cluster}",
        "description": f"Joins cluster {cluster}, once.",
    }
    return _secret(cluster, token, expires, said)


def _fetching(cluster: str, token: str, expires: Instant) -> Object:
    said = {
        "usage-bootstrap-authentication": "false",
        "auth-extra-groups": FETCHERS_GROUP,
        "description": f"Fetches what came of joining cluster {cluster}; asleep until then.",
    }
    return _secret(cluster, fetch_token(token), expires, said)


def _secret(cluster: str, token: str, expires: Instant, more: Mapping[str, str]) -> Object:
    token_id, _, secret = token.partition(".")
    said = {
        "token-id": token_id,
        "token-secret": secret,
        "expiration": times.to_text(expires),
        **more,
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "bootstrap.kubernetes.io/token",
        "metadata": {
            "name": f"bootstrap-token-{token_id}",
            "namespace": TOKEN_NAMESPACE,
            "labels": {ocm.CLUSTER_NAME_LABEL: cluster},
        },
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in said.items()},
    }
