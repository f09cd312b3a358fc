"""A shell that has just begun knows only half of its cluster; it acts when it knows the rest."""

from __future__ import annotations

import asyncio
import contextlib

from oneco.clock import Instant
from oneco.control.shell import Controller, Shell, Source
from oneco.decision import Create, Decision, Follow
from oneco.kube import objects, times
from oneco.kube.api import ListOptions, Page
from oneco.kube.errors import Forbidden, NotFound
from oneco.kube.refs import Address, Resource
from oneco.worlds.apiserver.memory import MemoryStore
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.clocks import VirtualClock, run
from oneco.worlds.sim.local import LocalApi

START = times.from_text("2026-11-21T08:00:00Z")
MAPS = Resource("", "v1", "configmaps")
SERVICES = Resource("", "v1", "services")
COPY = Address(MAPS, "default", "copy")


class SlowApi(LocalApi):
    """Lists of Services come ten seconds late, and at first not at all."""

    def __init__(self, server: ApiServer, clock: VirtualClock, refused_seconds: float) -> None:
        super().__init__(server)
        self._clock, self._allowed_at = clock, clock.now() + refused_seconds

    async def list(self, address: Address, options: ListOptions = ListOptions()) -> Page:
        if address.resource == SERVICES:
            if self._clock.now() < self._allowed_at:
                raise Forbidden("services may not be listed")
            await self._clock.sleep_until(Instant(self._clock.now() + 10))
        return await super().list(address, options)


def itself(_, seen):
    obj = seen.new or seen.old
    return [(objects.namespace(obj), objects.name(obj))]


def nobody(_, __):
    return ()


def services(reader, key):
    """How many Services are seen, asked about one ConfigMap."""
    return len(reader.list(SERVICES)) if key[1] == "asked" else None


def count(seen, _):
    """Writes down how many Services there are."""
    body = {"metadata": {"name": "copy", "namespace": "default"}, "data": {"services": str(seen)}}
    create = Create(Address(MAPS, "default"), {"apiVersion": "v1", "kind": "ConfigMap", **body})
    return Decision(actions=(create,))


def count_and_follow(seen, now):
    decision = count(seen, now)
    return Decision(actions=decision.actions, follows=(Follow(SERVICES, side="hub"),))


def told_after(seconds: float, controller: Controller, *, refused_seconds: float = 0) -> str:
    """What the shell wrote down so many seconds after it began on a new cluster.

    A new cluster has one Service, its own.
    """

    async def story(clock: VirtualClock) -> str:
        api = SlowApi(ApiServer(MemoryStore(), clock), clock, refused_seconds)
        asked = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "asked"}}
        await api.create(Address(MAPS, "default"), asked)
        work = asyncio.ensure_future(Shell({"hub": api}, (controller,), clock).run())
        await clock.sleep_until(Instant(clock.now() + seconds))
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
        try:
            return str((await api.get(COPY))["data"]["services"])
        except NotFound:
            return "nothing"

    return run(story, START)


A_SOURCE = Controller(
    name="counter",
    sources=(Source(resource=MAPS, wakes=itself), Source(resource=SERVICES, wakes=nobody)),
    gather=services,
    decide=count,
)
A_FOLLOWER = Controller(
    name="counter",
    sources=(Source(resource=MAPS, wakes=itself),),
    gather=services,
    decide=count_and_follow,
    followed=nobody,
)


def test_nothing_is_decided_before_every_source_was_listed():
    assert told_after(9, A_SOURCE) == "nothing"
    assert told_after(11, A_SOURCE) == "1"


def test_a_decision_that_follows_what_was_not_listed_yet_is_made_again_instead_of_done():
    assert told_after(9, A_FOLLOWER) == "nothing"
    assert told_after(11, A_FOLLOWER) == "1"


def test_what_may_not_be_seen_holds_up_nobody_for_long():
    for controller in (A_SOURCE, A_FOLLOWER):
        assert told_after(2, controller, refused_seconds=1000) == "nothing"
        assert told_after(5, controller, refused_seconds=1000) == "0"


def test_a_server_that_knows_nobodys_rights_for_a_moment_is_asked_again():
    for controller in (A_SOURCE, A_FOLLOWER):
        assert told_after(20, controller, refused_seconds=2) == "1"
