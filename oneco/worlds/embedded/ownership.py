"""One process at a time may write a file."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from oneco.errors import Refused


class FileOwner:
    """Holds a file for this process until it is let go or the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # The kernel drops an flock with the process, so no stale lock survives a kill.
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as failure:
            holder = os.read(self._file, 32).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise Refused(
                str(path.parent),
                found=f"in use by process {holder}",
                wanted="one process at a time: stop that one, or choose another data directory",
            ) from failure
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let the next process have the file."""
        os.close(self._file)
