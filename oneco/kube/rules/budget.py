"""What the rules of one schema may cost: each of them, and all of them together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from oneco.kube import causes
from oneco.kube.errors import Cause
from oneco.kube.rules.bounds import plus

MOST_OF_ONE: Final = 10_000_000
MOST_OF_ALL: Final = 100_000_000
_NAMED_OF_ALL: Final = 4
_ADVICE: Final = (
    "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, "
    "maps, and strings are declared)"
)


class Budget:
    """Counts what the rules of a schema cost; one by one they are looked at only if `is_new`."""

    def __init__(self, is_new: bool) -> None:
        self._is_new = is_new
        self._total = 0
        self._dear: list[tuple[int, str]] = []

    def spend(self, field: str, name: str, cost: int) -> Iterator[Cause]:
        """Count the rule at `field`; what is wrong with its own cost, which is called `name`."""
        if self._is_new and cost > MOST_OF_ONE:
            yield causes.forbidden(field, _words(name, cost, MOST_OF_ONE))
        self._total = plus(self._total, cost)
        if cost >= MOST_OF_ALL // 100:
            self._dear.append((cost, field))

    def faults(self, path: str) -> Iterator[Cause]:
        """What is wrong with the cost of all rules of the schema at `path`."""
        if self._total <= MOST_OF_ALL:
            return
        dearest = sorted(self._dear, key=lambda one: -one[0])[:_NAMED_OF_ALL]
        for _, field in dearest:
            yield causes.forbidden(field, _CONTRIBUTED)
        yield causes.forbidden(path, _words(_TOTAL, self._total, MOST_OF_ALL))


def _words(name: str, cost: int, limit: int) -> str:
    factor = cost / limit
    if factor > 100:
        shown = "more than 100x"
    else:
        shown = f"{factor:f}x" if factor < 1.5 else f"{factor:.1f}x"
    return f"{name} exceeds budget by factor of {shown} {_ADVICE}"


_TOTAL: Final = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
_CONTRIBUTED: Final = (
    "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"
)
