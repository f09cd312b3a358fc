"""Reads the certificate requests of agents that want to join."""

from __future__ import annotations

import base64
import binascii

from oneco.fleet.ports import Subject


class X509Registrar:
    """The registrar over PEM certificate requests."""

    def subject(self, request: str) -> Subject | None:
        """Whom a `spec.request` asks to be; None where it is not sound in every part."""
        from cryptography import x509
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
        from cryptography.x509.oid import NameOID

        try:
            read = x509.load_pem_x509_csr(base64.b64decode(request, validate=True))
            # Whoever asks has to hold the private key of what is asked for.
            if not read.is_signature_valid:
                return None
        except (binascii.Error, ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature):
            return None
        names = read.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        groups = read.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        if len(names) != 1 or len(names) + len(groups) != len(list(read.subject)):
            return None
        return Subject(str(names[0].value), frozenset(str(group.value) for group in groups))
