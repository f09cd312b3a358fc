"""Answers as they go over the wire: status, headers and body."""

from __future__ import annotations

import gzip
import math
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from oneco.errors import Refused
from oneco.kube.errors import ApiError, ApiOutage, BadRequest, InternalError
from oneco.kube.objects import Json
from oneco.worlds.embedded.negotiation import JSON

Headers = list[tuple[bytes, bytes]]

_GZIP_FROM_BYTES = 128 * 1024
_indented = msgspec.json.format
_encode = msgspec.json.Encoder().encode


class Answer(NamedTuple):
    """A whole answer."""

    code: int
    body: bytes
    content_type: str = JSON
    warnings: Sequence[str] = ()
    retry_after_seconds: float | None = None


def of_json(value: Json, code: int = 200) -> Answer:
    """`value` as the answer."""
    return Answer(code, _encode(value))


def of_error(failure: Exception) -> Answer:
    """The Status object for whatever went wrong."""
    if isinstance(failure, ApiError):
        wait = failure.retry_after_seconds if isinstance(failure, ApiOutage) else None
        return of_json(failure.status(), failure.code)._replace(retry_after_seconds=wait)
    if isinstance(failure, Refused):
        return of_error(BadRequest(str(failure)))
    return of_error(InternalError(f"Internal error occurred: {type(failure).__name__}"))


def of_text(text: str, code: int = 200) -> Answer:
    """`text` as the answer."""
    return Answer(code, text.encode(), "text/plain; charset=utf-8")


def headers(answer: Answer, *, accepts_gzip: bool) -> tuple[Headers, bytes]:
    """The headers and the body to send."""
    found: Headers = [(b"content-type", answer.content_type.encode())]
    body = answer.body
    if accepts_gzip and len(body) >= _GZIP_FROM_BYTES:
        body = gzip.compress(body, compresslevel=1, mtime=0)
        found.append((b"content-encoding", b"gzip"))
    found.append((b"content-length", str(len(body)).encode()))
    found += (warning_header(text) for text in answer.warnings)
    if answer.retry_after_seconds is not None:
        found.append((b"retry-after", str(math.ceil(answer.retry_after_seconds)).encode()))
    return found, body


def warning_header(text: str) -> tuple[bytes, bytes]:
    """A warning to the person behind the client, as kubectl prints it."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    quoted = shown.replace("\\", "\\\\").replace('"', '\\"')
    return b"warning", f'299 - "{quoted}"'.encode()


def indented(answer: Answer) -> Answer:
    """The answer laid out for a person."""
    return answer._replace(body=_indented(answer.body, indent=2) + b"\n")
