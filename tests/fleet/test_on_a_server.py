"""The fleet's deciders on a real hub in memory, on virtual time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from oneco.clock import Clock, Instant
from oneco.control.shell import Controller, Shell, Source
from oneco.fleet import clusters, placements, rights
from oneco.kinds import crds, ocm, validity
from oneco.kinds.fleet import FLEETS
from oneco.kube import objects, times
from oneco.kube.api import Patch
from oneco.kube.errors import Invalid, NotFound
from oneco.kube.objects import Object, dig
from oneco.kube.refs import Address, Resource
from oneco.worlds.apiserver.memory import MemoryStore
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.clocks import run
from oneco.worlds.sim.local import LocalApi

START = times.from_text("2026-11-21T08:00:00Z")
DEFINITIONS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions")
DECISION = Address(ocm.PLACEMENT_DECISIONS, "default", "all-decision-1")
UNREACHABLE = "cluster.open-cluster-management.io/unreachable"


def itself(_, seen):
    obj = seen.new or seen.old
    return [(objects.namespace(obj), objects.name(obj))]


def its_cluster(_, seen):
    return [("", objects.namespace(seen.new or seen.old))]


def labelled_cluster(_, seen):
    return [("", objects.labels(seen.new or seen.old).get(ocm.CLUSTER_NAME_LABEL, ""))]


def every_placement(reader, _):
    return [(objects.namespace(one), objects.name(one)) for one in reader.list(ocm.PLACEMENTS)]


def the_controllers() -> tuple[Controller, Controller]:
    return (
        Controller(
            name="clusters",
            sources=(
                Source(resource=ocm.CLUSTERS, wakes=itself),
                Source(resource=clusters.NAMESPACES, wakes=lambda _, __: ()),
                Source(resource=clusters.LEASES, wakes=its_cluster),
                Source(resource=clusters.CONFIG_MAPS, wakes=lambda _, __: ()),
                *(
                    Source(resource=one, wakes=labelled_cluster)
                    for one in (rights.ROLES, rights.BINDINGS, rights.LOCAL_BINDINGS)
                ),
            ),
            gather=clusters.gather,
            decide=clusters.decide,
        ),
        Controller(
            name="placements",
            sources=(
                Source(resource=ocm.PLACEMENTS, wakes=itself),
                Source(resource=ocm.CLUSTERS, wakes=every_placement),
                Source(resource=ocm.PLACEMENT_DECISIONS, wakes=every_placement),
            ),
            gather=placements.gather,
            decide=placements.decide,
        ),
    )


def on_a_hub(story: Callable[[LocalApi, Clock], Awaitable[None]]) -> None:
    """Tell `story` on a hub with our kinds, with the fleet's deciders at work."""

    async def main(clock: Clock) -> None:
        api = LocalApi(ApiServer(MemoryStore(), clock, admission=[validity.Admission()]))
        for definition in crds.all():
            await api.create(Address(DEFINITIONS), definition)
        work = asyncio.ensure_future(Shell({"hub": api}, the_controllers(), clock).run())
        try:
            await story(api, clock)
        finally:
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work

    run(main, START)


async def a_cluster_joins(api: LocalApi, clock: Clock, name: str) -> None:
    """A person accepts a cluster and its agent says that it is well."""
    spec = {"hubAcceptsClient": True}
    kind = {"apiVersion": "cluster.open-cluster-management.io/v1", "kind": "ManagedCluster"}
    await api.create(Address(ocm.CLUSTERS), {**kind, "metadata": {"name": name}, "spec": spec})
    await after(clock, 1)
    well = {
        "type": clusters.AVAILABLE,
        "status": "True",
        "reason": "ManagedClusterAvailable",
        "message": "well",
        "lastTransitionTime": times.to_text(clock.now()),
    }
    present = dig(await api.get(Address(ocm.CLUSTERS, name=name)), "status", "conditions")
    body = {"status": {"conditions": [*present, well]}}
    await api.patch(Address(ocm.CLUSTERS, name=name, subresource="status"), Patch("merge", body))


async def renews(api: LocalApi, clock: Clock, name: str) -> None:
    renewed = {"spec": {"renewTime": times.to_micro_text(clock.now())}}
    address = Address(clusters.LEASES, name, clusters.LEASE_NAME)
    await api.patch(address, Patch("merge", renewed))


async def after(clock: Clock, seconds: float) -> None:
    await clock.sleep_until(Instant(clock.now() + seconds))


async def taints(api: LocalApi, name: str) -> list[str]:
    cluster = await api.get(Address(ocm.CLUSTERS, name=name))
    return [one["key"] for one in dig(cluster, "spec", "taints", default=())]


def a_placement() -> Object:
    kind = {"apiVersion": "cluster.open-cluster-management.io/v1beta1", "kind": "Placement"}
    return {**kind, "metadata": {"name": "all", "namespace": "default"}, "spec": {}}


def test_a_cluster_that_falls_silent_is_tainted_stays_chosen_and_comes_back():
    async def story(api, clock):
        await a_cluster_joins(api, clock, "c1")
        await api.create(Address(ocm.PLACEMENTS, "default"), a_placement())
        await after(clock, 1)
        chosen = {"decisions": [{"clusterName": "c1", "reason": ""}]}
        assert (await api.get(DECISION))["status"] == chosen
        assert await taints(api, "c1") == []
        await after(clock, 310)
        assert await taints(api, "c1") == [UNREACHABLE]
        assert (await api.get(DECISION))["status"] == chosen
        await renews(api, clock, "c1")
        await after(clock, 1)
        assert await taints(api, "c1") == []

    on_a_hub(story)


def test_a_cluster_that_has_not_joined_is_not_chosen_until_its_agent_is_there():
    async def story(api, clock):
        await api.create(Address(ocm.PLACEMENTS, "default"), a_placement())
        await after(clock, 1)
        assert (await api.get(DECISION))["status"] == {"decisions": []}
        await a_cluster_joins(api, clock, "c1")
        await after(clock, 1)
        assert (await api.get(DECISION))["status"]["decisions"][0]["clusterName"] == "c1"
        placement = await api.get(Address(ocm.PLACEMENTS, "default", "all"))
        assert placement["status"]["numberOfSelectedClusters"] == 1

    on_a_hub(story)


def test_a_settled_fleet_writes_nothing_more():
    async def story(api, clock):
        await a_cluster_joins(api, clock, "c1")
        await api.create(Address(ocm.PLACEMENTS, "default"), a_placement())
        await after(clock, 5)
        before = (await api.list(Address(ocm.CLUSTERS))).resource_version
        await after(clock, 200)
        assert (await api.list(Address(ocm.CLUSTERS))).resource_version == before

    on_a_hub(story)


def test_the_hub_refuses_a_fleet_with_two_clusters_of_one_name():
    async def story(api, clock):
        kind = {"apiVersion": "onepersoncompany.io/v1alpha1", "kind": "Fleet"}
        spec = {"clusters": [{"name": "a"}, {"name": "a"}]}
        fleet = {**kind, "metadata": {"name": "f"}, "spec": spec}
        with pytest.raises(Invalid, match=r"spec\.clusters\[0\]\.name has it already"):
            await api.create(Address(FLEETS, "default"), fleet)

    on_a_hub(story)


async def missing_rights(api: LocalApi, name: str) -> list[str]:
    """Which of the role and bindings of one cluster's agent are not there."""
    missing = []
    for address in rights.addresses(name):
        try:
            await api.get(address)
        except NotFound:
            missing.append(str(address))
    return missing


def test_rights_come_with_acceptance_go_with_denial_and_come_again():
    async def story(api, clock):
        await a_cluster_joins(api, clock, "c1")
        await a_cluster_joins(api, clock, "c2")
        assert await missing_rights(api, "c1") == []
        for is_accepted in (False, True):
            patch = Patch("merge", {"spec": {"hubAcceptsClient": is_accepted}})
            await api.patch(Address(ocm.CLUSTERS, "", "c1"), patch)
            await after(clock, 1)
            assert len(await missing_rights(api, "c1")) == (0 if is_accepted else 3)
            assert await missing_rights(api, "c2") == []

    on_a_hub(story)


def test_rights_that_somebody_removed_or_widened_are_put_back():
    async def story(api, clock):
        await a_cluster_joins(api, clock, "c1")
        own, local, everywhere = rights.addresses("c1")
        await api.delete(local)
        await api.delete(everywhere)
        widened = {"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}
        await api.patch(own, Patch("merge", widened))
        await after(clock, 1)
        assert await missing_rights(api, "c1") == []
        assert (await api.get(own))["rules"] != widened["rules"]

    on_a_hub(story)


def test_rights_go_with_the_cluster():
    async def story(api, clock):
        await a_cluster_joins(api, clock, "c1")
        await api.delete(Address(ocm.CLUSTERS, "", "c1"))
        await after(clock, 1)
        assert len(await missing_rights(api, "c1")) == 3

    on_a_hub(story)
