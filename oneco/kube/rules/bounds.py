"""Amounts that may have no bound, and the calls whose cost is asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

UNBOUNDED: Final = 2**64 - 1
"""What cannot be bounded; no sum or product is more."""


class Size(NamedTuple):
    """The least and the most elements of a value."""

    least: int
    most: int

    def plus(self, other: Size) -> Size:
        """The size of both together."""
        return Size(plus(self.least, other.least), plus(self.most, other.most))

    def times(self, other: Size) -> Size:
        """The size of as many as there are in the other."""
        return Size(times(self.least, other.least), times(self.most, other.most))

    def either(self, other: Size) -> Size:
        """The size of one or the other."""
        return Size(min(self.least, other.least), max(self.most, other.most))


ANY_SIZE: Final = Size(0, UNBOUNDED)
ONE: Final = Size(1, 1)


def plus(*numbers: int) -> int:
    """The sum, if that can be counted."""
    return min(sum(numbers), UNBOUNDED)


def times(one: int, other: int) -> int:
    """The product, if that can be counted."""
    return min(one * other, UNBOUNDED)


def scaled(number: int, factor: float) -> int:
    """`number` by a factor, rounded up."""
    made = float(number) * factor
    return UNBOUNDED if made >= float(2**64) else math.ceil(made)


class Part(NamedTuple):
    """A target or an argument of a call."""

    expr: Any
    kind: str
    size: Size
    """As far as the estimate knows it."""
    element_kind: str
    element_size: Size
    message: str
    """The name of a type that is a message."""

    @property
    def is_list(self) -> bool:
        """Whether it is known to be a list."""
        return self.kind == "list"


class Call(NamedTuple):
    """One call by one of its overloads."""

    function: str
    overload: str
    target: Part | None
    args: Sequence[Part]
    arg_costs: Sequence[int]
