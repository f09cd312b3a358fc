"""Who gets a certificate as an agent of which cluster."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from oneco.clock import Instant
from oneco.control.cache import Cache, CacheReader
from oneco.decision import NOTHING, Change, Decision
from oneco.fleet.joining import REQUESTS, Joining, RequestSeen, decide
from oneco.fleet.ports import Subject
from oneco.kube.objects import Object, put

NOW = Instant(1_795_248_000.0)
PREFIX = "system:open-cluster-management:"
AGENT = Subject(f"{PREFIX}c1:agent", frozenset({f"{PREFIX}c1", f"{PREFIX}managed-clusters"}))
JOINER = ("system:bootstrap:abc", ["system:bootstrappers", "system:bootstrappers:oneco:c1"])


class X509Registrar:
    """The port over real certificate requests."""

    def subject(self, request: str) -> Subject | None:
        try:
            read = x509.load_pem_x509_csr(base64.b64decode(request))
        except ValueError:
            return None
        (name,) = read.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        groups = read.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        return Subject(str(name.value), frozenset(str(group.value) for group in groups))


def a_request(by: tuple[str, list[str]] = JOINER, *, cluster: str = "c1", **spec: Any) -> Object:
    user, groups = by
    return {
        "metadata": {
            "name": "c1-abcde",
            "resourceVersion": "5",
            "labels": {"open-cluster-management.io/cluster-name": cluster},
        },
        "spec": {
            "request": "",
            "signerName": "kubernetes.io/kube-apiserver-client",
            "usages": ["digital signature", "key encipherment", "client auth"],
            "username": user,
            "groups": groups,
            **spec,
        },
    }


def answer(decision: Decision) -> tuple[str, str]:
    (change,) = decision.actions
    assert isinstance(change, Change)
    assert change.address.subresource == "approval"
    (condition,) = change.patch.body["status"]["conditions"]
    return condition["type"], condition["reason"]


def pem_request(common_name: str, *groups: str) -> str:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    attributes += [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(attributes))
    signed = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return base64.b64encode(signed.public_bytes(serialization.Encoding.PEM)).decode()


def test_the_join_token_of_a_cluster_gets_its_certificate():
    assert answer(decide(RequestSeen(a_request(), AGENT), NOW)) == ("Approved", "JoinToken")


def test_an_approval_is_held_to_the_version_that_was_seen():
    (change,) = decide(RequestSeen(a_request(), AGENT), NOW).actions
    assert isinstance(change, Change)
    assert change.patch.body["metadata"] == {"resourceVersion": "5"}


def test_an_agent_renews_its_own_certificate():
    own = (AGENT.common_name, [*AGENT.organizations, "system:authenticated"])
    assert answer(decide(RequestSeen(a_request(own), AGENT), NOW)) == ("Approved", "AgentRenews")


def test_the_join_token_of_another_cluster_waits_for_a_person():
    other = ("system:bootstrap:xyz", ["system:bootstrappers:oneco:c2"])
    decision = decide(RequestSeen(a_request(other), AGENT), NOW)
    assert decision.actions == ()
    assert [str(reason) for reason in decision.reasons] == [
        "system:bootstrap:xyz asks to join as cluster c1 without its join token; "
        "a person may approve."
    ]


def test_an_agent_cannot_renew_under_another_agents_name():
    other = (f"{PREFIX}c1:other", [*AGENT.organizations])
    assert decide(RequestSeen(a_request(other), AGENT), NOW).actions == ()


def test_a_name_without_its_groups_is_no_agent():
    assert decide(RequestSeen(a_request((AGENT.common_name, [])), AGENT), NOW).actions == ()


@pytest.mark.parametrize(
    "subject",
    [
        None,
        Subject(f"{PREFIX}c10:agent", AGENT.organizations),
        Subject(f"{PREFIX}c1", AGENT.organizations),
        Subject(f"{PREFIX}c1:", AGENT.organizations),
        Subject(f"{PREFIX}c1:agent:more", AGENT.organizations),
        Subject("system:admin", AGENT.organizations),
        Subject(AGENT.common_name, frozenset({f"{PREFIX}c1"})),
        Subject(AGENT.common_name, AGENT.organizations | {"system:masters"}),
        Subject(AGENT.common_name, frozenset({f"{PREFIX}c10", f"{PREFIX}managed-clusters"})),
    ],
)
def test_a_subject_that_is_not_exactly_an_agents_is_denied(subject):
    assert answer(decide(RequestSeen(a_request(), subject), NOW)) == (
        "Denied",
        "NotAnAgentsRequest",
    )


def test_a_request_for_more_than_client_authentication_is_denied():
    request = a_request(usages=["client auth", "server auth"])
    assert answer(decide(RequestSeen(request, AGENT), NOW))[0] == "Denied"


def test_a_denial_says_what_was_found_and_what_is_wanted():
    wrong = Subject(f"{PREFIX}c10:agent", AGENT.organizations)
    decision = decide(RequestSeen(a_request(), wrong), NOW)
    assert [str(reason) for reason in decision.reasons] == [
        'CN: found "system:open-cluster-management:c10:agent", '
        'wanted "system:open-cluster-management:c1:AGENT".'
    ]


@pytest.mark.parametrize("type_", ["Approved", "Denied", "Failed"])
def test_what_was_answered_is_left_alone(type_):
    answered = put(a_request(), ("status", "conditions"), [{"type": type_, "status": "True"}])
    assert decide(RequestSeen(answered, None), NOW) == NOTHING


def test_only_requests_of_agents_are_looked_at():
    foreign = a_request(signerName="example.com/other")
    addon = put(a_request(), ("metadata", "labels", "open-cluster-management.io/addon-name"), "x")
    plain = put(a_request(), ("metadata", "labels"), {})
    for request in (foreign, addon, plain):
        cache = Cache()
        cache.take("hub", REQUESTS, request)
        joining = Joining(X509Registrar())
        assert joining.gather(CacheReader(cache), ("", "c1-abcde")) is None


def test_a_real_request_is_read_and_approved():
    cache = Cache()
    pem = pem_request(AGENT.common_name, *AGENT.organizations)
    cache.take("hub", REQUESTS, a_request(request=pem))
    joining = Joining(X509Registrar())
    seen = joining.gather(CacheReader(cache), ("", "c1-abcde"))
    assert seen is not None
    assert seen.subject == AGENT
    assert answer(joining.decide(seen, NOW)) == ("Approved", "JoinToken")
