"""What this room asks of others."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Subject(NamedTuple):
    """Who a certificate would say that its holder is."""

    common_name: str
    organizations: frozenset[str]


class Registrar(Protocol):
    """Reads certificate requests; signing them is the hub's own authority's part."""

    def subject(self, request: str) -> Subject | None:
        """Whom a `spec.request` (base64 of PEM) asks to be.

        None where it cannot be read, its own signature is wrong, or it names more or less than
        one common name. Pure: the same text always has the same answer.
        """
        ...
