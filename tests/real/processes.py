"""One program of a control plane as a process group of its own, with a log."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.real import leftovers

_PATIENCE_SECONDS = 10.0
_LOOK_SECONDS = 0.02


class Program:
    """Starts the same command as often as it is told to; one process at a time.

    Start it in the main thread only: the process goes when the thread that started it goes.
    """

    def __init__(self, name: str, words: Sequence[str | Path], log: Path) -> None:
        self.name, self.log = name, log
        self._words = [*_dies_with_us(), *map(str, words)]
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def process_id(self) -> int:
        """The process that runs now."""
        assert self._popen is not None, f"{self.name} does not run"
        return self._popen.pid

    def start(self) -> None:
        """Start it."""
        assert self._popen is None, f"{self.name} runs already"
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                self._words,
                cwd=self.log.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        leftovers.note(self._popen.pid)

    def check(self) -> None:
        """Fail with its own last words if it ended by itself."""
        if self._popen is not None and self._popen.poll() is not None:
            raise AssertionError(f"{self.name} ended by itself:\n{self.last_words()}")

    def tell(self, number: signal.Signals) -> None:
        """Send a signal to its whole group."""
        assert self._popen is not None, f"{self.name} does not run"
        os.killpg(self._popen.pid, number)

    def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it with its whole group, and wait until it is gone."""
        popen, self._popen = self._popen, None
        if popen is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(popen.pid, number)
        try:
            popen.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(popen.pid, signal.SIGKILL)
            popen.wait(_PATIENCE_SECONDS)

    def last_words(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-3000:]


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listened on a moment ago, all different."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def until(is_so: Callable[[], bool], otherwise: Callable[[], str], seconds: float) -> None:
    """Return once `is_so`; fail with what `otherwise` says if that takes too long."""
    limit = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < limit, f"not within {seconds:g} s: {otherwise()}"
        time.sleep(_LOOK_SECONDS)


def _dies_with_us() -> list[str]:
    """Words before a command that make Linux end it when its parent is killed."""
    found = shutil.which("setpriv")
    return [found, "--pdeathsig", "KILL"] if found else []
