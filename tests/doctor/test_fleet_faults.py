"""Faults of members and agents, planted in a hub that runs: the doctor asks its API."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import oneco
from oneco.cli import main
from oneco.clock import Instant
from oneco.fleet.joining import REQUESTS
from oneco.fleet.ports import Subject
from oneco.integrations.x509 import requests
from oneco.kinds import ocm
from oneco.kube import times
from oneco.kube.refs import Address, Resource
from oneco.main import crds, keys, kubeconfigs
from oneco.main.doctor.examining import Patient, examine
from oneco.main.doctor.findings import Finding
from oneco.main.remote import LEASE
from oneco.worlds.clocks import RealClock
from tests.agents.processes import Person
from tests.doctor.test_planted_faults import a_certificate
from tests.embedded.servers import a_server

LEASES = Resource("coordination.k8s.io", "v1", "leases")
NAMESPACES = Resource("", "v1", "namespaces")
AVAILABLE = "ManagedClusterConditionAvailable"


class Hub:
    """A hub that runs, and the person who plants faults in it."""

    def __init__(self, data: Path, person: Person) -> None:
        self.data, self.person = data, person

    def put(self, address: Address, body: Mapping[str, Any]) -> None:
        """Store an object, with its status."""
        self.person.ask(lambda api: api.apply(address, body))
        if "status" in body:
            place = address._replace(subresource="status")
            self.person.ask(lambda api: api.apply(place, body))

    def cluster(self, name: str, *, accepted: bool = True, available: str = "True", **more) -> None:
        """A cluster, as its agent reported it."""
        condition = {
            "type": AVAILABLE, "status": available, "reason": "x", "message": "m",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }  # fmt: skip
        claims = [{"name": ocm.AGENT_CLAIM, "value": more.get("version", oneco.__version__)}]
        body = {
            "apiVersion": ocm.CLUSTERS.api_version,
            "kind": "ManagedCluster",
            "metadata": {"name": name, "annotations": more.get("annotations", {})},
            "spec": {"hubAcceptsClient": accepted},
            "status": {
                "conditions": [condition] if available else [],
                "clusterClaims": claims,
            },
        }
        self.put(Address(ocm.CLUSTERS, "", name), body)
        if "ahead" in more:
            self.lease(name, more["ahead"])

    def lease(self, name: str, ahead: float) -> None:
        """A lease that an agent renewed whose clock is so far before the hub's."""
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        self.put(Address(NAMESPACES, "", name), space)
        renewed = times.to_micro_text(Instant(RealClock().now() + ahead))
        meta = {"name": "managed-cluster-lease", "namespace": name}
        body = {
            "apiVersion": LEASES.api_version, "kind": "Lease", "metadata": meta,
            "spec": {"renewTime": renewed, "leaseDurationSeconds": 60},
        }  # fmt: skip
        self.put(Address(LEASES, name, "managed-cluster-lease"), body)

    def member(self, name: str, kubeconfig: str) -> None:
        """A cluster whose kubeconfig the hub holds."""
        secret = kubeconfigs.secret(name, kubeconfig)
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "oneco-system"}}
        self.put(Address(NAMESPACES, "", "oneco-system"), space)
        place = Address(kubeconfigs.SECRETS, "oneco-system", secret["metadata"]["name"])
        self.put(place, secret)

    def finding(self, name: str) -> Finding:
        """The one finding about cluster `name`."""
        about = f"cluster {name}"
        every = examine(Patient(data=self.data)).findings
        rows = [one for one in every if one.about.endswith(about[8:])]
        assert len(rows) == 1, rows
        return rows[0]


@pytest.fixture(scope="module")
def hub(tmp_path_factory) -> Iterator[Hub]:
    """One hub for the tests of this module: each uses clusters of its own."""
    place = tmp_path_factory.mktemp("hub")
    with a_server(place) as server:
        person = Person(server.kubeconfig_path)
        person.ask(lambda api: crds.install(api, crds.for_hub()))
        keys.export(place, None)
        yield Hub(place, person)


def test_a_hub_whose_members_are_well(hub):
    hub.cluster("fine", ahead=0)
    assert [one for one in examine(Patient(data=hub.data)).findings if "fine" in one.about] == []


def test_more_is_looked_at_where_there_is_more(hub):
    hub.cluster("counted", ahead=0)
    seen = examine(Patient(data=hub.data))
    # Its fleet too, but no agent's directory, no certificate of an agent, no member it reaches.
    assert seen.passed + seen.failed > 25
    assert 0 < seen.idle < 10


def test_a_cluster_that_nobody_accepted(hub):
    hub.cluster("asking", accepted=False, available="")
    assert hub.finding("asking").command == "oneco clusters accept asking"


def test_an_agent_that_never_came(hub):
    hub.cluster("expected", available="")
    assert hub.finding("expected").code == "AgentNeverCame"


def test_an_agent_that_stopped(hub):
    hub.cluster("stopped", available="Unknown")
    finding = hub.finding("stopped")
    assert (finding.code, finding.weight) == ("AgentSilent", "error")
    assert finding.command.startswith("oneco agent --data AGENT-DIRECTORY")


def test_an_agent_whose_clock_is_ahead(hub):
    hub.cluster("hasty", ahead=90)
    finding = hub.finding("hasty")
    assert (finding.code, finding.about) == ("ClocksDiffer", "the agent of hasty")
    assert "s before the others" in finding.message


def test_an_agent_whose_clock_is_behind(hub):
    hub.cluster("late", ahead=-90)
    assert "s behind the others" in hub.finding("late").message


def test_an_agent_of_another_version(hub):
    hub.cluster("old", version="0.0.1")
    finding = hub.finding("old")
    assert finding.command.startswith(f"pip install one-person-company=={oneco.__version__}")


def test_a_hub_from_a_copy_that_waits_for_a_person(hub):
    marks = {ocm.HUB_EPOCH_ANNOTATION: "b", ocm.CONFIRMED_EPOCH_ANNOTATION: "a"}
    hub.cluster("unsure", annotations=marks)
    assert hub.finding("unsure").command == "oneco clusters confirm unsure"


@pytest.mark.parametrize(("days", "word"), [(-1, "ended"), (20, "was not renewed and ends")])
def test_an_agent_that_did_not_renew_its_certificate(hub, days, word):
    name = f"cert-{'old' if days < 0 else 'soon'}"
    hub.cluster(name)
    pem, key = a_certificate(days, f"system:open-cluster-management:{name}:a")
    asked = base64.b64encode(requests.request(key, Subject("x", frozenset()))).decode()
    meta = {"name": name, "labels": {ocm.CLUSTER_NAME_LABEL: name}}
    body = {
        "apiVersion": REQUESTS.api_version, "kind": "CertificateSigningRequest", "metadata": meta,
        "spec": {"request": asked, "signerName": "example.com/x", "usages": ["client auth"]},
        "status": {"certificate": base64.b64encode(pem).decode()},
    }  # fmt: skip
    hub.put(Address(REQUESTS, "", name), body)
    finding = hub.finding(name)
    assert finding.code == "AgentCertificateEnds"
    assert word in finding.message


def test_a_member_whose_kubeconfig_leads_nowhere(hub):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    place = {"name": "x", "cluster": {"server": f"https://127.0.0.1:{port}"}}
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "x", "clusters": [place],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "users": [{"name": "x", "user": {"token": "hunter2-planted"}}],
    }  # fmt: skip
    hub.member("nowhere", json.dumps(config))
    finding = hub.finding("nowhere")
    assert finding.command == "oneco clusters add nowhere --member NEW-KUBECONFIG"
    assert "hunter2" not in str(finding)


def test_a_member_that_lacks_our_kind(hub, tmp_path):
    with a_server(tmp_path / "member") as server:
        hub.member("bare", server.kubeconfig_path.read_text())
        finding = hub.finding("bare")
    assert (finding.code, "appliedmanifestworks" in finding.message) == ("KindsMissing", True)


def test_a_hub_that_lacks_our_kinds(tmp_path):
    with a_server(tmp_path / "new"):
        codes = {one.code: one for one in examine(Patient(data=tmp_path / "new")).findings}
    assert codes["KindsMissing"].command == "restart the hub: oneco up"


def test_the_command_prints_what_it_found_and_ends_with_1_for_errors(hub, capsys):
    hub.cluster("gone", available="Unknown")
    assert main(["--data", str(hub.data), "doctor"]) == 1
    assert "error AgentSilent: cluster gone: its agent" in capsys.readouterr().out
    assert main(["--data", str(hub.data), "doctor", "-o", "json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["healthy"] is False
    assert {"code", "about", "message", "command", "weight"} == set(said["findings"][0])


def test_warnings_alone_leave_the_exit_status_0(tmp_path, capsys):
    with a_server(tmp_path / "hub"):
        pass
    assert main(["--data", str(tmp_path / "hub"), "doctor", "-o", "json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["healthy"] is True
    assert {one["code"] for one in said["findings"]} == {"HubNotRunning", "KeysNeverExported"}


def test_a_hub_of_this_machine_is_looked_at_whole_through_its_own_kubeconfig(
    hub, capsys, monkeypatch
):
    monkeypatch.setenv("XDG_DATA_HOME", str(hub.data / "nobody"))
    main(["--data", str(hub.data), "doctor"])
    shown = capsys.readouterr().out
    assert "no process works" not in shown
    main(["--kubeconfig", str(hub.data / "kubeconfig"), "doctor"])
    assert capsys.readouterr().out == shown
    monkeypatch.setenv("KUBECONFIG", str(hub.data / "kubeconfig"))
    main(["doctor"])
    assert capsys.readouterr().out == shown


def test_a_hub_elsewhere_is_asked_through_a_kubeconfig(hub, tmp_path, capsys, monkeypatch):
    hub.cluster("away", available="Unknown")
    kubeconfig = tmp_path / "elsewhere"
    kubeconfig.write_text((hub.data / "kubeconfig").read_text())
    command = ["--kubeconfig", str(kubeconfig), "doctor"]
    assert main(command) == 1
    shown = capsys.readouterr().out
    # A person's KUBECONFIG leads there too, where this machine has no hub of its own.
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    monkeypatch.setenv("XDG_DATA_HOME", str(hub.data / "nobody"))
    assert main(["doctor"]) == 1
    assert capsys.readouterr().out == shown
    assert "AgentSilent: cluster away" in shown
    assert "no process works for this hub\n  mend it: oneco up --kubeconfig FILE" in shown
    for ahead, said in ((-90, "process-1 did last"), (0, "")):
        renewed = times.to_micro_text(Instant(RealClock().now() + ahead))
        spec = {"holderIdentity": "process-1", "renewTime": renewed}
        meta = {"name": LEASE.name, "namespace": LEASE.namespace}
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": LEASE.namespace}}
        hub.put(Address(NAMESPACES, "", LEASE.namespace), space)
        body = {"apiVersion": LEASES.api_version, "kind": "Lease", "metadata": meta, "spec": spec}
        hub.put(LEASE, body)
        main(command)
        shown = capsys.readouterr().out
        assert ("no process works" in shown, said in shown) == (ahead < 0, True)
