"""How behaviours write: through the server's quick way in, as values that share what stays."""

from __future__ import annotations

from collections.abc import Callable

from oneco.clock import Instant
from oneco.kube.objects import Object
from oneco.kube.times import to_text
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.apiserver.store import Key
from oneco.worlds.behaviours import chances
from oneco.worlds.behaviours.timers import Agenda


class Hand:
    """The writing hand of one cluster's controllers: no validation, no admission, no wire."""

    __slots__ = (
        "_inside", "_second", "_text", "agenda", "cluster", "on_delete", "seed", "store",
    )  # fmt: skip

    def __init__(self, server: ApiServer, agenda: Agenda, cluster: str, seed: int) -> None:
        self.store, self._inside = server.store, server.inside
        self.agenda, self.cluster, self.seed = agenda, cluster, seed
        self._second, self._text = -1, ""
        self.on_delete: Callable[[Key], None] | None = None
        """Called with what a controller is about to delete by its own decision."""

    def now(self) -> Instant:
        """The present instant."""
        return self.agenda.now()

    def now_text(self) -> str:
        """The present instant to the second, as objects carry it."""
        now = self.agenda.now()
        second = int(now)
        if second != self._second:
            self._second, self._text = second, to_text(now)
        return self._text

    def word(self, length: int, *about: object) -> str:
        """A name's random part; different after every commit."""
        return chances.word(length, self.seed, self.cluster, self.store.revision(), *about)

    def create(self, key: Key, obj: Object) -> Object:
        """Store a new object in its first generation."""
        metadata = {**obj["metadata"], "generation": 1}
        return self._inside.create(key, {**obj, "metadata": metadata})

    def give(self, key: Key, obj: Object) -> Object:
        """Store a new object of a kind that counts no generations."""
        return self._inside.create(key, obj)

    def remove(self, key: Key) -> None:
        """Remove what is at `key` now, if anything is."""
        self._inside.remove(key)

    def change(self, key: Key, obj: Object) -> Object:
        """Store `obj`, whose desired part differs from what is stored, as a new generation."""
        metadata = obj["metadata"]
        generation = metadata.get("generation", 0) + 1
        return self.put(key, {**obj, "metadata": {**metadata, "generation": generation}})

    def report(self, key: Key, obj: Object, status: Object) -> Object:
        """Store `obj` with this status."""
        return self.put(key, {**obj, "status": status})

    def put(self, key: Key, obj: Object) -> Object:
        """Store `obj` in the same generation; `obj` where that let a deleted object go."""
        return self._inside.put(key, obj) or obj

    def delete(self, key: Key, *, is_decided: bool = True) -> None:
        """Ask for the object's end; what it owns goes with it, a pod on a node ends in its time.

        `is_decided` says that its own controller wants it gone, and not the loss of its node.
        """
        if is_decided and self.on_delete is not None:
            self.on_delete(key)
        self._inside.delete(key)

    def end(self, key: Key, pod: Object) -> None:
        """Take away a pod whose grace is over, unless finalizers hold it."""
        metadata = pod["metadata"]
        if not metadata.get("finalizers"):
            self._inside.remove(key)
        elif metadata.get("deletionGracePeriodSeconds"):
            self.put(key, {**pod, "metadata": {**metadata, "deletionGracePeriodSeconds": 0}})
