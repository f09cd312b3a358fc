"""Starting the command.

The installed `oneco --help`, from the start of its process to its end, and beside it a Python that
does nothing. `oneco version` shows what a command costs that is more than a page of text.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Figure

_SCRIPT = Path(sys.executable).parent / "oneco"


def measure(starts: int) -> list[Figure]:
    """Milliseconds of wall time, one sample a start."""
    nothing, page, version = [], [], []
    for _ in range(starts):
        # In turns, so that whatever else the machine does befalls each alike.
        nothing.append(_started([sys.executable, "-c", "pass"]))
        page.append(_started([str(_SCRIPT), "--help"]))
        version.append(_started([str(_SCRIPT), "version"]))
    return [
        Figure(
            name="help",
            title="`oneco --help`",
            unit="ms",
            samples=tuple(page),
            aim=150,
            beside="startup/nothing",
        ),
        Figure(name="version", title="`oneco version`", unit="ms", samples=tuple(version)),
        Figure(name="nothing", title="`python -c pass`", unit="ms", samples=tuple(nothing)),
    ]


def _started(command: Sequence[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - began) * 1e3
