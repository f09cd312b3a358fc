"""What went wrong on the way, as `kube.errors`: one sentence, never a credential."""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Mapping
from typing import Final

import msgspec

from oneco.kube import errors
from oneco.worlds.cluster.dialing import NoConnectionInTime, ProxyRefused, ProxyUnreachable
from oneco.worlds.cluster.line import HungUp
from oneco.worlds.cluster.target import Cluster

RAISED: Final = (OSError, ValueError)
"""What the way to a server may raise: TimeoutError, ssl.SSLError and our own are of these."""

# OpenSSL's numbers: a signature that does not fit, and three ways to lack the issuer.
_OF_ANOTHER_AUTHORITY: Final = (7, 18, 19, 20, 21)
_NUMBER = re.compile(r"\[Errno (\d+)\]")
_status = msgspec.json.Decoder(dict[str, object])


def from_answer(status: int, headers: Mapping[str, str], body: bytes) -> errors.ApiError:
    """The error that an answer of HTTP `status` tells of."""
    error = _from_body(status, body)
    if isinstance(error, errors.ApiOutage):
        error.retry_after_seconds = _retry_after(headers, error)
    return error


def _from_body(status: int, body: bytes) -> errors.ApiError:
    try:
        said = _status.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        said = {}
    if said.get("kind") == "Status":
        return errors.from_status(said, status)
    # No API server speaks like this: something in between did, perhaps a proxy.
    text = " ".join(body[:200].decode(errors="replace").split())
    message = f"HTTP status {status}, without a Status object: {text or 'an empty body'}"
    if 300 <= status < 400 or status == 502:
        return errors.ServiceUnavailable(message)
    return errors.from_status({"message": message}, status)


def _retry_after(headers: Mapping[str, str], error: errors.ApiError) -> float | None:
    text = headers.get("retry-after") or str(error.details.get("retryAfterSeconds") or "")
    return float(text) if text.isdecimal() else None


def named(error: Exception, cluster: Cluster) -> errors.ApiError:
    """What asyncio, OpenSSL and our own lines raised, in words."""
    at = cluster.server
    if isinstance(error, ProxyUnreachable):
        return errors.ServiceUnavailable(f"{at}: its proxy cannot be reached")
    if isinstance(error, ProxyRefused):
        return errors.ServiceUnavailable(f"{at}: its proxy answered HTTP status {error.status}")
    if isinstance(error, ssl.SSLError):
        return _tls_failure(error, cluster)
    if isinstance(error, NoConnectionInTime):
        return errors.ServiceUnavailable(f"{at}: no connection in time")
    if isinstance(error, TimeoutError):
        return errors.Timeout(f"{at}: no answer in time")
    if isinstance(error, socket.gaierror):
        return errors.ServiceUnavailable(f"{at}: its name cannot be resolved")
    if isinstance(error, HungUp):
        return _hung_up(at)
    number = _number(error)
    if number:
        return errors.ServiceUnavailable(f"{at}: {os.strerror(number).lower()}")
    return errors.ServiceUnavailable(f"{at}: the connection broke ({type(error).__name__})")


def _hung_up(at: str) -> errors.ApiError:
    # TLS 1.3 refuses a client's certificate only after the handshake.
    hint = ", as one does that wants a client certificate or does not accept this one"
    hint = hint if at.startswith("https:") else ""
    return errors.ServiceUnavailable(f"{at}: the server hung up without an answer{hint}")


def _tls_failure(error: ssl.SSLError, cluster: Cluster) -> errors.ApiError:
    at = cluster.server
    if isinstance(error, ssl.SSLCertVerificationError):
        said = (
            f"{at}: its certificate is not trusted: {error.verify_message.rstrip('.')};"
            f" see certificate-authority and tls-server-name in {cluster.where or 'the kubeconfig'}"
        )
        is_of_another = error.verify_code in _OF_ANOTHER_AUTHORITY
        return errors.Untrusted(said) if is_of_another else errors.ServiceUnavailable(said)
    if error.reason == "TLSV13_ALERT_CERTIFICATE_REQUIRED":
        return _hung_up(at)
    reason = (error.reason or "no TLS there").replace("_", " ").lower()
    return errors.ServiceUnavailable(f"{at}: the TLS connection failed: {reason}")


def _number(error: Exception) -> int:
    if not isinstance(error, OSError):
        return 0
    # A name with several addresses that all fail gives one error without a number of its own.
    found = _NUMBER.search(str(error))
    return error.errno or (int(found[1]) if found else 0)
