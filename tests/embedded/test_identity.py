"""Certificates, tokens, and who is whose agent."""

from __future__ import annotations

import base64
import stat

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from oneco.fleet import joining
from oneco.kinds import ocm
from oneco.kinds.oam import APPLICATIONS
from oneco.kinds.release import CHECK_RUNS, OBSERVATIONS, RELEASES, UNITS
from oneco.kube.errors import Forbidden
from oneco.kube.refs import Address, Resource
from oneco.worlds.embedded import identity, rights, signing
from oneco.worlds.embedded.authority import Authority
from oneco.worlds.embedded.identity import (
    ADMINISTRATORS,
    AGENTS,
    ANONYMOUS,
    AUTHENTICATED,
    SPENT,
    User,
    cluster_of_agent,
    from_certificate,
)

PREFIX = "system:open-cluster-management:"
CLUSTERS = Resource("cluster.open-cluster-management.io", "v1", "managedclusters")
WORKS = Resource("work.open-cluster-management.io", "v1", "manifestworks")
LEASES = Resource("coordination.k8s.io", "v1", "leases")
REQUESTS = Resource("certificates.k8s.io", "v1", "certificatesigningrequests")
ADMIN = User("admin", (ADMINISTRATORS, AUTHENTICATED))
NEWCOMER = User("system:bootstrap:abc", ("system:bootstrappers", AUTHENTICATED))
INVITED = User(NEWCOMER.name, (*NEWCOMER.groups, "system:bootstrappers:oneco:c1"))
SPENT_USER = User(NEWCOMER.name, (SPENT, AUTHENTICATED))


def an_agent(cluster: str = "c1", agent: str = "a") -> User:
    return User(f"{PREFIX}{cluster}:{agent}", (f"{PREFIX}{cluster}", AGENTS, AUTHENTICATED))


def a_request(
    cluster: str = "c1", *, name: str = "", groups: tuple[str, ...] = (), label: str = ""
) -> dict:
    key = ec.generate_private_key(ec.SECP256R1())
    organizations = groups or (f"{PREFIX}{cluster}", AGENTS)
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in organizations]
    parts.append(x509.NameAttribute(NameOID.COMMON_NAME, name or f"{PREFIX}{cluster}:a"))
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(parts))
    pem = request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": "r", "labels": {signing.CLUSTER_LABEL: label or cluster}},
        "spec": {
            "signerName": "kubernetes.io/kube-apiserver-client",
            "request": base64.b64encode(pem).decode(),
            "usages": ["client auth"],
        },
    }


def test_an_authority_is_made_once_and_its_files_are_private(tmp_path):
    first = Authority(tmp_path / "pki")
    first.server_files()
    assert Authority(tmp_path / "pki").certificate_pem == first.certificate_pem
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "pki").iterdir()}
    assert modes == {0o600}


def test_a_client_certificate_names_user_and_groups(tmp_path):
    credential = Authority(tmp_path).client("jane", ("a", "b"))
    subject = x509.load_pem_x509_certificate(credential.certificate).subject
    assert [(part.rfc4514_attribute_name, part.value) for part in subject] == [
        ("O", "a"),
        ("O", "b"),
        ("CN", "jane"),
    ]


def test_a_verified_certificate_gives_its_user():
    peer = {"subject": ((("organizationName", "a"),), (("commonName", "jane"),))}
    assert from_certificate(peer) == User("jane", ("a", AUTHENTICATED))
    assert from_certificate({}) is None
    assert from_certificate(None) is None


@pytest.mark.parametrize(
    ("user", "cluster"),
    [
        (an_agent("c1"), "c1"),
        (User(f"{PREFIX}c1", (f"{PREFIX}c1", AGENTS)), ""),
        (User(f"{PREFIX}c1:a:b", (f"{PREFIX}c1", AGENTS)), ""),
        (User(f"{PREFIX}c1:a", (f"{PREFIX}c10", AGENTS)), ""),
        (User(f"{PREFIX}c1:a", (f"{PREFIX}c1",)), ""),
        (User(f"{PREFIX}c1:a", (f"{PREFIX}c1", AGENTS, "system:masters")), ""),
        (User(f"x{PREFIX}c1:a", (f"{PREFIX}c1", AGENTS)), ""),
        (User(f"{PREFIX}:a", (f"{PREFIX}", AGENTS)), ""),
        (an_agent("kube-system"), ""),
        (an_agent("oneco-system"), ""),
    ],
)
def test_only_the_exact_name_and_groups_make_an_agent(user, cluster):
    assert cluster_of_agent(user) == cluster


@pytest.mark.parametrize(
    ("user", "verb", "address"),
    [
        (ADMIN, "delete", Address(Resource("", "v1", "secrets"), "default", "s")),
        (an_agent(), "patch", Address(WORKS, "c1", "w", "status")),
        (an_agent(), "watch", Address(WORKS, "c1")),
        (an_agent(), "patch", Address(WORKS, "c1", "w")),
        (an_agent(), "create", Address(OBSERVATIONS, "c1")),
        (an_agent(), "update", Address(OBSERVATIONS, "c1", "w")),
        (an_agent(), "patch", Address(LEASES, "c1", "managed-cluster-lease")),
        (an_agent(), "get", Address(CLUSTERS, "", "c1")),
        (an_agent(), "watch", Address(CLUSTERS, "", "c1")),
        (an_agent(), "patch", Address(CLUSTERS, "", "c1", "status")),
        (an_agent(), "create", Address(REQUESTS)),
        (an_agent(), "get", Address(REQUESTS, "", "r")),
        (NEWCOMER, "create", Address(REQUESTS)),
        (NEWCOMER, "create", Address(CLUSTERS)),
        (NEWCOMER, "get", Address(CLUSTERS, "", "c1")),
        (INVITED, "create", Address(REQUESTS)),
        (INVITED, "create", Address(CLUSTERS)),
        (INVITED, "get", Address(CLUSTERS, "", "c1")),
        (SPENT_USER, "get", Address(REQUESTS, "", "r")),
    ],
)
def test_what_is_allowed(user, verb, address):
    rights.authorize(user, verb, address)


@pytest.mark.parametrize(
    ("user", "verb", "address"),
    [
        (an_agent(), "get", Address(WORKS, "c10", "w")),
        (an_agent(), "list", Address(WORKS)),
        (an_agent(), "create", Address(WORKS, "c1")),
        (an_agent(), "delete", Address(WORKS, "c1", "w")),
        (an_agent(), "deletecollection", Address(LEASES, "c1")),
        (an_agent(), "get", Address(Resource("", "v1", "secrets"), "c1", "s")),
        (an_agent(), "create", Address(APPLICATIONS, "c1")),
        (an_agent(), "create", Address(RELEASES, "c1")),
        (an_agent(), "patch", Address(UNITS, "c1", "u", "status")),
        (an_agent(), "patch", Address(CHECK_RUNS, "c1", "r", "status")),
        (an_agent(), "get", Address(Resource("", "v1", "secrets"), "default", "s")),
        (an_agent(), "list", Address(CLUSTERS)),
        (an_agent(), "get", Address(CLUSTERS, "", "c2")),
        (an_agent(), "patch", Address(CLUSTERS, "", "c1")),
        (an_agent(), "delete", Address(CLUSTERS, "", "c1")),
        (an_agent(), "delete", Address(Resource("", "v1", "namespaces"), "", "c1")),
        (an_agent(), "update", Address(REQUESTS, "", "r", "approval")),
        (an_agent(), "list", Address(REQUESTS)),
        (NEWCOMER, "list", Address(CLUSTERS)),
        (NEWCOMER, "update", Address(CLUSTERS, "", "c1")),
        (NEWCOMER, "update", Address(REQUESTS, "", "r", "approval")),
        (NEWCOMER, "get", Address(WORKS, "c1", "w")),
        (INVITED, "get", Address(CLUSTERS, "", "c10")),
        (INVITED, "get", Address(WORKS, "c1", "w")),
        (INVITED, "patch", Address(CLUSTERS, "", "c1")),
        (SPENT_USER, "create", Address(REQUESTS)),
        (SPENT_USER, "get", Address(CLUSTERS, "", "c1")),
        (SPENT_USER, "list", Address(REQUESTS)),
        (ANONYMOUS, "get", Address(CLUSTERS, "", "c1")),
        (User("jane", (AUTHENTICATED,)), "list", Address(Resource("", "v1", "pods"), "default")),
    ],
)
def test_what_is_forbidden(user, verb, address):
    with pytest.raises(Forbidden):
        rights.authorize(user, verb, address)


def test_a_refusal_is_worded_as_by_a_real_server():
    with pytest.raises(Forbidden) as refusal:
        rights.authorize(an_agent(), "patch", Address(WORKS, "c2", "w", "status"))
    assert refusal.value.message == (
        'manifestworks.work.open-cluster-management.io "w" is forbidden: User'
        ' "system:open-cluster-management:c1:a" cannot patch resource "manifestworks/status" in API'
        ' group "work.open-cluster-management.io" in the namespace "c2"'
    )


@pytest.mark.parametrize(
    "request_object",
    [
        a_request(name="admin"),
        a_request(groups=("system:masters",)),
        a_request(groups=(f"{PREFIX}c1", AGENTS, "system:masters")),
        a_request(name=f"{PREFIX}c10:a"),
        a_request(label="c2"),
        {**a_request(), "spec": {**a_request()["spec"], "request": "bm90IGEgcmVxdWVzdA=="}},
        {**a_request(), "spec": {**a_request()["spec"], "signerName": "kubernetes.io/kubelet"}},
    ],
)
def test_a_newcomer_cannot_ask_for_another_name(request_object):
    with pytest.raises(Forbidden):
        rights.check_content(NEWCOMER, "create", Address(REQUESTS), request_object)


def test_a_newcomer_asks_for_an_agents_name_and_an_agent_only_for_its_own():
    rights.check_content(NEWCOMER, "create", Address(REQUESTS), a_request())
    rights.check_content(an_agent(), "create", Address(REQUESTS), a_request())
    with pytest.raises(Forbidden):
        rights.check_content(an_agent("c2"), "create", Address(REQUESTS), a_request())


def test_an_invitation_is_for_one_cluster_alone():
    rights.check_content(INVITED, "create", Address(REQUESTS), a_request())
    rights.check_content(INVITED, "create", Address(CLUSTERS), {"metadata": {"name": "c1"}})
    for cluster in ("c", "c10", "c2"):
        with pytest.raises(Forbidden, match="this token is for c1"):
            rights.check_content(INVITED, "create", Address(REQUESTS), a_request(cluster))
        with pytest.raises(Forbidden, match="this token is for c1"):
            body = {"metadata": {"name": cluster}}
            rights.check_content(INVITED, "create", Address(CLUSTERS), body)


def test_a_newcomer_cannot_accept_its_own_cluster():
    cluster = {"metadata": {"name": "c1"}, "spec": {"hubAcceptsClient": True}}
    with pytest.raises(Forbidden, match="only an administrator accepts"):
        rights.check_content(NEWCOMER, "create", Address(CLUSTERS), cluster)


def test_nobody_reads_the_request_of_another():
    other = {**a_request(), "spec": {"username": "someone"}}
    with pytest.raises(Forbidden):
        rights.check_content(an_agent(), "get", Address(REQUESTS, "", "r"), other)


def test_an_approved_request_is_signed_for_its_subject(tmp_path):
    authority = Authority(tmp_path)
    asked = a_request()
    assert not signing.is_waiting(asked)
    approved = {**asked, "status": {"conditions": [{"type": "Approved", "status": "True"}]}}
    assert signing.is_waiting(approved)
    done = signing.signed(approved, authority)
    assert not signing.is_waiting(done)
    certificate = x509.load_pem_x509_certificate(base64.b64decode(done["status"]["certificate"]))
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert names[0].value == f"{PREFIX}c1:a"
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.certificate_pem))


def test_a_denied_request_is_never_signed():
    conditions = [{"type": "Approved", "status": "True"}, {"type": "Denied", "status": "True"}]
    assert not signing.is_waiting({**a_request(), "status": {"conditions": conditions}})


def test_an_approved_request_that_is_none_fails_with_its_reason(tmp_path):
    asked = {**a_request(), "spec": {**a_request()["spec"], "request": "AAAA"}}
    approved = {**asked, "status": {"conditions": [{"type": "Approved", "status": "True"}]}}
    done = signing.signed(approved, Authority(tmp_path))
    assert done["status"]["conditions"][-1]["type"] == "Failed"
    assert not signing.is_waiting(done)


def test_the_hubs_rights_and_its_deciders_speak_of_the_same_names():
    assert identity.RESERVED == ocm.RESERVED_NAMES
    assert (identity.AGENT_PREFIX, identity.AGENTS) == (joining.AGENT_PREFIX, joining.AGENTS_GROUP)
    assert identity.JOIN_PREFIX == joining.JOIN_GROUP_PREFIX
    assert signing.CLUSTER_LABEL == ocm.CLUSTER_NAME_LABEL
