"""What a process without a terminal of its own says to whoever looks: one line when things turn."""

from __future__ import annotations

import sys
from collections.abc import Callable

from oneco.clock import Clock, Instant
from oneco.control.shell import Shell

Say = Callable[[str], None]
"""Takes one line for the person who looks at this process."""

_LOOK_SECONDS = 2.0


def to_stderr(line: str) -> None:
    """Say it where it disturbs no document."""
    print(line, file=sys.stderr, flush=True)


async def troubles(shell: Shell, clock: Clock, say: Say, well: str) -> None:
    """Say when something can no longer be watched or decided, and `well` when all is well again."""
    said = ""
    while True:
        await clock.sleep_until(Instant(clock.now() + _LOOK_SECONDS))
        trouble = next(iter(shell.troubles()), "")
        if bool(trouble) != bool(said):
            said = trouble
            say(f"{trouble}; trying again" if trouble else well)
