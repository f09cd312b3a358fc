"""Rules that many kinds share, each with an API server's words for its breach."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from oneco.kube import causes
from oneco.kube.errors import Cause
from oneco.kube.objects import Json, Object

NOT_NEGATIVE: Final = "must be greater than or equal to 0"
IMMUTABLE: Final = "field is immutable"
_PORT_WORDS: Final = "must be between 1 and 65535, inclusive"
_PERCENT_WORDS: Final = (
    "a valid percent string must be a numeric string followed by an ending '%' "
    "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"
)
_CONFIG_KEY: Final = "[-._a-zA-Z0-9]+"
_CONFIG_KEY_WORDS: Final = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' "
    "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', "
    f"regex used for validation is '{_CONFIG_KEY}')"
)
_is_percent = re.compile("[0-9]+%").fullmatch
_is_config_key = re.compile(_CONFIG_KEY).fullmatch


def not_negative(part: Object, field: str, *keys: str) -> list[Cause]:
    """Numbers at `keys` that are below zero."""
    return [
        causes.invalid(f"{field}.{key}", part[key], NOT_NEGATIVE)
        for key in keys
        if (part.get(key) or 0) < 0
    ]


def text(value: str, field: str, faults: Callable[[str], list[str]]) -> list[Cause]:
    """What `faults` finds in a text."""
    return [causes.invalid(field, value, fault) for fault in faults(value)]


def required_text(
    part: Object, field: str, key: str, faults: Callable[[str], list[str]] | None = None
) -> list[Cause]:
    """A text at `key` that is missing, or in which `faults` finds something."""
    value, where = part.get(key) or "", f"{field}.{key}" if field else key
    if not value:
        return [causes.required(where)]
    return text(value, where, faults) if faults else []


def one_of(value: Json, field: str, choices: Sequence[str]) -> list[Cause]:
    """A value that is none of `choices`; an absent one is left to its default."""
    return [] if value is None or value in choices else [causes.unsupported(field, value, choices)]


def port_number(value: Json, field: str) -> list[Cause]:
    """A number that is no port."""
    return [] if 1 <= (value or 0) <= 65535 else [causes.invalid(field, value or 0, _PORT_WORDS)]


def port(value: Json, field: str) -> list[Cause]:
    """A number or name that is no port."""
    if isinstance(value, str):
        return text(value, field, port_name_faults)
    return port_number(value, field)


def port_name_faults(name: str) -> list[str]:
    """Why `name` cannot name a port."""
    faults = ["must be no more than 15 characters"] if len(name) > 15 else []
    if not re.fullmatch("[-a-z0-9]+", name):
        faults.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", name):
        faults.append("must contain at least one letter (a-z)")
    if "--" in name:
        faults.append("must not contain consecutive hyphens")
    if name.startswith("-") or name.endswith("-"):
        faults.append("must not begin or end with a hyphen")
    return faults


def amount(value: Json, field: str, *, is_share: bool = False) -> list[Cause]:
    """A number or percentage that is neither; `is_share` holds percentages to a hundred."""
    if value is None:
        return []
    if isinstance(value, int):
        return [causes.invalid(field, value, NOT_NEGATIVE)] if value < 0 else []
    if not _is_percent(value):
        return [causes.invalid(field, value, _PERCENT_WORDS)]
    if is_share and int(value[:-1]) > 100:
        return [causes.invalid(field, value, "must not be greater than 100%")]
    return []


def is_zero(value: Json) -> bool:
    """Whether a number or percentage is nothing at all."""
    return value == 0 or (isinstance(value, str) and bool(re.fullmatch("0+%", value)))


def duplicates(values: Iterable[tuple[str, Json]]) -> Iterator[Cause]:
    """Values that stand twice; each comes with its field, empty ones are left alone."""
    seen: set[Json] = set()
    for field, value in values:
        if value and value in seen:
            yield causes.duplicate(field, value)
        seen.add(value)


def config_key_faults(key: str) -> list[str]:
    """Why `key` cannot name an entry of a ConfigMap or Secret."""
    faults = ["must be no more than 253 characters"] if len(key) > 253 else []
    if not _is_config_key(key):
        return [*faults, _CONFIG_KEY_WORDS]
    if key in (".", ".."):
        return [*faults, f"must not be '{key}'"]
    return [*faults, "must not start with '..'"] if key.startswith("..") else faults


def immutable(field: str, new: Json, old: Json) -> list[Cause]:
    """A value that may not change and did."""
    return [] if new is old or new == old else [causes.invalid(field, new, IMMUTABLE)]
