"""The layout of the database, as numbered steps that only go forward."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from oneco.errors import Refused
from oneco.worlds.embedded.transactions import transaction

Step = Sequence[str] | Callable[[sqlite3.Connection], None]
"""Statements, or what only a program can do; in a transaction that is not its own to end."""

STEPS: Sequence[Sequence[str]] = (
    (
        "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        # Every change is one row; `previous` is the row it replaces, 0 for a creation, and a NULL
        # value says that the object was removed. The value stands last: SQLite then reaches the
        # other columns without reading the overflow pages of a large object.
        "CREATE TABLE log (revision INTEGER PRIMARY KEY, previous INTEGER NOT NULL,"
        " collection TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, value BLOB)",
        "CREATE TABLE current (collection TEXT NOT NULL, namespace TEXT NOT NULL,"
        " name TEXT NOT NULL, revision INTEGER NOT NULL,"
        " PRIMARY KEY (collection, namespace, name)) WITHOUT ROWID",
        "INSERT INTO meta VALUES ('oldest', '0')",
    ),
)
"""Step N leads from version N to N + 1. A step that was released is never changed."""

SEALED = len(STEPS) + 1
"""From this version on every value is sealed. The step to it needs the key (`unlocking`)."""


def version_of(connection: sqlite3.Connection, where: str) -> int:
    """The version of the database, 0 for a new one; Refused if a newer oneco wrote it."""
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'")
    if not found.fetchone():
        return 0
    version = connection.execute("SELECT max(version) FROM schema_version").fetchone()[0] or 0
    if version > SEALED:
        raise Refused(
            where,
            found=f"a database of version {version}",
            wanted=f"at most version {SEALED}: a newer oneco wrote it, so run that one",
        )
    return int(version)


def migrate(connection: sqlite3.Connection, where: str, seal: Step) -> None:
    """Bring the database forward to the last step, each step wholly or not at all."""
    connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY)")
    version = version_of(connection, where)
    steps: Sequence[Step] = (*STEPS, seal)
    for number, step in enumerate(steps[version:], version + 1):
        with transaction(connection):
            if callable(step):
                step(connection)
            else:
                for statement in step:
                    connection.execute(statement)
            connection.execute("INSERT INTO schema_version VALUES (?)", (number,))
