"""A copy of a hub's data in one file, taken while it runs or not, and a hub's data out of such.

The file is the database with the few small files that a start needs beside it: the authority that
every agent trusts, the port where they look for the hub, and the clock if it was ever sped up. So
there is one file to keep. All of it but names is sealed with the keys of the data directory, which
are exported apart from it (`keys`) and are needed to begin from it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from oneco.errors import Refused
from oneco.worlds.embedded import unlocking
from oneco.worlds.embedded.database import connect_to_read, copy_database
from oneco.worlds.embedded.keys import KEYS_FILE, KeyFile, KeyRing, parsed
from oneco.worlds.embedded.private_files import write_private
from oneco.worlds.embedded.sealing import NotOpened, Safe
from oneco.worlds.embedded.serve import DATABASE

# Only these names are ever written at a start: what a file calls itself leads nowhere else.
_NEEDED: Final = ("pki/ca.crt", "pki/ca.key")
# A change of the authority that is under way goes on in the hub that begins from the copy.
_CHANGE: Final = (
    *(f"pki/next/{name}" for name in ("ca.crt", "ca.key", "name", "turned")),
    "pki/changed",
)
_KEPT: Final = (*_NEEDED, *_CHANGE, "port", "clock.json")
_MARK: Final = "file:"
_WANTED: Final = "a file that `oneco backup` wrote"


def backup(data: Path, target: Path, *, force: bool = False) -> int:
    """Copy the hub in the data directory to `target`; the answer is the copy's size in bytes.

    A hub that starts from the copy knows that it is one: agents then change nothing until a
    person confirms it. A file that is there already is kept, unless `force` replaces it.
    """
    source = data / DATABASE
    if not source.exists():
        wanted = "the data directory of a hub; --data names another one"
        raise Refused(str(data), found="no data of a hub", wanted=wanted)
    check_target(data, target, force=force)
    safe = _sealing(data, source)
    partial = target.with_name(f".{target.name}.new")
    partial.unlink(missing_ok=True)
    try:
        copy_database(source, partial)
        _put_files(partial, _files(data), safe)
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    return target.stat().st_size


def restore(copy: Path, data: Path, key: Path | None = None) -> None:
    """Make `data` the directory of a hub that goes on from `copy`; nothing else may be there.

    `key` is a file with the keys that the copy was sealed with. Before anything is made, it is
    sure that they open all of it.
    """
    if (data / DATABASE).exists():
        wanted = "a directory without a hub's data: leave out --from to go on with what is there"
        raise Refused(str(data), found="the data of a hub", wanted=wanted)
    files, ring = _read_copy(copy, key)
    keys = KeyFile(data / KEYS_FILE)
    if keys.exists() and (ring is None or keys.read().names() != ring.names()):
        raise Refused(str(keys.path), found="the keys of other data", wanted="a new directory")
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = data / f"{DATABASE}.partial"
    partial.unlink(missing_ok=True)
    copy_database(copy, partial)
    _drop_files(partial)
    if ring is not None:
        # Whoever brought them has a copy of them.
        keys.write(ring.exported())
    for name, content in files.items():
        (data / name).parent.mkdir(mode=0o700, exist_ok=True)
        write_private(data / name, content)
    # The database comes last: with it the directory is a hub's, and whole.
    os.replace(partial, data / DATABASE)


def check_target(data: Path, target: Path, *, force: bool) -> None:
    """Refuse a `target` that may not be written; one that is taken, unless `force` says so."""
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


def _put_files(copy: Path, files: Mapping[str, bytes], safe: Safe) -> None:
    rows = [
        (_MARK + name, safe.seal(content, unlocking.about_file(name)))
        for name, content in files.items()
    ]
    with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN")
        connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)
        connection.execute("COMMIT")


def _drop_files(database: Path) -> None:
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"DELETE FROM meta WHERE name LIKE '{_MARK}%'")


def _sealing(data: Path, source: Path) -> Safe:
    """What seals beside the sealed data of a hub; Refused for plain data of an older oneco."""
    keys = KeyFile(data / KEYS_FILE)
    with contextlib.closing(connect_to_read(source)) as reader:
        needed = unlocking.names_in_use(reader, str(source))
    if not needed:
        wanted = "sealed data: start this hub once with `oneco up`, which seals it"
        raise Refused(str(data), found="plain data of an older oneco", wanted=wanted)
    ring = keys.read()
    unlocking.check_has(ring, needed, str(keys.path))
    return Safe(keys)


def _read_copy(copy: Path, key: Path | None) -> tuple[dict[str, bytes], KeyRing | None]:
    """The small files in a copy, and the keys that opened all of it; none for a plain copy."""
    if not copy.is_file():
        raise Refused(str(copy), found="no file", wanted=_WANTED)
    try:
        with contextlib.closing(connect_to_read(copy)) as reader:
            if reader.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise _damaged(copy)
            needed = unlocking.names_in_use(reader, str(copy))
            ring = _ring(copy, needed, key)
            safe = Safe(KeyFile(copy), ring) if ring else None
            files = _read_files(reader, copy, safe if needed else None)
            if safe and needed:
                for failure in unlocking.not_opened(reader, safe):
                    raise _damaged(copy) from failure
            return files, ring
    except sqlite3.DatabaseError as failure:
        found = f"something else ({failure})"
        raise Refused(str(copy), found=found, wanted=_WANTED) from failure


def _ring(copy: Path, needed: Sequence[str], key: Path | None) -> KeyRing | None:
    if key is None:
        if not needed:
            return None
        names = ", ".join(needed)
        wanted = f"--key FILE with key {names}: `oneco keys export` on the hub wrote such a file"
        raise Refused(str(copy), found="a sealed copy", wanted=wanted)
    try:
        text = key.read_text()
    except (OSError, UnicodeDecodeError) as failure:
        found = "nothing that can be read"
        wanted = "a file that `oneco keys export` wrote"
        raise Refused(str(key), found=found, wanted=wanted) from failure
    ring = parsed(text, str(key))
    unlocking.check_has(ring, needed, str(key))
    return ring


def _read_files(reader: sqlite3.Connection, copy: Path, safe: Safe | None) -> dict[str, bytes]:
    found = dict(reader.execute("SELECT name, value FROM meta").fetchall())
    there = {one: found[_MARK + one] for one in _KEPT if _MARK + one in found}
    if any(one not in there for one in _NEEDED):
        raise _damaged(copy)
    if safe is None:
        return {one: str(value).encode() for one, value in there.items()}
    try:
        return {one: safe.open(value, unlocking.about_file(one)) for one, value in there.items()}
    except NotOpened as failure:
        raise _damaged(copy) from failure


def _damaged(copy: Path) -> Refused:
    return Refused(str(copy), found="a damaged or incomplete copy", wanted=_WANTED)
