"""The keys of one data directory: a small text file of its own that a person can carry away.

The last key seals what is written; the ones before open what was sealed earlier. A key is named by
its own fingerprint, so a line that was damaged or mistyped is noticed when it is read.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from oneco.clock import Instant
from oneco.errors import Refused
from oneco.kube import times
from oneco.worlds.embedded.private_files import write_private

KEYS_FILE: Final = "keys"
SECRET_BYTES: Final = 32
_HEAD = """\
# The keys of a oneco data directory, one a line: name, when it was made, key; the last one seals.
# Whoever has this file and the data, or a backup, can read every secret in it.
# To go on from a backup: oneco --data NEW-DIRECTORY up --from BACKUP --key THIS-FILE
"""
_EXPORTED = "exported"


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """One key. `is_exported` says that a person took a copy, without which no backup opens."""

    secret: bytes = dataclasses.field(repr=False)
    made: str
    is_exported: bool = False

    @property
    def name(self) -> str:
        """The fingerprint, as it stands in front of everything that this key sealed."""
        return fingerprint(self.secret).hex()


@dataclasses.dataclass(frozen=True, slots=True)
class KeyRing:
    """All keys of a directory, the oldest first."""

    keys: tuple[Key, ...]

    @property
    def current(self) -> Key:
        """The key that seals."""
        return self.keys[-1]

    def names(self) -> Sequence[str]:
        """The names of all keys."""
        return [key.name for key in self.keys]

    def grown(self, now: Instant) -> KeyRing:
        """With a new key that seals from now on."""
        return KeyRing((*self.keys, _new(now)))

    def exported(self) -> KeyRing:
        """With a note that a person has a copy of every key."""
        return KeyRing(tuple(dataclasses.replace(key, is_exported=True) for key in self.keys))

    def text(self) -> str:
        """The file that holds these keys."""
        return _HEAD + "".join(map(_line, self.keys))


class KeyFile:
    """The file that holds a ring; its owner alone may read it."""

    def __init__(self, path: Path) -> None:
        # A link to a file on another disk stays one when the file is replaced.
        self.path = path.resolve()

    def exists(self) -> bool:
        """Whether there are keys yet."""
        return self.path.exists()

    def read(self) -> KeyRing:
        """The keys; Refused where the file is missing or damaged."""
        try:
            text = self.path.read_text()
        except FileNotFoundError as failure:
            raise Refused(str(self.path), found="no file", wanted=_WANTED) from failure
        except UnicodeDecodeError as failure:
            raise Refused(str(self.path), found="something else", wanted=_WANTED) from failure
        return parsed(text, str(self.path))

    def write(self, ring: KeyRing) -> None:
        """Put `ring` in the place of what is there, durably."""
        write_private(self.path, ring.text().encode())
        _flush(self.path.parent)

    def state(self) -> tuple[int, int]:
        """Changes whenever the file is replaced; zeros where there is none."""
        try:
            found = os.stat(self.path)
        except OSError:
            return 0, 0
        return found.st_ino, found.st_mtime_ns


def new_ring(now: Instant) -> KeyRing:
    """A ring with one new key."""
    return KeyRing((_new(now),))


def parsed(text: str, where: str) -> KeyRing:
    """The keys that `text` holds; Refused, without quoting any of it, for anything else."""
    rows = [line.split() for line in text.splitlines()]
    keys = [_key(row, where) for row in rows if row and not row[0].startswith("#")]
    if not keys:
        raise Refused(where, found="no key", wanted=_WANTED)
    return KeyRing(tuple(keys))


def fingerprint(secret: bytes) -> bytes:
    """What names a key and tells nothing about it."""
    return hashlib.sha256(b"oneco key\0" + secret).digest()[:8]


_WANTED = "a file that `oneco keys export` wrote"


def _new(now: Instant) -> Key:
    return Key(secrets.token_bytes(SECRET_BYTES), times.to_text(now))


def _line(key: Key) -> str:
    words = [key.name, key.made, base64.urlsafe_b64encode(key.secret).decode()]
    return " ".join([*words, _EXPORTED] if key.is_exported else words) + "\n"


def _key(row: Sequence[str], where: str) -> Key:
    found = f"a damaged key {row[0][:16]}"
    if len(row) not in (3, 4) or (len(row) == 4 and row[3] != _EXPORTED):
        raise Refused(where, found=found, wanted=_WANTED)
    try:
        secret = base64.b64decode(row[2], b"-_", validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) != SECRET_BYTES or fingerprint(secret).hex() != row[0]:
        raise Refused(where, found=found, wanted=_WANTED)
    return Key(secret, row[1], len(row) == 4)


def _flush(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
