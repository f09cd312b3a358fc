"""CertificateSigningRequests: which are well formed, and signing those that were approved."""

from __future__ import annotations

import base64
import binascii

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from oneco.kube.objects import Object, dig, put
from oneco.worlds.embedded.authority import Authority
from oneco.worlds.embedded.identity import ADMINISTRATORS

COLLECTION = "certificates.k8s.io/certificatesigningrequests"
CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client"


def asks_for_everything(obj: Object) -> bool:
    """Whether the request is for a certificate that may do everything: nobody gets one so."""
    if dig(obj, "spec", "signerName") != CLIENT_SIGNER:
        return False
    request = _request(obj)
    return request is not None and ADMINISTRATORS in _organizations(request)


def is_waiting(obj: Object) -> bool:
    """Whether the request was approved, was not denied or failed, and has no certificate yet."""
    if dig(obj, "spec", "signerName") != CLIENT_SIGNER or dig(obj, "status", "certificate"):
        return False
    seen = {
        one.get("type"): one.get("status") for one in dig(obj, "status", "conditions", default=())
    }
    return seen.get("Approved") == "True" and not {"Denied", "Failed"} & set(seen)


def signed(obj: Object, authority: Authority) -> Object:
    """The approved request with its certificate, or with the reason why there will be none."""
    request = _request(obj)
    if request is None or not _is_signed_by_its_key(request):
        wanted = "spec.request is not a PEM certificate request with a valid signature"
        return failed(obj, "SignerValidationFailure", wanted)
    seconds = dig(obj, "spec", "expirationSeconds", default=0)
    certificate = base64.b64encode(authority.sign(request, seconds)).decode()
    return put(obj, ("status", "certificate"), certificate)


def failed(obj: Object, reason: str, message: str) -> Object:
    """The request with the reason why there will be no certificate."""
    condition = {"type": "Failed", "status": "True", "reason": reason, "message": message}
    conditions = [*dig(obj, "status", "conditions", default=()), condition]
    return put(obj, ("status", "conditions"), conditions)


def _request(obj: Object) -> x509.CertificateSigningRequest | None:
    try:
        pem = base64.b64decode(dig(obj, "spec", "request", default=""), validate=True)
        return x509.load_pem_x509_csr(pem)
    except (binascii.Error, ValueError, TypeError):
        return None


def _is_signed_by_its_key(request: x509.CertificateSigningRequest) -> bool:
    try:
        return request.is_signature_valid
    except (UnsupportedAlgorithm, ValueError):
        # A key or a signature of a kind that nobody here can check.
        return False


def _organizations(request: x509.CertificateSigningRequest) -> tuple[str, ...]:
    names = request.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return tuple(str(name.value) for name in names)
