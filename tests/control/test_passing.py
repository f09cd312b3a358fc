"""An `Api` in front of another: nothing is lost on the way, and every write is seen."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable

from oneco.clock import Instant
from oneco.kube import objects
from oneco.kube.api import Api, DeleteOptions, Match, Patch, WatchOptions, WriteOptions
from oneco.kube.objects import Object
from oneco.kube.passing import Answer, PassingApi, Write
from oneco.kube.refs import Address, Resource
from oneco.worlds.apiserver.memory import MemoryStore
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.clocks import VirtualClock
from oneco.worlds.sim.local import LocalApi

MAPS = Address(Resource("", "v1", "configmaps"), "default")
ONE = MAPS._replace(name="one")
DRY = WriteOptions(dry_run=True)


class Watchful(PassingApi):
    """Notes each write that was accepted."""

    def __init__(self, api: Api) -> None:
        super().__init__(api)
        self.seen: list[Write] = []

    async def around(self, write: Write, act: Callable[[], Awaitable[Answer]]) -> Answer:
        answer = await act()
        self.seen.append(write)
        return answer


def a_map(**data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "data": data}


def watchful() -> Watchful:
    clock = VirtualClock(Instant(1_800_000_000.0))
    return Watchful(LocalApi(ApiServer(MemoryStore(), clock)))


def test_every_write_is_seen_in_order_and_does_what_it_says() -> None:
    async def story(api: Watchful) -> list[Object]:
        said = [await api.create(MAPS, a_map(a="1"), DRY), await api.create(MAPS, a_map(a="1"))]
        said.append(await api.replace(ONE, a_map(a="2")))
        said.append(await api.patch(ONE, Patch("merge", {"data": {"a": "3"}})))
        options = WriteOptions(manager="me", force=True)
        said.append(await api.apply(ONE, a_map(a="4"), options))
        await api.delete(ONE, DeleteOptions(uid=objects.uid(said[-1])))
        await api.delete_many(MAPS, Match(labels="a=b"))
        return said

    api = watchful()
    said = asyncio.run(story(api))
    assert [one["data"]["a"] for one in said] == ["1", "1", "2", "3", "4"]
    everything = f"delete all {Match(labels='a=b')}"
    verbs = ["create", "create", "replace", "merge patch", "apply as me", "delete", everything]
    assert [one.verb for one in api.seen] == verbs
    assert [one.is_dry for one in api.seen] == [True] + [False] * 6
    assert [one.address for one in api.seen] == [MAPS, MAPS, ONE, ONE, ONE, ONE, MAPS]


def test_what_only_reads_passes_unseen() -> None:
    async def story(api: Watchful) -> tuple[Object, int, str, int]:
        made = await api.create(MAPS, a_map(a="1"))
        found, page = await api.get(ONE), await api.list(MAPS)
        options = WatchOptions(bookmarks=False)
        event = await anext(aiter(api.watch(MAPS, options)))
        assert found == made == event.object
        return found, len(page.items), event.type, len(await api.discover())

    api = watchful()
    _, items, event_type, served = asyncio.run(story(api))
    assert (items, event_type) == (1, "ADDED")
    assert served > 20
    assert [one.verb for one in api.seen] == ["create"]


def test_no_verb_of_an_api_is_forgotten() -> None:
    """One that is not passed on would end in the protocol, and answer nothing."""
    wanted = {name for name, _ in inspect.getmembers(Api, inspect.isfunction) if name[0] != "_"}
    assert wanted <= set(vars(PassingApi))
