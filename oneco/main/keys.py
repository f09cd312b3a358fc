"""The keys of a hub's data: looking at them, taking a copy away, sealing everything anew."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from oneco.errors import Refused
from oneco.main.backup import check_target
from oneco.worlds.embedded.keys import KEYS_FILE, KeyFile, KeyRing
from oneco.worlds.embedded.private_files import write_private
from oneco.worlds.embedded.rotation import alone, rotate
from oneco.worlds.embedded.serve import DATABASE


def read(data: Path) -> KeyRing:
    """The keys of the hub in `data`."""
    return _file(data).read()


def rows(data: Path) -> list[dict[str, Any]]:
    """What may be shown of each key of the hub in `data`: all but the key itself."""
    ring = read(data)
    return [
        {
            "name": one.name,
            "made": one.made,
            "use": "seals" if one == ring.current else "opens",
            "exported": one.is_exported,
        }
        for one in ring.keys
    ]


def export(data: Path, target: Path | None, *, force: bool = False) -> str:
    """Write all keys to `target` and note that it was done; their text, for who shows it."""
    keys = _file(data)
    if target is not None:
        check_target(data, target, force=force)
    with alone(keys):
        ring = keys.read().exported()
        if target is not None:
            write_private(target, ring.text().encode())
        keys.write(ring)
    return ring.text()


def change(data: Path) -> Sequence[tuple[str, int]]:
    """Seal the hub's data, and that of each member built into it, with new keys.

    The answer has, for each database, its place and how many values were sealed.
    """
    _file(data)
    databases = [data / DATABASE, *sorted((data / "members").glob(f"*/{DATABASE}"))]
    return [(os.fspath(one), rotate(one)) for one in databases]


def _file(data: Path) -> KeyFile:
    if not (data / DATABASE).exists():
        wanted = "the data directory of a hub; --data names another one"
        raise Refused(str(data), found="no data of a hub", wanted=wanted)
    return KeyFile(data / KEYS_FILE)
