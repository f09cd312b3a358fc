"""A store that is a few dictionaries: durable at once, gone with the process."""

from __future__ import annotations

import bisect
from collections import deque
from collections.abc import Iterator, Sequence

from oneco.kube.objects import Object
from oneco.worlds.apiserver.store import Change, Key, Listener


class _Shelf:
    """The objects of one collection in one namespace; `order` is their sorted names, if known."""

    __slots__ = ("items", "order")

    def __init__(self) -> None:
        self.items: dict[str, Object] = {}
        self.order: list[str] | None = None

    def names(self) -> list[str]:
        if self.order is None:
            self.order = sorted(self.items)
        return self.order


class MemoryStore:
    """A `Store` in memory that remembers the last `history` changes for watches to resume."""

    __slots__ = (
        "_commit_listeners", "_delivering", "_depth", "_durable_listeners", "_history",
        "_revision", "_shelves", "_undelivered",
    )  # fmt: skip

    def __init__(self, *, history: int = 1000) -> None:
        self._revision = 0
        self._shelves: dict[str, dict[str, _Shelf]] = {}
        self._history: deque[Change] = deque(maxlen=history)
        self._commit_listeners: tuple[Listener, ...] = ()
        self._durable_listeners: tuple[Listener, ...] = ()
        self._undelivered: deque[Change] = deque()
        self._depth = 0
        self._delivering = False

    def revision(self) -> int:
        """The revision of the last commit, 0 in a new store."""
        return self._revision

    def get(self, key: Key) -> Object | None:
        """The object at `key`."""
        collection, namespace, name = key
        try:
            return self._shelves[collection][namespace].items.get(name)
        except KeyError:
            return None

    def scan(
        self,
        collection: str,
        namespace: str = "",
        *,
        after: tuple[str, str] = ("", ""),
        limit: int = 0,
    ) -> Sequence[Object]:
        """Objects ordered by (namespace, name), those behind `after`, at most `limit` (0: all)."""
        shelves = self._shelves.get(collection)
        if not shelves:
            return ()
        found: list[Object] = []
        for space in (namespace,) if namespace else sorted(shelves):
            shelf = shelves.get(space)
            if shelf is None or space < after[0]:
                continue
            names = shelf.names()
            if space == after[0] and after[1]:
                names = names[bisect.bisect_right(names, after[1]) :]
            items = shelf.items
            found += [items[name] for name in (names[: limit - len(found)] if limit else names)]
            if limit and len(found) == limit:
                break
        return found

    def count(
        self, collection: str, namespace: str = "", *, after: tuple[str, str] = ("", "")
    ) -> int:
        """How many objects `scan` would give."""
        shelves = self._shelves.get(collection)
        if not shelves:
            return 0
        if after != ("", ""):
            return len(self.scan(collection, namespace, after=after))
        if namespace:
            shelf = shelves.get(namespace)
            return len(shelf.items) if shelf else 0
        return sum(len(shelf.items) for shelf in shelves.values())

    def commit(self, key: Key, after: Object | None) -> Change:
        """Put `after` at `key` (None removes) under the next revision and tell `on_commit`."""
        change = self._record(key, after)
        self._history.append(change)
        # Queued before the listeners run: what they commit in turn must reach watches later.
        if self._durable_listeners:
            self._undelivered.append(change)
        self._depth += 1
        try:
            for listener in self._commit_listeners:
                listener(change)
        finally:
            self._depth -= 1
        if self._depth == 0 and self._undelivered and not self._delivering:
            self._deliver()
        return change

    def changes(
        self, since: int, collection: str, *, include_pending: bool = False
    ) -> Iterator[Change]:
        """The changes of a collection behind revision `since`, oldest first."""
        newest_first = []
        for change in reversed(self._history):
            if change.revision <= since:
                break
            if change.key.collection == collection:
                newest_first.append(change)
        return reversed(newest_first)

    def oldest(self) -> int:
        """The oldest revision that `changes` can start behind; older ones are forgotten."""
        return self._revision - len(self._history)

    def on_commit(self, listener: Listener) -> None:
        """Call `listener` within each commit, before `commit` returns."""
        self._commit_listeners = (*self._commit_listeners, listener)

    def on_durable(self, listener: Listener) -> None:
        """Call `listener` with each change in order, when the outermost commit is done."""
        self._durable_listeners = (*self._durable_listeners, listener)

    def durable_revision(self) -> int:
        """The revision of the last commit: nothing here is more durable than the process."""
        return self._revision

    async def durable(self, revision: int) -> None:
        """Return at once."""

    def close(self) -> None:
        """Do nothing: there is no file to let go of."""

    def _record(self, key: Key, after: Object | None) -> Change:
        collection, namespace, name = key
        revision = self._revision = self._revision + 1
        try:
            shelf = self._shelves[collection][namespace]
        except KeyError:
            shelf = self._shelves.setdefault(collection, {}).setdefault(namespace, _Shelf())
        items = shelf.items
        before = items.get(name)
        if after is None:
            assert before is not None, f"{key} is removed and was not there"
            del items[name]
            shelf.order = None
        else:
            after = {**after, "metadata": {**after["metadata"], "resourceVersion": str(revision)}}
            if before is None:
                shelf.order = None
            items[name] = after
        return Change(revision, key, before, after)

    def _deliver(self) -> None:
        self._delivering = True
        try:
            while self._undelivered:
                change = self._undelivered.popleft()
                for listener in self._durable_listeners:
                    listener(change)
        finally:
            self._delivering = False
