"""No write that raises exposure during a pause; drift repair goes on.

Between the commit that pauses a release and the one that lets it go on, no work of its units gets
another spec, unless the release is being rolled back; and no unit gets to its next batch.
"""

from __future__ import annotations

from typing import Any

from oneco.worlds.apiserver.store import Change
from tests.rehearsals.checkers.watching import UNITS, WORKS, Watching, name, status


class Checker(Watching):
    """Looks at every write of a work or a unit while its release is paused."""

    def on_hub(self, change: Change) -> None:
        """A work or a unit was written."""
        before, after = change.before, change.after
        if after is None or change.key.collection not in (UNITS, WORKS):
            return
        unit = self.unit(change.key.namespace)
        release = self.release_of(unit) if unit is not None else None
        if release is None or not release["spec"].get("paused"):
            return
        if status(release).get("phase") in ("RollingBack", "RolledBack"):
            return
        if change.key.collection == WORKS and (before or {}).get("spec") != after["spec"]:
            self.breaks(f"{change.key.namespace}: a work got another spec during a pause")
        if change.key.collection == UNITS and _batch(after) > _batch(before or {}):
            self.breaks(f"{name(after)} got to batch {_batch(after)} during a pause")


def _batch(unit: Any) -> int:
    return int(status(unit).get("batch") or 0)
