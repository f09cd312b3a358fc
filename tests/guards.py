"""Catches whoever changes an object in place: objects are values, stores share them with all."""

from __future__ import annotations

import sys
from collections.abc import Generator
from typing import Any

import pytest

from oneco.kube import objects

_EVERY = 7
"""One stored object of so many is looked at again; a run of any length meets all code paths."""
_MOST = 400


@pytest.fixture(autouse=True)
def nobody_changes_stored_objects(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Fail the test in which an object changed after it was stored in memory."""
    memory = sys.modules.get("oneco.worlds.apiserver.memory")
    if memory is None:
        yield
        return
    kept: list[tuple[Any, bytes]] = []
    commit = memory.MemoryStore.commit

    def watched(store: Any, key: Any, after: Any) -> Any:
        change = commit(store, key, after)
        if change.after is not None and change.revision % _EVERY == 0 and len(kept) < _MOST:
            kept.append((change.after, objects.encode(change.after)))
        return change

    monkeypatch.setattr(memory.MemoryStore, "commit", watched)
    yield
    for obj, stored in kept:
        assert objects.encode(obj) == stored, f"changed in place after it was stored: {obj}"
