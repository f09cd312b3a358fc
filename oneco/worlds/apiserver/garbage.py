"""Owners and their dependents: what goes when its owner goes, and who waits for whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from oneco.kube.objects import Object, dig
from oneco.worlds.apiserver.core import Core
from oneco.worlds.apiserver.store import Change, Key

FOREGROUND: Final = "foregroundDeletion"
Collect = Callable[[Key, bool], None]
Put = Callable[[Key, Object], object]


class Garbage:
    """The dependents of every owner, kept with each commit.

    `collect` deletes one of them, in the foreground or not; `put` stores a change of one.
    """

    __slots__ = ("_collect", "_core", "_dependents", "_put")

    def __init__(self, core: Core, collect: Collect, put: Put) -> None:
        self._core, self._collect, self._put = core, collect, put
        # Dictionaries as ordered sets: the order of deletion must not depend on hashing.
        self._dependents: dict[str, dict[Key, None]] = {}

    def load(self, collections: Iterable[str]) -> None:
        """Learn the owners of everything that is stored already."""
        for collection in collections:
            for obj in self._core.store.scan(collection):
                meta = obj["metadata"]
                if meta.get("ownerReferences"):
                    key = Key(collection, meta.get("namespace") or "", meta["name"])
                    self._enter(key, meta["ownerReferences"])

    def observe(self, change: Change) -> None:
        """Follow one commit: index its owners, and collect what lost its last one."""
        _, key, before, after = change
        held = before["metadata"].get("ownerReferences") if before is not None else None
        if after is None:
            assert before is not None, f"{key} was removed and was not there"
            self._removed(key, before, held or ())
            return
        meta = after["metadata"]
        owners = meta.get("ownerReferences")
        if owners is not held:
            self._leave(key, held or ())
            self._enter(key, owners or ())
        if "deletionTimestamp" in meta and FOREGROUND in (meta.get("finalizers") or ()):
            was = before["metadata"].get("finalizers") if before is not None else None
            if was is None or FOREGROUND not in was:
                self._sweep(key, after)

    def dependents(self, uid: str) -> tuple[Key, ...]:
        """The objects that name `uid` as an owner."""
        return tuple(self._dependents.get(uid, ()))

    def orphan(self, uid: str) -> None:
        """Let go of every dependent of `uid`."""
        for key in self.dependents(uid):
            self._disown(key, uid)

    def check_owners(self, key: Key, obj: Object) -> None:
        """Collect an object none of whose owners exist; let go of those of several that do not."""
        owners = obj["metadata"].get("ownerReferences") or ()
        absent = [owner.get("uid") or "" for owner in owners if not self._exists(key, owner)]
        if not absent:
            return
        if len(absent) == len(owners):
            self._collect(key, False)
            return
        for uid in absent:
            self._disown(key, uid)

    def _removed(self, key: Key, before: Object, owners: Iterable[Object]) -> None:
        self._leave(key, owners)
        uid = before["metadata"].get("uid") or ""
        if uid in self._dependents:
            for dependent in self.dependents(uid):
                self._lost_owner(dependent, uid)
        for owner in owners:
            if owner.get("blockOwnerDeletion"):
                self._release(key, owner)

    def _lost_owner(self, key: Key, uid: str) -> None:
        obj = self._core.get(key)
        if obj is None:
            return
        if self._has_other(key, obj, uid):
            self._disown(key, uid)
        elif "deletionTimestamp" not in obj["metadata"]:
            self._collect_dependent(key, obj)

    def _sweep(self, key: Key, owner: Object) -> None:
        """Delete the dependents of an owner that waits for them, or the owner if it has none."""
        uid = owner["metadata"]["uid"]
        for dependent in self.dependents(uid):
            obj = self._core.get(dependent)
            if obj is not None and "deletionTimestamp" not in obj["metadata"]:
                self._swept(dependent, obj, uid)
        self._release_key(key, uid)

    def _swept(self, key: Key, obj: Object, uid: str) -> None:
        if self._has_other(key, obj, uid):
            self._disown(key, uid)
        else:
            self._collect_dependent(key, obj)

    def _has_other(self, key: Key, obj: Object, uid: str) -> bool:
        """Whether an owner other than `uid` stays: one that waits for its dependents does not."""
        owners = obj["metadata"].get("ownerReferences") or ()
        others = [one for one in owners if one.get("uid") != uid and self._exists(key, one)]
        return not all(self._waits(self._key_of(key, one)) for one in others)

    def _collect_dependent(self, key: Key, obj: Object) -> None:
        meta = obj["metadata"]
        owners = meta.get("ownerReferences") or ()
        below = self.dependents(meta["uid"])
        # What has dependents of its own waits for them, so that the first owner goes last.
        waits = bool(below) and any(self._waits(self._key_of(key, one)) for one in owners)
        if waits and any(self._waits(one) for one in below):
            # They may wait for one another in a circle.
            free = [{**one, "blockOwnerDeletion": False} for one in owners]
            self._put(key, {**obj, "metadata": {**meta, "ownerReferences": free}})
        self._collect(key, waits)

    def _waits(self, key: Key | None) -> bool:
        """Whether the object at `key` goes once its dependents are gone."""
        obj = self._core.get(key) if key is not None else None
        if obj is None:
            return False
        meta = obj["metadata"]
        return "deletionTimestamp" in meta and FOREGROUND in (meta.get("finalizers") or ())

    def _release(self, dependent: Key, reference: Object) -> None:
        """Let an owner go that waited in the foreground, if nothing else holds it."""
        key = self._key_of(dependent, reference)
        if key is not None:
            self._release_key(key, reference.get("uid") or "")

    def _release_key(self, key: Key, uid: str) -> None:
        owner = self._core.get(key)
        if owner is None or owner["metadata"].get("uid") != uid:
            return
        meta = owner["metadata"]
        finalizers = meta.get("finalizers") or ()
        if "deletionTimestamp" not in meta or FOREGROUND not in finalizers:
            return
        if any(self._blocks(dependent, uid) for dependent in self.dependents(uid)):
            return
        left = [one for one in finalizers if one != FOREGROUND]
        self._put(key, {**owner, "metadata": {**meta, "finalizers": left}})

    def _blocks(self, key: Key, uid: str) -> bool:
        obj = self._core.get(key)
        owners = dig(obj, "metadata", "ownerReferences", default=()) if obj else ()
        return any(one.get("uid") == uid and one.get("blockOwnerDeletion") for one in owners)

    def _disown(self, key: Key, uid: str) -> None:
        obj = self._core.get(key)
        if obj is None:
            return
        meta = dict(obj["metadata"])
        left = [one for one in meta.pop("ownerReferences", ()) if one.get("uid") != uid]
        if left:
            meta["ownerReferences"] = left
        self._put(key, {**obj, "metadata": meta})

    def _exists(self, dependent: Key, reference: Object) -> bool:
        key = self._key_of(dependent, reference)
        if key is None:
            # The owner's kind is not served here: nobody can say that it is gone.
            return True
        owner = self._core.get(key)
        return owner is not None and owner["metadata"].get("uid") == reference.get("uid")

    def _key_of(self, dependent: Key, reference: Object) -> Key | None:
        served = self._core.registry.of_kind(
            reference.get("apiVersion") or "", reference.get("kind") or ""
        )
        if served is None:
            return None
        space = dependent.namespace if served.namespaced else ""
        return Key(served.collection, space, reference.get("name") or "")

    def _enter(self, key: Key, owners: Iterable[Object]) -> None:
        for owner in owners:
            self._dependents.setdefault(owner.get("uid") or "", {})[key] = None

    def _leave(self, key: Key, owners: Iterable[Object]) -> None:
        for owner in owners:
            keys = self._dependents.get(owner.get("uid") or "")
            if keys is not None:
                keys.pop(key, None)
                if not keys:
                    del self._dependents[owner.get("uid") or ""]
