"""Looking at a hub's database and keys, while the hub runs or not, without changing either."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from pathlib import Path

from oneco.errors import Refused
from oneco.main.doctor.facts import Keys, Store
from oneco.worlds.embedded import unlocking
from oneco.worlds.embedded.database import connect_to_read
from oneco.worlds.embedded.keys import KEYS_FILE, KeyFile
from oneco.worlds.embedded.sealed_file import SealedFile
from oneco.worlds.embedded.sealing import Safe
from oneco.worlds.embedded.serve import DATABASE

_MOST_NOT_OPENED = 100


def keys(data: Path) -> Keys:
    """The file of keys."""
    file = KeyFile(data / KEYS_FILE)
    try:
        ring = file.read()
    except (Refused, OSError) as failure:
        return Keys(path=file.path, error=str(failure), is_missing=not file.exists())
    return Keys(
        path=file.path,
        error="",
        is_missing=False,
        names=tuple(ring.names()),
        is_exported=ring.current.is_exported,
    )


def store(data: Path) -> Store:
    """The database: its pages, its values, and the keys that it needs."""
    path = data / DATABASE
    try:
        with contextlib.closing(connect_to_read(path)) as reader:
            return _read(reader, path)
    except (sqlite3.Error, OSError) as failure:
        return Store(path=path, error=str(failure))
    except Refused as failure:
        return Store(path=path, error=str(failure), is_newer=True)


def intent_error(data: Path, cluster: str) -> str:
    """Why an agent's last intent cannot be read; empty if it can, or if there is none."""
    try:
        SealedFile(data / "intent", f"intent of {cluster}").read()
    except (Refused, OSError) as failure:
        return str(failure)
    return ""


def _read(reader: sqlite3.Connection, path: Path) -> Store:
    faults = [row[0] for row in reader.execute("PRAGMA integrity_check(3)")]
    if faults != ["ok"]:
        return Store(path=path, error="; ".join(" ".join(one.split()) for one in faults))
    needs = unlocking.names_in_use(reader, str(path))
    newest = reader.execute("SELECT max(revision) FROM log").fetchone()[0] or 0
    return Store(
        path=path,
        error="",
        size_bytes=path.stat().st_size,
        log_bytes=_size(path.with_name(path.name + "-wal")),
        needs=needs,
        not_opened=_not_opened(reader, path),
        newest=newest,
        is_copy=bool(reader.execute("SELECT 1 FROM meta WHERE name = 'copy'").fetchone()),
    )


def _not_opened(reader: sqlite3.Connection, path: Path) -> tuple[str, ...]:
    needs = unlocking.names_in_use(reader, str(path))
    try:
        ring = KeyFile(path.with_name(KEYS_FILE)).read()
        unlocking.check_has(ring, needs, str(path))
    except (Refused, OSError):
        # Without the keys nothing opens, which is a finding of its own.
        return ()
    safe = Safe(KeyFile(path.with_name(KEYS_FILE)), ring)
    failures = unlocking.not_opened(reader, safe) if needs else iter(())
    return tuple(one.where for one in itertools.islice(failures, _MOST_NOT_OPENED))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
