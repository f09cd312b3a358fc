"""What an agent was last told, on its disk: it goes on with it while the hub is silent."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from oneco.control.cache import Cache, Seen
from oneco.control.shell import Shell
from oneco.kinds import ocm
from oneco.kube import objects
from oneco.kube.objects import Object
from oneco.kube.remembered import Remembered
from oneco.worlds.embedded.sealed_file import SealedFile
from oneco.worlds.embedded.sealing import NotOpened

# Many changes in a row are written together: the file has all of them each time.
_PAUSE_SECONDS = 1.0
_FILE, _PLAIN = "intent", "intent.json"


# Every write has all works in it, of which most are as they were.
_stripped: Remembered[Object] = Remembered(1024)


class _Kept(msgspec.Struct, frozen=True):
    cluster: dict[str, Any] | None
    """The ManagedCluster: it says which life of the hub spoke."""
    works: tuple[dict[str, Any], ...]
    is_watched: bool = True
    """Whether the hub knows our kinds besides Open Cluster Management's."""


class Intent:
    """The works of one cluster, as the hub told them last.

    A work that the hub no longer has is forgotten here too; nothing is ever deleted for that.
    """

    def __init__(self, directory: Path, cluster: str) -> None:
        self._cluster = cluster
        # It holds whole manifests, Secrets among them.
        self._file = SealedFile(directory / _FILE, f"intent of {cluster}")
        self._plain = directory / _PLAIN
        self.trouble = ""
        """Why what is on the disk cannot be read, if so."""
        self._cache: Cache | None = None
        self._next = 0.0
        self._is_planned = False
        self._kept = self._read()
        self.is_watched = self._kept.is_watched
        """What the hub said last; to be corrected when it says otherwise."""

    def begin(self, shell: Shell) -> int:
        """Let `shell` begin with what is on the disk and keep that as it is; how many works."""
        kept = self._kept
        if kept.cluster is not None:
            # Only who was told something may begin before the hub answers.
            shell.preload("hub", ocm.CLUSTERS, (kept.cluster,))
            shell.preload("hub", ocm.WORKS, kept.works)
        self._kept = _Kept(None, ())
        if self._plain.exists():
            self._file.write(objects.encode(msgspec.to_builtins(kept)))
            self._plain.unlink()
        self._cache = shell.cache
        shell.cache.listen(self._note)
        return len(kept.works)

    def end(self) -> None:
        """Write what is not yet on the disk."""
        if self._is_planned:
            self._write()

    def _read(self) -> _Kept:
        try:
            kept = msgspec.json.decode(self._content() or b"", type=_Kept)
        except msgspec.DecodeError:
            # The hub will say it all again; until then there is nothing to go on with.
            return _Kept(None, ())
        except NotOpened as failure:
            self.trouble = f"what the hub said last cannot be read, so it is waited for: {failure}"
            return _Kept(None, ())
        is_own = kept.cluster is None or objects.name(kept.cluster) == self._cluster
        return kept if is_own else _Kept(None, ())

    def _content(self) -> bytes | None:
        found = self._file.read()
        # An agent of before kept it plain; where something was sealed once, plain is a forgery.
        if found is None and not self._file.has_keys() and self._plain.exists():
            return self._plain.read_bytes()
        return found

    def _note(self, seen: Seen) -> None:
        if seen.side != "hub" or seen.resource not in (ocm.WORKS, ocm.CLUSTERS):
            return
        if _told(seen.old) == _told(seen.new) or self._is_planned:
            return
        self._is_planned = True
        loop = asyncio.get_running_loop()
        # At the end of this turn, so before any answer to what is done about the news.
        loop.call_later(max(0.0, self._next - loop.time()), self._write)

    def _write(self) -> None:
        assert self._cache is not None, "nothing is written before `begin`"
        self._is_planned = False
        self._next = asyncio.get_running_loop().time() + _PAUSE_SECONDS
        cluster = self._cache.table("hub", ocm.CLUSTERS).objects.get(("", self._cluster))
        works = self._cache.table("hub", ocm.WORKS).listed(self._cluster)
        told = [_told(work) for work in works]
        kept = {"cluster": cluster, "works": told, "is_watched": self.is_watched}
        self._file.write(objects.encode(kept))


def _told(obj: Object | None) -> Object | None:
    """What the hub says in `obj`, without what is said to the hub."""
    return None if obj is None else _stripped.ask(_strip, obj)


def _strip(obj: Object) -> Object:
    without_status = objects.drop(obj, ("status",))
    for field in ("resourceVersion", "managedFields"):
        without_status = objects.drop(without_status, ("metadata", field))
    return without_status
