"""An agent as a process of its own: it joins, lives through a lost hub, and reaches no further."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from oneco.clock import Instant
from oneco.fleet.joining import REQUESTS, token_place
from oneco.kinds import ocm
from oneco.kube.api import Patch
from oneco.kube.errors import Forbidden, Unauthorized
from oneco.kube.refs import Address, Resource
from oneco.main import enrolling
from oneco.main.enrolling import Wallet
from oneco.worlds.clocks import RealClock
from oneco.worlds.cluster.client import ClusterApi
from oneco.worlds.cluster.kubeconfig import load
from oneco.worlds.embedded.sealed_file import SealedFile
from tests.agents.processes import Person, mode, until
from tests.agents.works import a_map, a_work, map_at

SECRETS = Resource("", "v1", "secrets")
NAMESPACES = Resource("", "v1", "namespaces")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]


def text_of(member: Person, name: str) -> str:
    found = member.get(map_at(name))
    return str(found["data"].get("text", "")) if found else ""


def joined(started, member, tmp_path):
    """A hub with cluster c1, whose agent runs and has applied one work."""
    hub = started.hub()
    person = Person(tmp_path / "hub" / "kubeconfig")
    invitation = person.invite("c1", tmp_path / "invitation")
    agent = started.agent(member.kubeconfig, join=invitation)
    agent.waits_to_say("agent of cluster c1")
    until(lambda: person.get(Address(NAMESPACES, "", "c1")), "no namespace of the cluster")
    person.apply(*a_work("c1", a_map("m", "one")))
    until(lambda: text_of(member, "m") == "one", agent.said())
    return hub, person, agent


def test_an_agent_joins_by_an_invitation_that_serves_once(started, member, tmp_path):
    _, person, agent = joined(started, member, tmp_path)
    data = tmp_path / "agent"
    names = ("hub.kubeconfig", "hub.pem", "intent", "keys")
    until(lambda: (data / "intent").exists(), "no intent on the disk")
    assert {mode(data / name) for name in names} == {0o600}
    assert not (data / "joining.json").exists()
    available = "ManagedClusterConditionAvailable"

    def is_available() -> bool:
        cluster = person.get(Address(ocm.CLUSTERS, "", "c1"))
        rows = cluster.get("status", {}).get("conditions", ())
        return any(one["type"] == available and one["status"] == "True" for one in rows)

    until(is_available, agent.said())
    second = started.agent(member.kubeconfig, join=tmp_path / "invitation", name="second")
    assert second.popen.wait(20) == 1
    assert "it was used by another agent" in second.said()
    assert "oneco clusters join" in second.said()
    assert "Traceback" not in second.said()
    assert agent.end() == 0
    again = started.agent(member.kubeconfig)
    again.waits_to_say("agent of cluster c1: begins with 1 works")
    assert again.end() == 0


def test_an_agent_that_is_killed_between_its_approval_and_its_certificate_still_joins(
    started, member, tmp_path
):
    started.hub()
    person = Person(tmp_path / "hub" / "kubeconfig")
    invitation = person.invite("c1", tmp_path / "invitation")
    agent = started.agent(member.kubeconfig, join=invitation)
    # It looks for its certificate twice a second: stopped the moment it has asked, it has none.
    until(lambda: person.ask(lambda api: api.list(Address(REQUESTS))).items, agent.said())
    agent.popen.send_signal(signal.SIGSTOP)
    token = load(str(invitation)).user.token.partition(".")[0]
    until(lambda: person.get(token_place(token)) is None, "the token outlived the approval")
    with pytest.raises(Unauthorized):
        Person(invitation).get(Address(REQUESTS, "", "any"))
    agent.kill()
    again = started.agent(member.kubeconfig, join=invitation)
    again.waits_to_say("agent of cluster c1")
    assert again.end() == 0


def test_an_invitation_for_another_cluster_is_not_used_up(started, member, tmp_path):
    started.hub()
    person = Person(tmp_path / "hub" / "kubeconfig")
    invitation = person.invite("c1", tmp_path / "invitation")
    wrong = started.agent_of("c2", member.kubeconfig, join=invitation)
    assert wrong.popen.wait(20) == 1
    assert '--name: found "c2", wanted c1, for which' in wrong.said()
    right = started.agent_of("c1", member.kubeconfig, join=invitation)
    right.waits_to_say("agent of cluster c1")
    assert right.end() == 0


def test_an_agents_certificate_reaches_its_own_namespace_alone(started, member, tmp_path):
    _, person, agent = joined(started, member, tmp_path)
    person.invite("c10", tmp_path / "other")
    until(lambda: person.get(Address(NAMESPACES, "", "c10")), "no namespace of the other")
    own = Person(tmp_path / "agent" / "hub.kubeconfig")
    assert own.get(Address(ocm.WORKS, "c1", "w"))["metadata"]["name"] == "w"
    forbidden = [
        Address(ocm.WORKS, "c10", "w"),
        Address(ocm.WORKS, "c", "w"),
        Address(SECRETS, "kube-system", "bootstrap-token-abcdef"),
        Address(SECRETS, "oneco-system", "member-c1"),
        Address(ocm.CLUSTERS, "", "c10"),
        Address(NAMESPACES, "", "c1"),
    ]
    for address in forbidden:
        with pytest.raises(Forbidden):
            own.get(address)
    with pytest.raises(Forbidden):
        own.ask(lambda api: api.list(Address(ocm.WORKS)))
    with pytest.raises(Forbidden):
        own.ask(lambda api: api.create(Address(ocm.WORKS, "c10"), a_work("c10")[1]))
    assert agent.end() == 0


def test_an_agent_repairs_drift_with_its_hub_gone_even_after_its_own_death(
    started, member, tmp_path
):
    hub, _, agent = joined(started, member, tmp_path)
    until(lambda: "manifest-work-cleanup" in intent(tmp_path), "the finalizer was not kept")
    hub.kill()
    agent.kill()
    member.apply(*drifted("m"))
    again = started.agent(member.kubeconfig)
    again.waits_to_say("begins with 1 works")
    until(lambda: text_of(member, "m") == "one", again.said())
    # And not only at its start.
    member.apply(*drifted("m"))
    until(lambda: text_of(member, "m") == "one", again.said())
    assert again.end() == 0


def test_a_work_that_is_gone_from_the_hub_deletes_nothing(started, member, tmp_path):
    hub, person, agent = joined(started, member, tmp_path)
    assert agent.end() == 0
    # A work that never had its finalizer removed by its agent vanishes without a deletion.
    gone = {"metadata": {"finalizers": None}}
    person.ask(lambda api: api.patch(Address(ocm.WORKS, "c1", "w"), Patch("merge", gone)))
    person.ask(lambda api: api.delete(Address(ocm.WORKS, "c1", "w")))
    again = started.agent(member.kubeconfig)
    again.waits_to_say("begins with 1 works")
    until(lambda: '"works":[]' in intent(tmp_path), again.said())
    assert text_of(member, "m") == "one"
    assert again.end() == 0
    assert hub.end() == 0


def test_an_agent_waits_for_a_hub_that_cannot_be_reached(started, member, tmp_path):
    hub = started.hub()
    invitation = Person(tmp_path / "hub" / "kubeconfig").invite("c1", tmp_path / "invitation")
    assert hub.end() == 0
    agent = started.agent(member.kubeconfig, join=invitation)
    agent.waits_to_say("the hub cannot be asked for a certificate")
    started.hub()
    agent.waits_to_say("agent of cluster c1")
    assert agent.end() == 0


def test_an_agent_goes_on_with_a_hub_that_was_killed_and_came_back(started, member, tmp_path):
    hub, person, agent = joined(started, member, tmp_path)
    hub.kill()
    agent.waits_to_say("; trying again")
    started.hub()
    person.apply(*a_work("c1", a_map("m", "two")))
    until(lambda: text_of(member, "m") == "two", agent.said(), 40)
    agent.waits_to_say("both clusters answer again")
    assert "Traceback" not in agent.said()
    assert agent.end() == 0


def test_two_agents_never_share_a_directory(started, member, tmp_path):
    _, _, agent = joined(started, member, tmp_path)
    second = started.agent(member.kubeconfig)
    assert second.popen.wait(20) == 1
    assert f"in use by process {agent.popen.pid}" in second.said()
    assert agent.end() == 0


def test_an_agent_without_an_invitation_says_what_it_needs(started, member):
    agent = started.agent(member.kubeconfig)
    assert agent.popen.wait(20) == 1
    assert "wanted --join FILE" in agent.said()


def test_a_certificate_is_renewed_by_the_certificate_before_it(started, member, tmp_path):
    _, _, agent = joined(started, member, tmp_path)
    assert agent.end() == 0
    wallet = Wallet(tmp_path / "agent")
    before = wallet.certificate.read_bytes()

    async def renew() -> None:
        async with ClusterApi(load(str(wallet.kubeconfig))) as hub:
            await asyncio.wait_for(enrolling.renew(wallet, hub, RealClock(), print), 20)
            # The same client shows the new certificate from its next connection on.
            await hub.get(Address(ocm.CLUSTERS, "", "c1"))

    asyncio.run(renew())
    assert wallet.certificate.read_bytes() != before
    assert mode(wallet.certificate) == 0o600
    life = wallet.read()
    share = (life.ends - life.renews_at()) / (life.ends - life.begins)
    assert 0.20 <= share <= 0.25
    assert life.renews_at() > Instant(0)
    again = started.agent(member.kubeconfig)
    again.waits_to_say("begins with 1 works")
    assert again.end() == 0


def intent(folder: Path) -> str:
    """What the agent keeps on its disk."""
    found = SealedFile(folder / "agent" / "intent", "intent of c1").read()
    assert found is not None
    return found.decode()


def drifted(name: str) -> tuple:
    """A ConfigMap as somebody else would have it."""
    return map_at(name), a_map(name, "somebody else's")
