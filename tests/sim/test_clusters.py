"""A simulated cluster is seen across a line, and the line can fail."""

from __future__ import annotations

import pytest

from oneco.clock import Instant
from oneco.kube.api import Patch, WatchOptions
from oneco.kube.errors import ServiceUnavailable, Timeout
from oneco.kube.refs import Address, Resource
from oneco.worlds.behaviours.faults import FaultBook, Unreachable, Window
from oneco.worlds.clocks import VirtualClock
from oneco.worlds.sim.fleet import SimFleet

START = Instant(1_800_000_000.0)
PODS = Address(Resource("", "v1", "pods"), "default")
MAPS = Address(Resource("", "v1", "configmaps"), "default")
DEPLOYMENTS = Address(Resource("apps", "v1", "deployments"), "default")
OUTAGE = Unreachable(window=Window(from_seconds=100, until_seconds=200))


def simulate(story, *faults):
    """The result of `story(clock, fleet)` in virtual time."""
    clock = VirtualClock(START)
    fleet = SimFleet(clock, seed=2, faults=FaultBook(faults=faults, start=START, seed=2))
    try:
        return clock.run(story(clock, fleet), limit_virtual_seconds=86400)
    finally:
        clock.close()


def a_map(name: str):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


def a_deployment(replicas: int):
    labels = {"app": "web"}
    pod = {"containers": [{"name": "c", "image": "shop/web:1"}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def test_a_deployment_comes_up_while_virtual_time_passes():
    async def story(clock, fleet):
        cluster = fleet.add("a")
        await cluster.api.create(DEPLOYMENTS, a_deployment(3))
        await clock.sleep_until(Instant(START + 60))
        return (await cluster.api.get(DEPLOYMENTS._replace(name="web")))["status"]["readyReplicas"]

    assert simulate(story) == 3


def test_a_watch_sees_what_the_cluster_does_by_itself():
    async def story(_clock, fleet):
        cluster = fleet.add("a")
        seen = []
        options = WatchOptions(timeout_seconds=30, bookmarks=False)
        await cluster.api.create(DEPLOYMENTS, a_deployment(1))
        async for event in cluster.api.watch(PODS, options):
            seen.append((event.type, event.object["status"]["phase"]))
        return seen

    assert simulate(story) == [
        ("ADDED", "Pending"),
        ("MODIFIED", "Pending"),
        ("MODIFIED", "Running"),
    ]


def test_an_outage_stops_requests_and_ends_watches_and_passes():
    async def story(clock, fleet):
        cluster = fleet.add("a")
        watch = cluster.api.watch(MAPS)
        await cluster.api.create(MAPS, a_map("before"))
        assert (await anext(watch)).type == "ADDED"
        with pytest.raises(ServiceUnavailable):
            while True:
                await anext(watch)
        ended = clock.now() - START
        with pytest.raises(ServiceUnavailable):
            await cluster.api.list(MAPS)
        await clock.sleep_until(Instant(START + 200))
        await cluster.api.list(MAPS)
        return ended

    assert simulate(story, OUTAGE) == 100.0


def test_a_cluster_that_is_cut_off_goes_on_by_itself():
    async def story(clock, fleet):
        cluster = fleet.add("a")
        await clock.sleep_until(Instant(START + 99))
        await cluster.api.create(DEPLOYMENTS, a_deployment(3))
        await clock.sleep_until(Instant(START + 200))
        return (await cluster.api.get(DEPLOYMENTS._replace(name="web")))["status"]["readyReplicas"]

    assert simulate(story, OUTAGE) == 3


def test_the_agent_of_a_cluster_that_is_cut_off_does_not_reach_the_hub():
    async def story(clock, fleet):
        hub, member = fleet.add("hub"), fleet.add("member")
        link = member.way_to(hub.server)
        await link.create(MAPS, a_map("hello"))
        member.line.cut()
        with pytest.raises(ServiceUnavailable, match="member cannot be reached"):
            await link.create(MAPS, a_map("lost"))
        member.line.mend()
        await link.create(MAPS, a_map("again"))
        return sorted(one["metadata"]["name"] for one in (await hub.api.list(MAPS)).items)

    assert set(simulate(story)) >= {"again", "hello"} and "lost" not in simulate(story)


def test_a_lost_answer_hides_a_write_that_was_carried_out():
    async def story(_clock, fleet):
        cluster = fleet.add("a")
        cluster.line.loses_answers = 1
        with pytest.raises(Timeout):
            await cluster.api.create(MAPS, a_map("one"))
        return (await cluster.api.get(MAPS._replace(name="one")))["metadata"]["name"]

    assert simulate(story) == "one"


def test_a_slow_line_delays_answers_and_events():
    async def story(clock, fleet):
        cluster = fleet.add("a")
        watch = cluster.api.watch(MAPS._replace(name="one"))
        cluster.line.delay_seconds = 2.0
        await cluster.api.create(MAPS, a_map("one"))
        created = clock.now() - START
        await anext(watch)
        return created, clock.now() - START

    assert simulate(story) == (2.0, 6.0)


def test_a_line_can_tell_every_event_twice():
    async def story(_clock, fleet):
        cluster = fleet.add("a")
        cluster.line.repeats_events = True
        options = WatchOptions(timeout_seconds=5, bookmarks=False)
        watch = cluster.api.watch(MAPS._replace(name="one"), options)
        await cluster.api.create(MAPS, a_map("one"))
        return [event.type async for event in watch]

    assert simulate(story) == ["ADDED", "ADDED"]


def test_a_dropped_watch_ends_and_a_new_one_begins_where_it_was():
    async def story(_clock, fleet):
        cluster = fleet.add("a")
        first = await cluster.api.create(MAPS, a_map("one"))
        cut = cluster.api.watch(MAPS._replace(name="one"))
        await anext(cut)
        cluster.line.drop_watches()
        with pytest.raises(ServiceUnavailable):
            await anext(cut)
        patch = Patch("merge", {"data": {"k": "v"}})
        await cluster.api.patch(MAPS._replace(name="one"), patch)
        version = first["metadata"]["resourceVersion"]
        again = cluster.api.watch(MAPS._replace(name="one"), WatchOptions(from_version=version))
        event = await anext(again)
        await again.aclose()
        return event.type, event.object["data"]

    assert simulate(story) == ("MODIFIED", {"k": "v"})


def test_clusters_of_one_fleet_differ_in_names_and_agree_in_time():
    async def story(clock, fleet):
        for name in ("a", "b"):
            await fleet.add(name).api.create(DEPLOYMENTS, a_deployment(3))
        await clock.sleep_until(Instant(START + 60))
        return [
            {pod["metadata"]["name"]: pod["status"]["startTime"] for pod in page.items}
            for page in [await fleet[name].api.list(PODS) for name in fleet]
        ]

    one, other = simulate(story)
    assert not set(one) & set(other)
    assert set(one.values()) == set(other.values()) == {"2027-01-15T08:00:00Z"}
