"""Looking at a directory, the file system under it, and the process that holds it."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from oneco.main.doctor.facts import Disk, Holder, PrivateFile

_PROBE: Final = ".doctor"
_PRIVATE: Final = (
    "objects.db", "objects.db-wal", "keys", "kubeconfig", "journal.jsonl", "journal.key",
    "pki/*.key", "pki/next/*.key",
    "members/*/objects.db", "members/*/keys", "members/*/pki/*.key",
    "hub.pem", "hub.kubeconfig", "joining.json", "intent",
)  # fmt: skip
_PARTIAL: Final = ("*.partial", "pki/*.partial", "members/*/*.partial")


def look(data: Path, flush: Callable[[int], None] = os.fsync) -> Disk:
    """The state of `data` and its disk; one small file is written and taken away."""
    write_error, flush_error, seconds = _try_to_write(data, flush)
    found = os.statvfs(data)
    return Disk(
        write_error=write_error,
        flush_error=flush_error,
        flush_seconds=seconds,
        free_bytes=found.f_bavail * found.f_frsize,
        private=tuple(_private(data)),
        leftovers=tuple(sorted(one for pattern in _PARTIAL for one in data.glob(pattern))),
    )


def holder(lock: Path) -> Holder:
    """Who holds the lock file."""
    try:
        handle = os.open(lock, os.O_RDONLY)
    except OSError:
        return Holder()
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as failure:
        if failure.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            return Holder()
        said = os.read(handle, 32).decode(errors="replace").strip()
        process = int(said) if said.isdecimal() else -1
        return Holder(process=process, program=program(process))
    finally:
        os.close(handle)
    return Holder()


def program(process: int) -> str:
    """The name of the program of a process, without its arguments: they may hold anything."""
    try:
        words = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    names = [os.path.basename(word.decode(errors="replace")) for word in words[:2]]
    # An interpreter says nothing: what it runs does.
    is_script = names[0].startswith("python") and len(names) > 1 and not names[1].startswith("-")
    return names[1] if is_script else names[0]


def _try_to_write(data: Path, flush: Callable[[int], None]) -> tuple[str, str, float]:
    probe = data / f"{_PROBE}-{os.getpid()}"
    try:
        handle = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as failure:
        return _words(failure), "", 0.0
    try:
        os.write(handle, b"x" * 4096)
        start = time.monotonic()
        flush(handle)
        return "", "", time.monotonic() - start
    except OSError as failure:
        # A full disk is a finding of its own.
        is_full = failure.errno in (errno.ENOSPC, errno.EDQUOT)
        return ("", "", 0.0) if is_full else ("", _words(failure), 0.0)
    finally:
        os.close(handle)
        probe.unlink()


def _private(data: Path) -> Iterator[PrivateFile]:
    user = os.geteuid()
    for path in sorted({one for pattern in _PRIVATE for one in data.glob(pattern)}):
        try:
            found = path.stat()
        except OSError:
            continue
        yield PrivateFile(
            path=path,
            mode=found.st_mode & 0o777,
            owner=found.st_uid,
            is_ours=user in (0, found.st_uid),
        )


def _words(failure: OSError) -> str:
    return (failure.strerror or str(failure)).lower()
