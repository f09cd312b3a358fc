"""What a certificate says of its holder and of its own life, read without any library for keys.

An agent looks at its certificate all its life, and makes keys and requests only to join and to
renew: the library for those is more than a tenth of its memory.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
from collections.abc import Iterator
from typing import Final, NamedTuple

from oneco.clock import Instant
from oneco.fleet.ports import Subject

# OCM's agents renew when a fifth to a quarter of the life is left, each at a place of its own.
_EARLIEST, _LATEST = 0.25, 0.20
_BEGIN, _END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
_SEQUENCE, _VERSION, _UTC, _UTF8 = 0x30, 0xA0, 0x17, (0x0C, 0x13, 0x16)
_COMMON_NAME, _ORGANIZATION = b"\x55\x04\x03", b"\x55\x04\x0a"
_UTF16: Final = 0x1E


class Certificate(NamedTuple):
    """What a certificate says of its holder and of its own life."""

    subject: Subject
    begins: Instant
    ends: Instant

    def renews_at(self) -> Instant:
        """When to ask for the next one: spread over a twentieth of the life, by name."""
        life = self.ends - self.begins
        first = hashlib.sha256(self.subject.common_name.encode()).digest()[0]
        left = _LATEST + (_EARLIEST - _LATEST) * first / 255
        return Instant(self.ends - life * left)


def read(pem: bytes) -> Certificate:
    """The first certificate in `pem`; ValueError where there is none."""
    found = encoded(pem)
    if not found:
        raise ValueError("no certificate")
    try:
        return _certificate(found[0])
    except (IndexError, UnicodeDecodeError) as failure:
        raise ValueError("a damaged certificate") from failure


def encoded(pem: bytes) -> tuple[bytes, ...]:
    """Every certificate in `pem`, as DER; ValueError where one is cut off."""
    found = []
    for text in pem.split(_BEGIN)[1:]:
        body, ended, _ = text.partition(_END)
        if not ended:
            raise ValueError("a certificate that is cut off")
        found.append(base64.b64decode(b"".join(body.split()), validate=True))
    return tuple(found)


class _Part(NamedTuple):
    """One element of DER: what it is, and what it holds."""

    tag: int
    content: bytes


def _certificate(der: bytes) -> Certificate:
    whole = _one(der)
    signed = _one(whole.content)
    if (whole.tag, signed.tag) != (_SEQUENCE, _SEQUENCE):
        raise ValueError("a damaged certificate")
    fields = list(_parts(signed.content))
    # The version stands only where it is not the first.
    start = 1 if fields[0].tag == _VERSION else 0
    validity, subject = fields[start + 3], fields[start + 4]
    begins, ends = map(_instant, _parts(validity.content))
    names: dict[bytes, list[str]] = {}
    for each in _parts(subject.content):
        for pair in _parts(each.content):
            kind, value = _parts(pair.content)
            names.setdefault(kind.content, []).append(_text(value))
    common = names.get(_COMMON_NAME, [""])[0]
    return Certificate(Subject(common, frozenset(names.get(_ORGANIZATION, ()))), begins, ends)


def _parts(content: bytes) -> Iterator[_Part]:
    at = 0
    while at < len(content):
        part, at = _element(content, at)
        yield part


def _one(content: bytes) -> _Part:
    return _element(content, 0)[0]


def _element(content: bytes, at: int) -> tuple[_Part, int]:
    tag, length, at = content[at], content[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        length = int.from_bytes(content[at : at + size], "big")
        at += size
    if at + length > len(content):
        raise IndexError("cut off")
    return _Part(tag, content[at : at + length]), at + length


def _instant(part: _Part) -> Instant:
    text = part.content.decode()
    if part.tag == _UTC:
        # Two digits: 50 to 99 are of the last century.
        text = f"{'19' if text[:2] >= '50' else '20'}{text}"
    moment = datetime.datetime.strptime(f"{text}+0000", "%Y%m%d%H%M%SZ%z")
    return Instant(moment.timestamp())


def _text(part: _Part) -> str:
    if part.tag in _UTF8:
        return part.content.decode()
    return part.content.decode("utf-16-be" if part.tag == _UTF16 else "latin-1")
