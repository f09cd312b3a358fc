"""Watching: order, resuming, selections, and what is too old."""

import asyncio

import pytest

from oneco.kube.api import INITIAL_EVENTS_END, ListOptions, Match, Patch, WatchOptions
from oneco.kube.errors import ApiError, Expired, InternalError
from oneco.kube.refs import Address
from tests.contract.given import CONFIG_MAPS, SECRETS, Watching, config_map

# A controller manager puts a map of its own into every namespace, without labels.
OURS = Match(labels="ours=yes")


def ours(name, data=None, **labels):
    return config_map(name, data, labels={"ours": "yes", **labels})


@pytest.fixture
def maps(space):
    return Address(CONFIG_MAPS, space)


async def version(api, maps):
    return (await api.list(maps, ListOptions(match=OURS))).resource_version


async def watching(api, maps, match=OURS):
    options = WatchOptions(match=match, from_version=await version(api, maps))
    return Watching(api, maps, options)


async def test_changes_arrive_in_order(api, maps):
    async with await watching(api, maps) as watch:
        at = maps._replace(name="a")
        await api.create(maps, ours("a"))
        await api.patch(at, Patch("merge", {"data": {"k": "v"}}))
        await api.delete(at)
        assert await watch.seen() == ("ADDED", "a")
        changed = await watch.next()
        assert (changed.type, changed.object["data"]) == ("MODIFIED", {"k": "v"})
        assert await watch.seen() == ("DELETED", "a")


async def test_a_deleted_event_carries_the_last_state_and_a_new_version(api, maps):
    made = await api.create(maps, ours("a", {"k": "v"}))
    async with await watching(api, maps) as watch:
        await api.delete(maps._replace(name="a"))
        event = await watch.next()
    assert (event.type, event.object["data"]) == ("DELETED", {"k": "v"})
    assert int(event.object["metadata"]["resourceVersion"]) > int(
        made["metadata"]["resourceVersion"]
    )


async def test_without_a_version_the_present_objects_come_first(api, maps):
    await api.create(maps, ours("b"))
    await api.create(maps, ours("a"))
    async with Watching(api, maps, WatchOptions(match=OURS)) as watch:
        first = {await watch.seen(), await watch.seen()}
        assert first == {("ADDED", "a"), ("ADDED", "b")}
        await api.create(maps, ours("c"))
        assert await watch.seen() == ("ADDED", "c")


async def test_a_bookmark_ends_the_initial_events(api, maps):
    await api.create(maps, ours("a"))
    options = WatchOptions(match=OURS, initial_events=True)
    async with Watching(api, maps, options) as watch:
        assert await watch.seen() == ("ADDED", "a")
        mark = await watch.next_of_any_type()
    assert mark.type == "BOOKMARK"
    assert mark.object["metadata"]["annotations"] == {INITIAL_EVENTS_END: "true"}
    assert int(mark.object["metadata"]["resourceVersion"]) > 0


async def test_a_watch_resumes_behind_a_version(api, maps):
    first = await api.create(maps, ours("a"))
    await api.create(maps, ours("b"))
    await api.delete(maps._replace(name="a"))
    since = first["metadata"]["resourceVersion"]
    async with Watching(api, maps, WatchOptions(match=OURS, from_version=since)) as watch:
        assert await watch.seen() == ("ADDED", "b")
        assert await watch.seen() == ("DELETED", "a")
        await api.create(maps, ours("c"))
        assert await watch.seen() == ("ADDED", "c")


async def test_other_kinds_and_namespaces_are_not_heard(api, maps):
    async with await watching(api, maps) as watch:
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
        await api.create(maps._replace(resource=SECRETS), secret)
        await api.create(Address(CONFIG_MAPS, "default"), ours("elsewhere"))
        await api.delete(Address(CONFIG_MAPS, "default", "elsewhere"))
        await api.create(maps, ours("a"))
        assert await watch.seen() == ("ADDED", "a")


async def test_a_watch_of_all_namespaces_hears_each(api, maps):
    everywhere = Address(CONFIG_MAPS)
    match = Match(labels=f"ours=yes,space={maps.namespace}")
    options = WatchOptions(match=match, from_version=await version(api, everywhere))
    async with Watching(api, everywhere, options) as watch:
        await api.create(maps, ours("a", space=maps.namespace))
        assert await watch.seen() == ("ADDED", "a")


async def test_what_enters_a_selection_is_added(api, maps):
    await api.create(maps, ours("a"))
    async with await watching(api, maps, Match(labels="tier=front")) as watch:
        at = maps._replace(name="a")
        await api.patch(at, Patch("merge", {"metadata": {"labels": {"tier": "front"}}}))
        assert await watch.seen() == ("ADDED", "a")
        await api.patch(at, Patch("merge", {"data": {"k": "v"}}))
        assert await watch.seen() == ("MODIFIED", "a")


async def test_what_leaves_a_selection_is_deleted(api, maps):
    await api.create(maps, ours("a", {"k": "v"}, tier="front"))
    async with await watching(api, maps, Match(labels="tier=front")) as watch:
        at = maps._replace(name="a")
        done = await api.patch(at, Patch("merge", {"metadata": {"labels": {"tier": "back"}}}))
        event = await watch.next()
        assert event.type == "DELETED"
        assert event.object["metadata"]["labels"]["tier"] == "front"
        assert event.object["metadata"]["resourceVersion"] == done["metadata"]["resourceVersion"]
        await api.delete(at)
        await api.create(maps, ours("b", tier="front"))
        assert await watch.seen() == ("ADDED", "b")


async def test_one_name_is_watched_by_a_field(api, maps):
    async with await watching(api, maps, Match(fields="metadata.name=b")) as watch:
        await api.create(maps, ours("a"))
        await api.create(maps, ours("b"))
        assert await watch.seen() == ("ADDED", "b")


async def test_a_write_that_changes_nothing_is_not_heard(api, maps):
    made = await api.create(maps, ours("a", {"k": "v"}))
    async with await watching(api, maps) as watch:
        await api.replace(maps._replace(name="a"), made)
        await api.create(maps, ours("b"))
        assert await watch.seen() == ("ADDED", "b")


async def test_a_finalizer_shows_as_a_change_before_the_end(api, maps):
    body = {**ours("a"), "metadata": {**ours("a")["metadata"], "finalizers": ["example.io/x"]}}
    await api.create(maps, body)
    async with await watching(api, maps) as watch:
        at = maps._replace(name="a")
        await api.delete(at)
        marked = await watch.next()
        assert marked.type == "MODIFIED" and marked.object["metadata"]["deletionTimestamp"]
        await api.patch(at, Patch("merge", {"metadata": {"finalizers": None}}))
        assert await watch.seen() == ("DELETED", "a")


async def test_a_watch_ends_after_its_time(api, maps):
    watch = api.watch(maps, WatchOptions(from_version=await version(api, maps), timeout_seconds=1))
    with pytest.raises(StopAsyncIteration):
        async with asyncio.timeout(10):
            while True:
                await anext(watch)


async def test_a_version_that_is_no_number_is_refused(api, maps):
    with pytest.raises(ApiError):
        async with Watching(api, maps, WatchOptions(from_version="x")) as watch:
            await watch.next()


async def test_what_is_forgotten_is_expired(runner):
    # How long a server remembers is its own choice, so this one is not shared.
    from oneco.clock import Instant
    from oneco.worlds.apiserver.memory import MemoryStore
    from oneco.worlds.apiserver.server import ApiServer
    from oneco.worlds.clocks import StepClock
    from oneco.worlds.sim.local import LocalApi

    api = LocalApi(ApiServer(MemoryStore(history=4), StepClock(Instant(0.0))))
    maps = Address(CONFIG_MAPS, "default")
    first = await api.create(maps, ours("a"))
    for name in "bcdef":
        await api.create(maps, ours(name))
    since = first["metadata"]["resourceVersion"]
    with pytest.raises(Expired) as caught:
        async with Watching(api, maps, WatchOptions(from_version=since)) as watch:
            await watch.next()
    assert caught.value.message == "too old resource version: 6 (7)"


@pytest.mark.parametrize("version", ["x", "-1"])
async def test_a_watch_from_what_is_no_version_fails(api, space, version):
    options = WatchOptions(from_version=version)
    async with Watching(api, Address(CONFIG_MAPS, space), options) as watching:
        with pytest.raises(InternalError, match="invalid syntax"):
            await watching.next()


async def test_who_takes_bookmarks_is_told_where_the_present_objects_end(api, maps):
    await api.create(maps, ours("a"))
    async with Watching(api, maps, WatchOptions(match=OURS)) as watch:
        assert await watch.seen() == ("ADDED", "a")
        mark = await watch.next_of_any_type()
    assert mark.object["metadata"]["annotations"] == {INITIAL_EVENTS_END: "true"}
