"""Certificate requests: what is read out of them, and what an agent makes."""

from __future__ import annotations

import base64
import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from oneco.clock import Instant
from oneco.fleet.ports import Subject
from oneco.integrations.x509 import certificates, requests
from oneco.integrations.x509.registrar import X509Registrar

AGENT = Subject("system:x:c1:a", frozenset({"system:x:c1", "system:x:all"}))
YEAR = 365 * 86_400.0


def encoded(pem: bytes) -> str:
    return base64.b64encode(pem).decode()


def a_request(*parts: tuple[x509.ObjectIdentifier, str]) -> bytes:
    names = x509.Name([x509.NameAttribute(kind, value) for kind, value in parts])
    builder = x509.CertificateSigningRequestBuilder().subject_name(names)
    signed = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


def test_what_an_agent_asks_for_is_what_the_hub_reads():
    pem = requests.request(requests.new_key(), AGENT)
    assert X509Registrar().subject(encoded(pem)) == AGENT


def test_a_request_that_another_key_signed_is_none():
    der = x509.load_pem_x509_csr(requests.request(requests.new_key(), AGENT)).public_bytes(
        serialization.Encoding.DER
    )
    # The last byte belongs to the signature.
    broken = der[:-1] + bytes([der[-1] ^ 1])
    body = base64.encodebytes(broken).decode()
    pem = f"-----BEGIN CERTIFICATE REQUEST-----\n{body}-----END CERTIFICATE REQUEST-----\n"
    assert X509Registrar().subject(encoded(pem.encode())) is None


@pytest.mark.parametrize(
    "parts",
    [
        (),
        ((NameOID.ORGANIZATION_NAME, "o"),),
        ((NameOID.COMMON_NAME, "a"), (NameOID.COMMON_NAME, "b")),
        ((NameOID.COMMON_NAME, "a"), (NameOID.ORGANIZATIONAL_UNIT_NAME, "u")),
    ],
)
def test_a_request_for_more_or_less_than_one_name_is_none(parts):
    assert X509Registrar().subject(encoded(a_request(*parts))) is None


@given(st.one_of(st.text(), st.binary().map(encoded)))
def test_what_is_no_request_is_none(text):
    assert X509Registrar().subject(text) is None


def test_a_certificate_is_known_by_its_key():
    key, other = requests.new_key(), requests.new_key()
    pem = signed(key, AGENT.common_name)
    assert requests.is_of(pem, key)
    assert not requests.is_of(pem, other)
    assert requests.fingerprint(key) == requests.fingerprint(key) != requests.fingerprint(other)


def test_a_certificate_and_its_key_are_read_from_one_file():
    key = requests.new_key()
    certificate = certificates.read(signed(key, "agent") + key)
    assert certificate.subject == Subject("agent", frozenset())
    assert certificate.ends - certificate.begins == YEAR


def test_every_certificate_is_read_as_the_library_reads_it():
    key = ec.generate_private_key(ec.SECP256R1())
    for begins, days in (
        (datetime.datetime(1999, 12, 31, tzinfo=datetime.UTC), 400),
        (_AT, 90 * 365),
    ):
        parts = ((NameOID.COMMON_NAME, "agent ☃"), (NameOID.ORGANIZATION_NAME, "o" * 60))
        name = x509.Name([x509.NameAttribute(kind, value) for kind, value in parts])
        builder = x509.CertificateBuilder(name, name, key.public_key(), 1 << 100)
        ends = begins + datetime.timedelta(days=days)
        made = builder.not_valid_before(begins).not_valid_after(ends).sign(key, hashes.SHA256())
        found = certificates.read(b"text before\n" + made.public_bytes(serialization.Encoding.PEM))
        assert found.subject == Subject("agent ☃", frozenset({"o" * 60}))
        assert found.begins == made.not_valid_before_utc.timestamp()
        assert found.ends == made.not_valid_after_utc.timestamp()


@given(st.one_of(st.binary(), st.integers(0, 400)))
def test_what_is_no_certificate_is_refused_or_read_and_never_breaks(der):
    if isinstance(der, int):
        # A certificate without one of its bytes.
        der = _WHOLE[:der] + _WHOLE[der + 1 :]
    pem = b"-----BEGIN CERTIFICATE-----\n%s-----END CERTIFICATE-----" % base64.encodebytes(der)
    for text in (der, pem):
        try:
            certificates.read(text)
        except ValueError:
            continue


@given(st.text(min_size=1))
def test_every_agent_renews_when_a_fifth_to_a_quarter_is_left(name):
    certificate = certificates.Certificate(Subject(name, frozenset()), Instant(0.0), Instant(YEAR))
    assert 0.75 * YEAR <= certificate.renews_at() <= 0.80 * YEAR


def signed(key: bytes, name: str) -> bytes:
    """A certificate for `key`, good for a year."""
    request = x509.load_pem_x509_csr(requests.request(key, Subject(name, frozenset())))
    begins = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(request.subject)
        .issuer_name(request.subject)
        .public_key(request.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins + datetime.timedelta(seconds=YEAR))
    )
    own = ec.generate_private_key(ec.SECP256R1())
    return builder.sign(own, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


_AT = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
_WHOLE: bytes = base64.b64decode(b"".join(signed(requests.new_key(), "agent").splitlines()[1:-1]))
