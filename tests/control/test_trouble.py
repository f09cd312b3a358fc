"""What a shell does when the world refuses, fails, or changes under its hands."""

from __future__ import annotations

import asyncio
import contextlib

from oneco.clock import Instant
from oneco.control.shell import Controller, Shell, Source
from oneco.decision import NOTHING, Apply, Create, Decision, Replace, StatusWrite
from oneco.errors import Refused
from oneco.kube import objects
from oneco.kube.api import Event, WatchOptions, WriteOptions
from oneco.kube.errors import Forbidden, ServiceUnavailable
from oneco.kube.refs import Address, Resource
from oneco.worlds.apiserver.memory import MemoryStore
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.clocks import VirtualClock, run
from oneco.worlds.sim.local import LocalApi

START = Instant(1_800_000_000.0)
MAPS = Resource("", "v1", "configmaps")
KEY = ("default", "asked")
ASKED = Address(MAPS, *KEY)


def a_map(name: str, **data: str):
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


class Place:
    """A server, a clock, a decider, and when it was asked."""

    def __init__(self, clock: VirtualClock, api_kind: type[LocalApi] = LocalApi) -> None:
        self.clock = clock
        self.server = ApiServer(MemoryStore(), clock)
        self.api = api_kind(self.server)
        self.asked: list[float] = []
        self.told: list[tuple[str, ...]] = []

    async def with_decider(self, decide, *, seconds: float) -> Shell:
        """Let a shell work for so long on the ConfigMap `asked`."""

        def gather(reader, key):
            found = reader.get(Address(MAPS, *key)) if key == KEY else None
            return (found, reader.failures()) if found is not None else None

        def noted(seen, now):
            self.asked.append(round(now - START, 3))
            self.told.append(tuple(failure.code for failure in seen[1]))
            return decide(seen[0], now)

        def itself(_, seen):
            obj = seen.new or seen.old
            return [(objects.namespace(obj), objects.name(obj))]

        source = Source(resource=MAPS, wakes=itself)
        controller = Controller(name="asker", sources=(source,), gather=gather, decide=noted)
        shell = Shell({"hub": self.api}, (controller,), self.clock)
        work = asyncio.ensure_future(shell.run())
        await self.clock.sleep_until(Instant(self.clock.now() + seconds))
        assert not work.done(), work.exception()
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
        return shell


def tell(story, api_kind: type[LocalApi] = LocalApi):
    async def main(clock: VirtualClock):
        place = Place(clock, api_kind)
        place.server.create(Address(MAPS, "default"), a_map("asked"))
        return await story(place)

    return run(main, START)


def test_a_refused_write_is_told_to_the_decider_at_once_and_then_tried_less_and_less_often():
    wrong = Create(Address(MAPS, "default"), a_map("Not A Name"))

    async def story(place):
        await place.with_decider(lambda _, __: Decision(actions=(wrong,)), seconds=20)
        return place.asked, place.told

    asked, told = tell(story)
    assert asked == [0.0, 0.0, 1.0, 3.0, 7.0, 15.0]
    assert told[:3] == [(), ("Invalid",), ("Invalid",)]


def test_two_writes_that_are_refused_in_turn_are_both_remembered_and_cost_no_more():
    options = WriteOptions(force=True)
    first, second = (
        Apply(Address(MAPS, "default", name), a_map(name), options)
        for name in ("Number One", "Number Two")
    )
    turn: list[int] = []

    def by_turns(_, __):
        turn.append(1)
        return Decision(actions=(first, second) if len(turn) % 2 else (second, first))

    async def story(place):
        await place.with_decider(by_turns, seconds=20)
        return len(place.asked), place.told[-1]

    asked, told = tell(story)
    assert asked < 12
    assert len(told) == 2


class Down(LocalApi):
    """A server that takes no writes for ten seconds."""

    async def create(self, address, body, options=WriteOptions()):
        if asyncio.get_running_loop().time() < START + 10:
            raise ServiceUnavailable("comes back soon")
        return await super().create(address, body, options)


def test_an_outage_is_waited_out_and_is_nobodys_failure():
    def make(_, __):
        return Decision(actions=(Create(Address(MAPS, "default"), a_map("made")),))

    async def story(place):
        await place.with_decider(make, seconds=20)
        return place.asked, set(place.told), place.server.get(Address(MAPS, "default", "made"))

    asked, told, made = tell(story, Down)
    assert asked[:5] == [0.0, 1.0, 3.0, 7.0, 15.0]
    assert told == {()}
    assert made["metadata"]["name"] == "made"


def test_a_decision_on_an_old_version_is_not_carried_out_but_made_again():
    seen: list[str] = []

    def change(found, _):
        data = found.get("data", {})
        seen.append(data.get("by", "nobody"))
        if "done" in data:
            return NOTHING
        body = {**found, "data": {**data, "done": "yes"}}
        return Decision(actions=(Replace(ASKED, body),))

    class Quicker(LocalApi):
        """Somebody else writes just before the first write arrives."""

        async def replace(self, address, body, options=WriteOptions()):
            if len(seen) == 1:
                other = {**self.server.get(address), "data": {"by": "somebody"}}
                self.server.replace(address, other)
            return await super().replace(address, body, options)

    async def story(place):
        await place.with_decider(change, seconds=5)
        return place.server.get(ASKED)["data"]

    assert tell(story, Quicker) == {"by": "somebody", "done": "yes"}
    assert seen[-1] == "somebody"


def test_a_picture_that_stays_old_does_not_keep_time_from_going_on():
    class Deaf(LocalApi):
        """A server whose news never come."""

        async def watch(self, address, options=WatchOptions()):
            await asyncio.sleep(1e6)
            yield Event("BOOKMARK", {})

        async def replace(self, address, body, options=WriteOptions()):
            other = {**self.server.get(address), "data": {"n": str(len(asked))}}
            asked.append(1)
            self.server.replace(address, other)
            return await super().replace(address, body, options)

    asked: list[int] = []

    async def story(place):
        await place.with_decider(
            lambda found, _: Decision(actions=(Replace(ASKED, found),)), seconds=20
        )
        return place.asked

    assert tell(story, Deaf) == [0.0, 0.0, 1.0, 3.0, 7.0, 15.0]


def test_a_status_for_what_changed_meanwhile_is_not_written():
    nodes = Resource("", "v1", "nodes")
    place_of_node = Address(nodes, "", "n")

    class Quicker(LocalApi):
        async def create(self, address, body, options=WriteOptions()):
            made = await super().create(address, body, options)
            if objects.name(body) == "made":
                node = self.server.get(place_of_node)
                self.server.replace(place_of_node, {**node, "spec": {"unschedulable": True}})
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            return made

    seen: list[bool] = []

    def decide(node, _):
        seen.append(bool(objects.dig(node, "spec", "unschedulable", default=False)))
        said = {"nodeInfo": {"kernelVersion": str(seen[-1])}}
        actions = () if seen[-1] else (Create(Address(MAPS, "default"), a_map("made")),)
        return Decision(actions=actions, statuses=(StatusWrite(place_of_node, said),))

    async def story(place):
        body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}
        place.server.create(Address(nodes), body)
        controller = Controller(
            name="nodes",
            sources=(Source(resource=nodes, wakes=lambda _, __: [("", "n")]),),
            gather=lambda reader, key: reader.get(place_of_node),
            decide=decide,
        )
        work = asyncio.ensure_future(Shell({"hub": place.api}, (controller,), place.clock).run())
        await place.clock.sleep_until(Instant(START + 5))
        shown = {
            objects.dig(change.after, "status", "nodeInfo", "kernelVersion", default="")
            for change in place.server.store.changes(0, "/nodes")
        }
        work.cancel()
        return shown - {""}

    assert tell(story, Quicker) == {"True"}


def test_one_object_that_cannot_be_read_leaves_the_others_alone():
    async def story(place):
        place.server.create(Address(MAPS, "default"), a_map("bad"))
        decided: list[str] = []

        def decide(found, _):
            if found["metadata"]["name"] == "bad":
                raise Refused("spec.wait", found="10", wanted='a duration such as "10m"')
            decided.append(found["metadata"]["name"])
            return NOTHING

        controller = Controller(
            name="reader",
            sources=(
                Source(
                    resource=MAPS, wakes=lambda _, seen: [("default", objects.name(seen.new or {}))]
                ),
            ),
            gather=lambda reader, key: reader.get(Address(MAPS, *key)),
            decide=decide,
        )
        shell = Shell({"hub": place.api}, (controller,), place.clock)
        work = asyncio.ensure_future(shell.run())
        await place.clock.sleep_until(Instant(START + 5))
        assert not work.done()
        work.cancel()
        return decided, shell.troubles()

    decided, troubles = tell(story)
    assert "asked" in decided
    assert troubles == (
        'reader default/bad: spec.wait: found "10", wanted a duration such as "10m"',
    )


class Cut(LocalApi):
    """A server whose watches break after a while, and which is away for a time."""

    asked_to_watch = 0

    async def watch(self, address, options=WatchOptions()):
        type(self).asked_to_watch += 1
        now = asyncio.get_running_loop().time() - START
        if 5 <= now < 3605:
            raise ServiceUnavailable("cannot be reached")
        async for event in self._until_cut(address, options):
            yield event

    async def _until_cut(self, address, options):
        events = super().watch(address, options)
        while True:
            left = START + 5 - asyncio.get_running_loop().time()
            try:
                yield await asyncio.wait_for(anext(events), left if left > 0 else None)
            except TimeoutError:
                raise ServiceUnavailable("cannot be reached") from None


def test_what_happened_while_a_watch_was_broken_is_seen_afterwards_also_deletions():
    Cut.asked_to_watch = 0

    async def story(place):
        async def others() -> None:
            await place.clock.sleep_until(Instant(START + 100))
            place.server.create(Address(MAPS, "default"), a_map("new"))
            place.server.delete(ASKED)

        meanwhile = asyncio.ensure_future(others())
        shell = await place.with_decider(lambda _, __: NOTHING, seconds=3700)
        await meanwhile
        return sorted(name for _, name in shell.keys("asker") if name in ("asked", "new"))

    assert tell(story, Cut) == ["new"]
    # An hour's outage is asked about some hundred times, not every second.
    assert Cut.asked_to_watch < 140


def test_a_collection_that_is_forbidden_is_told_as_trouble():
    class Closed(LocalApi):
        async def list(self, address, *more):
            raise Forbidden("configmaps may not be listed")

    async def story(place):
        source = Source(resource=MAPS, wakes=lambda _, __: ())
        controller = Controller(
            name="asker", sources=(source,), gather=lambda *_: None, decide=lambda *_: NOTHING
        )
        shell = Shell({"hub": place.api}, (controller,), place.clock)
        work = asyncio.ensure_future(shell.run())
        await place.clock.sleep_until(Instant(START + 5))
        work.cancel()
        return shell.troubles()

    assert tell(story, Closed) == ("configmaps may not be listed",)
