"""Opening, copying and reading the database file: everything about SQLite that is not a write."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from functools import partial
from pathlib import Path

from oneco.errors import Refused, Unavailable
from oneco.worlds.embedded import unlocking
from oneco.worlds.embedded.keys import KeyFile
from oneco.worlds.embedded.migrations import migrate
from oneco.worlds.embedded.sealing import Safe

_COPY_PAGES = 2_000


def open_database(path: Path, keys: KeyFile) -> tuple[sqlite3.Connection, Safe]:
    """A connection for writing to a sound database of the present layout, and what opens it.

    A database that was written with other keys is refused before anything is changed; one from
    before its values were sealed is sealed.
    """
    safe = _unlocked(path, keys)
    path.touch(mode=0o600, exist_ok=True)
    path.chmod(0o600)
    connection = connect_to_write(path)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        # FULL: the log is flushed to the disk at every commit, so that losing power loses nothing.
        connection.execute("PRAGMA synchronous=FULL")
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise _damaged(path, found)
        migrate(connection, str(path), partial(unlocking.seal_all, safe=safe))
        unlocking.settle(connection, safe)
    except sqlite3.DatabaseError as failure:
        connection.close()
        raise _unreadable(path, failure) from failure
    except BaseException:
        connection.close()
        raise
    return connection, safe


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that sees every commit and cannot write."""
    connection = connect_to_write(path)
    connection.execute("PRAGMA query_only=ON")
    return connection


def copy_database(source: Path, target: Path) -> None:
    """Write a consistent copy, marked as one; the source may be in use by any process."""
    if not source.exists():
        raise Refused(str(source), wanted="the data directory of a hub that ran at least once")
    if target.exists():
        raise Refused(str(target), found="a file", wanted="a name that is not taken")
    partial = target.with_name(target.name + ".partial")
    try:
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)
        with (
            contextlib.closing(connect_to_write(source)) as reader,
            contextlib.closing(connect_to_write(partial)) as writer,
        ):
            # A held snapshot: without it every commit meanwhile would start the copy anew.
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM meta").fetchone()
            reader.backup(writer, pages=_COPY_PAGES, sleep=0.001)
            writer.execute("PRAGMA journal_mode=DELETE")
            writer.execute("PRAGMA synchronous=FULL")
            writer.execute("INSERT OR REPLACE INTO meta VALUES ('copy', 'yes')")
        os.replace(partial, target)
        _flush_directory(target.parent)
    except (sqlite3.Error, OSError) as failure:
        partial.unlink(missing_ok=True)
        raise Unavailable(f"the copy to {target} failed: {failure}") from failure


def connect_to_read(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing, not even by being closed."""
    # Without a log nobody has it open; only as unchanging does reading then leave no new file.
    has_log = path.with_name(path.name + "-wal").exists()
    address = f"{path.absolute().as_uri()}?mode=ro{'' if has_log else '&immutable=1'}"
    return sqlite3.connect(address, uri=True, timeout=10, isolation_level=None)


def _unlocked(path: Path, keys: KeyFile) -> Safe:
    if not path.exists() or not path.stat().st_size:
        return unlocking.unlocked(None, keys, str(path))
    try:
        with contextlib.closing(connect_to_read(path)) as reader:
            return unlocking.unlocked(reader, keys, str(path))
    except sqlite3.DatabaseError as failure:
        raise _unreadable(path, failure) from failure


def connect_to_write(path: Path) -> sqlite3.Connection:
    # Transactions are written out (isolation_level None); another process may be copying.
    return sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)


def _flush_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unreadable(path: Path, failure: sqlite3.DatabaseError) -> Refused | Unavailable:
    if isinstance(failure, sqlite3.OperationalError):
        return Unavailable(f"{path} cannot be opened: {failure}")
    return _damaged(path, str(failure))


def _damaged(path: Path, found: str) -> Refused:
    return Refused(
        str(path), found=f"a damaged database ({found})", wanted="a sound one: restore a backup"
    )
