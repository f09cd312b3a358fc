"""TLS contexts: whom we trust and which certificate we show."""

from __future__ import annotations

import os
import ssl
import tempfile

from oneco.errors import Refused
from oneco.worlds.cluster.credentials import FileStamp, file_stamp
from oneco.worlds.cluster.exec_plugin import Credential
from oneco.worlds.cluster.target import Material, Target


class TlsContexts:
    """The context for the next connection; a new one when a file or the credential changed."""

    def __init__(self, target: Target) -> None:
        self._cluster, self._user = target.cluster, target.user
        self._files = [
            material.file
            for material in (self._cluster.authority, self._user.certificate, self._user.key)
            if material.file and not material.data
        ]
        self._held: tuple[object, ssl.SSLContext] | None = None

    def current(self, credential: Credential) -> ssl.SSLContext:
        """The context to use with `credential`; the same one while nothing changed."""
        made_from = (self._stamps(), credential.certificate)
        if self._held is None or self._held[0] != made_from:
            self._held = (made_from, self._make(credential))
        return self._held[1]

    def _stamps(self) -> tuple[FileStamp | None, ...]:
        return tuple(file_stamp(file) for file in self._files)

    def _make(self, credential: Credential) -> ssl.SSLContext:
        context = self._trusting()
        if credential.certificate:
            certificate, key = Material(data=credential.certificate), Material(data=credential.key)
            where = f"{self._user.where}.exec"
        else:
            certificate, key = self._user.certificate, self._user.key
            where = f"{self._user.where}.client-certificate"
        if certificate:
            _show(context, certificate, key, where)
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
