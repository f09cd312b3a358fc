"""Which life of a hub may act on a cluster, and that it is known before anything is done."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from oneco.agent import seen
from oneco.clock import Clock
from oneco.control.cache import Cache, CacheReader
from oneco.fleet import rights
from oneco.kinds import crds, ocm, validity
from oneco.kinds.release import OBSERVATIONS, UNITS
from oneco.kube import times
from oneco.kube.errors import NotFound
from oneco.kube.objects import Object, annotations_of
from oneco.kube.refs import Address, Resource
from oneco.main import epoch
from oneco.release import seen as release_seen
from oneco.worlds.apiserver.memory import MemoryStore
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.clocks import run
from oneco.worlds.sim.local import LocalApi

UNIT = {"cluster": "c1", "application": "a", "applicationNamespace": "n", "release": "r"}
START = times.from_text("2026-11-21T08:00:00Z")
DEFINITIONS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions")

NAMESPACES = Resource("", "v1", "namespaces")


def a_cluster(**marks: str) -> Object:
    names = {"hub": ocm.HUB_EPOCH_ANNOTATION, "confirmed": ocm.CONFIRMED_EPOCH_ANNOTATION}
    annotations = {names[key]: value for key, value in marks.items()}
    return {
        "apiVersion": ocm.CLUSTERS.api_version,
        "kind": "ManagedCluster",
        "metadata": {"name": "c1", "annotations": annotations},
        "spec": {"hubAcceptsClient": True},
    }


def is_confirmed(cluster: Object | None, *record_epochs: str) -> bool | None:
    """Whether the agent would act; None while it would not even look."""
    cache = Cache()
    work = {"metadata": {"name": "w", "namespace": "c1"}, "spec": {}}
    cache.take("hub", ocm.WORKS, work)
    if cluster is not None:
        cache.take("hub", ocm.CLUSTERS, cluster)
    for number, life in enumerate(record_epochs):
        marks = {ocm.HUB_EPOCH_ANNOTATION: life}
        record = {"metadata": {"name": f"hub-{number}", "annotations": marks}}
        cache.take("member", ocm.APPLIED_WORKS, record)
    found = seen.work(CacheReader(cache), ("c1", "w"), lambda _: None, {})
    return None if found is None else found.is_confirmed


@pytest.mark.parametrize(
    ("marks", "records", "expected"),
    [
        ({"hub": "a", "confirmed": "a"}, ("a",), True),
        ({"hub": "b", "confirmed": "a"}, ("a",), False),
        ({"hub": "b", "confirmed": "a"}, (), False),
        ({"hub": "b", "confirmed": "b"}, ("a",), True),
        ({"hub": "b"}, ("a",), False),
        ({"hub": "b"}, (), True),
        ({}, (), True),
        ({}, ("",), True),
        ({}, ("a",), False),
    ],
)
def test_a_life_acts_where_it_was_confirmed_or_where_none_acted_before(marks, records, expected):
    assert is_confirmed(a_cluster(**marks), *records) is expected


def test_nothing_is_decided_before_the_cluster_itself_was_seen():
    assert is_confirmed(None, "a") is None


@pytest.mark.parametrize(("life", "is_heard"), [("b", True), ("a", False), ("", False)])
def test_a_hub_believes_only_what_was_said_to_its_present_life(life, is_heard):
    cache = Cache()
    cache.take("hub", ocm.CLUSTERS, a_cluster(hub="b", confirmed="a"))
    place = {"name": "u", "namespace": "c1"}
    cache.take("hub", UNITS, {"metadata": place, "spec": UNIT})
    observed = {"hubEpoch": life, "workGeneration": 9}
    cache.take("hub", OBSERVATIONS, {"metadata": place, "observed": observed})
    found = release_seen.unit(CacheReader(cache), ("c1", "u"))
    assert found is not None
    assert (found.observed is not None) is is_heard


def on_a_hub(story: Any) -> None:
    async def main(clock: Clock) -> None:
        api = LocalApi(ApiServer(MemoryStore(), clock, admission=[validity.Admission()]))
        for definition in crds.all():
            await api.create(Address(DEFINITIONS), definition)
        await asyncio.wait_for(story(api), 60)

    run(main, START)


def test_a_start_from_a_copy_marks_every_cluster_before_it_returns():
    async def story(api: LocalApi) -> None:
        first = await epoch.begin(api, is_copy=False)
        assert await epoch.begin(api, is_copy=False) == first
        body = a_cluster(hub=first, confirmed=first)
        await api.create(Address(ocm.CLUSTERS), body)
        second = await epoch.begin(api, is_copy=True)
        found = annotations_of(await api.get(Address(ocm.CLUSTERS, "", "c1")))
        assert second != first
        assert found[ocm.HUB_EPOCH_ANNOTATION] == second
        assert found[ocm.CONFIRMED_EPOCH_ANNOTATION] == first

    on_a_hub(story)


def test_a_start_from_a_copy_keeps_a_foreign_agent_from_its_works_before_it_returns():
    since = "2026-11-21T07:00:00Z"
    said = {"reason": "Joined", "message": "m", "lastTransitionTime": since}
    joined = [{"type": "ManagedClusterJoined", "status": "True", **said}]

    async def story(api: LocalApi) -> None:
        first = await epoch.begin(api, is_copy=False)
        body = a_cluster(hub=first, confirmed=first)
        made = await api.create(Address(ocm.CLUSTERS), body)
        place = Address(ocm.CLUSTERS, "", "c1", "status")
        cluster = await api.replace(place, {**made, "status": {"conditions": joined}})
        await api.create(Address(NAMESPACES), {"metadata": {"name": "c1"}})
        for address, right in rights.of_cluster(cluster).items():
            await api.create(address._replace(name=""), right)
        await epoch.begin(api, is_copy=True)
        there = [await is_there(api, one) for one in rights.addresses("c1")]
        assert there == [True, False, True]

    on_a_hub(story)


async def is_there(api: LocalApi, address: Address) -> bool:
    try:
        await api.get(address)
    except NotFound:
        return False
    return True


def test_a_person_confirms_the_present_life():
    async def story(api: LocalApi) -> None:
        await api.create(Address(ocm.CLUSTERS), a_cluster(hub="b", confirmed="a"))
        await epoch.confirm(api, "c1")
        found = annotations_of(await api.get(Address(ocm.CLUSTERS, "", "c1")))
        assert found[ocm.CONFIRMED_EPOCH_ANNOTATION] == "b"

    on_a_hub(story)
