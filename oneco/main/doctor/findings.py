"""What the doctor says."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from oneco.main.doctor.facts import Facts

Weight = Literal["error", "warning"]


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong (error), or will be (warning), and the command that mends it."""

    code: str
    about: str
    message: str
    command: str
    weight: Weight = "error"

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return dataclasses.asdict(self)


Check = Callable[[Facts], Iterator[Finding]]


def judged(facts: Facts, checks: Sequence[Check]) -> list[Finding]:
    """Everything that the checks find, errors first."""
    found = [finding for check in checks for finding in check(facts)]
    return sorted(found, key=lambda one: one.weight != "error")
