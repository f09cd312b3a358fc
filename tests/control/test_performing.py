"""Writes that do not do what they should are told to the decider, not lost."""

from __future__ import annotations

import asyncio

from oneco.control.cache import Cache
from oneco.control.performing import Performer
from oneco.decision import Apply, Decision
from oneco.kube.api import WriteOptions
from oneco.kube.refs import Address, Resource
from oneco.worlds.apiserver.memory import MemoryStore
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.clocks import RealClock
from oneco.worlds.sim.local import LocalApi

CONFIG_MAPS = Resource("", "v1", "configmaps")
PLACE = Address(CONFIG_MAPS, "default", "a")


def a_map(text: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "namespace": "default"},
        "data": {"text": text},
    }


def an_apply(text: str) -> Decision:
    options = WriteOptions(manager="agent", force=True)
    return Decision(actions=(Apply(PLACE, a_map(text), options),))


def test_an_apply_that_changes_nothing_is_told_as_a_failure():
    async def run() -> None:
        performer = Performer({"hub": LocalApi(ApiServer(MemoryStore(), RealClock()))}, Cache())
        first = await performer.perform(an_apply("one"))
        assert (first.writes, first.failure) == (1, None)
        again = await performer.perform(an_apply("one"))
        assert again.failure is not None
        assert again.failure.code == "NoEffect"
        assert again.failure.address == PLACE
        changed = await performer.perform(an_apply("two"))
        assert (changed.writes, changed.failure) == (1, None)

    asyncio.run(run())
