"""A copy of a hub's data in one file, taken while it runs or not, and a hub's data out of such.

The file is the database with the few small files that a start needs beside it: the authority that
every agent trusts, the port where they look for the hub, and the clock if it was ever sped up. So
there is one file to keep, which SQLite itself checks; it holds the authority's private key and is
its owner's alone.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from oneco.errors import Refused
from oneco.worlds.embedded.database import copy_database
from oneco.worlds.embedded.private_files import write_private
from oneco.worlds.embedded.serve import DATABASE

# Only these names are ever written at a start: what a file calls itself leads nowhere else.
_NEEDED: Final = ("pki/ca.crt", "pki/ca.key")
_KEPT: Final = (*_NEEDED, "port", "clock.json")
_MARK: Final = "file:"


def backup(data: Path, target: Path, *, force: bool = False) -> int:
    """Copy the hub in the data directory to `target`; the answer is the copy's size in bytes.

    A hub that starts from the copy knows that it is one: agents then change nothing until a
    person confirms it. A file that is there already is kept, unless `force` replaces it.
    """
    source = data / DATABASE
    if not source.exists():
        wanted = "the data directory of a hub; --data names another one"
        raise Refused(str(data), found="no data of a hub", wanted=wanted)
    _check_target(data, target, force=force)
    partial = target.with_name(f".{target.name}.new")
    partial.unlink(missing_ok=True)
    try:
        copy_database(source, partial)
        _put_files(partial, _files(data))
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    return target.stat().st_size


def restore(copy: Path, data: Path) -> None:
    """Make `data` the directory of a hub that goes on from `copy`; nothing else may be there."""
    if (data / DATABASE).exists():
        wanted = "a directory without a hub's data: leave out --from to go on with what is there"
        raise Refused(str(data), found="the data of a hub", wanted=wanted)
    files = _read_files(copy)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = data / f"{DATABASE}.partial"
    partial.unlink(missing_ok=True)
    copy_database(copy, partial)
    for name, content in files.items():
        (data / name).parent.mkdir(mode=0o700, exist_ok=True)
        write_private(data / name, content)
    # The database comes last: with it the directory is a hub's, and whole.
    os.replace(partial, data / DATABASE)


def _check_target(data: Path, target: Path, *, force: bool) -> None:
    if not target.absolute().parent.is_dir():
        raise Refused(str(target.parent), found="nothing", wanted="a directory that exists")
    if target.resolve().is_relative_to(data.resolve()):
        wanted = "a place outside the hub's own data"
        raise Refused(str(target), found="a file in the data directory", wanted=wanted)
    if target.is_dir() or (target.exists() and not force):
        found = "a directory" if target.is_dir() else "a file"
        wanted = "the name of a file" if target.is_dir() else "a name that is not taken, or --force"
        raise Refused(str(target), found=found, wanted=wanted)


def _files(data: Path) -> dict[str, bytes]:
    return {name: (data / name).read_bytes() for name in _KEPT if (data / name).exists()}


def _put_files(copy: Path, files: Mapping[str, bytes]) -> None:
    rows = [(_MARK + name, content.decode()) for name, content in files.items()]
    with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN")
        connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)
        connection.execute("COMMIT")


def _read_files(copy: Path) -> dict[str, bytes]:
    wanted = "a file that `oneco backup` wrote"
    if not copy.is_file():
        raise Refused(str(copy), found="no file", wanted=wanted)
    address = f"{copy.absolute().as_uri()}?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
            is_sound = connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
            found = dict(connection.execute("SELECT name, value FROM meta").fetchall())
    except sqlite3.DatabaseError as failure:
        raise Refused(str(copy), found=f"something else ({failure})", wanted=wanted) from failure
    files = {one: found[_MARK + one].encode() for one in _KEPT if _MARK + one in found}
    if not is_sound or any(one not in files for one in _NEEDED):
        raise Refused(str(copy), found="a damaged or incomplete copy", wanted=wanted)
    return files
