"""What a hub decided and did, kept beside its data for whoever asks why a month later.

One line of JSON for each decision that acted: when, which decider, about what, why, and every
write as verb, address and a hash of what was written. Never an object's content: it may be secret.
So may be a short one that a plain hash would let anybody guess: the hash is keyed, by a key that is
sealed beside the journal, and tells only whether the same was written at the same place again.
"""

from __future__ import annotations

import hmac
import secrets
from pathlib import Path
from typing import Any, Final

import msgspec

from oneco.control.journal import Entry
from oneco.decision import Action, Change, Delete
from oneco.kube import objects, times
from oneco.worlds.embedded.sealed_file import SealedFile
from oneco.worlds.embedded.sealing import NotOpened

KEY_FILE: Final = "journal.key"
_MOST_BYTES = 16 << 20
_KEY_BYTES, _SHOWN_DIGITS = 32, 16


class JournalFile:
    """Appends to `path`; when it is full, it becomes `path` with `.1` and a new one begins."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._key = _key(path.with_name(KEY_FILE))
        path.touch(mode=0o600)
        self._file = path.open("ab", buffering=0)

    def __call__(self, entry: Entry) -> None:
        """Keep one decision."""
        self._file.write(msgspec.json.encode(_row(entry, self._key)) + b"\n")
        if self._file.tell() > _MOST_BYTES:
            self._file.close()
            self._path.rename(self._path.with_suffix(self._path.suffix + ".1"))
            self._path.touch(mode=0o600)
            self._file = self._path.open("ab", buffering=0)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def _key(path: Path) -> bytes:
    """What the hashes are made with: the same at every start, while its seal can be opened."""
    file = SealedFile(path, "the key of a journal")
    try:
        kept = file.read()
    except NotOpened:
        # Only that hashes from before compare with none from now on is lost with it.
        kept = None
    if kept is None or len(kept) != _KEY_BYTES:
        kept = secrets.token_bytes(_KEY_BYTES)
        file.write(kept)
    return kept


def _row(entry: Entry, key: bytes) -> dict[str, Any]:
    return {
        "at": times.to_micro_text(entry.at),
        "decider": entry.controller,
        "key": "/".join(part for part in entry.key if part),
        "why": [f"{reason.code}: {reason.message}" for reason in entry.decision.reasons],
        "writes": [_write(action, key) for action in entry.decision.actions],
        "statuses": [str(status.address) for status in entry.decision.statuses],
    }


def _write(action: Action, key: bytes) -> dict[str, str]:
    row = {"verb": type(action).__name__.lower(), "at": str(action.address)}
    if isinstance(action, Delete):
        return row
    body = action.patch.body if isinstance(action, Change) else action.body
    version = objects.resource_version(body) if isinstance(body, dict) else ""
    said = row["at"].encode() + b"\0" + objects.encode(body)
    made = hmac.digest(key, said, "sha256").hex()[:_SHOWN_DIGITS]
    return {**row, "hash": made, "version": version}
