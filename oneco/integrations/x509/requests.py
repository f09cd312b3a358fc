"""Keys and certificate requests: an agent's own side."""

from __future__ import annotations

import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from oneco.fleet.ports import Subject


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


def is_of(pem: bytes, key: bytes) -> bool:
    """Whether the first certificate in `pem` certifies `key`."""
    public = serialization.load_pem_private_key(key, password=None).public_key()
    return x509.load_pem_x509_certificate(pem).public_key() == public
