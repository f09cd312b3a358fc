"""Keys, certificate requests, and the certificates that answer them: an agent's own side."""

from __future__ import annotations

import datetime
import hashlib
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from oneco.clock import Instant
from oneco.fleet.ports import Subject

# OCM's agents renew when a fifth to a quarter of the life is left, each at a place of its own.
_EARLIEST, _LATEST = 0.25, 0.20


class Certificate(NamedTuple):
    """What a certificate says of its holder and of its own life."""

    subject: Subject
    begins: Instant
    ends: Instant

    def renews_at(self) -> Instant:
        """When to ask for the next one: spread over a twentieth of the life, by name."""
        life = self.ends - self.begins
        first = hashlib.sha256(self.subject.common_name.encode()).digest()[0]
        left = _LATEST + (_EARLIEST - _LATEST) * first / 255
        return Instant(self.ends - life * left)


def new_key() -> bytes:
    """A new private key, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def request(key: bytes, subject: Subject) -> bytes:
    """The PEM request of the holder of `key` to be certified as `subject`."""
    loaded = serialization.load_pem_private_key(key, password=None)
    assert isinstance(loaded, ec.EllipticCurvePrivateKey), "agents make elliptic curve keys"
    parts = [
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, one) for one in sorted(subject.organizations)
    ]
    parts.append(x509.NameAttribute(NameOID.COMMON_NAME, subject.common_name))
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(parts))
    return builder.sign(loaded, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def fingerprint(key: bytes) -> str:
    """Ten characters that tell the key from any other, without telling anything of it."""
    public = serialization.load_pem_private_key(key, password=None).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(public.public_bytes(serialization.Encoding.DER, form)).hexdigest()[:10]


def read(pem: bytes) -> Certificate:
    """The first certificate in `pem`; ValueError where there is none."""
    found = x509.load_pem_x509_certificate(pem)
    names = found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    groups = found.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    name = str(names[0].value) if names else ""
    subject = Subject(name, frozenset(str(group.value) for group in groups))
    return Certificate(subject, _at(found.not_valid_before_utc), _at(found.not_valid_after_utc))


def is_of(pem: bytes, key: bytes) -> bool:
    """Whether the first certificate in `pem` certifies `key`."""
    public = serialization.load_pem_private_key(key, password=None).public_key()
    return x509.load_pem_x509_certificate(pem).public_key() == public


def _at(moment: datetime.datetime) -> Instant:
    return Instant(moment.timestamp())
