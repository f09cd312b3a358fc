"""One join on a hub in memory whose process ends at any of its writes."""

from __future__ import annotations

import asyncio
import base64
import contextlib

import pytest

from oneco.clock import Clock, Instant
from oneco.control.shell import Shell
from oneco.fleet.joining import AGENT_PREFIX, AGENTS_GROUP, REQUESTS, fetch_token, token_place
from oneco.fleet.ports import Subject
from oneco.integrations.x509 import requests
from oneco.kinds import crds, ocm
from oneco.kube import objects, times
from oneco.kube.api import DeleteOptions
from oneco.kube.errors import NotFound, ServiceUnavailable
from oneco.kube.objects import Object, dig
from oneco.kube.refs import Address, Resource
from oneco.main import controllers, joining
from oneco.worlds.apiserver.core import Caller
from oneco.worlds.apiserver.memory import MemoryStore
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.clocks import run
from oneco.worlds.sim.local import LocalApi

START = times.from_text("2026-11-21T08:00:00Z")
DEFINITIONS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions")
WRITES = ("the fetch token is opened", "the join token is deleted", "the request is approved")


class Mortal(LocalApi):
    """The hub's way to its server: after `left` writes it does nothing more."""

    left = 0

    async def patch(self, *said, **more):
        self._write()
        return await super().patch(*said, **more)

    async def delete(self, address, options=DeleteOptions()):
        self._write()
        return await super().delete(address, options)

    def _write(self) -> None:
        if self.left == 0:
            raise ServiceUnavailable("this process has ended")
        self.left -= 1


def the_joining_of(api: LocalApi, clock: Clock) -> asyncio.Future[None]:
    only = [one for one in controllers.hub() if one.name == "joining"]
    return asyncio.ensure_future(Shell({"hub": api}, only, clock).run())


async def a_request(hub: LocalApi, token: str, name: str) -> LocalApi:
    """Ask for c1's certificate with a token; the answer is the hub as its holder sees it."""
    groups = ("system:bootstrappers", "system:bootstrappers:oneco:c1", "system:authenticated")
    caller = Caller(f"system:bootstrap:{token.partition('.')[0]}", groups)
    newcomer = LocalApi(hub.server, caller=caller)
    subject = Subject(f"{AGENT_PREFIX}c1:a", frozenset({f"{AGENT_PREFIX}c1", AGENTS_GROUP}))
    pem = requests.request(requests.new_key(), subject)
    body: Object = {
        "apiVersion": REQUESTS.api_version,
        "kind": "CertificateSigningRequest",
        "metadata": {"name": name, "labels": {ocm.CLUSTER_NAME_LABEL: "c1"}},
        "spec": {
            "request": base64.b64encode(pem).decode(),
            "signerName": "kubernetes.io/kube-apiserver-client",
            "usages": ["client auth"],
        },
    }
    await newcomer.create(Address(REQUESTS), body)
    return newcomer


async def answer_to(hub: LocalApi, name: str) -> str:
    conditions = dig(await hub.get(Address(REQUESTS, "", name)), "status", "conditions", default=())
    return ",".join(one["type"] for one in conditions)


async def is_there(hub: LocalApi, token: str) -> bool:
    try:
        return bool(await hub.get(token_place(token.partition(".")[0])))
    except NotFound:
        return False


@pytest.mark.parametrize("writes", range(len(WRITES) + 1))
def test_a_hub_that_ends_at_any_write_of_a_join_completes_it_later_and_for_one_request(writes):
    async def story(clock: Clock) -> None:
        server = ApiServer(MemoryStore(), clock)
        hub, mortal = LocalApi(server), Mortal(server)
        mortal.left = writes
        for definition in crds.all():
            await hub.create(Address(DEFINITIONS), definition)
        token = await joining.token(hub, "c1", Instant(clock.now() + 600))
        first = the_joining_of(mortal, clock)
        await clock.sleep_until(Instant(clock.now() + 1))
        await a_request(hub, token, "one")
        await clock.sleep_until(Instant(clock.now() + 5))
        is_approved = writes == len(WRITES)
        assert await answer_to(hub, "one") == ("Approved" if is_approved else "")
        # At no time is there an approved request beside its token.
        assert await is_there(hub, token) == (writes < 2)
        first.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await first
        await a_request(hub, token, "two")
        second = the_joining_of(hub, clock)
        await clock.sleep_until(Instant(clock.now() + 5))
        answers = sorted([await answer_to(hub, "one"), await answer_to(hub, "two")])
        assert answers == ["Approved", "Denied"]
        if writes:
            assert await answer_to(hub, "one") == "Approved"
        assert not await is_there(hub, token)
        fetch = await hub.get(token_place(fetch_token(token).partition(".")[0]))
        opened = base64.b64decode(fetch["data"]["usage-bootstrap-authentication"])
        assert opened == b"true"
        spent_on = objects.annotations_of(fetch)["onepersoncompany.io/spent-on"]
        assert await answer_to(hub, spent_on) == "Approved"
        second.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await second

    run(story, START)
