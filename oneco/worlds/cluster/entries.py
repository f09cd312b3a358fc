"""Typed reading of one entry of a kubeconfig: every mistake names the file and the path.

What was found is told by its kind only: a misplaced value may be a credential.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import os
from collections.abc import Iterator, Mapping
from typing import Any

from oneco.errors import Refused
from oneco.worlds.cluster.target import Material

_KINDS = {str: "a text", bool: "a boolean", int: "a number", float: "a number", list: "a list"}


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """A mapping in `file` at `path`."""

    file: str
    path: str
    values: Mapping[str, Any] = dataclasses.field(repr=False)

    def where(self, key: str = "") -> str:
        """File and path, as an error shows them."""
        path = ".".join(part for part in (self.path, key) if part)
        return f"{self.file}: {path}" if path else self.file

    def refuse(self, key: str, wanted: str) -> Refused:
        """The error for what stands at `key`."""
        value = self.values.get(key)
        found = None if value is None else _KINDS.get(type(value), "a mapping")
        return Refused(self.where(key), found=found, wanted=wanted)

    def text(self, key: str) -> str:
        """The text at `key`, empty where there is none."""
        value = self.values.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.refuse(key, "a text")
        return value

    def needed_text(self, key: str) -> str:
        """The text at `key`, which must be there."""
        text = self.text(key)
        if not text:
            raise self.refuse(key, "a text that is not empty")
        return text

    def flag(self, key: str) -> bool:
        """The boolean at `key`, false where there is none."""
        value = self.values.get(key)
        if value is None:
            return False
        if not isinstance(value, bool):
            raise self.refuse(key, "true or false")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """The list of texts at `key`, empty where there is none."""
        values = self.values.get(key)
        if values is None:
            return ()
        if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
            raise self.refuse(key, "a list of texts")
        return tuple(values)

    def file_path(self, key: str) -> str:
        """The path at `key`; a relative one is meant from the kubeconfig's own folder."""
        text = self.text(key)
        return os.path.join(os.path.dirname(os.path.abspath(self.file)), text) if text else ""

    def material(self, key: str) -> Material:
        """The PEM text that `key` (a file) or `key`-data (base64) leads to."""
        text = self.text(f"{key}-data")
        if not text:
            return Material(file=self.file_path(key))
        try:
            return Material(data=base64.b64decode(text, validate=True))
        except (binascii.Error, ValueError):
            raise self.refuse(f"{key}-data", "PEM text in base64") from None

    def inner(self, key: str) -> Entry | None:
        """The mapping at `key`."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise self.refuse(key, "a mapping")
        return Entry(self.file, ".".join(part for part in (self.path, key) if part), value)

    def list(self, key: str) -> Iterator[Entry]:
        """The mappings in the list at `key`, each under its name where it has one."""
        values = self.values.get(key)
        if values is None:
            return
        if not isinstance(values, list):
            raise self.refuse(key, "a list")
        path = ".".join(part for part in (self.path, key) if part)
        for index, value in enumerate(values):
            if not isinstance(value, Mapping):
                raise Refused(f"{self.file}: {path}[{index}]", wanted="a mapping")
            name = value.get("name")
            yield Entry(self.file, f"{path}[{name if isinstance(name, str) else index}]", value)

    def named(self, key: str, inside: str) -> dict[str, Entry]:
        """The entries of the list at `key` by name, each as the mapping in its field `inside`."""
        found: dict[str, Entry] = {}
        for one in self.list(key):
            name = one.needed_text("name")
            if name in found:
                raise Refused(one.where("name"), found=name, wanted="a name that is not taken yet")
            found[name] = one.inner(inside) or Entry(self.file, f"{one.path}.{inside}", {})
        return found
