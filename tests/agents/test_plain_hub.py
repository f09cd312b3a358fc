"""Our agent on a hub that knows Open Cluster Management's kinds and none of ours."""

from __future__ import annotations

import asyncio

import pytest

from oneco.kinds import ocm
from oneco.kube import objects
from oneco.kube.api import Patch
from oneco.kube.refs import Address, Resource
from oneco.main import crds
from oneco.worlds.cluster.client import connect
from tests.agents.processes import Person, until
from tests.agents.works import a_map, a_work, map_at
from tests.embedded.servers import a_server

LEASE = Address(Resource("coordination.k8s.io", "v1", "leases"), "c1", "managed-cluster-lease")
NAMESPACES = Address(Resource("", "v1", "namespaces"))
CLUSTER = Address(ocm.CLUSTERS, "", "c1")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]


@pytest.fixture
def plain(tmp_path):
    """The administrator of such a hub."""
    with a_server(tmp_path / "plain-hub") as server:
        asyncio.run(_taught(str(server.kubeconfig_path)))
        yield Person(server.kubeconfig_path)


async def _taught(kubeconfig):
    known = [one for one in crds.for_hub() if objects.name(one).endswith("management.io")]
    assert known
    async with connect(kubeconfig) as hub:
        await crds.install(hub, known)


def accepted(plain):
    """Do what Open Cluster Management's own controllers do for a cluster that was accepted."""
    until(lambda: plain.get(CLUSTER), "the agent did not register its cluster")
    plain.ask(lambda api: api.patch(CLUSTER, Patch("merge", {"spec": {"hubAcceptsClient": True}})))
    plain.ask(lambda api: api.create(NAMESPACES, {"metadata": {"name": "c1"}}))
    lease = {"metadata": {"name": LEASE.name}, "spec": {"leaseDurationSeconds": 1}}
    plain.ask(lambda api: api.create(LEASE._replace(name=""), lease))


def applied(plain):
    work = plain.get(Address(ocm.WORKS, "c1", "w")) or {}
    rows = objects.dig(work, "status", "conditions", default=())
    return {one["type"]: one["observedGeneration"] for one in rows if one["status"] == "True"}


def test_an_agent_registers_applies_reports_renews_and_takes_off(started, plain, member):
    agent = started.agent_of("c1", member.kubeconfig, hub=plain.kubeconfig)
    accepted(plain)
    plain.apply(*a_work("c1", a_map("m", "one")))
    until(lambda: applied(plain) == {"Applied": 1, "Available": 1}, agent.said())
    assert member.get(map_at("m"))["data"] == {"text": "one"}
    until(lambda: objects.dig(plain.get(LEASE), "spec", "renewTime"), "the lease is not renewed")
    plain.ask(lambda api: api.delete(Address(ocm.WORKS, "c1", "w")))
    until(lambda: plain.get(Address(ocm.WORKS, "c1", "w")) is None, agent.said())
    assert member.get(map_at("m")) is None
    assert "trying again" not in agent.said()
    assert agent.end() == 0


def test_a_kubeconfig_of_the_hub_needs_the_clusters_name(started, plain, member):
    agent = started.agent_of("", member.kubeconfig, hub=plain.kubeconfig)
    assert agent.popen.wait(20) == 1
    assert "--name too: the cluster that this is to be" in agent.said()
