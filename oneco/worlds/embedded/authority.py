"""The certificate authority of one data directory, and what it signs."""

from __future__ import annotations

import dataclasses
import datetime
import ipaddress
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from oneco.errors import Refused
from oneco.worlds.embedded.identity import ADMINISTRATORS
from oneco.worlds.embedded.private_files import write_private

_CA_DAYS, _SERVER_DAYS = 3650, 365
_CLIENT_SECONDS = 365 * 86_400.0
_SERVED_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
_SERVED_ADDRESSES = ("127.0.0.1", "::1")
# Clocks of machines that talk to each other differ a little.
_SKEW = datetime.timedelta(minutes=5)


@dataclasses.dataclass(frozen=True, slots=True)
class Credential:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes


class Authority:
    """Signs the certificates of one server and its clients; its key never leaves `directory`.

    Certificates live in real time, whatever clock the cluster has.
    """

    def __init__(
        self,
        directory: Path,
        *,
        client_seconds: float = _CLIENT_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._client_life = datetime.timedelta(seconds=client_seconds)
        self._now = now
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory = directory
        certificate, key = directory / "ca.crt", directory / "ca.key"
        if not (certificate.exists() and key.exists()):
            _write_new_authority(certificate, key)
        try:
            self.certificate_pem = certificate.read_bytes()
            self._certificate = x509.load_pem_x509_certificate(self.certificate_pem)
            loaded = serialization.load_pem_private_key(key.read_bytes(), password=None)
        except ValueError as failure:
            raise Refused(
                str(directory),
                found="a damaged ca.crt or ca.key",
                wanted="restore them from a backup",
            ) from failure
        if not isinstance(loaded, ec.EllipticCurvePrivateKey):
            raise Refused(str(key), found="another kind of key", wanted="an elliptic curve key")
        self._key = loaded

    def server_files(self) -> tuple[Path, Path]:
        """The certificate and key of the server, renewed: for loopback names only."""
        names: list[x509.GeneralName] = [x509.DNSName(name) for name in _SERVED_NAMES]
        names += [x509.IPAddress(ipaddress.ip_address(text)) for text in _SERVED_ADDRESSES]
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(_name("oneco", ()), key.public_key(), _days(_SERVER_DAYS))
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = self._sign(builder, ExtendedKeyUsageOID.SERVER_AUTH)
        paths = self.directory / "server.crt", self.directory / "server.key"
        write_private(paths[0], certificate)
        write_private(paths[1], _key_pem(key))
        return paths

    def client(self, user: str, groups: Sequence[str] = ()) -> Credential:
        """A new certificate that says who `user` is."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(_name(user, groups), key.public_key(), self._client_life)
        return Credential(self._sign(builder, ExtendedKeyUsageOID.CLIENT_AUTH), _key_pem(key))

    def administrator(self) -> Credential:
        """A new certificate of the person whose hub this is: it may do everything."""
        return self.client("admin", (ADMINISTRATORS,))

    def sign(self, request: x509.CertificateSigningRequest, seconds: int = 0) -> bytes:
        """The client certificate that `request` asks for, whoever asks."""
        life = datetime.timedelta(seconds=seconds) if seconds else self._client_life
        life = min(life, self._client_life)
        builder = self._builder(request.subject, request.public_key(), life)
        return self._sign(builder, ExtendedKeyUsageOID.CLIENT_AUTH)

    def _builder(
        self,
        subject: x509.Name,
        key: CertificatePublicKeyTypes,
        life: datetime.timedelta,
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.fromtimestamp(self._now(), datetime.UTC)
        # What lives for minutes must not look as if most of its life were over.
        skew = min(_SKEW, life / 10)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._certificate.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - skew)
            .not_valid_after(min(now + life, self._certificate.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        )

    def _sign(self, builder: x509.CertificateBuilder, usage: x509.ObjectIdentifier) -> bytes:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
            critical=False,
        )
        signed = builder.sign(self._key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM)


def _write_new_authority(certificate: Path, key: Path) -> None:
    own = ec.generate_private_key(ec.SECP256R1())
    serial = x509.random_serial_number()
    # The serial in the name tells apart the authorities of two data directories.
    name = _name(f"oneco {serial:x}"[:30], ())
    now = datetime.datetime.now(datetime.UTC)
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(own.public_key())
        .serial_number(serial)
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + _days(_CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
        .sign(own, hashes.SHA256())
    )
    # The key first: a certificate without its key would look like a finished authority.
    write_private(key, _key_pem(own))
    write_private(certificate, signed.public_bytes(serialization.Encoding.PEM))


def _name(user: str, groups: Sequence[str]) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, user)])


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _days(days: int) -> datetime.timedelta:
    return datetime.timedelta(days=days)
