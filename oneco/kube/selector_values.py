"""One condition of a label selector."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Final


@dataclasses.dataclass(frozen=True, slots=True)
class Requirement:
    """One label, what is asked about it, and the values to compare with."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether these labels answer the requirement."""
        operator, found = self.operator, labels.get(self.key)
        if operator in ("=", "==", "in"):
            return found in self.values
        if operator in ("!=", "notin"):
            return found not in self.values
        if operator in ("exists", "!"):
            return (found is None) == (operator == "!")
        return self._compares(found)

    @property
    def is_one_value(self) -> bool:
        """Whether exactly one value answers the requirement."""
        return self.operator in ("=", "==", "in") and len(self.values) == 1

    def _compares(self, found: str | None) -> bool:
        (limit,) = self.values
        try:
            number = int(found or "")
        except ValueError:
            return False
        return number > int(limit) if self.operator == "gt" else number < int(limit)

    def __str__(self) -> str:
        if self.operator == "exists":
            return self.key
        if self.operator == "!":
            return f"!{self.key}"
        values = ",".join(sorted(self.values))
        if self.operator in ("in", "notin"):
            return f"{self.key} {self.operator} ({values})"
        return f"{self.key}{_SIGNS.get(self.operator, self.operator)}{values}"


_SIGNS: Final = {"gt": ">", "lt": "<"}
