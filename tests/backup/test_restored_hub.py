"""A hub that goes on from a copy changes nothing on members until a person confirms it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from oneco.kinds import ocm
from oneco.kinds.oam import APPLICATIONS
from oneco.kinds.release import OBSERVATIONS, RELEASES
from oneco.kube.objects import dig
from oneco.kube.refs import Address
from oneco.main import epoch, keys
from oneco.main.backup import backup
from oneco.worlds.cluster.client import ClusterApi
from oneco.worlds.cluster.kubeconfig import load
from tests.agents.processes import Person, Processes, processes, until
from tests.agents.works import a_map, map_at
from tests.embedded.servers import a_server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

SHOP = Address(APPLICATIONS, "default", "shop")


@pytest.fixture
def started(tmp_path) -> Iterator[Processes]:
    """Starts processes; none outlives the test."""
    with processes(tmp_path) as found:
        yield found


@pytest.fixture
def member(tmp_path) -> Iterator[Person]:
    """The administrator of the one member."""
    with a_server(tmp_path / "member") as server:
        yield Person(server.kubeconfig_path)


def a_shop(text: str) -> dict[str, Any]:
    """The Application at the version that says `text`."""
    component = {
        "name": "settings",
        "type": "k8s-objects",
        "properties": {"objects": [a_map("settings", text)]},
    }
    policy = {"name": "here", "type": "topology", "properties": {"clusters": ["c1"]}}
    return {
        "apiVersion": "core.oam.dev/v1beta1",
        "kind": "Application",
        "metadata": {"name": "shop", "namespace": "default"},
        "spec": {"components": [component], "policies": [policy]},
    }


def version(member: Person) -> str:
    """What the member runs."""
    found = member.get(map_at("settings"))
    return str(found["data"]["text"]) if found else ""


def works_say(person: Person, text: str) -> bool:
    """Whether the hub has told its agent of the version."""
    page = person.ask(lambda api: api.list(Address(ocm.WORKS, "c1")))
    return any(text in str(one["spec"]) for one in page.items)


def phases(person: Person) -> list[str]:
    """The phases of all releases."""
    return [dig(one, "status", "phase", default="") for one in releases(person)]


def releases(person: Person) -> list[dict[str, Any]]:
    """All releases."""
    page = person.ask(lambda api: api.list(Address(RELEASES, "default")))
    return [dict(one) for one in page.items]


def unconfirmed(person: Person) -> list[int]:
    """How many differences the agent reports, for each work that waits for a person."""
    page = person.ask(lambda api: api.list(Address(OBSERVATIONS, "c1")))
    observed = [one["observed"] for one in page.items]
    return [one.get("differences", 0) for one in observed if not one.get("isConfirmed", True)]


@pytest.mark.parametrize("is_restarted", [False, True], ids=["living agent", "restarted agent"])
def test_a_hub_from_the_middle_of_a_release_waits_for_a_person(
    started, member, tmp_path, is_restarted
):
    hub = started.hub()
    person = Person(tmp_path / "hub" / "kubeconfig")
    invitation = person.invite("c1", tmp_path / "invitation")
    agent = started.agent(member.kubeconfig, join=invitation)
    agent.waits_to_say("agent of cluster c1")
    person.apply(SHOP, a_shop("one"))
    until(lambda: version(member) == "one", agent.said())
    until(lambda: phases(person) == ["Succeeded"], "the first release did not end")
    agent.kill()
    person.apply(SHOP, a_shop("two"))
    until(lambda: works_say(person, "two"), "the second release did not begin")
    backup(tmp_path / "hub", tmp_path / "copy")
    keys.export(tmp_path / "hub", tmp_path / "hub.keys")
    agent = started.agent(member.kubeconfig)
    until(lambda: version(member) == "two", agent.said())
    person.apply(SHOP, a_shop("three"))
    until(lambda: version(member) == "three", agent.said())

    hub.kill()
    if is_restarted:
        agent.kill()
    restored = started.hub("restored", origin=tmp_path / "copy", key=tmp_path / "hub.keys")
    assert "ready True" in restored.said()
    if is_restarted:
        agent = started.agent(member.kubeconfig)
    person = Person(tmp_path / "restored" / "kubeconfig")
    until(lambda: unconfirmed(person) == [1], f"no difference told: {agent.said()}", 40)
    # Long enough for everything that might still be on its way.
    ended = time.monotonic() + 4
    while time.monotonic() < ended:
        assert version(member) == "three"
        time.sleep(0.1)
    assert phases(person).count("Succeeded") == 1, releases(person)

    async def confirm() -> None:
        async with ClusterApi(load(str(person.kubeconfig))) as api:
            await epoch.confirm(api, "c1")

    asyncio.run(confirm())
    until(lambda: version(member) == "two", agent.said())
    until(lambda: phases(person) == ["Succeeded", "Succeeded"], "the release did not go on", 40)
    assert unconfirmed(person) == []
    assert agent.end() == 0
    assert restored.end() == 0
