"""How objects go: preconditions, grace, finalizers, and the emptying of what holds others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from oneco.clock import Instant
from oneco.kube.api import DeleteOptions
from oneco.kube.errors import Conflict, Forbidden
from oneco.kube.objects import Object, dig
from oneco.kube.times import to_text
from oneco.worlds.apiserver import customs
from oneco.worlds.apiserver.core import Core
from oneco.worlds.apiserver.garbage import FOREGROUND
from oneco.worlds.apiserver.registry import Served
from oneco.worlds.apiserver.store import Key

PODS: Final = "/pods"
NAMESPACES: Final = "/namespaces"
IMMORTAL: Final = frozenset({"default", "kube-system", "kube-public"})
_ORPHAN: Final = "orphan"
_BACKGROUND: Final = DeleteOptions()
_FOREGROUND: Final = DeleteOptions(propagation="Foreground")
# Kinds whose deletion is answered with the object even when it is gone at once.
_ANSWERED: Final = frozenset(
    {PODS, "/services", "/serviceaccounts", "/persistentvolumeclaims", "/persistentvolumes",
     "/podtemplates", "/resourcequotas"}
)  # fmt: skip


class Removal:
    """Deletes objects; `orphan` lets the dependents of a uid go before their owner does."""

    __slots__ = ("_core", "_orphan")

    def __init__(self, core: Core, orphan: Callable[[str], None]) -> None:
        self._core, self._orphan = core, orphan

    def delete(self, served: Served, key: Key, options: DeleteOptions) -> Object:
        """Delete the object at `key`: at once, or marked until its finalizers are gone.

        The answer is the object if it is still there, otherwise what a kube-apiserver answers.
        """
        obj = self._core.get(key)
        if obj is None:
            raise served.missing(key.name)
        self.check(served, obj, options)
        marked = self._marked(key, obj, options)
        if options.dry_run:
            return marked or self._answer(served, key, obj, "")
        if options.propagation == "Orphan":
            self._orphan(obj["metadata"]["uid"])
        if marked is None:
            if self._core.get(key) is not None:
                self._core.store.commit(key, None)
            return self._answer(served, key, obj, str(self._core.store.revision()))
        if marked is not obj:
            self._core.store.commit(key, marked)
        left = self._core.get(key)
        return left if left is not None and _uid(left) == _uid(obj) else marked

    def collect(self, key: Key, in_foreground: bool = False) -> None:
        """Delete a dependent whose owners are gone, or an object whose container goes."""
        obj = self._core.get(key)
        if obj is not None:
            marked = self._marked(key, obj, _FOREGROUND if in_foreground else _BACKGROUND)
            if marked is not obj:
                self._core.store.commit(key, marked)

    def put(self, key: Key, obj: Object) -> Object | None:
        """Store `obj`, or remove it if it was only waiting for what it does not have any more."""
        if is_done(key, obj):
            self._core.store.commit(key, None)
            return None
        return self._core.store.commit(key, obj).after

    def check(self, served: Served, obj: Object, options: DeleteOptions) -> None:
        """Raise what forbids the deletion of `obj`."""
        meta = obj["metadata"]
        name = meta["name"]
        if served.collection == NAMESPACES and name in IMMORTAL:
            raise Forbidden(
                f'namespaces "{name}" is forbidden: this namespace may not be deleted',
                details=served.details(name),
            )
        kind = f"{served.kind.kind}.{served.kind.group}" if served.kind.group else served.kind.kind
        start = f'Operation cannot be fulfilled on {kind} "{name}": '
        details = {**served.details(name), "kind": served.kind.kind}
        if options.uid and options.uid != meta["uid"]:
            raise Conflict(
                f"{start}the UID in the precondition ({options.uid}) does not match the UID in "
                f"record ({meta['uid']}). The object might have been deleted and then recreated",
                details=details,
            )
        if options.resource_version and options.resource_version != meta["resourceVersion"]:
            raise Conflict(
                f"{start}the ResourceVersion in the precondition ({options.resource_version}) does "
                f"not match the ResourceVersion in record ({meta['resourceVersion']}). "
                "The object might have been modified",
                details=details,
            )

    def _marked(self, key: Key, obj: Object, options: DeleteOptions) -> Object | None:
        """`obj` as it stays after its deletion, None if it does not stay."""
        meta = obj["metadata"]
        grace = self._grace(key, obj, options)
        finalizers = _finalizers(meta.get("finalizers") or (), options)
        held = bool(finalizers)
        if key.collection == NAMESPACES:
            held = True
        elif key.collection == customs.COLLECTION:
            finalizers = [
                *finalizers,
                *(() if customs.CLEANUP in finalizers else (customs.CLEANUP,)),
            ]
            held = True
        if grace == 0 and not held:
            return None
        return self._mark(key, obj, finalizers, grace)

    def _mark(self, key: Key, obj: Object, finalizers: list[str], grace: int) -> Object:
        old = obj["metadata"]
        held = old.get("deletionGracePeriodSeconds")
        if "deletionTimestamp" in old and (held is None or grace >= held):
            if finalizers == list(old.get("finalizers") or ()):
                return obj
            meta: dict[str, Any] = {**old, "finalizers": finalizers}
            return {**obj, "metadata": meta}
        meta = dict(old)
        if grace:
            meta["deletionTimestamp"] = to_text(Instant(self._core.clock.now() + grace))
        else:
            meta["deletionTimestamp"] = self._core.present()
        if key.collection not in (NAMESPACES, customs.COLLECTION):
            meta["deletionGracePeriodSeconds"] = grace
        if finalizers:
            meta["finalizers"] = finalizers
        is_counted = meta.get("generation") and key.collection != customs.COLLECTION
        if is_counted and "deletionTimestamp" not in old:
            meta["generation"] += 1
        marked = {**obj, "metadata": meta}
        if key.collection == NAMESPACES:
            marked["status"] = {**(obj.get("status") or {}), "phase": "Terminating"}
        elif key.collection == customs.COLLECTION:
            return customs.terminating(marked, meta["deletionTimestamp"])
        return marked

    def _answer(self, served: Served, key: Key, obj: Object, version: str) -> Object:
        """What is answered when `obj` is gone since `version`, which is empty if it stays."""
        if served.collection not in _ANSWERED:
            details = {**served.details(key.name), "uid": _uid(obj)}
            return {
                "kind": "Status",
                "apiVersion": "v1",
                "metadata": {},
                "status": "Success",
                "details": details,
            }
        if served.collection == PODS:
            obj = self._mark(key, obj, [], 0)
        if not version:
            return obj
        return {**obj, "metadata": {**obj["metadata"], "resourceVersion": version}}

    def _grace(self, key: Key, obj: Object, options: DeleteOptions) -> int:
        if key.collection != PODS:
            return 0
        spec = obj.get("spec") or {}
        if not spec.get("nodeName") or dig(obj, "status", "phase") in ("Succeeded", "Failed"):
            return 0
        if options.grace_seconds is not None:
            return max(options.grace_seconds, 0)
        held = obj["metadata"].get("deletionGracePeriodSeconds")
        if held is not None:
            return int(held)
        wanted = spec.get("terminationGracePeriodSeconds")
        return 30 if wanted is None else int(wanted)


def is_done(key: Key, obj: Object) -> bool:
    """Whether `obj` was deleted and waits for nothing any more."""
    meta = obj["metadata"]
    if "deletionTimestamp" not in meta or meta.get("finalizers"):
        return False
    if key.collection == NAMESPACES:
        return not dig(obj, "spec", "finalizers", default=())
    return not meta.get("deletionGracePeriodSeconds")


def _finalizers(held: Any, options: DeleteOptions) -> list[str]:
    left = [one for one in held if one not in (FOREGROUND, _ORPHAN)]
    if options.propagation == "Foreground" or (options is _BACKGROUND and FOREGROUND in held):
        left.append(FOREGROUND)
    return left


def _uid(obj: Object) -> str:
    return obj["metadata"].get("uid") or ""
