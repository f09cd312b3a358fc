"""What the store on disk holds in memory: where every object is, and the values used last."""

from __future__ import annotations

import bisect
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar, overload

import msgspec

from oneco.kube.objects import Object

ValueT = TypeVar("ValueT")

_decode = msgspec.json.Decoder().decode

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


class Values(Sequence[Object]):
    """Many objects as their JSON, each decoded when it is asked for and not kept.

    Ten thousand objects are four times as large as what they are decoded from, and most of those
    who list so many look at one after another, or send them on as they are.
    """

    def __init__(self, held: Sequence[bytes | Object]) -> None:
        self._held = held

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[Object]:
        return map(_object, self._held)

    @overload
    def __getitem__(self, index: int) -> Object: ...
    @overload
    def __getitem__(self, index: slice) -> Values: ...
    def __getitem__(self, index: int | slice) -> Object | Values:
        if isinstance(index, slice):
            return Values(self._held[index])
        return _object(self._held[index])

    def encoded(self) -> list[Any]:
        """Each object in a form that an encoder of JSON takes as it is."""
        return [msgspec.Raw(one) if isinstance(one, bytes) else one for one in self._held]


class ValueCache:
    """The values read or written last, by revision: as many as `most_bytes` of JSON are.

    Those used very last, an eighth as many, are held decoded too.
    """

    def __init__(self, most_bytes: int) -> None:
        self._encoded: _Last[bytes] = _Last(most_bytes)
        self._decoded: _Last[Object] = _Last(most_bytes // 8)

    def get(self, revision: int) -> Object | None:
        """The value of `revision`, if it is held."""
        found = self._decoded.get(revision)
        if found is not None:
            return found
        encoded = self._encoded.get(revision)
        if encoded is None:
            return None
        value = _object(encoded)
        self._decoded.put(revision, value, len(encoded))
        return value

    def encoded(self, revision: int) -> bytes | None:
        """The JSON of the value of `revision`, if it is held."""
        return self._encoded.get(revision)

    def put(self, revision: int, encoded: bytes, value: Object | None = None) -> None:
        """Hold a value in the place of what was used longest ago."""
        self._encoded.put(revision, encoded, len(encoded))
        if value is not None:
            self._decoded.put(revision, value, len(encoded))

    def drop(self, revision: int) -> None:
        """Let go of the value of `revision`."""
        self._encoded.drop(revision)
        self._decoded.drop(revision)


class _Last(Generic[ValueT]):
    """What was used last, by revision, as far as the sizes together allow."""

    def __init__(self, most: int) -> None:
        self._most, self._size = most, 0
        self._values: OrderedDict[int, tuple[ValueT, int]] = OrderedDict()

    def get(self, revision: int) -> ValueT | None:
        found = self._values.get(revision)
        if found is None:
            return None
        self._values.move_to_end(revision)
        return found[0]

    def put(self, revision: int, value: ValueT, size: int) -> None:
        self.drop(revision)
        self._values[revision] = (value, size)
        self._size += size
        while self._size > self._most and self._values:
            self._size -= self._values.popitem(last=False)[1][1]

    def drop(self, revision: int) -> None:
        found = self._values.pop(revision, None)
        if found is not None:
            self._size -= found[1]


def _object(held: bytes | Object) -> Object:
    decoded: Object = _decode(held) if isinstance(held, bytes) else held
    return decoded
