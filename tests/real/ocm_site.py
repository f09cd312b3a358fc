"""A company one of whose members is served by Open Cluster Management's own agents."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from oneco.kinds import ocm
from oneco.kube import objects
from oneco.kube.errors import AlreadyExists
from oneco.kube.refs import Address, Resource
from oneco.main import crds
from oneco.worlds.cluster.client import connect
from tests.real.cluster import RealCluster
from tests.real.klusterlet import NAMESPACE, Klusterlet
from tests.real.processes import until
from tests.real.site import EmbeddedSite, RealSite, Site
from tools.real import building

FOREIGN = "test"
"""The member whose agents are theirs."""
CREDENTIAL = Address(Resource("", "v1", "secrets"), NAMESPACE, "hub-kubeconfig-secret")
"""Where their registration agent keeps what it was given."""
_RBAC = "rbac.authorization.k8s.io"
_NAME = "open-cluster-management:bootstrap"
_SECONDS = 90.0
_ACCOUNTS = Resource("", "v1", "serviceaccounts")
_NAMESPACES = Address(Resource("", "v1", "namespaces"))
REQUESTS = Address(Resource("certificates.k8s.io", "v1", "certificatesigningrequests"))


class Ocm(Site):
    """As a site, but the first member joins as Open Cluster Management's documents say."""

    klusterlet: Klusterlet

    def start(self) -> None:
        """Start everything; the foreign agents join by a bootstrap kubeconfig made by hand."""
        self.agents.pop(FOREIGN)
        super().start()
        asyncio.run(self._prepare())
        self.klusterlet.registration.start()
        until(self._asks, self.klusterlet.words, _SECONDS)
        self.oneco("clusters", "accept", FOREIGN)
        until((self.klusterlet.credential / "kubeconfig").exists, self.klusterlet.words, _SECONDS)
        until(self._has_joined, lambda: self.klusterlet.words() + self.words(), _SECONDS)
        asyncio.run(self._label())
        self.klusterlet.work.start()

    def end(self) -> None:
        """End all of it."""
        self.klusterlet.end()
        super().end()

    def _asks(self) -> bool:
        return asyncio.run(self._requests()) > 0

    async def _requests(self) -> int:
        async with connect(str(self.kubeconfig)) as hub:
            found = (await hub.list(REQUESTS)).items
            known = [objects.name(one) for one in (await hub.list(Address(ocm.CLUSTERS))).items]
        own = [one for one in found if objects.labels(one).get(ocm.CLUSTER_NAME_LABEL) == FOREIGN]
        return len(own) if FOREIGN in known else 0

    def _has_joined(self) -> bool:
        rows = {one["name"]: one for one in self.asked("clusters")["clusters"]}
        return rows[FOREIGN]["agent"] == "foreign" and rows[FOREIGN]["available"] == "yes"

    def _is_joined(self) -> bool:
        rows = self.asked("clusters")["clusters"]
        return len(rows) == len(self.agents) and all(one["available"] == "yes" for one in rows)

    async def _prepare(self) -> None:
        """What the operator and `clusteradm` of Open Cluster Management do."""
        async with connect(str(self.members[FOREIGN].kubeconfig)) as member:
            with contextlib.suppress(AlreadyExists):
                await member.create(_NAMESPACES, {"metadata": {"name": NAMESPACE}})
            await crds.install(member, (*crds.for_member(), *_of_their_operator()))
        await bootstrap_kubeconfig(self.kubeconfig, self.klusterlet.bootstrap)

    async def _label(self) -> None:
        async with connect(str(self.kubeconfig)) as hub:
            address = Address(ocm.CLUSTERS, "", FOREIGN)
            cluster = await hub.get(address)
            labels = {**objects.labels(cluster), ocm.ENVIRONMENT_LABEL: FOREIGN}
            await hub.replace(address, objects.put(cluster, ("metadata", "labels"), labels))


class EmbeddedOcm(Ocm, EmbeddedSite):
    """On the embedded hub."""


class RealOcm(Ocm, RealSite):
    """On a real control plane as the hub."""


def made(
    folder: Path,
    hub: RealCluster | None,
    members: Sequence[RealCluster],
    programs: Mapping[str, Path],
) -> Ocm:
    """The site: on the embedded hub, or on a real one."""
    site: Any = EmbeddedOcm(folder, members) if hub is None else RealOcm(folder, hub, members)
    site.klusterlet = Klusterlet(folder / "klusterlet", programs, FOREIGN, members[0].kubeconfig)
    assert isinstance(site, Ocm)
    return site


async def bootstrap_kubeconfig(kubeconfig: Path, to: Path) -> None:
    """Write the kubeconfig with which their agents ask to join, as an administrator does."""
    async with connect(str(kubeconfig)) as hub:
        for address, body in _bootstrap_rights():
            with contextlib.suppress(AlreadyExists):
                await hub.create(address, body)
        account = Address(_ACCOUNTS, "open-cluster-management", "bootstrap", "token")
        made = await hub.create(account, {"spec": {"expirationSeconds": 3600}})
    found = yaml.safe_load(kubeconfig.read_text())
    found["users"][0]["user"] = {"token": made["status"]["token"]}
    to.write_text(yaml.safe_dump(found))


def _of_their_operator() -> list[Any]:
    """The kinds that their operator brings into a member, besides the one that we bring too."""
    folder = building.source("ocm", "open-cluster-management.io/api") / "cluster" / "v1alpha1"
    return [yaml.safe_load(file.read_text()) for file in folder.glob("*clusterclaims.crd.yaml")]


def _bootstrap_rights() -> list[tuple[Address, dict[str, Any]]]:
    """The account and its rights, as Open Cluster Management's own chart has them."""
    rules = [
        rule("certificates.k8s.io", "certificatesigningrequests", "create get list watch"),
        rule("cluster.open-cluster-management.io", "managedclusters", "create get list watch"),
    ]
    subject = {
        "kind": "ServiceAccount",
        "name": "bootstrap",
        "namespace": "open-cluster-management",
    }
    role = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": _NAME}
    return [
        (_NAMESPACES, {"metadata": {"name": "open-cluster-management"}}),
        (Address(_ACCOUNTS, "open-cluster-management"), {"metadata": {"name": "bootstrap"}}),
        (
            Address(Resource(_RBAC, "v1", "clusterroles")),
            {"metadata": {"name": _NAME}, "rules": rules},
        ),
        (
            Address(Resource(_RBAC, "v1", "clusterrolebindings")),
            {"metadata": {"name": _NAME}, "roleRef": role, "subjects": [subject]},
        ),
    ]


def rule(group: str, resource: str, verbs: str) -> dict[str, Any]:
    """One rule of a role, its verbs in one text."""
    return {"apiGroups": [group], "resources": [resource], "verbs": verbs.split()}
