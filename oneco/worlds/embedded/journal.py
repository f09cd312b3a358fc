"""Writing changes to the database: one thread that makes whatever has queued durable at once."""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from oneco.worlds.apiserver.store import Change
from oneco.worlds.embedded.sealing import Safe
from oneco.worlds.embedded.transactions import transaction
from oneco.worlds.embedded.unlocking import about

_COMPACTION_STEP = 500


class Entry(NamedTuple):
    """One change on its way to the disk; `value` is the JSON of `change.after`."""

    change: Change
    previous: int
    value: bytes | None


class Journal:
    """Appends entries and forgets superseded ones; `on_written` is called on the writing thread."""

    def __init__(self, connection: sqlite3.Connection, safe: Safe, *, history: int) -> None:
        assert history > 0, "the last change is what remembers the revision"
        self._connection, self._safe, self._history = connection, safe, history
        self.oldest = int(self._meta("oldest") or 0)
        self.newest = max(int(self._one("SELECT max(revision) FROM log") or 0), self.oldest)

    def write(self, entries: Sequence[Entry]) -> None:
        """Make `entries` durable, all or none."""
        with transaction(self._connection):
            # Within the transaction: whoever seals everything anew waits for it to end, and
            # nothing that is written later is sealed with the key before.
            self._safe.refresh()
            self._connection.executemany(
                "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)", map(self._row, entries)
            )
            for entry in entries:
                self._point_to(entry)
        self.newest = entries[-1].change.revision

    def compact(self) -> None:
        """Forget what no reader of the last `history` changes needs, a step of it at a time."""
        wanted = self.newest - self._history
        # Half a history of slack, so that compaction is rare rather than at every write.
        if wanted - self.oldest < max(1, self._history // 2):
            return
        while self.oldest < wanted:
            self._forget(self.oldest, min(self.oldest + _COMPACTION_STEP, wanted))

    def leap(self, revisions: int) -> None:
        """Go on so many revisions later, and forget every change up to there."""
        self._forget(self.oldest, self.newest + revisions)
        self.newest = self.oldest

    def mark(self, name: str, value: str) -> None:
        """Write one note about the database itself; an empty value removes it."""
        with transaction(self._connection):
            if value:
                self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))
            else:
                self._connection.execute("DELETE FROM meta WHERE name = ?", (name,))

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _row(self, entry: Entry) -> tuple[Any, ...]:
        revision, key = entry.change.revision, entry.change.key
        value = entry.value
        sealed = None if value is None else self._safe.seal(value, about(key, revision))
        return (revision, entry.previous, *key, sealed)

    def _point_to(self, entry: Entry) -> None:
        key = entry.change.key
        if entry.value is None:
            self._connection.execute(
                "DELETE FROM current WHERE collection = ? AND namespace = ? AND name = ?", key
            )
        else:
            self._connection.execute(
                "INSERT OR REPLACE INTO current VALUES (?, ?, ?, ?)", (*key, entry.change.revision)
            )

    def _forget(self, since: int, until: int) -> None:
        with transaction(self._connection):
            # Readers look at `oldest` after reading, so it has to move before the rows go.
            self.oldest = until
            span = (since, until)
            self._connection.execute(
                "DELETE FROM log WHERE revision IN"
                " (SELECT previous FROM log WHERE revision > ? AND revision <= ?)",
                span,
            )
            self._connection.execute(
                "DELETE FROM log WHERE revision > ? AND revision <= ? AND value IS NULL", span
            )
            self._connection.execute(
                "INSERT OR REPLACE INTO meta VALUES ('oldest', ?)", (str(until),)
            )

    def _meta(self, name: str) -> Any:
        return self._one("SELECT value FROM meta WHERE name = ?", name)

    def _one(self, query: str, *parameters: str) -> Any:
        row = self._connection.execute(query, parameters).fetchone()
        return row[0] if row else None


class WritingThread:
    """Runs a journal on a thread of its own; each write takes everything that has queued.

    The queue is bounded by the store, which refuses a commit when too much is pending.
    """

    def __init__(
        self, journal: Journal, done: Callable[[Sequence[Entry], Exception | None], None]
    ) -> None:
        self._journal, self._done = journal, done
        self._queue: deque[Entry] = deque()
        self._changed = threading.Condition()
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="oneco-journal", daemon=True)
        self._thread.start()

    def put(self, entry: Entry) -> None:
        """Queue one entry; `done` is told when it is durable, or why it will never be."""
        with self._changed:
            self._queue.append(entry)
            self._changed.notify()

    def close(self) -> None:
        """Write what has queued, then end the thread."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while entries := self._next():
            try:
                self._journal.write(entries)
            except sqlite3.Error as failure:
                # What queued behind a lost write must not be written without it.
                self._done([*entries, *self._give_up()], failure)
                return
            self._done(entries, None)
            try:
                self._journal.compact()
            except sqlite3.Error as failure:
                self._done(self._give_up(), failure)
                return

    def _next(self) -> list[Entry]:
        with self._changed:
            while not self._queue and not self._is_closing:
                self._changed.wait()
            return self._take()

    def _take(self) -> list[Entry]:
        entries = list(self._queue)
        self._queue.clear()
        return entries

    def _give_up(self) -> list[Entry]:
        with self._changed:
            return self._take()
