"""Where an API server keeps its objects: one log of changes with one monotonic revision."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from oneco.kube.objects import Object


class Key(NamedTuple):
    """One object's place; `collection` is `group/plural`, with an empty group for the core."""

    collection: str
    namespace: str
    name: str


class Change(NamedTuple):
    """One commit: `before` is None for a creation, `after` for a removal.

    `after["metadata"]["resourceVersion"]` is the text of `revision`.
    """

    revision: int
    key: Key
    before: Object | None
    after: Object | None


Listener = Callable[[Change], None]


class Store(Protocol):
    """Objects by key, and the changes that led to them.

    Reads see every commit at once. A commit is acknowledged to the outside, and shown to watchers,
    only when it is durable: a store in memory is durable at once, a store on disk later and in
    order, many commits at a time.
    """

    def revision(self) -> int:
        """The revision of the last commit, 0 in a new store."""
        ...

    def get(self, key: Key) -> Object | None:
        """The object at `key`."""
        ...

    def scan(
        self,
        collection: str,
        namespace: str = "",
        *,
        after: tuple[str, str] = ("", ""),
        limit: int = 0,
    ) -> Sequence[Object]:
        """Objects ordered by (namespace, name), those behind `after`, at most `limit` (0: all)."""
        ...

    def count(
        self, collection: str, namespace: str = "", *, after: tuple[str, str] = ("", "")
    ) -> int:
        """How many objects `scan` would give."""
        ...

    def commit(self, key: Key, after: Object | None) -> Change:
        """Put `after` at `key` (None removes) under the next revision and tell `on_commit`."""
        ...

    def changes(
        self, since: int, collection: str, *, include_pending: bool = False
    ) -> Iterator[Change]:
        """The durable changes of a collection behind revision `since`, oldest first.

        With `include_pending` those too that are committed and not yet durable, so that undoing
        all of them leads from what `scan` sees to what it saw at `since`.
        """
        ...

    def oldest(self) -> int:
        """The oldest revision that `changes` can start behind; older ones are forgotten."""
        ...

    def on_commit(self, listener: Listener) -> None:
        """Call `listener` within each commit, before `commit` returns: for behaviours."""
        ...

    def on_durable(self, listener: Listener) -> None:
        """Call `listener` with each change once it is durable, in order: for watches."""
        ...

    def durable_revision(self) -> int:
        """The revision up to which everything survives the end of this process."""
        ...

    async def durable(self, revision: int) -> None:
        """Return when everything up to `revision` is durable."""
        ...

    def close(self) -> None:
        """Make everything durable and let go of files and threads."""
        ...
