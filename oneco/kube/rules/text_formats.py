"""The formats of texts that rules may ask for by name: `format.dns1123Label()` and the like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from oneco.kube import names, schema_formats

Faults = Callable[[str], list[str]]


def faults(name: str, text: str) -> list[str]:
    """What is wrong with `text` as one of the format `name`."""
    return NAMED[name](text)


def _prefix(check: Faults) -> Faults:
    """The same for the beginning of a generated name, which may end in a dash."""

    def of(text: str) -> list[str]:
        ends = len(text) > 1 and text.endswith("-")
        return check(text[:-2] + "a" if ends else text)

    return of


def _valid(name: str, words: str) -> Faults:
    return lambda text: [] if schema_formats.is_valid(name, text) else [words]


def _uri(text: str) -> list[str]:
    if schema_formats.is_valid("uri", text):
        return []
    words = "invalid URI for request" if text else "empty url"
    return [f'parse "{text}": {words}']


NAMED: Final[Mapping[str, Faults]] = {
    "dns1123Label": names.label_faults,
    "dns1123Subdomain": names.subdomain_faults,
    "dns1035Label": names.letter_label_faults,
    "qualifiedName": names.key_faults,
    "dns1123LabelPrefix": _prefix(names.label_faults),
    "dns1123SubdomainPrefix": _prefix(names.subdomain_faults),
    "dns1035LabelPrefix": _prefix(names.letter_label_faults),
    "labelValue": names.value_faults,
    "uri": _uri,
    "uuid": _valid("uuid", "does not match the UUID format"),
    "byte": _valid("byte", "invalid base64"),
    "date": _valid("date", "invalid date"),
    "datetime": _valid("datetime", "invalid datetime"),
}
"""Each format, by the name that rules use."""
