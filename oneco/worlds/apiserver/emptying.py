"""What holds other objects goes last: namespaces, and the definitions of custom kinds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from oneco.kube.errors import Cause, Forbidden, NotFound
from oneco.kube.objects import Object
from oneco.worlds.apiserver import customs
from oneco.worlds.apiserver.core import Core
from oneco.worlds.apiserver.registry import Served
from oneco.worlds.apiserver.removal import NAMESPACES, Removal
from oneco.worlds.apiserver.store import Change, Key


class Namespaces:
    """Refuses objects in namespaces that are not there or go; empties those that go."""

    __slots__ = ("_core", "_going", "_removal")

    def __init__(self, core: Core, removal: Removal) -> None:
        self._core, self._removal = core, removal
        self._going: dict[str, None] = {}

    def admit(self, served: Served, key: Key) -> None:
        """Raise unless new objects may be created in the namespace of `key`."""
        if not key.namespace:
            return
        namespace = self._core.get(Key(NAMESPACES, "", key.namespace))
        if namespace is None:
            raise NotFound(
                f'namespaces "{key.namespace}" not found',
                details={"name": key.namespace, "kind": "namespaces"},
            )
        if "deletionTimestamp" in namespace["metadata"]:
            raise Forbidden(
                f'{served.group_resource} "{key.name}" is forbidden: unable to create new content '
                f"in namespace {key.namespace} because it is being terminated",
                causes=(
                    Cause(
                        "metadata.namespace",
                        f"namespace {key.namespace} is being terminated",
                        "NamespaceTerminating",
                    ),
                ),
                details=served.details(key.name),
            )

    def load(self) -> None:
        """Go on emptying what was being emptied when the store was closed."""
        for namespace in self._core.store.scan(NAMESPACES):
            if "deletionTimestamp" in namespace["metadata"]:
                self._going[namespace["metadata"]["name"]] = None

    def observe(self, change: Change) -> None:
        """Empty a namespace that was just marked."""
        after, name = change.after, change.key.name
        if after is None:
            self._going.pop(name, None)
        elif "deletionTimestamp" in after["metadata"] and name not in self._going:
            self._going[name] = None
            self._empty(name)

    def left(self, namespace: str) -> None:
        """Let a namespace go that lost an object, if that was the last."""
        if namespace in self._going:
            self._finish(namespace)

    def _empty(self, name: str) -> None:
        store = self._core.store
        for served in self._contents(name):
            for obj in tuple(store.scan(served.collection, name)):
                self._removal.collect(Key(served.collection, name, obj["metadata"]["name"]))
        self._finish(name)

    def _finish(self, name: str) -> None:
        key = Key(NAMESPACES, "", name)
        namespace = self._core.get(key)
        if namespace is None or self._contents(name):
            return
        spec: dict[str, Any] = dict(namespace.get("spec") or {})
        left = [one for one in spec.pop("finalizers", ()) if one != "kubernetes"]
        if left:
            spec["finalizers"] = left
        self._removal.put(key, {**namespace, "spec": spec})

    def _contents(self, name: str) -> Sequence[Served]:
        store = self._core.store
        return [
            served
            for collection, served in self._core.registry.stored().items()
            if served.namespaced and store.count(collection, name)
        ]


class Definitions:
    """Serves what CustomResourceDefinitions define, from their creation to their last object."""

    __slots__ = ("_core", "_going", "_removal")

    def __init__(self, core: Core, removal: Removal) -> None:
        self._core, self._removal = core, removal
        self._going: dict[str, Key] = {}

    def load(self) -> None:
        """Serve what is defined in the store already."""
        for crd in self._core.store.scan(customs.COLLECTION):
            key = Key(customs.COLLECTION, "", crd["metadata"]["name"])
            self._serve(key, crd)

    def observe(self, change: Change) -> None:
        """Follow one commit of a definition."""
        key, before, after = change.key, change.before, change.after
        if after is None:
            assert before is not None, f"{key} was removed and was not there"
            self._core.registry.withdraw(before["spec"]["group"], before["spec"]["names"]["plural"])
            self._going.pop(_collection(before), None)
            return
        if before is None or before.get("spec") is not after.get("spec"):
            self._serve(key, after)
        if "deletionTimestamp" in after["metadata"]:
            self._empty(key, after)

    def left(self, collection: str) -> None:
        """Let a definition go whose kind lost an object, if that was the last."""
        key = self._going.get(collection)
        if key is not None:
            self._finish(key, collection)

    def _serve(self, key: Key, crd: Object) -> None:
        registry, spec = self._core.registry, crd["spec"]
        registry.withdraw(spec["group"], spec["names"]["plural"])
        registry.serve(customs.served_by(crd))
        if "deletionTimestamp" in crd["metadata"]:
            self._going[_collection(crd)] = key

    def _empty(self, key: Key, crd: Object) -> None:
        collection = _collection(crd)
        if collection in self._going:
            return
        self._going[collection] = key
        for obj in tuple(self._core.store.scan(collection)):
            meta = obj["metadata"]
            self._removal.collect(Key(collection, meta.get("namespace") or "", meta["name"]))
        self._finish(key, collection)

    def _finish(self, key: Key, collection: str) -> None:
        crd = self._core.get(key)
        if crd is None or self._core.store.count(collection):
            return
        meta = crd["metadata"]
        left = [one for one in meta.get("finalizers") or () if one != customs.CLEANUP]
        self._removal.put(key, {**crd, "metadata": {**meta, "finalizers": left}})


def _collection(crd: Object) -> str:
    return f"{crd['spec']['group']}/{crd['spec']['names']['plural']}"
