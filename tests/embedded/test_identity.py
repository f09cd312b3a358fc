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
from oneco.kube.rbac import User
from oneco.worlds.embedded import identity, signing
from oneco.worlds.embedded.authority import Authority
from oneco.worlds.embedded.identity import (
    AGENTS,
    AUTHENTICATED,
    clusters_of_agent,
    from_certificate,
)

PREFIX = "system:open-cluster-management:"


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
        "metadata": {"name": "r", "labels": {ocm.CLUSTER_NAME_LABEL: label or cluster}},
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
    ("groups", "clusters"),
    [
        ((f"{PREFIX}c1", AGENTS), {"c1"}),
        ((f"{PREFIX}c1", f"{PREFIX}c2", AGENTS), {"c1", "c2"}),
        ((f"{PREFIX}c1",), set()),
        ((AGENTS,), set()),
        ((f"x{PREFIX}c1", AGENTS), set()),
    ],
)
def test_groups_say_whose_agent_somebody_is(groups, clusters):
    assert clusters_of_agent(User("anyone", groups)) == clusters


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


def test_the_hubs_server_and_its_deciders_speak_of_the_same_names():
    assert (identity.AGENT_PREFIX, identity.AGENTS) == (joining.AGENT_PREFIX, joining.AGENTS_GROUP)
    assert joining.JOINERS_GROUP.startswith(identity.BOOTSTRAP)
