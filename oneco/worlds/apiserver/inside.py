"""The quick way in for behaviours of the same process: no validation, no defaults, no managers.

What is written here is believed. Bodies are values that the writer built by sharing structure
with what it read; the server stamps versions, follows owners and finalizers, and tells watches.
"""

from __future__ import annotations

from typing import Any

from oneco.kube.objects import Object
from oneco.worlds.apiserver import customs
from oneco.worlds.apiserver.core import Core
from oneco.worlds.apiserver.removal import Removal
from oneco.worlds.apiserver.store import Key


class Inside:
    """Reads and writes by key; raises nothing but our own bugs."""

    __slots__ = ("_core", "_removal")

    def __init__(self, core: Core, removal: Removal) -> None:
        self._core, self._removal = core, removal

    def get(self, key: Key) -> Object | None:
        """The object at `key`, None if there is none."""
        return self._core.store.get(key)

    def create(self, key: Key, body: Object) -> Object:
        """Store `body` at the free `key`; its metadata gets name, namespace, uid and time.

        `body["metadata"]` may bring labels, annotations, ownerReferences, finalizers and a
        generation; everything else of `body` is stored as it is, status included.
        """
        core = self._core
        meta: dict[str, Any] = {
            "name": key.name,
            "uid": core.fresh_uid(key),
            "creationTimestamp": core.present(),
            **body["metadata"],
        }
        if key.namespace:
            meta["namespace"] = key.namespace
        stored = core.store.commit(key, {**body, "metadata": meta}).after
        assert stored is not None, "a creation stores something"
        return stored

    def define(self, crd: Object) -> Object:
        """Serve the kind that this sound CustomResourceDefinition defines, from now on.

        A definition that is shared by many servers is completed and compiled once.
        """
        body = customs.shared(crd)
        status = customs.accepted_status(body, self._core.present())
        key = Key(customs.COLLECTION, "", body["metadata"]["name"])
        return self.create(key, {**body, "status": status})

    def put(self, key: Key, after: Object) -> Object | None:
        """Store `after` in place of what is at `key`; None if that let a deleted object go."""
        return self._removal.put(key, after)

    def remove(self, key: Key) -> None:
        """Remove the object at `key` now, whatever its grace or finalizers say."""
        if self._core.store.get(key) is not None:
            self._core.store.commit(key, None)

    def delete(self, key: Key) -> None:
        """Delete the object at `key` as a controller would: with grace and finalizers."""
        self._removal.collect(key)
