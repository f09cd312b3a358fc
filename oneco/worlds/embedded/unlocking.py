"""Which keys a database needs, sealing what is not sealed yet, and sealing anew with another key.

The database notes which keys it was written with, so that a missing one is known before anything
is touched. Everything here that takes long can be killed: the next start finishes it.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from oneco.clock import Instant
from oneco.errors import Refused
from oneco.worlds.apiserver.store import Key
from oneco.worlds.embedded.keys import KeyFile, KeyRing, new_ring
from oneco.worlds.embedded.migrations import SEALED, version_of
from oneco.worlds.embedded.sealing import FORM, NotOpened, Safe, missing_key
from oneco.worlds.embedded.transactions import transaction

_NOTE: Final = "sealed"
# Free pages and the log still hold what was there before; removed once both were cleaned.
_UNCLEAN: Final = "unclean"
_STEP = 500


def about(key: Key, revision: int) -> bytes:
    """What the value of `key` at `revision` is bound to."""
    return "\0".join((*key, str(revision))).encode()


def about_file(name: str) -> bytes:
    """What a small file inside a backup is bound to."""
    return b"file\0" + name.encode()


def unlocked(reader: sqlite3.Connection | None, keys: KeyFile, where: str) -> Safe:
    """What opens this database (None: one to be made); Refused without every key it needs.

    Only where nothing is sealed yet are keys made.
    """
    needed = names_in_use(reader, where) if reader is not None else ()
    if not keys.exists():
        if needed:
            raise Refused(str(keys.path), found="no file", wanted=_wanted(needed))
        keys.write(new_ring(Instant(time.time())))
    ring = keys.read()
    check_has(ring, needed, str(keys.path))
    return Safe(keys)


def check_has(ring: KeyRing, needed: Iterable[str], where: str) -> None:
    """Refuse a ring, read from `where`, that lacks one of the keys `needed`."""
    for name in needed:
        if name not in ring.names():
            raise missing_key(where, name, ring)


def names_in_use(reader: sqlite3.Connection, where: str) -> tuple[str, ...]:
    """The names of the keys that this database was written with; none for a plain one."""
    if version_of(reader, where) < SEALED:
        return ()
    row = reader.execute("SELECT value FROM meta WHERE name = ?", (_NOTE,)).fetchone()
    return tuple(row[0].split()) if row else ()


def seal_all(connection: sqlite3.Connection, safe: Safe) -> None:
    """Seal every value of a plain database, within the transaction of its migration."""
    last = 0
    while rows := _rows(connection, last, "l.value IS NOT NULL"):
        last = rows[-1][0]
        _seal(connection, safe, [(row, bytes(row[-1])) for row in rows])
    # What a restored copy carried beside the objects has its own files since.
    connection.execute("DELETE FROM meta WHERE name LIKE 'file:%'")
    _note(connection, _NOTE, safe.current)
    _note(connection, _UNCLEAN, "yes")


def settle(connection: sqlite3.Connection, safe: Safe) -> None:
    """Finish what an earlier process may have left: sealing anew, and cleaning up after it."""
    note = connection.execute("SELECT value FROM meta WHERE name = ?", (_NOTE,)).fetchone()
    if note is None or note[0].split() != [safe.current]:
        reseal(connection, safe)
    if connection.execute("SELECT 1 FROM meta WHERE name = ?", (_UNCLEAN,)).fetchone():
        # What was plain, or sealed with an old key, must not stay behind in pages that are free.
        connection.execute("VACUUM")
        flush_log(connection)
        connection.execute("DELETE FROM meta WHERE name = ?", (_UNCLEAN,))


def reseal(connection: sqlite3.Connection, safe: Safe) -> int:
    """Seal with the current key what another one sealed; how many values.

    The hub may read and write meanwhile: what it writes once its present transaction has ended is
    sealed with the current key. A damaged value stays as it is, and with it the need for its key.
    """
    note = connection.execute("SELECT value FROM meta WHERE name = ?", (_NOTE,)).fetchone()
    names = dict.fromkeys([*(note[0].split() if note else ()), safe.current])
    with transaction(connection):
        _note(connection, _NOTE, " ".join(names))
    prefix = FORM + bytes.fromhex(safe.current)
    other = f"l.value IS NOT NULL AND substr(l.value, 1, {len(prefix)}) <> x'{prefix.hex()}'"
    sealed = seen = last = 0
    while True:
        with transaction(connection):
            rows = _rows(connection, last, other)
            sealed += _seal(connection, safe, _opened(safe, rows))
        if not rows:
            break
        last, seen = rows[-1][0], seen + len(rows)
    with transaction(connection):
        _note(connection, _UNCLEAN, "yes")
        if sealed == seen:
            _note(connection, _NOTE, safe.current)
    flush_log(connection)
    return sealed


def not_opened(reader: sqlite3.Connection, safe: Safe) -> Iterator[NotOpened]:
    """Why, for each sealed value that does not open."""
    last = 0
    while rows := _rows(reader, last, "l.value IS NOT NULL"):
        last = rows[-1][0]
        for row in rows:
            try:
                safe.open(row[-1], _about(row))
            except NotOpened as failure:
                yield failure


def flush_log(connection: sqlite3.Connection) -> None:
    """Empty the write-ahead log as far as readers allow."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


_Row = tuple[int, str, str, str, bytes]


def _rows(connection: sqlite3.Connection, since: int, condition: str) -> list[_Row]:
    return connection.execute(
        "SELECT l.revision, l.collection, l.namespace, l.name, l.value FROM log l"
        f" WHERE l.revision > ? AND {condition} ORDER BY l.revision LIMIT {_STEP}",
        (since,),
    ).fetchall()


def _seal(connection: sqlite3.Connection, safe: Safe, values: Sequence[tuple[_Row, bytes]]) -> int:
    connection.executemany(
        "UPDATE log SET value = ? WHERE revision = ?",
        [(safe.seal(value, _about(row)), row[0]) for row, value in values],
    )
    return len(values)


def _opened(safe: Safe, rows: Iterable[_Row]) -> list[tuple[_Row, bytes]]:
    found = []
    for row in rows:
        with contextlib.suppress(NotOpened):
            found.append((row, safe.open(row[-1], _about(row))))
    return found


def _about(row: _Row) -> bytes:
    return about(Key(row[1], row[2], row[3]), row[0])


def _note(connection: sqlite3.Connection, name: str, value: str) -> None:
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))


def _wanted(needed: Iterable[str]) -> str:
    return (
        f"key {', '.join(needed)}, which sealed this data: put the file that `oneco keys export`"
        " wrote here"
    )
