"""How an agent comes to its certificate, and how far that reaches."""

from __future__ import annotations

import base64

import pytest

from tests.embedded.servers import Client, an_administrator
from tests.embedded.test_identity import PREFIX, a_request, an_agent

REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
APPROVED = {"type": "Approved", "status": "True", "reason": "Accepted"}


@pytest.fixture
def agent(server) -> Client:
    user = an_agent("c1")
    return Client(server, user.name, groups=user.groups[:2])


def test_a_token_leads_to_a_signed_certificate_once_a_person_approves(server, admin):
    newcomer = Client(server, token=server.tokens.issue_bootstrap())
    asked = a_request("joins")
    asked["metadata"] = {**asked["metadata"], "name": "joins"}
    created = newcomer.ask("POST", REQUESTS, asked)
    assert (created.code, created.json["spec"]["username"][:17]) == (201, "system:bootstrap:")
    assert "certificate" not in newcomer.ask("GET", f"{REQUESTS}/joins").json.get("status", {})
    own = {**created.json, "status": {"conditions": [APPROVED]}}
    assert newcomer.ask("PUT", f"{REQUESTS}/joins/approval", own).code == 403
    assert admin.ask("PUT", f"{REQUESTS}/joins/approval", own).code == 200
    status = admin.ask("GET", f"{REQUESTS}/joins").json["status"]
    certificate = base64.b64decode(status["certificate"])
    assert certificate.startswith(b"-----BEGIN CERTIFICATE-----")


def test_a_newcomer_asks_for_nobody_elses_name(server):
    newcomer = Client(server, token=server.tokens.issue_bootstrap())
    reply = newcomer.ask("POST", REQUESTS, a_request("c1", groups=("system:masters",)))
    assert (reply.code, reply.json["reason"]) == (403, "Forbidden")


def test_an_agent_works_in_its_namespace_and_nowhere_else(server, admin, agent):
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "c1"}}
    admin.ask("POST", "/api/v1/namespaces", space)
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l"}}
    leases = "/apis/coordination.k8s.io/v1/namespaces/{}/leases"
    assert agent.ask("POST", leases.format("c1"), lease).code == 201
    assert agent.ask("POST", leases.format("default"), lease).code == 403
    assert agent.ask("GET", "/apis/coordination.k8s.io/v1/leases").code == 403
    assert agent.ask("GET", "/api/v1/namespaces/c10/secrets").code == 403
    assert agent.ask("GET", "/apis").code == 200
    assert agent.ask("GET", f"{REQUESTS}").code == 403


def test_access_reviews_say_what_the_rights_are(agent):
    reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

    def may(**attributes: str) -> bool:
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        return agent.ask("POST", reviews, body).json["status"]["allowed"]

    assert may(verb="get", resource="secrets", namespace="c1")
    assert not may(verb="get", resource="secrets", namespace="default")
    assert not may(verb="list", resource="secrets")


def test_a_person_without_rights_reads_nothing(server):
    jane = Client(server, "jane", groups=(f"{PREFIX}c1",))
    assert jane.ask("GET", "/api/v1/namespaces/c1/configmaps").code == 403
    assert an_administrator(server).ask("GET", "/api/v1/namespaces").code == 200
