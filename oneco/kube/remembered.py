"""Answers remembered by the identity of the immutable values they were made from."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

AnswerT = TypeVar("AnswerT")


class Remembered(Generic[AnswerT]):
    """A bounded memory of pure answers: asking again about the very same values costs a look-up.

    Values are told apart by `is`, so equal but separate values are asked about twice. They are
    held as long as the answer is, which keeps their identity from being given to another value.
    """

    def __init__(self, most: int = 4096) -> None:
        self._most = most
        self._held: OrderedDict[tuple[int, ...], tuple[tuple[Any, ...], AnswerT]] = OrderedDict()

    def ask(self, make: Callable[..., AnswerT], *values: Any) -> AnswerT:
        """`make(*values)`, or what it answered before for these very values."""
        key = tuple(map(id, values))
        found = self._held.get(key)
        if found is not None:
            return found[1]
        answer = make(*values)
        self._held[key] = (values, answer)
        if len(self._held) > self._most:
            self._held.popitem(last=False)
        return answer
