"""What every controller has: a list of what to look at again, and the way to write."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from oneco.clock import Instant
from oneco.worlds.apiserver.store import Change, Key
from oneco.worlds.behaviours.hand import Hand
from oneco.worlds.behaviours.index import Index

# Further away than this nothing is worth a timer: a gate of 68 years must not end a rehearsal.
FAR_SECONDS = 365 * 86400.0


class Controller:
    """One controller of one cluster; a subclass says what it watches and how it reconciles."""

    collections: ClassVar[tuple[str, ...]] = ()
    """The collections whose commits it wants to notice."""

    def __init__(self, hand: Hand, index: Index, stir: Callable[[], None]) -> None:
        self.hand, self.index, self._stir = hand, index, stir
        self.todo: dict[Key, None] = {}
        self._due: dict[Instant, dict[Key, None]] = {}

    def notice(self, change: Change) -> None:
        """Mark what the change touches."""
        raise NotImplementedError

    def reconcile(self, key: Key) -> None:
        """Bring what stands at `key` one step nearer to what is wanted."""
        raise NotImplementedError

    def mark(self, key: Key) -> None:
        """Look at `key` at the end of this turn."""
        if not self.todo:
            self._stir()
        self.todo[key] = None

    def mark_at(self, instant: Instant, key: Key) -> None:
        """Look at `key` at `instant`; a look that is no longer needed does no harm."""
        keys = self._due.get(instant)
        if keys is not None:
            keys[key] = None
        elif instant - self.hand.now() < FAR_SECONDS:
            # One entry for all that a cluster has to look at then.
            self._due[instant] = {key: None}
            self.hand.agenda.at(instant, lambda: self._mark_due(instant))

    def work(self) -> None:
        """Reconcile everything that is marked."""
        # Sorted, so that the order in which things were noticed (another after a restart) is
        # not what decides between equals.
        todo, self.todo = sorted(self.todo), {}
        for key in todo:
            self.reconcile(key)

    def _mark_due(self, instant: Instant) -> None:
        for key in self._due.pop(instant):
            self.mark(key)
