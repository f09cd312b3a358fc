"""What every part of one API server shares: its store, its time, its kinds, its names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import NamedTuple

from oneco.clock import Clock
from oneco.kube.objects import Object
from oneco.kube.times import to_text
from oneco.worlds.apiserver.registry import Registry
from oneco.worlds.apiserver.store import Key, Store


def ignore_warning(text: str) -> None:
    """Say the warning to nobody."""


class Caller(NamedTuple):
    """Who asks, and where the warnings about the request go."""

    user: str = "system:admin"
    groups: tuple[str, ...] = ("system:masters", "system:authenticated")
    warn: Callable[[str], None] = ignore_warning


IN_PROCESS = Caller()
"""The caller that is part of this process: trusted, and not told of warnings."""


class Core:
    """The ground of one server; a thousand of them fit into one process."""

    __slots__ = ("_second", "_text", "clock", "registry", "seed", "store")

    def __init__(self, store: Store, clock: Clock, seed: int) -> None:
        self.store, self.clock, self.seed = store, clock, seed
        self.registry = Registry()
        self._second, self._text = -1, ""

    def present(self) -> str:
        """The present instant to the second, as metadata carries it."""
        second = int(self.clock.now())
        if second != self._second:
            self._second, self._text = second, to_text(self.clock.now())
        return self._text

    def bits(self, purpose: str, name: str) -> int:
        """128 bits that follow from the seed, the present revision, the purpose and the name."""
        text = f"{self.seed}/{self.store.revision()}/{purpose}/{name}"
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "big")

    def fresh_uid(self, key: Key) -> str:
        """A uid that no other object has."""
        text = f"{self.seed}/{self.store.revision()}/{key.collection}/{key.namespace}/{key.name}"
        digits = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
        # The digits 4 and a are the mark of a random uid: some clients refuse others.
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def get(self, key: Key) -> Object | None:
        """The object at `key` as it is stored."""
        return self.store.get(key)
