"""The store on disk: SQLite, one thread that writes, reads on the thread of the caller."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from oneco.kube.errors import (
    ApiError,
    BadRequest,
    Expired,
    InternalError,
    ServiceUnavailable,
    TooManyRequests,
)
from oneco.kube.objects import DEEPEST, Object, encode, is_too_deep, put, resource_version
from oneco.worlds.apiserver.store import Change, Key, Listener
from oneco.worlds.embedded.database import copy_database, open_database, open_reader
from oneco.worlds.embedded.held import Place, Places, ValueCache, Values
from oneco.worlds.embedded.journal import Entry, Journal, WritingThread
from oneco.worlds.embedded.keys import KEYS_FILE, KeyFile
from oneco.worlds.embedded.ownership import FileOwner
from oneco.worlds.embedded.sealing import NotOpened
from oneco.worlds.embedded.unlocking import about

CallSoon = Callable[[Callable[[], None]], object]
"""How another thread gets a call onto the thread of the store: `loop.call_soon_threadsafe`."""

_MOST_PENDING = 50_000
_READ_STEP = 500
# Longer lists are decoded one by one as they are looked at.
_MOST_DECODED = 1_000
_COPY_LEAP = 1_000_000_000

_decode = msgspec.json.Decoder().decode


class SqliteStore:
    """A `Store` in one file, for one process.

    Given `call_soon`, commits are written by a thread of its own, many at a time, and listeners
    are called on the thread of the event loop; without it (in a tool, with no loop) each commit
    returns when it is durable. When the disk fails, the commits that were not yet durable are
    taken back, whoever waits for them is told, and the store serves reads only.
    """

    def __init__(
        self,
        path: Path,
        *,
        call_soon: CallSoon | None = None,
        history: int = 10_000,
        cache_bytes: int = 16 << 20,
        keys: KeyFile | None = None,
    ) -> None:
        self.path = path
        self._owner = FileOwner(path.with_name(path.name + ".lock"))
        try:
            connection, self._safe = open_database(path, keys or KeyFile(path.with_name(KEYS_FILE)))
            self._journal = Journal(connection, self._safe, history=history)
        except BaseException:
            self._owner.release()
            raise
        self._reader = open_reader(path)
        if self.is_copy():
            # The original went on after it was copied: whoever saw that must not take this for it.
            self._journal.leap(_COPY_LEAP)
        self._call_soon = call_soon
        self._cache = ValueCache(cache_bytes)
        self._pending: dict[int, Entry] = {}
        self._finished: deque[tuple[Sequence[Entry], Exception | None]] = deque()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._tickets = itertools.count()
        self._commit_listeners: list[Listener] = []
        self._durable_listeners: list[Listener] = []
        self._failure = ""
        self._depth = 0
        self._is_closed = False
        self._collections = self._read_index()
        self._revision: int = self._journal.newest
        self._durable = self._revision
        self._thread = WritingThread(self._journal, self._written) if call_soon else None

    def revision(self) -> int:
        return self._revision

    def oldest(self) -> int:
        return self._journal.oldest

    def durable_revision(self) -> int:
        return self._durable

    def get(self, key: Key) -> Object | None:
        collection = self._collections.get(key.collection)
        place = (key.namespace, key.name)
        revision = collection.revisions.get(place) if collection else None
        return None if revision is None else self._values(key.collection, [(place, revision)])[0]

    def scan(
        self,
        collection: str,
        namespace: str = "",
        *,
        after: tuple[str, str] = ("", ""),
        limit: int = 0,
    ) -> Sequence[Object]:
        index = self._collections.get(collection)
        places = index.between(namespace, after, limit) if index else ()
        return self._values(collection, places)

    def count(
        self, collection: str, namespace: str = "", *, after: tuple[str, str] = ("", "")
    ) -> int:
        index = self._collections.get(collection)
        return index.count(namespace, after) if index else 0

    def changes(
        self, since: int, collection: str, *, include_pending: bool = False
    ) -> Iterator[Change]:
        # Taken now: what becomes durable while the caller reads must not be skipped.
        pending = [entry.change for entry in self._pending.values()] if include_pending else ()
        yield from self._durable_changes(since, collection)
        for change in pending:
            if change.revision > since and change.key.collection == collection:
                yield change

    def _durable_changes(self, since: int, collection: str) -> Iterator[Change]:
        # A change that is on the disk but not yet told to listeners would be seen twice by a
        # watch that starts now, so this ends where the listeners are.
        until = self._durable
        while since < until:
            step = min(since + _READ_STEP, until)
            rows = self._reader.execute(
                "SELECT l.revision, l.namespace, l.name, l.previous, p.value, l.value"
                " FROM log l LEFT JOIN log p ON p.revision = l.previous"
                " WHERE l.revision > ? AND l.revision <= ? AND l.collection = ?"
                " ORDER BY l.revision",
                (since, step, collection),
            ).fetchall()
            if since < self._journal.oldest:
                raise Expired(f"too old resource version: {since} ({self._journal.oldest})")
            for revision, namespace, name, previous, before, after in rows:
                key = Key(collection, namespace, name)
                yield Change(
                    revision,
                    key,
                    self._decoded(key, previous, before),
                    self._decoded(key, revision, after),
                )
            since = step

    def commit(self, key: Key, after: Object | None) -> Change:
        self._refuse_writes()
        before = self.get(key)
        revision = self._revision + 1
        if after is not None and resource_version(after) != str(revision):
            after = put(after, ("metadata", "resourceVersion"), str(revision))
        value = _encoded(after) if after is not None else None
        change = Change(revision, key, before, after)
        previous = int(resource_version(before)) if before is not None else 0
        self._revision = revision
        self._keep(Entry(change, previous, value))
        self._depth += 1
        try:
            for listener in self._commit_listeners:
                listener(change)
        finally:
            self._depth -= 1
        if self._thread is None and self._depth == 0:
            self._write_now()
        return change

    def on_commit(self, listener: Listener) -> None:
        self._commit_listeners.append(listener)

    def on_durable(self, listener: Listener) -> None:
        self._durable_listeners.append(listener)

    async def durable(self, revision: int) -> None:
        if revision <= self._durable:
            return
        if self._failure:
            raise self._read_only()
        done = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (revision, next(self._tickets), done))
        await done

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self._thread:
            self._thread.close()
            self._take_finished()
        self._reader.close()
        self._journal.close()
        self._owner.release()

    def backup(self, path: Path) -> None:
        """Write a consistent copy while running, from any thread; a start from it can be told."""
        copy_database(self.path, path)

    def is_copy(self) -> bool:
        """Whether this database was made by `backup` and nobody has said yet to go on with it."""
        return bool(self._reader.execute("SELECT 1 FROM meta WHERE name = 'copy'").fetchone())

    def adopt_copy(self) -> None:
        """Go on with this database as the original."""
        self._journal.mark("copy", "")

    def _read_index(self) -> dict[str, Places]:
        found: dict[str, Places] = {}
        for collection, namespace, name, revision in self._reader.execute(
            "SELECT collection, namespace, name, revision FROM current"
        ):
            found.setdefault(collection, Places()).set((namespace, name), revision)
        return found

    def _keep(self, entry: Entry) -> None:
        change = entry.change
        place = (change.key.namespace, change.key.name)
        collection = self._collections.setdefault(change.key.collection, Places())
        if change.after is None:
            collection.remove(place)
        else:
            collection.set(place, change.revision)
        self._pending[change.revision] = entry
        if self._thread:
            self._thread.put(entry)

    def _write_now(self) -> None:
        # What a listener commits in turn finds this loop running and is taken by its next turn.
        self._depth += 1
        try:
            while entries := list(self._pending.values()):
                self._journal.write(entries)
                self._announce(entries)
            self._journal.compact()
        except sqlite3.Error as failure:
            self._take_back(failure)
            raise self._read_only() from failure
        finally:
            self._depth -= 1

    def _values(self, collection: str, places: Sequence[Place]) -> Sequence[Object]:
        if len(places) > _MOST_DECODED:
            return Values(self._encoded(collection, places))
        found: list[Any] = []
        for _, revision in places:
            entry = self._pending.get(revision)
            found.append(entry.change.after if entry else self._cache.get(revision))
        missing = [index for index, value in enumerate(found) if value is None]
        read = self._encoded(collection, [places[index] for index in missing])
        for index, value in zip(missing, read, strict=True):
            assert isinstance(value, bytes), "what is pending was found above"
            found[index] = _decode(value)
            self._cache.put(places[index][1], value, found[index])
        return found

    def _encoded(self, collection: str, places: Sequence[Place]) -> list[bytes | Object]:
        """The JSON of the values at `places`; those not yet written are taken as they are."""
        found: list[Any] = []
        for _, revision in places:
            entry = self._pending.get(revision)
            found.append(entry.change.after if entry else self._cache.encoded(revision))
        missing = [index for index, value in enumerate(found) if value is None]
        for start in range(0, len(missing), _READ_STEP):
            indexes = missing[start : start + _READ_STEP]
            read = self._read(collection, [places[index] for index in indexes])
            for index in indexes:
                found[index] = read[places[index][1]]
        return found

    def _read(self, collection: str, places: Sequence[Place]) -> dict[int, bytes]:
        at = {revision: place for place, revision in places}
        marks = ",".join("?" * len(at))
        try:
            rows = self._reader.execute(
                f"SELECT revision, value FROM log WHERE revision IN ({marks})", [*at]
            ).fetchall()
        except sqlite3.Error as failure:
            raise InternalError(f"the database cannot be read: {failure}") from failure
        # Opened as what was asked for: a row that was exchanged for another does not open.
        return {
            revision: self._opened(Key(collection, *at[revision]), revision, value)
            for revision, value in rows
        }

    def _decoded(self, key: Key, revision: int, value: bytes | None) -> Object | None:
        if value is None:
            return None
        found: Object = _decode(self._opened(key, revision, value))
        return found

    def _opened(self, key: Key, revision: int, value: bytes) -> bytes:
        try:
            return self._safe.open(value, about(key, revision))
        except NotOpened as failure:
            raise InternalError(f"the database cannot be read: {failure}") from failure

    def _written(self, entries: Sequence[Entry], failure: Exception | None) -> None:
        # On the writing thread: only the deque, which is safe between threads, is touched here.
        self._finished.append((entries, failure))
        assert self._call_soon is not None
        try:
            self._call_soon(self._take_finished)
        except RuntimeError:
            # The event loop has ended; `close` takes what is left.
            return

    def _take_finished(self) -> None:
        while self._finished:
            entries, failure = self._finished.popleft()
            if failure is None:
                self._announce(entries)
            else:
                self._take_back(failure)

    def _announce(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            change = entry.change
            self._durable = change.revision
            del self._pending[change.revision]
            if change.before is not None:
                self._cache.drop(entry.previous)
            if change.after is not None and entry.value is not None:
                self._cache.put(change.revision, entry.value, change.after)
            for listener in self._durable_listeners:
                listener(change)
        while self._waiting and self._waiting[0][0] <= self._durable:
            done = heapq.heappop(self._waiting)[2]
            if not done.done():
                done.set_result(None)

    def _take_back(self, failure: Exception) -> None:
        self._failure = str(failure)
        self._pending.clear()
        self._collections = self._read_index()
        self._revision = self._durable
        for _, _, done in self._waiting:
            if not done.done():
                done.set_exception(self._read_only())
        self._waiting.clear()

    def _refuse_writes(self) -> None:
        if self._is_closed:
            raise ServiceUnavailable("the server is stopping")
        if self._failure:
            raise self._read_only()
        if len(self._pending) >= _MOST_PENDING:
            failure = TooManyRequests("the disk is slower than the writes: try again later")
            failure.retry_after_seconds = 1
            raise failure

    def _read_only(self) -> ApiError:
        return ServiceUnavailable(
            f"the database {self.path} could not be written ({self._failure}); it serves reads only"
            " until the cause is removed and oneco is started again"
        )


def _encoded(obj: Object) -> bytes:
    """`obj` as it is kept; BadRequest for one that a deeper stack could not read again."""
    try:
        value = encode(obj)
        is_readable = not is_too_deep(obj, value)
    except RecursionError:
        is_readable = False
    if not is_readable:
        raise BadRequest(f"the object: wanted at most {DEEPEST} levels inside one another")
    return value
