"""Answers remembered by the identity of the immutable values they were made from."""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

AnswerT = TypeVar("AnswerT")
_FEW = 32
"""So many are not worth a look at which of them can go."""


class _Held(NamedTuple):
    values: tuple[Any, ...]
    answer: Any


class Remembered(Generic[AnswerT]):
    """A memory of pure answers: asking again about the very same values costs a look-up.

    Values are told apart by `is`, so equal but separate values are asked about twice. They are
    held as long as the answer is, which keeps their identity from being given to another value.
    A value that nobody else holds any more cannot be asked about again: its answers are forgotten
    now and then, so that the memory is as large as what its askers hold, and `most` at most.
    """

    def __init__(self, most: int = 4096) -> None:
        self._most = most
        self._held: OrderedDict[tuple[int, ...], _Held] = OrderedDict()
        self._left = _FEW
        """So many more are taken in before the next look."""

    def __len__(self) -> int:
        return len(self._held)

    def ask(self, make: Callable[..., AnswerT], *values: Any) -> AnswerT:
        """`make(*values)`, or what it answered before for these very values."""
        key = tuple(map(id, values))
        found = self._held.get(key)
        if found is not None:
            return found.answer  # type: ignore[no-any-return]
        answer = make(*values)
        self._held[key] = _Held(values, answer)
        self._left -= 1
        if self._left <= 0:
            self._tidy()
        if len(self._held) > self._most:
            self._held.popitem(last=False)
        return answer

    def _tidy(self) -> None:
        """Forget what nobody can ask for; the next look is as far away as this one was long."""
        for key in [key for key, held in self._held.items() if _is_lost(held)]:
            del self._held[key]
        self._left = _FEW + len(self._held)


def _is_lost(held: _Held) -> bool:
    """Whether one of the values is held by the memory alone."""
    return any(
        holders - (held.answer is value) <= _ALONE
        for value, holders in zip(held.values, _holders(held.values), strict=True)
    )


def _holders(values: tuple[Any, ...]) -> list[int]:
    return [sys.getrefcount(value) for value in values]


# Versions of Python differ in how often they count the asking itself.
(_ALONE,) = _holders((object(),))
