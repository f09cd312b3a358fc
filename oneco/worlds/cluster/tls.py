"""TLS contexts: whom we trust and which certificate we show."""

from __future__ import annotations

import os
import ssl
import tempfile
from typing import NamedTuple

from oneco.errors import Refused
from oneco.kube.errors import Unauthorized
from oneco.worlds.cluster.credentials import FileStamp, file_stamp
from oneco.worlds.cluster.exec_plugin import Credential
from oneco.worlds.cluster.target import Material, Target


class _Held(NamedTuple):
    """A context and what it was made from."""

    stamps: tuple[FileStamp | None, ...]
    certificate: bytes
    context: ssl.SSLContext


class TlsContexts:
    """The context for the next connection; a new one when a file or the credential changed."""

    def __init__(self, target: Target) -> None:
        self._cluster, self._user = target.cluster, target.user
        self._files = [
            material.file
            for material in (self._cluster.authority, self._user.certificate, self._user.key)
            if material.file and not material.data
        ]
        self._held: _Held | None = None

    def current(self, credential: Credential) -> ssl.SSLContext:
        """The context to use with `credential`; the same one while nothing changed.

        Refused if it cannot be made the first time, Unauthorized for a program's certificate.
        """
        stamps = self._stamps()
        held = self._held
        if held is not None and held.certificate == credential.certificate:
            if held.stamps == stamps:
                return held.context
            try:
                self._held = _Held(stamps, credential.certificate, self._make(credential))
            except Refused:
                # A pair of files is not replaced in one moment: until both fit, the old one serves.
                return held.context
            return self._held.context
        self._held = _Held(stamps, credential.certificate, self._make(credential))
        return self._held.context

    def _stamps(self) -> tuple[FileStamp | None, ...]:
        return tuple(file_stamp(file) for file in self._files)

    def _make(self, credential: Credential) -> ssl.SSLContext:
        context = self._trusting()
        if credential.certificate:
            certificate, key = Material(data=credential.certificate), Material(data=credential.key)
            try:
                _show(context, certificate, key, f"{self._user.where}.exec")
            except Refused as error:
                raise Unauthorized(str(error)) from error
        elif self._user.certificate:
            where = f"{self._user.where}.client-certificate"
            _show(context, self._user.certificate, self._user.key, where)
        return context

    def _trusting(self) -> ssl.SSLContext:
        if self._cluster.insecure:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return context
        where = f"{self._cluster.where}.certificate-authority"
        authority = self._cluster.authority
        try:
            context = ssl.create_default_context(
                cafile=authority.file if authority.file and not authority.data else None,
                cadata=authority.data.decode("latin-1") if authority.data else None,
            )
        except FileNotFoundError:
            raise Refused(where, found=authority.file, wanted="a file that exists") from None
        except (ssl.SSLError, OSError):
            raise Refused(where, wanted="certificates in PEM") from None
        # Clusters' own authorities are often older than the strict rules, and an intermediate
        # may be named as the authority, as other clients allow.
        context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        return context


def _show(context: ssl.SSLContext, certificate: Material, key: Material, where: str) -> None:
    with tempfile.TemporaryDirectory(prefix="oneco-") as folder:
        # Python loads certificates from files only; the folder is ours alone and is gone at once.
        files = [
            _as_file(material, os.path.join(folder, name))
            for name, material in (("certificate", certificate), ("key", key))
        ]
        try:
            context.load_cert_chain(files[0], files[1], password=_no_password)
        except FileNotFoundError:
            found = ", ".join(file for file in files if not os.path.exists(file))
            raise Refused(where, found=found, wanted="files that exist") from None
        except (ssl.SSLError, OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or type(error).__name__
            wanted = "a certificate and its own key, in PEM, without a password"
            raise Refused(where, found=str(reason), wanted=wanted) from None


def _as_file(material: Material, path: str) -> str:
    if not material.data:
        return material.file
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(material.data)
    return path


def _no_password() -> str:
    # Without this, OpenSSL would ask on the terminal.
    raise ValueError("the key has a password")
