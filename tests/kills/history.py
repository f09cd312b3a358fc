"""What the databases say, read from copies so that the next start finds what the kill left."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from oneco.kinds.oam import REVISIONS
from oneco.kinds.ocm import WORKS
from oneco.kinds.release import RELEASES, UNITS
from oneco.kube.refs import Resource
from oneco.worlds.apiserver.store import Change
from oneco.worlds.embedded.keys import KEYS_FILE
from oneco.worlds.embedded.serve import DATABASE
from oneco.worlds.embedded.sqlite import SqliteStore

FOLLOWED = (REVISIONS, RELEASES, UNITS, WORKS)


@dataclasses.dataclass(slots=True)
class History:
    """The changes of one database as far as they were read, in their order."""

    changes: list[Change] = dataclasses.field(default_factory=list)
    revision: int = 0

    def read(self, store: SqliteStore, resources: Sequence[Resource] = FOLLOWED) -> None:
        """Add what happened since the last reading; the store must still remember all of it."""
        found = [
            change
            for resource in resources
            for change in store.changes(self.revision, collection(resource))
        ]
        self.changes += sorted(found, key=lambda change: change.revision)
        assert store.revision() >= self.revision, "revisions were taken back"
        self.revision = store.revision()


def collection(resource: Resource) -> str:
    """The name under which a store keeps a resource."""
    return f"{resource.group}/{resource.plural}"


@contextlib.contextmanager
def opened(directory: Path) -> Iterator[SqliteStore]:
    """A copy of a dead server's store. The original is not touched, not even to recover it."""
    with tempfile.TemporaryDirectory() as place:
        for found in (*directory.glob(f"{DATABASE}*"), *directory.glob(KEYS_FILE)):
            if not found.name.endswith((".lock", "-shm")):
                shutil.copy(found, place)
        store = SqliteStore(Path(place, DATABASE))
        try:
            yield store
        finally:
            store.close()
