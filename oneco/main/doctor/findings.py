"""What the doctor says."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

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


Judge = Callable[[Facts], Iterator[Finding]]
Ground = Callable[[Facts], bool]


class Check(NamedTuple):
    """Something that may be wrong, and whether there is anything to tell it from."""

    judge: Judge
    applies: Ground


def on(ground: Ground, *judges: Judge) -> tuple[Check, ...]:
    """Checks that all rest on the same."""
    return tuple(Check(judge, ground) for judge in judges)


class Examination(NamedTuple):
    """What was found, errors first, and of how many checks; `idle` had nothing to look at."""

    findings: Sequence[Finding]
    passed: int
    failed: int
    idle: int

    def counted(self) -> dict[str, int]:
        """The numbers as JSON."""
        return {"passed": self.passed, "failed": self.failed, "notApplicable": self.idle}


def judged(facts: Facts, checks: Sequence[Check]) -> Examination:
    """Everything that the checks find, and how many found nothing."""
    found: list[Finding] = []
    passed = failed = 0
    for check in checks:
        if not check.applies(facts):
            continue
        more = list(check.judge(facts))
        found += more
        failed, passed = failed + bool(more), passed + (not more)
    idle = len(checks) - passed - failed
    return Examination(sorted(found, key=lambda one: one.weight != "error"), passed, failed, idle)
