"""Opening, copying and reading the database file: everything about SQLite that is not a write."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from oneco.errors import Refused, Unavailable
from oneco.worlds.embedded.migrations import migrate

_COPY_PAGES = 2_000


def open_database(path: Path) -> sqlite3.Connection:
    """A connection for writing to a database that is sound and of the present layout."""
    path.touch(mode=0o600, exist_ok=True)
    path.chmod(0o600)
    connection = _connect(path)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        # FULL: the log is flushed to the disk at every commit, so that losing power loses nothing.
        connection.execute("PRAGMA synchronous=FULL")
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise _damaged(path, found)
        migrate(connection, str(path))
    except sqlite3.DatabaseError as failure:
        connection.close()
        raise _unreadable(path, failure) from failure
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that sees every commit and cannot write."""
    connection = _connect(path)
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
            contextlib.closing(_connect(source)) as reader,
            contextlib.closing(_connect(partial)) as writer,
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


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of the block, durable when it ends, or nothing of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A full disk may have ended the transaction already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _connect(path: Path) -> sqlite3.Connection:
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
