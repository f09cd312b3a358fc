"""What went wrong on the way, as `kube.errors`: one sentence, never a credential."""

from __future__ import annotations

import contextlib
import os
import ssl
from collections.abc import Iterator, Mapping
from typing import Final

import aiohttp
import msgspec

from oneco.kube import errors
from oneco.worlds.cluster.target import Cluster

# OpenSSL's numbers: a signature that does not fit, and three ways to lack the issuer.
_OF_ANOTHER_AUTHORITY: Final = (7, 18, 19, 20, 21)
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
    text = headers.get("Retry-After") or str(error.details.get("retryAfterSeconds") or "")
    return float(text) if text.isdecimal() else None


@contextlib.contextmanager
def told(cluster: Cluster) -> Iterator[None]:
    """Turns what aiohttp and OpenSSL raise inside into `kube.errors`."""
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, ssl.SSLError, OSError, ValueError) as error:
        raise _named(error, cluster) from error


def _named(error: Exception, cluster: Cluster) -> errors.ApiError:
    at = cluster.server
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return errors.ServiceUnavailable(f"{at}: its proxy cannot be reached")
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return errors.ServiceUnavailable(f"{at}: its proxy answered HTTP status {error.status}")
    broken = _tls_failure(error)
    if isinstance(broken, ssl.SSLCertVerificationError):
        return _untrusted(broken, cluster)
    if broken is not None:
        reason = (broken.reason or "no TLS there").replace("_", " ").lower()
        return errors.ServiceUnavailable(f"{at}: the TLS connection failed: {reason}")
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return errors.ServiceUnavailable(f"{at}: no connection in time")
    if isinstance(error, TimeoutError):
        return errors.Timeout(f"{at}: no answer in time")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return errors.ServiceUnavailable(f"{at}: its name cannot be resolved")
    if isinstance(error, aiohttp.ServerDisconnectedError):
        # TLS 1.3 refuses a client's certificate only after the handshake, and aiohttp loses why.
        hint = ", as one does that wants a client certificate or does not accept this one"
        hint = hint if at.startswith("https:") else ""
        return errors.ServiceUnavailable(f"{at}: the server hung up without an answer{hint}")
    if isinstance(error, OSError) and error.errno:
        return errors.ServiceUnavailable(f"{at}: {os.strerror(error.errno).lower()}")
    return errors.ServiceUnavailable(f"{at}: the connection broke ({type(error).__name__})")


def _untrusted(error: ssl.SSLCertVerificationError, cluster: Cluster) -> errors.ApiError:
    said = (
        f"{cluster.server}: its certificate is not trusted: {error.verify_message.rstrip('.')};"
        f" see certificate-authority and tls-server-name in {cluster.where or 'the kubeconfig'}"
    )
    is_of_another = error.verify_code in _OF_ANOTHER_AUTHORITY
    return errors.Untrusted(said) if is_of_another else errors.ServiceUnavailable(said)


def _tls_failure(error: Exception) -> ssl.SSLError | None:
    # aiohttp wraps the cause in one of three ways, and some wrappers call themselves SSLError.
    causes = (
        getattr(error, "certificate_error", None),
        getattr(error, "os_error", None),
        error.__cause__,
        error,
    )
    for cause in causes:
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, aiohttp.ClientError):
            return cause
    return None
