"""What a hub decided and did, kept beside its data for whoever asks why a month later.

One line of JSON for each decision that acted: when, which decider, about what, why, and every
write as verb, address and the hash of what was written. Never an object's content: it may be
secret, and the hash is enough to find it again in a backup.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from oneco.control.journal import Entry
from oneco.decision import Action, Change, Delete
from oneco.kinds.naming import digest
from oneco.kube import objects, times

_MOST_BYTES = 16 << 20


class JournalFile:
    """Appends to `path`; when it is full, it becomes `path` with `.1` and a new one begins."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.touch(mode=0o600)
        self._file = path.open("ab", buffering=0)

    def __call__(self, entry: Entry) -> None:
        """Keep one decision."""
        self._file.write(msgspec.json.encode(_row(entry)) + b"\n")
        if self._file.tell() > _MOST_BYTES:
            self._file.close()
            self._path.rename(self._path.with_suffix(self._path.suffix + ".1"))
            self._path.touch(mode=0o600)
            self._file = self._path.open("ab", buffering=0)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "at": times.to_micro_text(entry.at),
        "decider": entry.controller,
        "key": "/".join(part for part in entry.key if part),
        "why": [f"{reason.code}: {reason.message}" for reason in entry.decision.reasons],
        "writes": [_write(action) for action in entry.decision.actions],
        "statuses": [str(status.address) for status in entry.decision.statuses],
    }


def _write(action: Action) -> dict[str, str]:
    row = {"verb": type(action).__name__.lower(), "at": str(action.address)}
    if isinstance(action, Delete):
        return row
    body = action.patch.body if isinstance(action, Change) else action.body
    version = objects.resource_version(body) if isinstance(body, dict) else ""
    return {**row, "hash": digest(objects.encode(body).decode()), "version": version}
