"""Runs each file of real tests in a session of its own, with clusters of its own.

    python -m tools.real.apart [--also TOLD] [FILE ...]

Beside other tests the controllers of real clusters are late, and what one file leaves behind
another would count. A file that fails is asked once more, and has to pass then.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tools.real import leftovers

_ROOT = Path(__file__).parents[2]
_LIMIT_SECONDS = 900.0
_PATIENCE_SECONDS = 20.0


class Told(NamedTuple):
    """What came of one file."""

    file: str
    is_good: bool
    seconds: float
    passed: int
    failed: int
    worlds: dict[str, int]
    tries: int = 1

    def line(self) -> str:
        """It as a row for people."""
        outcome = "ok  " if self.is_good else "FAIL"
        again = "  (the second time)" if self.is_good and self.tries > 1 else ""
        return f"{outcome} {self.file:<48} {self.passed:>5} passed {self.seconds:>6.0f} s{again}"


def files() -> list[str]:
    """All places of tests that need real clusters, those that share a conftest as one."""
    shared = ["tests/contract", "tests/clients"]
    found = sorted(_ROOT.glob("tests/real/**/test_*.py"), key=lambda path: (-len(path.parts), path))
    return [*shared, *(str(path.relative_to(_ROOT)) for path in found)]


def run(file: str) -> Told:
    """One file, asked once more if it fails."""
    told = _once(file)
    if told.is_good:
        return told
    print(f"once more: {file}", flush=True)
    return _once(file)._replace(tries=2)


def _once(file: str) -> Told:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "told.json"
        status = _pytest(file, {"ONECO_REAL": "1", "ONECO_TOLD": str(notes)})
        told = json.loads(notes.read_text()) if notes.exists() else {}
    leftovers.sweep()
    return Told(
        file,
        status == 0,
        time.monotonic() - began,
        told.get("passed", 0),
        told.get("failed", 0 if status == 0 else 1),
        told.get("worlds", {}),
    )


def _pytest(file: str, variables: dict[str, str]) -> int:
    command = [sys.executable, "-m", "pytest", "-q", "--durations=10", "-m", "real", file]
    environment = {**os.environ, **variables}
    with subprocess.Popen(command, cwd=_ROOT, env=environment, start_new_session=True) as process:
        try:
            return process.wait(_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            print(f"{file} took longer than {_LIMIT_SECONDS:g} s", flush=True)
            return _ended(process)


def _ended(process: subprocess.Popen[bytes]) -> int:
    for number in (signal.SIGINT, signal.SIGKILL):
        os.killpg(process.pid, number)
        try:
            process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        break
    return 1


def report(ran: Sequence[Told], also: Mapping[str, Any]) -> str:
    """All of them as a table; the last line says how many passed and failed, `also` counted in."""
    worlds = collections.Counter(also.get("worlds", {}))
    passed, failed = also.get("passed", 0), also.get("failed", 0)
    for told in ran:
        worlds.update(told.worlds)
        passed, failed = passed + told.passed, failed + told.failed
    counts = ", ".join(f"{world} {count}" for world, count in worlds.most_common())
    lines = [told.line() for told in ran]
    lines.append(f"cases that passed on each world, in all: {counts or 'none'}")
    return "\n".join([*lines, f"{passed} passed, {failed} failed"])


def main() -> int:
    """Run the named files, or all; 0 if every one is good."""
    parser = argparse.ArgumentParser(prog="./dev real apart", description=__doc__)
    parser.add_argument("files", nargs="*", metavar="FILE", help="tests; all real ones by default")
    parser.add_argument("--also", type=Path, metavar="TOLD", help="a run to count in (ONECO_TOLD)")
    chosen = parser.parse_args()
    told = {} if chosen.also is None else json.loads(chosen.also.read_text())
    ran = [run(file) for file in chosen.files or files()]
    print(report(ran, told), flush=True)
    return 0 if all(one.is_good for one in ran) else 1


if __name__ == "__main__":
    sys.exit(main())
