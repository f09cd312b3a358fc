"""How far certificates of agents reach, tried on any hub: ours or a real API server."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from pathlib import Path

from oneco.clock import Instant
from oneco.fleet.joining import AGENT_PREFIX, AGENTS_GROUP, REQUESTS, token_place
from oneco.fleet.ports import Subject
from oneco.integrations.x509 import requests
from oneco.kinds import ocm
from oneco.kinds.release import OBSERVATIONS
from oneco.kube import objects
from oneco.kube.api import Api, Patch
from oneco.kube.errors import ApiError, Forbidden, NotFound, Unauthorized
from oneco.kube.objects import Object, dig
from oneco.kube.refs import Address, Resource
from oneco.main import enrolling, joining
from oneco.main.asking import Asking
from oneco.main.enrolling import Wallet
from oneco.worlds.clocks import RealClock
from oneco.worlds.cluster import kubeconfig
from oneco.worlds.cluster.client import ClusterApi

NAMES = ("prod", "prod-2", "pro", "2-prod")
ATTEMPTS = 120
SOON_SECONDS = 1.0
_KINDS = (
    ocm.WORKS,
    OBSERVATIONS,
    Resource("coordination.k8s.io", "v1", "leases"),
    Resource("", "v1", "secrets"),
    Resource("", "v1", "configmaps"),
    Resource("", "v1", "events"),
)


async def joined(hub: Path, name: str, folder: Path) -> Wallet:
    """The wallet of an agent that joined by an invitation, which is beside it."""
    target, clock = kubeconfig.load(str(hub)), RealClock()
    async with ClusterApi(target) as person:
        token = await joining.token(person, name, Instant(clock.now() + 300))
    wallet = Wallet(folder)
    folder.mkdir()
    invitation = folder / "invitation"
    invitation.write_text(joining.kubeconfig_text(target.cluster, name, {"token": token}))
    async with asyncio.timeout(60):
        await enrolling.enrol(wallet, invitation, clock, print)
    return wallet


def agent(wallet: Wallet) -> ClusterApi:
    return ClusterApi(kubeconfig.load(str(wallet.kubeconfig)))


async def may_read(api: Api, name: str) -> bool:
    try:
        await api.list(Address(ocm.WORKS, name))
    except ApiError:
        return False
    return True


async def until(condition, seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.05)


async def reach_nowhere_else(api: Api, name: str, seed: int) -> int:
    """Try everything in every other namespace; the answer is how much was tried."""
    chance = random.Random(seed)
    lying = [one for one in NAMES if one != name] + ["default", "kube-system", "oneco-system"]
    odd = [f"{name}:a", f"{name}.", name.upper(), f"{name}%2F..", f"{name}-", f"{name}\u200b", "*"]
    for number in range(ATTEMPTS):
        space = chance.choice(lying) if number % 3 else chance.choice(odd)
        place = Address(chance.choice(_KINDS), space)
        if number % 7 == 0:
            place = place._replace(namespace="")
        try:
            await _attempt(api, chance.choice(_VERBS), place)
        except ApiError as refusal:
            # An odd name may be no name at all; whatever it is, nothing is shown or done.
            assert refusal.code in (400, 403, 404, 405), f"{place}: {refusal}"
            if space in lying:
                assert isinstance(refusal, Forbidden), f"{place}: {refusal}"
            continue
        raise AssertionError(f"{name} did something at {place} (seed {seed})")
    return ATTEMPTS


_VERBS = ("get", "list", "create", "patch", "delete", "delete_many", "watch", "status")


async def _attempt(api: Api, verb: str, place: Address) -> object:
    one = place._replace(name="x")
    body: Object = {
        "apiVersion": place.resource.api_version,
        "kind": _KIND[place.resource.plural],
        "metadata": {"name": "x"},
    }
    match verb:
        case "get":
            return await api.get(one)
        case "list":
            return await api.list(place)
        case "create":
            return await api.create(place, body)
        case "delete":
            return await api.delete(one)
        case "delete_many":
            return await api.delete_many(place)
        case "watch":
            return await anext(api.watch(place))
    subresource = "status" if verb == "status" else ""
    patch = Patch("merge", {"metadata": {"labels": {"a": "b"}}})
    return await api.patch(one._replace(subresource=subresource), patch)


_KIND = {
    "manifestworks": "ManifestWork",
    "observations": "Observation",
    "leases": "Lease",
    "secrets": "Secret",
    "configmaps": "ConfigMap",
    "events": "Event",
}


async def ask_as(api: Api, name: str, groups: Sequence[str], label: str) -> str:
    """How a request for a certificate of `name` ends: `Denied`, or nothing within seconds."""
    key = requests.new_key()
    asking = Asking(api, label, key, Subject(name, frozenset(groups)))
    await asking._made()
    for _ in range(20):
        found = await api.get(asking._address())
        assert not dig(found, "status", "certificate"), f"{name} was certified"
        for condition in dig(found, "status", "conditions", default=()):
            return str(condition["type"])
        await asyncio.sleep(0.1)
    return ""


async def tell(hub: Path, folder: Path, seed: int) -> None:
    """The whole story, with the hub's deciders at work: join, reach, be denied, come back."""
    one, two = [await joined(hub, name, folder / name) for name in NAMES[:2]]
    async with (
        ClusterApi(kubeconfig.load(str(hub))) as person,
        agent(one) as api,
        agent(two) as other,
    ):
        await until(lambda: may_read(api, "prod"))
        await until(lambda: may_read(other, "prod-2"))
        await reach_nowhere_else(api, "prod", seed)
        await reach_nowhere_else(other, "prod-2", seed + 1)
        theirs = (AGENT_PREFIX + "prod-2", AGENTS_GROUP)
        assert await ask_as(api, f"{AGENT_PREFIX}prod-2:x", theirs, "prod") == "Denied"
        assert await ask_as(api, f"{AGENT_PREFIX}prod-2:x", theirs, "prod-2") == ""
        await _is_spent(one)
        cluster = Address(ocm.CLUSTERS, "", "prod")
        await person.patch(cluster, Patch("merge", {"spec": {"hubAcceptsClient": False}}))
        begun = time.monotonic()

        async def is_out() -> bool:
            return not await may_read(api, "prod")

        await until(is_out, 10)
        assert time.monotonic() - begun < SOON_SECONDS
        assert await may_read(other, "prod-2")
        await person.patch(cluster, Patch("merge", {"spec": {"hubAcceptsClient": True}}))
        await until(lambda: may_read(api, "prod"))
        for name in NAMES[:2]:
            await person.delete(Address(ocm.CLUSTERS, "", name))


async def _is_spent(wallet: Wallet) -> None:
    """Nobody knows the token any more; what is left of it fetches one certificate, no more.

    A kube-apiserver remembers for ten seconds whose a token is: a request of that time is denied.
    """
    target = kubeconfig.load(str(wallet.directory / "invitation"))
    _, mark, key = wallet.certificate.read_bytes().partition(b"-----BEGIN PRIVATE KEY")
    own = Address(REQUESTS, "", f"{target.namespace}-{requests.fingerprint(mark + key)}")
    groups = (f"{AGENT_PREFIX}prod", AGENTS_GROUP)
    async with ClusterApi(target) as spent, ClusterApi(enrolling._fetching(target)) as fetch:

        async def is_unknown() -> bool:
            try:
                assert await ask_as(spent, f"{AGENT_PREFIX}prod:y", groups, "prod") == "Denied"
            except Unauthorized:
                return True
            return False

        await until(is_unknown)
        assert objects.name(await fetch.get(own)) == own.name
        for attempt in (
            ask_as(fetch, f"{AGENT_PREFIX}prod:y", groups, "prod"),
            fetch.list(Address(REQUESTS)),
        ):
            try:
                await attempt
            except Forbidden:
                continue
            raise AssertionError("what is left of a token did more than fetch")


class _Stuck(RealClock):
    """The clock of an agent that asks and then hangs."""

    async def sleep_until(self, instant: Instant) -> None:
        await asyncio.Event().wait()


async def be_cut_off(hub: Path, folder: Path) -> None:
    """An agent that dies between the approval and its certificate joins when it comes back.

    By then nobody knows its token any more.
    """
    target, clock, name = kubeconfig.load(str(hub)), RealClock(), "cut-off"
    wallet, invitation = Wallet(folder), folder / "invitation"
    folder.mkdir()
    async with ClusterApi(target) as person:
        token = await joining.token(person, name, Instant(clock.now() + 300))
        text = joining.kubeconfig_text(target.cluster, name, {"token": token})
        invitation.write_text(text)
        first = asyncio.ensure_future(enrolling.enrol(wallet, invitation, _Stuck(), print))

        async def is_gone() -> bool:
            place = token_place(token.partition(".")[0])
            try:
                await person.get(place)
            except NotFound:
                return True
            return False

        await until(is_gone)
        first.cancel()
        async with ClusterApi(kubeconfig.load(str(invitation))) as spent:

            async def is_unknown() -> bool:
                try:
                    await spent.get(Address(REQUESTS, "", "x"))
                except Unauthorized:
                    return True
                except NotFound:
                    return False
                raise AssertionError("a request that nobody made")

            await until(is_unknown)
        assert not wallet.certificate.exists()
        assert await enrolling.enrol(wallet, invitation, clock, print) == name
        async with agent(wallet) as api:
            await until(lambda: may_read(api, name))
        await person.delete(Address(ocm.CLUSTERS, "", name))
