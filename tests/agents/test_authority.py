"""A hub's authority is changed while its agents work, and however it is cut off."""

from __future__ import annotations

import asyncio
import shutil

import pytest
from cryptography import x509

from oneco.errors import Refused
from oneco.main import authority_change, enrolling
from oneco.worlds.clocks import RealClock
from oneco.worlds.cluster import kubeconfig
from oneco.worlds.cluster.client import ClusterApi, connect
from oneco.worlds.embedded import succession
from oneco.worlds.embedded.authority import Authority
from tests.agents.hubs import RealHub, failure, over


def names(pem: bytes) -> list[str]:
    return [one.subject.rfc4514_string() for one in x509.load_pem_x509_certificates(pem)]


async def until(condition) -> None:
    async with asyncio.timeout(30):
        while not await condition():
            await asyncio.sleep(0.1)


class Agent:
    """An agent's keeping of its certificate, and what comes of its requests meanwhile."""

    def __init__(self, wallet) -> None:
        self.wallet = wallet
        self.answers: list[str] = []

    async def __aenter__(self):
        self.api = ClusterApi(kubeconfig.load(str(self.wallet.kubeconfig)))
        clock = RealClock()
        keeping = enrolling.keep(self.wallet, self.api, clock, print, look_seconds=0.3)
        self._tasks = [asyncio.ensure_future(keeping), asyncio.ensure_future(self._ask())]
        return self

    async def __aexit__(self, *_) -> None:
        await over(*self._tasks)
        await self.api.close()

    async def _ask(self) -> None:
        while True:
            # Each with a connection of its own, as after a pause.
            async with ClusterApi(kubeconfig.load(str(self.wallet.kubeconfig))) as api:
                self.answers.append(await failure(api))
            await asyncio.sleep(0.1)


def issuer(wallet) -> str:
    pem = wallet.certificate.read_bytes()
    return x509.load_pem_x509_certificate(pem).issuer.rfc4514_string()


@pytest.mark.timeout(90)
@pytest.mark.parametrize("is_stopped", [False, True], ids=["at once", "over a restart"])
def test_agents_follow_to_a_new_authority_without_joining_again(tmp_path, is_stopped):
    async def story() -> None:
        hub = RealHub(tmp_path / "hub")
        await hub.start()
        wallet = await hub.joined(tmp_path, print)
        (old,) = names(hub.server.authority.certificate_pem)
        before = wallet.certificate.read_bytes()
        if is_stopped:
            await until(lambda: exists(hub))
            await authority_change.change(hub.server.api)
            await until(lambda: is_changing(hub))
            assert names(hub.server.authority.certificate_pem)[0] == old
            await hub.stop()
            await hub.start()
            assert hub.server.authority.change
        async with Agent(wallet) as agent:
            if not is_stopped:
                await until(lambda: exists(hub))
                await authority_change.change(hub.server.api)
            await until(lambda: has_changed(hub, old))
            await asyncio.sleep(1)
            assert set(agent.answers) <= {"ok", ""}, agent.answers
            assert agent.answers[-1] == "ok"
        (new,) = names(hub.server.authority.certificate_pem)
        assert issuer(wallet) == new
        await until(lambda: follows(wallet, hub))
        async with connect(str(hub.server.kubeconfig_path)) as person:
            await person.discover()
        wallet.certificate.write_bytes(before)
        async with ClusterApi(kubeconfig.load(str(wallet.kubeconfig))) as late:
            assert await failure(late) != "ok"
        await hub.stop()

    asyncio.run(story())


async def exists(hub) -> bool:
    try:
        await authority_change.state(hub.server.api)
    except Refused:
        return False
    return True


async def is_changing(hub) -> bool:
    return (await authority_change.state(hub.server.api)).is_changing


async def has_changed(hub, old: str) -> bool:
    return old not in names(hub.server.authority.certificate_pem)


async def follows(wallet, hub) -> bool:
    # What was trusted beside it is forgotten at the next look.
    return names(hub.server.authority.certificate_pem)[0] in names(wallet.authority.read_bytes())


@pytest.mark.timeout(60)
def test_an_agent_that_is_away_is_waited_for_until_a_person_says_otherwise(tmp_path):
    async def story() -> None:
        hub = RealHub(tmp_path / "hub")
        await hub.start()
        await hub.joined(tmp_path, print)
        await until(lambda: exists(hub))
        with pytest.raises(Refused, match="authority change"):
            await authority_change.finish(hub.server.api)
        await authority_change.change(hub.server.api)
        await until(lambda: is_changing(hub))

        async def waits() -> bool:
            return (await authority_change.state(hub.server.api)).waiting == ("c1",)

        await until(waits)
        await authority_change.change(hub.server.api)
        assert len(names(hub.server.authority.certificate_pem)) == 2
        assert await authority_change.finish(hub.server.api) == ("c1",)

        async def is_settled() -> bool:
            return not await is_changing(hub)

        await until(is_settled)
        assert len(names(hub.server.authority.certificate_pem)) == 1
        await hub.stop()

    asyncio.run(story())


def test_a_change_that_is_cut_off_anywhere_goes_on(tmp_path):
    """Every state that a kill can leave: each file operation done or not."""
    pki = tmp_path / "pki"
    first = names(Authority(pki).certificate_pem)
    changing = Authority(pki)
    changing.begin_change("one")
    both = names(changing.certificate_pem)
    assert both[:1] == first
    following = succession.next_of(pki)
    whole = tmp_path / "whole"
    shutil.copytree(pki, whole)

    def begins_again(prepare) -> Authority:
        shutil.rmtree(pki)
        shutil.copytree(whole, pki)
        prepare()
        return Authority(pki)

    # Cut off before the new one is trusted.
    only = (whole / "ca.crt").read_bytes().replace((whole / "next" / "ca.crt").read_bytes(), b"")
    again = begins_again(lambda: (pki / "ca.crt").write_bytes(only))
    assert (names(again.certificate_pem), again.change) == (both, "one")

    # Cut off while it was being made: nothing has begun.
    def is_partial() -> None:
        following.rename(pki / "next.partial")
        (pki / "ca.crt").write_bytes(only)

    again = begins_again(is_partial)
    assert (names(again.certificate_pem), again.change) == (first, "")

    # Cut off in the turn: the key is there and the certificate not, or what is left over is going.
    key, certificate = (whole / "next" / part for part in ("ca.key", "ca.crt"))

    def turned(*steps) -> None:
        (following / "turned").touch()
        for step in steps:
            step()

    done = [
        lambda: (pki / "ca.key").write_bytes(key.read_bytes()),
        lambda: (pki / "ca.crt").write_bytes(certificate.read_bytes()),
        lambda: (pki / "changed").write_text("one"),
        lambda: (following / "ca.crt").unlink(),
        lambda: (following / "ca.key").unlink(),
        lambda: (following / "name").unlink(),
    ]
    for count in range(len(done) + 1):
        again = begins_again(lambda count=count: turned(*done[:count]))
        assert names(again.certificate_pem) == both[1:], count
        assert (again.change, again.last_change) == ("", "one")
        signed = x509.load_pem_x509_certificate(again.client("x").certificate)
        (own,) = x509.load_pem_x509_certificates(again.certificate_pem)
        signed.verify_directly_issued_by(own)
        assert not following.exists()
