"""The layout of the database, as numbered steps that only go forward."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from oneco.errors import Refused

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


def migrate(
    connection: sqlite3.Connection, where: str, steps: Sequence[Sequence[str]] = STEPS
) -> None:
    """Bring the database forward to the last step, each step wholly or not at all."""
    connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY)")
    version = connection.execute("SELECT max(version) FROM schema_version").fetchone()[0] or 0
    if version > len(steps):
        raise Refused(
            where,
            found=f"a database of version {version}",
            wanted=f"at most version {len(steps)}: a newer oneco wrote it, so run that one",
        )
    for number, statements in enumerate(steps[version:], version + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in statements:
                connection.execute(statement)
            connection.execute("INSERT INTO schema_version VALUES (?)", (number,))
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
