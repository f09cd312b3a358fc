"""What the store on disk holds in memory: where every object is, and the values used last."""

from __future__ import annotations

import bisect
from collections import OrderedDict
from typing import NamedTuple

from oneco.kube.objects import Object

Place = tuple[tuple[str, str], int]
"""Namespace and name of an object, and the revision that holds its value."""


class Places:
    """Which objects a collection has, in order, and the revision that holds the value of each."""

    __slots__ = ("_is_sorted", "_order", "revisions")

    def __init__(self) -> None:
        self.revisions: dict[tuple[str, str], int] = {}
        self._order: list[tuple[str, str]] = []
        self._is_sorted = True

    def set(self, place: tuple[str, str], revision: int) -> None:
        """Note that the value of the object at `place` is that of `revision`."""
        if place not in self.revisions:
            self._is_sorted = self._is_sorted and (not self._order or self._order[-1] < place)
            self._order.append(place)
        self.revisions[place] = revision

    def remove(self, place: tuple[str, str]) -> None:
        """Forget the object at `place`."""
        if self.revisions.pop(place, None) is not None:
            order = self._sorted()
            del order[bisect.bisect_left(order, place)]

    def between(self, namespace: str, after: tuple[str, str], limit: int) -> list[Place]:
        """The objects behind `after`, in order, at most `limit` (0: all)."""
        start, end = self._span(namespace, after)
        if limit:
            end = min(end, start + limit)
        return [(place, self.revisions[place]) for place in self._sorted()[start:end]]

    def count(self, namespace: str, after: tuple[str, str]) -> int:
        """How many objects are behind `after`."""
        start, end = self._span(namespace, after)
        return max(0, end - start)

    def _span(self, namespace: str, after: tuple[str, str]) -> tuple[int, int]:
        order = self._sorted()
        start, end = 0, len(order)
        if namespace:
            # No name follows "\0": the first place behind every name of the namespace.
            start = bisect.bisect_left(order, (namespace, ""))
            end = bisect.bisect_left(order, (namespace + "\0", ""))
        if after != ("", ""):
            start = max(start, bisect.bisect_right(order, after))
        return start, end

    def _sorted(self) -> list[tuple[str, str]]:
        if not self._is_sorted:
            self._order.sort()
            self._is_sorted = True
        return self._order


class _Cached(NamedTuple):
    value: Object
    size: int


class ValueCache:
    """The values read or written last, by revision, as many as `most_bytes` of JSON hold."""

    def __init__(self, most_bytes: int) -> None:
        self._most, self._held = most_bytes, 0
        self._values: OrderedDict[int, _Cached] = OrderedDict()

    def get(self, revision: int) -> Object | None:
        """The value of `revision`, if it is held."""
        cached = self._values.get(revision)
        if cached is None:
            return None
        self._values.move_to_end(revision)
        return cached.value

    def put(self, revision: int, value: Object, size: int) -> None:
        """Hold `value`, whose JSON has `size` bytes, in the place of what was used longest ago."""
        self.drop(revision)
        self._values[revision] = _Cached(value, size)
        self._held += size
        while self._held > self._most and self._values:
            self._held -= self._values.popitem(last=False)[1].size

    def drop(self, revision: int) -> None:
        """Let go of the value of `revision`."""
        cached = self._values.pop(revision, None)
        if cached is not None:
            self._held -= cached.size
