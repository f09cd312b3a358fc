"""The `format`s of strings that an API server checks; unknown ones are accepted as they are."""

from __future__ import annotations

import base64
import binascii
import datetime
import ipaddress
import re
import urllib.parse
from collections.abc import Callable
from typing import Final

from oneco.kube import names


def is_valid(name: str, text: str) -> bool:
    """Whether `text` has the format `name`."""
    check = _FORMATS.get(name)
    return check is None or check(text)


def _accepts(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            parse(text)
        except (ValueError, binascii.Error):
            return False
        return True

    return check


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.ASCII | re.IGNORECASE)
    return lambda text: compiled.fullmatch(text) is not None


def _instant(text: str) -> object:
    if not _is_instant(text):
        raise ValueError(text)
    return datetime.datetime.fromisoformat(text.upper())


def _request_uri(text: str) -> object:
    parts = urllib.parse.urlsplit(text)
    if not (parts.scheme or text.startswith("/")) or " " in parts.netloc:
        raise ValueError(text)
    return parts


def _date(text: str) -> object:
    return datetime.date.fromisoformat(text if _has_dashes(text) else "")


_is_instant = _matches(r"\d{4}-\d\d-\d\dt\d\d:\d\d:\d\d(\.\d+)?(z|[-+]\d\d:\d\d)")
_has_dashes = _matches(r"\d{4}-\d\d-\d\d")
_HEX: Final = "[0-9a-f]"
_UNITS: Final = "ns|nano|us|µs|micro|ms|milli|s|sec|second|m|min|minute|h|hr|hour|d|day|w|wk|week"
_LABEL: Final = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_FORMATS: Final[dict[str, Callable[[str], bool]]] = {
    "date-time": _accepts(_instant),
    "datetime": _accepts(_instant),
    "date": _accepts(_date),
    "byte": _accepts(lambda text: base64.b64decode(text or "?", validate=True)),
    "duration": _matches(rf"-?(\d+(\.\d+)?\s*({_UNITS})s?\s*)+"),
    "uuid": _matches(rf"{_HEX}{{8}}-?{_HEX}{{4}}-?{_HEX}{{4}}-?{_HEX}{{4}}-?{_HEX}{{12}}"),
    "ipv4": _accepts(ipaddress.IPv4Address),
    "ipv6": _accepts(ipaddress.IPv6Address),
    "cidr": lambda text: (
        "/" in text and _accepts(lambda one: ipaddress.ip_network(one, False))(text)
    ),
    "email": _matches(r"[^@\s]+@[^@\s]+"),
    "hostname": _matches(rf"({_LABEL}\.)*[a-z][-a-z0-9]{{0,61}}[a-z0-9]"),
    "mac": _matches(rf"{_HEX}{{2}}([:-]{_HEX}{{2}}){{5,7}}"),
    "uri": _accepts(_request_uri),
    "k8s-short-name": lambda text: not names.label_faults(text),
    "k8s-long-name": lambda text: not names.subdomain_faults(text),
}
