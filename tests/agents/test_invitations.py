"""Which clusters can be invited, and what an invitation carries."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest
import yaml

from oneco.errors import Refused
from oneco.kinds import ocm
from oneco.kube.refs import Address
from oneco.main import crds, enrolling, joining
from oneco.main.connecting import Choice
from oneco.worlds.clocks import RealClock
from oneco.worlds.cluster import kubeconfig
from tests.agents.processes import Person
from tests.embedded.servers import a_server

TERMS = joining.Terms(
    seconds=60, labels={ocm.ENVIRONMENT_LABEL: "test"}, server="https://hub.example:6443"
)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "C1",
        "a.b",
        "a/b",
        "-a",
        "a" * 64,
        "kube-system",
        "oneco-system",
        "default",
        "managed-clusters",
    ],
)
def test_a_cluster_that_would_reach_elsewhere_is_not_invited(name):
    with pytest.raises(Refused, match="cluster"):
        joining.check_name(name)


def test_to_invite_is_to_accept_and_the_text_is_a_kubeconfig_for_the_cluster(tmp_path):
    with a_server(tmp_path / "hub") as hub:
        person = Person(hub.kubeconfig_path)
        person.ask(lambda api: crds.install(api, crds.for_hub()))
        choice = Choice(kubeconfig=str(hub.kubeconfig_path))
        text = asyncio.run(joining.invite(choice, "c1", TERMS))
        again = asyncio.run(joining.invite(choice, "c1", TERMS))
        cluster = person.get(Address(ocm.CLUSTERS, "", "c1"))
        found = yaml.safe_load(text)
        assert cluster["spec"]["hubAcceptsClient"] is True
        assert cluster["metadata"]["labels"][ocm.ENVIRONMENT_LABEL] == "test"
        assert found["clusters"][0]["cluster"]["server"] == "https://hub.example:6443"
        assert found["contexts"][0]["context"]["namespace"] == "c1"
        tokens = [yaml.safe_load(one)["users"][0]["user"]["token"] for one in (text, again)]
        assert tokens[0] != tokens[1]
        assert all(hub.rights.identify(token, ()) is not None for token in tokens)


def test_an_invitation_to_another_hub_than_the_one_that_answers_says_so_at_once(tmp_path):
    with a_server(tmp_path / "one") as one, a_server(tmp_path / "other") as other:
        there = kubeconfig.load(str(one.kubeconfig_path)).cluster
        here = dataclasses.replace(there, server=other.url)
        invitation = tmp_path / "invitation"
        token = "abcdef.0123456789abcdef"
        invitation.write_text(joining.kubeconfig_text(here, "c1", {"token": token}))
        wallet = enrolling.Wallet(tmp_path)
        with pytest.raises(Refused, match="one for another hub than the one that answers") as found:
            asyncio.run(enrolling.enrol(wallet, invitation, RealClock(), print))
        assert "oneco clusters join" in str(found.value)
        assert token not in str(found.value)
