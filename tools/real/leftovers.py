"""Processes of test runs: noted in a file before they matter, ended when their run is gone.

    python -m tools.real.leftovers

ends what runs that were killed have left behind. A process is known by its id and the moment it
began, so that no process that came later by the same id is ever touched.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path

_PATIENCE_SECONDS = 5.0


def folder() -> Path:
    """Where runs note their processes: one file a run."""
    return Path.home() / ".cache" / "oneco" / "real-processes"


def note(pid: int) -> None:
    """Write down that this process started the process group of `pid`."""
    folder().mkdir(parents=True, exist_ok=True)
    line = json.dumps({"pid": pid, "began": began(pid)})
    mine = _file(os.getpid())
    if not mine.exists():
        atexit.register(mine.unlink, missing_ok=True)
    with mine.open("a") as notes:
        notes.write(line + "\n")


def notes_of(owner: int) -> list[str]:
    """What a living process has noted."""
    mine = _file(owner)
    return mine.read_text().splitlines() if mine.exists() else []


def sweep() -> int:
    """End what runs that are gone have left; how many process groups there were."""
    ended = 0
    for notes in sorted(folder().glob("*-*.jsonl")):
        owner, _, since = notes.stem.partition("-")
        if began(int(owner)) == since:
            continue
        for line in notes.read_text().splitlines():
            with contextlib.suppress(ValueError):
                one = json.loads(line)
                ended += end(one["pid"], one["began"])
        notes.unlink(missing_ok=True)
    return ended


def end(pid: int, since: str) -> bool:
    """Kill the group of the process that began then; whether it was there."""
    if not since or began(pid) != since:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    limit = time.monotonic() + _PATIENCE_SECONDS
    while began(pid) == since and time.monotonic() < limit:
        time.sleep(0.02)
    return True


def _file(owner: int) -> Path:
    return folder() / f"{owner}-{began(owner)}.jsonl"


def began(pid: int) -> str:
    """The moment a living process began, in the kernel's own count; empty if there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    # The name, in parentheses, may itself hold spaces.
    fields = text.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]


if __name__ == "__main__":
    ended = sweep()
    if ended:
        print(f"real: ended {ended} processes that earlier runs left", file=sys.stderr)
