"""One authority follows another: the files of a change, which may be cut off anywhere.

`next/` beside the authority holds the one that follows. While it is there both are trusted,
clients get certificates of the next, and the server shows one of the present. With the turn the
next takes the place of the present.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from oneco.worlds.embedded.private_files import write_private

CERTIFICATE, KEY = "ca.crt", "ca.key"
_NAME, _TURNED, _LAST = "name", "turned", "changed"

Make = Callable[[Path, Path], None]
"""Writes a new authority's certificate and key."""


def next_of(directory: Path) -> Path:
    """Where the authority is that follows, if one does."""
    return directory / "next"


def begin(directory: Path, name: str, make: Make) -> None:
    """Make the authority that follows, and trust it; `name` tells this change from any other."""
    partial = directory / "next.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    make(partial / CERTIFICATE, partial / KEY)
    write_private(partial / _NAME, name.encode())
    partial.rename(next_of(directory))
    resume(directory)


def turn(directory: Path) -> None:
    """Put the authority that follows in the place of the present one."""
    write_private(next_of(directory) / _TURNED, b"")
    resume(directory)


def resume(directory: Path) -> None:
    """Go on with what was cut off."""
    following = next_of(directory)
    if not following.exists():
        return
    certificate, key = following / CERTIFICATE, following / KEY
    if not (following / _TURNED).exists():
        present, new = (directory / CERTIFICATE).read_bytes(), certificate.read_bytes()
        if new not in present:
            write_private(directory / CERTIFICATE, present + new)
        return
    if certificate.exists() and key.exists():
        write_private(directory / KEY, key.read_bytes())
        write_private(directory / CERTIFICATE, certificate.read_bytes())
        write_private(directory / _LAST, (following / _NAME).read_bytes())
    # The mark goes last: until then a start comes here again, and finds everything done.
    for path in (certificate, key, following / _NAME, following / _TURNED):
        path.unlink(missing_ok=True)
    shutil.rmtree(following)


def last_change(directory: Path) -> str:
    """The name of the last change that was completed, empty if there was none."""
    path = directory / _LAST
    return path.read_text() if path.exists() else ""


def present_change(directory: Path) -> str:
    """The name of the change that is under way, empty if none is."""
    path = next_of(directory) / _NAME
    return path.read_text() if path.exists() else ""
