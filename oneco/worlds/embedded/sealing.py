"""Bytes that only the holder of a key can read, and nobody else can change or put elsewhere.

AES-256-GCM with a random nonce. What a record is about goes in as associated data: a record that
was moved to another object, or to another version of the same one, does not open.
"""

from __future__ import annotations

import contextlib
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from oneco.errors import Refused
from oneco.worlds.embedded.keys import KeyFile, KeyRing

# The first byte tells the form; JSON never begins with it.
FORM: Final = b"\x01"
NAME_END: Final = 9
_NONCE_END = NAME_END + 12


class NotOpened(Refused):
    """A sealed record whose key is not there, or that was changed or moved after it was sealed."""


class Safe:
    """Seals with the last key of a file and opens with all of them.

    Another process may add a key: it is used as soon as something was sealed with it, and for
    everything that is sealed after `refresh`.
    """

    def __init__(self, file: KeyFile, ring: KeyRing | None = None) -> None:
        self.file = file
        self._state = file.state()
        # A given ring is that of a file which is only about to be written.
        self._take(ring or file.read())

    @property
    def current(self) -> str:
        """The name of the key that seals."""
        return self._ring.current.name

    def refresh(self) -> None:
        """Read the file again if it was replaced; keys that are in use stay while it is gone."""
        state = self.file.state()
        if state != self._state:
            self._state = state
            self._reload()

    def seal(self, content: bytes, about: bytes) -> bytes:
        """`content`, readable only as what it is `about`."""
        nonce = os.urandom(12)
        return self._prefix + nonce + self._seals.encrypt(nonce, content, about)

    def open(self, sealed: bytes, about: bytes) -> bytes:
        """What was sealed; NotOpened if it was not sealed here as this."""
        name = name_of(sealed)
        cipher = self._ciphers.get(name)
        if cipher is None and name:
            self._reload()
            cipher = self._ciphers.get(name)
        if cipher is None:
            raise self._without(name)
        try:
            return cipher.decrypt(sealed[NAME_END:_NONCE_END], sealed[_NONCE_END:], about)
        except (InvalidTag, ValueError) as failure:
            found = "a record that was changed or moved after it was sealed"
            raise NotOpened(_shown(about), found=found, wanted="a backup") from failure

    def _reload(self) -> None:
        # What runs goes on with the keys it has where they are gone or exchanged for others; a
        # start, and `oneco doctor`, say what is wrong.
        with contextlib.suppress(Refused, OSError):
            ring = self.file.read()
            if set(ring.names()).issuperset(self._ring.names()):
                self._take(ring)

    def _take(self, ring: KeyRing) -> None:
        self._ring = ring
        self._ciphers = {bytes.fromhex(key.name): AESGCM(key.secret) for key in ring.keys}
        self._prefix = FORM + bytes.fromhex(ring.current.name)
        self._seals = AESGCM(ring.current.secret)

    def _without(self, name: bytes) -> NotOpened:
        if not name:
            return NotOpened(str(self.file.path), found="a record that is not sealed")
        return missing_key(str(self.file.path), name.hex(), self._ring)


def name_of(sealed: bytes) -> bytes:
    """The name of the key that `sealed` needs, empty for what is not sealed."""
    return bytes(sealed[1:NAME_END]) if sealed[:1] == FORM else b""


def missing_key(where: str, wanted: str, ring: KeyRing) -> NotOpened:
    """The failure of data that was sealed with a key that `ring` has not."""
    return NotOpened(
        where,
        found=f"only key {', '.join(ring.names())}",
        wanted=f"key {wanted}, which sealed this data: what `oneco keys export` wrote has it",
    )


def _shown(about: bytes) -> str:
    return "/".join(part for part in about.decode(errors="replace").split("\0") if part)
