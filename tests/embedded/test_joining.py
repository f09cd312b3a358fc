"""How an agent comes to its certificate, and how far that reaches."""

from __future__ import annotations

import base64
import secrets
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from oneco.fleet import joining, rights
from oneco.kinds import crds, ocm
from oneco.kube.refs import Address
from oneco.worlds.cluster import paths
from tests.embedded.servers import Client, an_administrator
from tests.embedded.test_identity import PREFIX, a_request, an_agent

REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
TOKENS = "/api/v1/namespaces/kube-system/secrets"
APPROVED = {"type": "Approved", "status": "True", "reason": "Accepted"}


def a_token(admin: Client, **said: str) -> str:
    """A bootstrap token, as `kubeadm token create` would leave it."""
    token_id = secrets.token_hex(3)
    said.setdefault("auth_extra_groups", joining.JOINERS_GROUP)
    data = {
        "token-id": token_id,
        "token-secret": "0123456789abcdef",
        "usage-bootstrap-authentication": "true",
        **{key.replace("_", "-"): text for key, text in said.items()},
    }
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "bootstrap.kubernetes.io/token",
        "metadata": {"name": f"bootstrap-token-{token_id}"},
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in data.items()},
    }
    assert admin.ask("POST", TOKENS, body).code == 201
    return f"{token_id}.0123456789abcdef"


@pytest.fixture(scope="module", autouse=True)
def roles(server) -> None:
    """The roles that a hub has, and those of its accepted clusters c1 and c10."""
    admin = an_administrator(server)
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    (definition,) = [one for one in crds.all() if one["spec"]["names"]["kind"] == "ManagedCluster"]
    assert admin.ask("POST", definitions, definition).code == 201
    space = {"apiVersion": "v1", "kind": "Namespace"}
    wanted = dict(rights.for_hub())
    for name in ("c1", "c10"):
        admin.ask("POST", "/api/v1/namespaces", {**space, "metadata": {"name": name}})
        head = {"apiVersion": ocm.CLUSTERS.api_version, "kind": "ManagedCluster"}
        accepted = {**head, "metadata": {"name": name}, "spec": {"hubAcceptsClient": True}}
        made = admin.ask("POST", paths.of_address(Address(ocm.CLUSTERS)), accepted)
        wanted |= rights.of_cluster(made.json)
    for address, body in wanted.items():
        assert admin.ask("POST", paths.of_address(address._replace(name="")), body).code == 201


@pytest.fixture
def agent(server) -> Client:
    user = an_agent("c1")
    return Client(server, user.name, groups=user.groups[:2])


def test_a_token_leads_to_a_signed_certificate_once_a_person_approves(server, admin):
    newcomer = Client(server, token=a_token(admin))
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


def test_nobody_gets_a_certificate_that_may_do_everything(server, admin):
    body = a_request("c1", groups=("system:masters",))
    for asker in (Client(server, token=a_token(admin)), admin):
        reply = asker.ask("POST", REQUESTS, body)
        assert (reply.code, reply.json["message"]) == (
            403,
            'certificatesigningrequests.certificates.k8s.io "r" is forbidden: use of'
            " kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed",
        )


def asked(newcomer: Client, cluster: str, name: str) -> Any:
    """The answer to a request for a certificate, sent under `name`."""
    body = a_request(cluster)
    body["metadata"] = {**body["metadata"], "name": name}
    return newcomer.ask("POST", REQUESTS, body)


def approve(admin: Client, name: str) -> dict[str, Any]:
    """The status of a request once an administrator approved it."""
    patch = {"status": {"conditions": [APPROVED]}}
    merge = "application/merge-patch+json"
    sent = admin.ask("PATCH", f"{REQUESTS}/{name}/approval", patch, content_type=merge)
    assert sent.code == 200
    return admin.ask("GET", f"{REQUESTS}/{name}").json["status"]


def test_a_token_that_led_to_a_certificate_fetches_it_and_does_nothing_else(server, admin):
    newcomer = Client(server, token=a_token(admin))
    assert asked(newcomer, "once", "once-1").code == 201
    fetcher = Client(server, token=a_token(admin, auth_extra_groups=joining.FETCHERS_GROUP))
    assert fetcher.ask("GET", f"{REQUESTS}/once-1").code == 200
    assert asked(fetcher, "once", "once-2").code == 403
    clusters = "/apis/cluster.open-cluster-management.io/v1/managedclusters"
    assert fetcher.ask("GET", f"{clusters}/once").code == 403


def with_unknown_algorithm(body: dict[str, Any], oid: str) -> dict[str, Any]:
    """The request with the last byte of one object identifier in it changed."""
    pem = base64.b64decode(body["spec"]["request"])
    der = x509.load_pem_x509_csr(pem).public_bytes(serialization.Encoding.DER)
    known = bytes.fromhex(oid)
    text = base64.encodebytes(der.replace(known, known[:-1] + b"\x7f"))
    name = b"CERTIFICATE REQUEST-----\n"
    made = base64.b64encode(b"-----BEGIN " + name + text + b"-----END " + name).decode()
    return {**body, "spec": {**body["spec"], "request": made}}


@pytest.mark.parametrize(
    ("name", "oid"), [("odd-key", "2a8648ce3d0201"), ("odd-signature", "2a8648ce3d040302")]
)
def test_an_approved_request_that_nobody_can_check_fails_and_holds_nothing_up(admin, name, oid):
    body = with_unknown_algorithm(a_request("odd"), oid)
    body["metadata"] = {**body["metadata"], "name": name}
    assert admin.ask("POST", REQUESTS, body).code == 201
    status = approve(admin, name)
    assert status["conditions"][-1]["reason"] == "SignerValidationFailure"
    assert "certificate" not in status


@pytest.mark.parametrize("seconds", [-5, 0, 599])
def test_a_certificate_for_less_than_ten_minutes_is_not_asked_for(admin, seconds):
    body = a_request("short")
    body["spec"]["expirationSeconds"] = seconds
    reply = admin.ask("POST", REQUESTS, body)
    assert (reply.code, reply.json["details"]["causes"][0]["field"]) == (
        422,
        "spec.expirationSeconds",
    )


@pytest.mark.parametrize(
    "said",
    [
        {"expiration": "2020-01-01T00:00:00Z"},
        {"expiration": "tomorrow"},
        {"usage_bootstrap_authentication": "false"},
        {"token_id": "abcdef"},
        {"token_secret": ""},
        {"token_secret": "fedcba9876543210"},
    ],
)
def test_a_token_that_is_over_or_not_for_this_is_nobodys(server, admin, said):
    token = a_token(admin, **said)
    assert Client(server, token=token).ask("GET", "/apis").code == 401


def test_a_token_with_groups_of_others_than_newcomers_is_nobodys(server, admin):
    groups = "system:masters,system:bootstrappers:oneco:c1"
    newcomer = Client(server, token=a_token(admin, auth_extra_groups=groups))
    assert newcomer.ask("GET", "/apis").code == 401


@pytest.mark.parametrize(
    "token", ["", ".", "abc", "a.b", "../../x.y", "é.é", "abcdef.", "ABCDEF.0123456789abcdef"]
)
def test_what_is_no_token_is_refused(server, token):
    assert Client(server, token=token or " ").ask("GET", "/apis").code == 401


def test_an_agent_keeps_its_lease_in_its_namespace_and_nowhere_else(server, admin, agent):
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

    group = "coordination.k8s.io"
    assert may(verb="get", group=group, resource="leases", namespace="c1")
    assert not may(verb="get", group=group, resource="leases", namespace="default")
    assert not may(verb="list", group=group, resource="leases")
    assert not may(verb="get", resource="secrets", namespace="c1")


def test_a_person_without_rights_reads_nothing(server):
    jane = Client(server, "jane", groups=(f"{PREFIX}c1",))
    assert jane.ask("GET", "/api/v1/namespaces/c1/configmaps").code == 403
    assert an_administrator(server).ask("GET", "/api/v1/namespaces").code == 200
