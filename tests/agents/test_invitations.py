"""Which clusters can be invited, and what an invitation carries."""

from __future__ import annotations

import asyncio

import pytest
import yaml

from oneco.errors import Refused
from oneco.kinds import ocm
from oneco.kube.refs import Address
from oneco.main import crds, joining
from oneco.main.connecting import Choice
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
