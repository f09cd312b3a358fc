"""Our agent on a real hub with Open Cluster Management's kinds and rights, and none of ours."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from oneco.fleet.joining import AGENT_PREFIX
from oneco.kinds import ocm
from oneco.kube import objects
from oneco.kube.api import Api, Patch
from oneco.kube.refs import Address, Resource
from oneco.main import admitting, crds
from oneco.worlds.clocks import RealClock
from oneco.worlds.cluster.client import connect
from tests.real import company
from tests.real.cluster import RealCluster, running
from tests.real.ocm_site import bootstrap_kubeconfig, rule
from tests.real.processes import Program
from tools.real import building

NAME = "edge"
RBAC = "rbac.authorization.k8s.io"
ROLES = Address(Resource(RBAC, "v1", "clusterroles"))
LEASE = Address(Resource("coordination.k8s.io", "v1", "leases"), NAME, "managed-cluster-lease")
NAMESPACES = Address(Resource("", "v1", "namespaces"))
CLUSTER = Address(ocm.CLUSTERS, "", NAME)
WORK = Address(ocm.WORKS, NAME, "shop")
MAP = Address(Resource("", "v1", "configmaps"), "default", "settings")


@pytest.fixture(scope="module")
def hub(programs, ocm_agents, tmp_path_factory) -> Iterator[RealCluster]:
    """A control plane with the definitions that Open Cluster Management's own release has."""
    cluster = RealCluster(tmp_path_factory.mktemp("ocm-hub"), programs)
    with running(cluster):
        asyncio.run(_taught(cluster.kubeconfig))
        yield cluster


async def _taught(kubeconfig: Path) -> None:
    folder = building.source("ocm", "open-cluster-management.io/api")
    files = [
        *folder.glob("work/v1/*.crd.yaml"),
        *folder.glob("cluster/v1/*managedclusters.crd.yaml"),
    ]
    async with connect(str(kubeconfig)) as api:
        await crds.install(api, [yaml.safe_load(one.read_text()) for one in files])


def test_it_joins_by_their_bootstrap_and_does_all_that_their_agent_does(hub, real_fleet, tmp_path):
    member = real_fleet(1)[0]
    bootstrap = tmp_path / "bootstrap"
    asyncio.run(bootstrap_kubeconfig(hub.kubeconfig, bootstrap))
    words: list[Any] = [
        sys.executable, "-m", "oneco", "agent", "--data", tmp_path / "agent",
        "--kubeconfig", member.kubeconfig, "--join", bootstrap, "--name", NAME,
    ]  # fmt: skip
    agent = Program("oneco agent", words, tmp_path / "agent.log")
    agent.start()
    try:
        asyncio.run(_story(hub.kubeconfig, member.kubeconfig, agent))
    finally:
        agent.end()


async def _story(hub_file: Path, member_file: Path, agent: Program) -> None:
    async with connect(str(hub_file)) as hub, connect(str(member_file)) as member:
        await company.until(lambda: company.exists(hub, CLUSTER), agent.last_words())
        await _accept(hub)
        await hub.create(WORK._replace(name=""), _work())

        async def told() -> Any:
            work = await hub.get(WORK)
            rows = objects.dig(work, "status", "conditions", default=())
            found = {one["type"]: one for one in rows}
            return work if {"Applied", "Available"} <= set(found) else None

        work = await company.until(told, agent.last_words())
        [row] = work["status"]["resourceStatus"]["manifests"]
        assert row["statusFeedback"]["values"] == [
            {"name": "colour", "fieldValue": {"type": "String", "string": "red"}}
        ]
        assert (await member.get(MAP))["data"] == {"colour": "red"}
        records = (await member.list(Address(ocm.APPLIED_WORKS))).items
        assert [one["spec"]["manifestWorkName"] for one in records] == ["shop"]

        async def is_renewed() -> bool:
            return bool(objects.dig(await hub.get(LEASE), "spec", "renewTime"))

        await company.until(is_renewed, agent.last_words())
        await hub.delete(WORK)

        async def is_gone() -> bool:
            return not await company.exists(hub, WORK) and not await company.exists(member, MAP)

        await company.until(is_gone, agent.last_words())
        assert "trying again" not in agent.last_words()


async def _accept(hub: Api) -> None:
    """What their hub's controllers do once a person has accepted the cluster."""
    await hub.patch(CLUSTER, Patch("merge", {"spec": {"hubAcceptsClient": True}}))
    await hub.create(NAMESPACES, {"metadata": {"name": NAME}})
    lease = {"metadata": {"name": LEASE.name}, "spec": {"leaseDurationSeconds": 1}}
    await hub.create(LEASE._replace(name=""), lease)
    for name, rules, place in _rights():
        role = {"metadata": {"name": name}, "rules": rules}
        await hub.create(ROLES, role)
        subject = {"apiGroup": RBAC, "kind": "Group", "name": AGENT_PREFIX + NAME}
        binding = {
            "metadata": {"name": name},
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": name},
            "subjects": [subject],
        }
        plural = "rolebindings" if place else "clusterrolebindings"
        await hub.create(Address(Resource(RBAC, "v1", plural), place), binding)

    async def is_admitted() -> bool:
        return await admitting.admit(hub, NAME, RealClock().now()) > 0

    await company.until(is_admitted, "no certificate request came")


def _rights() -> list[tuple[str, list[Any], str]]:
    """Their agents' rights, rule for rule as in their release."""
    group = "cluster.open-cluster-management.io"
    work = "work.open-cluster-management.io"
    named = {"resourceNames": [NAME]}
    whole = [
        rule("certificates.k8s.io", "certificatesigningrequests", "create get list watch"),
        {**rule(group, "managedclusters", "get list update watch"), **named},
        {**rule(group, "managedclusters/status", "patch update"), **named},
    ]
    inside = [
        rule("coordination.k8s.io", "leases", "get update"),
        rule(work, "manifestworks", "get list watch update patch"),
        rule(work, "manifestworks/status", "patch update"),
        rule("", "events", "create patch update"),
    ]
    return [("ocm:edge", whole, ""), ("ocm:work", inside, NAME)]


def _work() -> Any:
    settings = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": MAP.name, "namespace": MAP.namespace},
        "data": {"colour": "red"},
    }
    named = {"group": "", "resource": "configmaps", "namespace": "default", "name": MAP.name}
    paths = [{"name": "colour", "path": ".data.colour"}]
    config = {
        "resourceIdentifier": named,
        "feedbackRules": [{"type": "JSONPaths", "jsonPaths": paths}],
    }
    return {
        "apiVersion": ocm.WORKS.api_version,
        "kind": "ManifestWork",
        "metadata": {"name": WORK.name},
        "spec": {"workload": {"manifests": [settings]}, "manifestConfigs": [config]},
    }
