"""Of several processes one leads, and one that lost the lease writes nothing."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from oneco.clock import Instant
from oneco.control.election import LEASES, Election
from oneco.control.fence import FencedApi
from oneco.kube import objects
from oneco.kube.api import DeleteOptions, Patch, WriteOptions
from oneco.kube.errors import Forbidden, ServiceUnavailable, Timeout
from oneco.kube.refs import Address, Resource
from oneco.worlds.apiserver.memory import MemoryStore
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.clocks import VirtualClock, run
from oneco.worlds.sim.local import LocalApi

START = Instant(1_800_000_000.0)
PLACE = Address(LEASES, "default", "hub")
MAPS = Resource("", "v1", "configmaps")


class Line(LocalApi):
    """One process's way to the server, which can be cut and can hang."""

    def __init__(self, server: ApiServer, clock: VirtualClock) -> None:
        super().__init__(server)
        self._clock = clock
        self.is_cut, self.is_refused, self.delay_seconds = False, False, 0.0

    async def get(self, address):
        await self._pass()
        return await super().get(address)

    async def create(self, address, body, options=WriteOptions()):
        await self._pass()
        return await super().create(address, body, options)

    async def _pass(self) -> None:
        if self.is_cut:
            raise ServiceUnavailable("cut off")
        if self.is_refused:
            raise Forbidden("nobody has rights yet")
        if self.delay_seconds:
            await self._clock.sleep_until(Instant(self._clock.now() + self.delay_seconds))


class Place:
    """Two processes that stand for one hub."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock, self.server = clock, ApiServer(MemoryStore(), clock)
        self.lines = [Line(self.server, clock) for _ in "ab"]
        self.a, self.b = (
            Election(line, PLACE, name, clock) for line, name in zip(self.lines, "ab", strict=True)
        )

    def after(self) -> float:
        """Seconds since the beginning."""
        return self.clock.now() - START

    async def wait(self, seconds: float) -> None:
        await self.clock.sleep_until(Instant(self.clock.now() + seconds))

    async def won(self, election: Election) -> float:
        """When this one got the lease."""
        while not await election.stand():
            await election.pause()
        return self.after()


@contextlib.asynccontextmanager
async def kept(election: Election):
    keeping = asyncio.ensure_future(election.keep())
    try:
        yield keeping
    finally:
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping


def tell(story):
    async def main(clock: VirtualClock):
        return await story(Place(clock))

    return run(main, START)


def a_map(name: str = "made"):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


def test_the_second_waits_while_the_first_renews():
    async def story(place: Place):
        assert await place.a.stand()
        async with kept(place.a):
            for _ in range(60):
                assert not await place.b.stand()
                await place.wait(1)
            return place.b.holder, place.a.seconds_left() > 0

    assert tell(story) == ("a", True)


def test_the_second_takes_over_when_the_first_was_killed():
    async def story(place: Place):
        await place.a.stand()
        at = await place.won(place.b)
        lease = place.server.get(PLACE)
        return at, objects.dig(lease, "spec", "leaseTransitions"), place.a.seconds_left()

    at, transitions, left = tell(story)
    assert 15 <= at <= 17
    assert transitions == 1
    assert left < 0


def test_the_second_takes_over_at_once_when_the_first_gives_the_lease_back():
    async def story(place: Place):
        await place.a.stand()
        await place.a.give_back()
        return await place.b.stand(), place.a.seconds_left() > 0

    assert tell(story) == (True, False)


def test_a_lease_of_a_clock_that_is_wrong_is_respected_until_it_is_seen_to_stand_still():
    async def story(place: Place):
        await place.a.stand()
        old = place.server.get(PLACE)
        spec = {**old["spec"], "renewTime": "2001-01-01T00:00:00.000000Z"}
        place.server.replace(PLACE, {**old, "spec": spec})
        return await place.won(place.b)

    assert 15 <= tell(story) <= 17


def test_one_that_is_cut_off_stops_before_another_may_begin():
    async def story(place: Place):
        await place.a.stand()
        async with kept(place.a) as keeping:
            place.lines[0].is_cut = True
            at = await place.won(place.b)
            why = await keeping
            return at, why, place.a.seconds_left()

    at, why, left = tell(story)
    assert at >= 15
    assert why == "the lease could not be renewed in time: cut off"
    assert left < -5, "it may have written until the other began"


def test_a_server_that_knows_nobodys_rights_for_a_moment_unseats_nobody():
    async def story(place: Place):
        await place.a.stand()
        async with kept(place.a) as keeping:
            place.lines[0].is_refused = True
            await place.wait(5)
            place.lines[0].is_refused = False
            await place.wait(60)
            return keeping.done(), place.a.seconds_left() > 0

    assert tell(story) == (False, True)


def test_one_whose_answers_hang_stops_before_another_may_begin():
    async def story(place: Place):
        await place.a.stand()
        place.lines[0].delay_seconds = 600
        async with kept(place.a) as keeping:
            why = await keeping
            return why, place.after()

    why, at = tell(story)
    assert why == "the lease could not be renewed in time: no answer"
    assert at <= 10


def test_one_that_slept_through_its_lease_learns_who_holds_it():
    async def story(place: Place):
        await place.a.stand()
        await place.won(place.b)
        # As a process does that was stopped and continued: it believes to be in the middle of it.
        async with kept(place.a) as keeping:
            return await keeping, place.after()

    why, at = tell(story)
    assert why == "b holds the lease now" or why.startswith("the lease could not be renewed")
    assert at <= 22


def test_a_foreign_annotation_on_the_lease_does_not_unseat_the_holder():
    async def story(place: Place):
        await place.a.stand()
        async with kept(place.a) as keeping:
            for _ in range(30):
                note = {"metadata": {"annotations": {"noted": str(place.after())}}}
                place.server.patch(PLACE, Patch("merge", note))
                await place.wait(1)
            return keeping.done(), place.a.seconds_left() > 0

    assert tell(story) == (False, True)


@pytest.mark.parametrize(
    "write",
    [
        lambda api: api.create(Address(MAPS, "default"), a_map()),
        lambda api: api.replace(Address(MAPS, "default", "there"), a_map("there")),
        lambda api: api.patch(Address(MAPS, "default", "there"), Patch("merge", {"data": {}})),
        lambda api: api.apply(Address(MAPS, "default", "there"), a_map("there")),
        lambda api: api.delete(Address(MAPS, "default", "there"), DeleteOptions()),
        lambda api: api.delete_many(Address(MAPS, "default")),
    ],
    ids=["create", "replace", "patch", "apply", "delete", "delete_many"],
)
def test_one_that_lost_the_lease_reads_and_writes_nothing(write):
    async def story(place: Place):
        place.server.create(Address(MAPS, "default"), a_map("there"))
        await place.a.stand()
        await place.won(place.b)
        before = place.server.list(Address(MAPS, "default")).resource_version
        fenced = FencedApi(place.lines[0], place.a)
        assert objects.name(await fenced.get(Address(MAPS, "default", "there"))) == "there"
        with pytest.raises(ServiceUnavailable, match="does not lead"):
            await write(fenced)
        return before == place.server.list(Address(MAPS, "default")).resource_version

    assert tell(story)


def test_a_write_that_hangs_is_given_up_when_the_lease_ends():
    async def story(place: Place):
        await place.a.stand()
        place.lines[0].delay_seconds = 600
        with pytest.raises(Timeout, match="lease ended"):
            await FencedApi(place.lines[0], place.a).create(Address(MAPS, "default"), a_map())
        await place.wait(1000)
        return [objects.name(one) for one in place.server.list(Address(MAPS, "default")).items]

    assert "made" not in tell(story)
