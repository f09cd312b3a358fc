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
from oneco.decision import NOTHING, Change, Decision, Delete
from oneco.fleet import invitations
from oneco.fleet.joining import (
    FETCH_SECONDS,
    REQUESTS,
    SECRETS,
    SPENT_ANNOTATION,
    Joining,
    RequestSeen,
    decide,
    fetch_id,
    fetch_token,
)
from oneco.fleet.ports import Subject
from oneco.kinds.ocm import CLUSTERS
from oneco.kube import times
from oneco.kube.objects import Object, put

TOKEN: Object = {
    "metadata": {
        "name": "bootstrap-token-abcdef",
        "namespace": "kube-system",
        "resourceVersion": "3",
        "uid": "u-token",
    },
    "type": "bootstrap.kubernetes.io/token",
    "data": {},
}
FETCH = put(TOKEN, ("metadata", "name"), f"bootstrap-token-{fetch_id('abcdef')}")
ACCEPTED = {"metadata": {"name": "c1"}, "spec": {"hubAcceptsClient": True}}
NOW = Instant(1_795_248_000.0)
PREFIX = "system:open-cluster-management:"
AGENT = Subject(f"{PREFIX}c1:agent", frozenset({f"{PREFIX}c1", f"{PREFIX}managed-clusters"}))
JOINER = ("system:bootstrap:abcdef", ["system:bootstrappers", "system:bootstrappers:oneco:c1"])


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


def a_look(
    request: Object | None = None,
    *,
    cluster: Object | None = ACCEPTED,
    token: Object | None = TOKEN,
    fetch: Object | None = FETCH,
) -> RequestSeen:
    """What is seen of a request of c1's agent: an accepted cluster and an unused token."""
    return RequestSeen(request or a_request(), AGENT, cluster, token, fetch)


def a_token(*, expires: float) -> Object:
    text = base64.b64encode(times.to_text(Instant(expires)).encode()).decode()
    return put(TOKEN, ("data", "expiration"), text)


def opened(spent_on: str) -> Object:
    """The fetch token, once its join token has led to this request."""
    return put(FETCH, ("metadata", "annotations"), {SPENT_ANNOTATION: spent_on})


def said(body: Object, key: str) -> str:
    return base64.b64decode(body["data"][key]).decode()


def reasons(decision: Decision) -> list[str]:
    return [reason.code for reason in decision.reasons]


def answer(decision: Decision) -> tuple[str, str]:
    (change,) = [one for one in decision.actions if one.address.subresource]
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
    assert answer(decide(a_look(), NOW)) == ("Approved", "JoinToken")


def test_an_approval_is_held_to_the_version_that_was_seen():
    *_, change = decide(a_look(), NOW).actions
    assert isinstance(change, Change)
    assert change.patch.body["metadata"] == {"resourceVersion": "5"}


def test_an_agent_renews_its_own_certificate():
    own = (AGENT.common_name, [*AGENT.organizations, "system:authenticated"])
    assert answer(decide(a_look(a_request(own)), NOW)) == ("Approved", "AgentRenews")


def test_the_join_token_of_another_cluster_waits_for_a_person():
    other = ("system:bootstrap:xyz", ["system:bootstrappers:oneco:c2"])
    decision = decide(a_look(a_request(other)), NOW)
    assert decision.actions == ()
    assert [str(reason) for reason in decision.reasons] == [
        "system:bootstrap:xyz asks to join as cluster c1 without its join token; "
        "a person may approve."
    ]


def test_an_agent_cannot_renew_under_another_agents_name():
    other = (f"{PREFIX}c1:other", [*AGENT.organizations])
    assert decide(a_look(a_request(other)), NOW).actions == ()


def test_a_name_without_its_groups_is_no_agent():
    assert decide(a_look(a_request((AGENT.common_name, []))), NOW).actions == ()


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
    assert answer(decide(a_look(request), NOW))[0] == "Denied"


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
    cache.take("hub", CLUSTERS, ACCEPTED)
    cache.take("hub", SECRETS, TOKEN)
    cache.take("hub", SECRETS, FETCH)
    joining = Joining(X509Registrar())
    seen = joining.gather(CacheReader(cache), ("", "c1-abcde"))
    assert seen is not None
    assert seen.subject == AGENT
    assert answer(joining.decide(seen, NOW)) == ("Approved", "JoinToken")


def test_the_token_is_gone_before_its_request_is_approved():
    opens, ends, approves = decide(a_look(), NOW).actions
    assert isinstance(opens, Change)
    assert isinstance(ends, Delete)
    assert isinstance(approves, Change)
    assert opens.address.name == FETCH["metadata"]["name"]
    body = opens.patch.body
    # Held to the version that was seen: of two requests by one token only one spends it.
    assert body["metadata"] == {
        "resourceVersion": "3",
        "annotations": {"onepersoncompany.io/spent-on": "c1-abcde"},
    }
    assert said(body, "usage-bootstrap-authentication") == "true"
    assert said(body, "expiration") == times.to_text(Instant(NOW + FETCH_SECONDS))
    assert (str(ends.address), ends.options.uid) == (
        "secrets kube-system/bootstrap-token-abcdef",
        "u-token",
    )
    assert approves.address.subresource == "approval"


def test_a_hub_that_was_killed_after_the_first_write_ends_the_token_and_approves():
    decision = decide(a_look(fetch=opened("c1-abcde")), NOW)
    assert answer(decision) == ("Approved", "JoinToken")
    assert [type(one) for one in decision.actions] == [Delete, Change]


def test_a_hub_that_was_killed_after_the_second_write_still_approves():
    decision = decide(a_look(token=None, fetch=opened("c1-abcde")), NOW)
    assert answer(decision) == ("Approved", "JoinToken")
    assert len(decision.actions) == 1


@pytest.mark.parametrize("token", [TOKEN, None])
def test_a_spent_token_gets_no_second_certificate(token):
    decision = decide(a_look(token=token, fetch=opened("c1-other")), NOW)
    assert answer(decision) == ("Denied", "TokenSpent")


def test_a_token_that_is_gone_or_over_leads_nowhere():
    for token in (None, a_token(expires=NOW)):
        decision = decide(a_look(token=token), NOW)
        assert (decision.actions, reasons(decision)) == ((), ["WaitsForPerson"])
    assert answer(decide(a_look(token=a_token(expires=NOW + 1)), NOW))[0] == "Approved"


def test_a_token_whose_certificate_nobody_could_fetch_waits_for_a_person():
    decision = decide(a_look(fetch=None), NOW)
    assert decision.actions == ()
    assert "as `oneco clusters join` makes it" in str(decision.reasons[0])


def test_a_fetch_token_is_known_to_who_holds_its_join_token_and_says_nothing_of_it():
    token = "abcdef.0123456789abcdef"
    token_id, _, secret = fetch_token(token).partition(".")
    assert (token_id, len(token_id), len(secret)) == (fetch_id("abcdef"), 6, 16)
    assert fetch_token("abcdef.0123456789abcdee") != fetch_token(token)
    assert "0123456789abcdef" not in fetch_token(token)
    for other in ("", "abcdef", "eyJhbGciOi.J9.x", "abcdef.short"):
        assert fetch_token(other) == ""


@pytest.mark.parametrize(
    "cluster",
    [
        None,
        {"metadata": {"name": "c1"}, "spec": {}},
        {"metadata": {"name": "c1"}, "spec": {"hubAcceptsClient": False}},
        {"metadata": {"name": "c1", "deletionTimestamp": "x"}, "spec": {"hubAcceptsClient": True}},
    ],
)
def test_nobody_joins_or_renews_for_a_cluster_that_is_not_accepted(cluster):
    own = (AGENT.common_name, [*AGENT.organizations, "system:authenticated"])
    for request in (a_request(), a_request(own)):
        assert decide(a_look(request, cluster=cluster), NOW).actions == ()


def test_a_group_of_joiners_without_a_token_is_no_token():
    odd = ("somebody", ["system:bootstrappers:oneco:c1"])
    assert decide(a_look(a_request(odd)), NOW).actions == ()


def test_no_cluster_is_called_like_a_namespace_of_the_hub():
    request = a_request(cluster="kube-system")
    subject = Subject(
        f"{PREFIX}kube-system:a", frozenset({f"{PREFIX}kube-system", f"{PREFIX}managed-clusters"})
    )
    assert answer(decide(RequestSeen(request, subject, ACCEPTED, TOKEN), NOW))[0] == "Denied"


def test_an_invitation_is_removed_when_its_time_is_over():
    assert invitations.decide(a_token(expires=NOW + 60), NOW).wake_at == NOW + 60
    (action,) = invitations.decide(a_token(expires=NOW), NOW).actions
    assert str(action.address) == "secrets kube-system/bootstrap-token-abcdef"
    unreadable = put(TOKEN, ("data", "expiration"), base64.b64encode(b"tomorrow").decode())
    assert len(invitations.decide(unreadable, NOW).actions) == 1
    assert invitations.decide(TOKEN, NOW) == NOTHING
