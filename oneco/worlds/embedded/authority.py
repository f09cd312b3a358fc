"""The certificate authority of one data directory, and what it signs."""

from __future__ import annotations

import dataclasses
import datetime
import ipaddress
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from oneco.errors import Refused
from oneco.worlds.embedded import succession
from oneco.worlds.embedded.identity import ADMINISTRATORS
from oneco.worlds.embedded.private_files import write_private

_CA_DAYS, _SERVER_DAYS = 3650, 365
_CLIENT_SECONDS = 365 * 86_400.0
_SERVED_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
_SERVED_ADDRESSES = ("127.0.0.1", "::1")
_LIFE_BEFORE_RENEWAL = 0.75
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
        self.renews_at = now()
        """When the certificates of the server and of its person should be followed by new ones."""
        certificate, key = directory / succession.CERTIFICATE, directory / succession.KEY
        if not (certificate.exists() and key.exists()):
            _write_new_authority(certificate, key)
        succession.resume(directory)
        self._read()

    @property
    def change(self) -> str:
        """The name of the change of authorities that is under way, empty if none is."""
        return succession.present_change(self.directory)

    @property
    def last_change(self) -> str:
        """The name of the change that was completed last, empty if there was none."""
        return succession.last_change(self.directory)

    def begin_change(self, name: str) -> None:
        """From now on trust a new authority too, and sign with it what clients ask for."""
        succession.begin(self.directory, name, _write_new_authority)
        self._read()

    def finish_change(self) -> None:
        """Trust the new authority alone."""
        succession.turn(self.directory)
        self._read()

    @property
    def newest_name(self) -> str:
        """The name that certificates of the newest authority give as their issuer's."""
        (name,) = self._newest.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(name.value)

    def _read(self) -> None:
        self._present = _issuer(self.directory)
        following = succession.next_of(self.directory)
        self._newest = _issuer(following) if following.exists() else self._present
        self.certificate_pem = (self.directory / succession.CERTIFICATE).read_bytes()
        """Every authority that is trusted."""

    def server_files(self) -> tuple[Path, Path]:
        """The certificate and key of the server, renewed: for loopback names only."""
        names: list[x509.GeneralName] = [x509.DNSName(name) for name in _SERVED_NAMES]
        names += [x509.IPAddress(ipaddress.ip_address(text)) for text in _SERVED_ADDRESSES]
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = self._present
        name, life = _name("oneco", ()), _days(_SERVER_DAYS)
        builder = self._builder(issuer, name, key.public_key(), life)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = issuer.sign(builder, ExtendedKeyUsageOID.SERVER_AUTH)
        paths = self.directory / "server.crt", self.directory / "server.key"
        write_private(paths[0], certificate)
        write_private(paths[1], _key_pem(key))
        shortest = min(life, self._client_life).total_seconds()
        self.renews_at = self._now() + shortest * _LIFE_BEFORE_RENEWAL
        return paths

    def client(self, user: str, groups: Sequence[str] = ()) -> Credential:
        """A new certificate that says who `user` is."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer, name = self._newest, _name(user, groups)
        builder = self._builder(issuer, name, key.public_key(), self._client_life)
        return Credential(issuer.sign(builder, ExtendedKeyUsageOID.CLIENT_AUTH), _key_pem(key))

    def administrator(self) -> Credential:
        """A new certificate of the person whose hub this is: it may do everything."""
        return self.client("admin", (ADMINISTRATORS,))

    def sign(self, request: x509.CertificateSigningRequest, seconds: int = 0) -> bytes:
        """The client certificate that `request` asks for, whoever asks."""
        life = datetime.timedelta(seconds=seconds) if seconds else self._client_life
        life = min(life, self._client_life)
        issuer = self._newest
        builder = self._builder(issuer, request.subject, request.public_key(), life)
        return issuer.sign(builder, ExtendedKeyUsageOID.CLIENT_AUTH)

    def _builder(
        self,
        issuer: _Issuer,
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
            .issuer_name(issuer.certificate.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - skew)
            .not_valid_after(min(now + life, issuer.certificate.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        )


class _Issuer(NamedTuple):
    """One authority that signs."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def sign(self, builder: x509.CertificateBuilder, usage: x509.ObjectIdentifier) -> bytes:
        """The certificate that `builder` describes, PEM."""
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
            critical=False,
        )
        signed = builder.sign(self.key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM)


def _issuer(directory: Path) -> _Issuer:
    """The authority in `directory`: the first of its certificates, whose key is beside it."""
    key = directory / succession.KEY
    try:
        content = (directory / succession.CERTIFICATE).read_bytes()
        certificate = x509.load_pem_x509_certificate(content)
        loaded = serialization.load_pem_private_key(key.read_bytes(), password=None)
    except ValueError as failure:
        raise Refused(
            str(directory),
            found="a damaged ca.crt or ca.key",
            wanted="restore them from a backup",
        ) from failure
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise Refused(str(key), found="another kind of key", wanted="an elliptic curve key")
    return _Issuer(certificate, loaded)


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
