"""The directory that an object was applied from, written on the object so that pruning knows it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from oneco.errors import Refused
from oneco.kinds.naming import digest
from oneco.kinds.parts import GROUP
from oneco.kube import objects
from oneco.kube.objects import Object, drop, put

ANNOTATION: Final = f"{GROUP}/source"
"""On an applied object: the directory it came from."""
LABEL: Final = f"{GROUP}/source"
"""The same as a hash, so that a server can select by it."""


def of(paths: Sequence[str], named: str = "") -> str:
    """The source that these paths are: a name given to it, or the one directory among them."""
    if named:
        return named
    if len(paths) == 1 and Path(paths[0]).is_dir():
        return str(Path(paths[0]).resolve())
    return ""


def needed(paths: Sequence[str], named: str) -> str:
    """The source, where nothing can be done without one."""
    found = of(paths, named)
    if not found:
        wanted = "one directory, or --source NAME: only what came from there can be pruned"
        raise Refused("--prune", found=", ".join(paths), wanted=wanted)
    return found


def mark(obj: Object, source: str) -> Object:
    """`obj` as one that came from `source`."""
    marked = put(obj, ("metadata", "annotations", ANNOTATION), source)
    return put(marked, ("metadata", "labels", LABEL), key(source))


def keep(obj: Object, live: Object | None) -> Object:
    """`obj` with the source that `live` carries: applying one file leaves its directory's mark."""
    there = objects.annotations_of(live or {}).get(ANNOTATION, "")
    return mark(obj, there) if there else obj


def unmarked(obj: Object) -> Object:
    """`obj` without the mark: where it came from is no part of what it is."""
    for path in (("metadata", "annotations", ANNOTATION), ("metadata", "labels", LABEL)):
        obj = drop(obj, path)
    for field in ("annotations", "labels"):
        if objects.metadata(obj).get(field) == {}:
            obj = drop(obj, ("metadata", field))
    return obj


def key(source: str) -> str:
    """The label value of a source."""
    return digest(source, length=20)
