"""A new key for a data directory, while its server runs or not."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from oneco.clock import Instant
from oneco.worlds.embedded.database import connect_to_read, connect_to_write
from oneco.worlds.embedded.keys import KEYS_FILE, KeyFile
from oneco.worlds.embedded.ownership import FileOwner
from oneco.worlds.embedded.sealing import Safe
from oneco.worlds.embedded.unlocking import names_in_use, reseal, unlocked


def rotate(path: Path) -> int:
    """Seal the database at `path` anew with a new key; how many values.

    If an earlier change of keys was cut off, that one is finished instead. The keys before stay
    in the file of keys: backups that were made with them need them.
    """
    keys = KeyFile(path.with_name(KEYS_FILE))
    with alone(keys):
        return _rotate(path, keys)


@contextlib.contextmanager
def alone(keys: KeyFile) -> Iterator[None]:
    """One process at a time changes the file of keys: no key may be lost to another's write."""
    owner = FileOwner(keys.path.with_name(keys.path.name + ".lock"))
    try:
        yield
    finally:
        owner.release()


def _rotate(path: Path, keys: KeyFile) -> int:
    with contextlib.closing(connect_to_read(path)) as reader:
        unlocked(reader, keys, str(path))
        in_use = names_in_use(reader, str(path))
    ring = keys.read()
    if in_use == (ring.current.name,):
        # The key is on the disk before anything is sealed with it.
        keys.write(ring.grown(Instant(time.time())))
    with contextlib.closing(connect_to_write(path)) as connection:
        return reseal(connection, Safe(keys))
