"""What a process has seen of its clusters: objects by side and resource, by label and owner."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from oneco.decision import Failure, Side
from oneco.kube import objects
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource

Place = tuple[str, str]
"""Namespace and name."""


class Seen(NamedTuple):
    """A change that the cache took in; `old` is None for a new object, `new` for a gone one."""

    side: Side
    resource: Resource
    old: Object | None
    new: Object | None


Listener = Callable[[Seen], None]


class Table:
    """One resource of one cluster."""

    def __init__(self, indexed: Iterable[str]) -> None:
        self.objects: dict[Place, Object] = {}
        self._by_namespace: dict[str, dict[str, Object]] = {}
        self._labelled: dict[str, dict[str, dict[Place, Object]]] = {key: {} for key in indexed}
        self._owned: dict[str, dict[Place, Object]] = {}
        self._gone: dict[Place, int] = {}

    def put(self, place: Place, obj: Object, listed_at: int = 0) -> tuple[bool, Object | None]:
        """Take `obj` in unless something at least as new is known: whether taken, and the old.

        A list of version `listed_at` decides about everything that is not newer than the list.
        What is kept has the very spec of the old, if that is the same.
        """
        old = self.objects.get(place)
        version = _version(obj)
        if old is not None and _is_stale(version, _version(old), listed_at):
            return False, old
        if _is_stale(version, self._gone.get(place, 0), listed_at):
            return False, None
        obj = _sharing(old, obj)
        self.objects[place] = obj
        self._by_namespace.setdefault(place[0], {})[place[1]] = obj
        self._index(place, old, obj)
        return True, old

    def remove(self, place: Place, version: int) -> Object | None:
        """Forget what is at `place`; late news from before `version` will not bring it back."""
        old = self.objects.get(place)
        if old is not None and 0 < version < _version(old):
            return None  # what was deleted is not what is known by now
        self.objects.pop(place, None)
        if version:
            self._gone[place] = version
            if len(self._gone) > 10_000:
                self._gone.pop(next(iter(self._gone)))
        if old is not None:
            self._by_namespace[place[0]].pop(place[1], None)
            self._index(place, old, None)
        return old

    def listed(self, namespace: str) -> list[Object]:
        """The objects of a namespace, or all, in the order of their places."""
        if namespace:
            found = self._by_namespace.get(namespace)
            return [found[name] for name in sorted(found)] if found else []
        return [self.objects[place] for place in sorted(self.objects)]

    def labelled(self, key: str, value: str) -> list[Object]:
        """The objects with this label, in the order of their places."""
        assert key in self._labelled, f"label {key} is not indexed: declare it with the source"
        found = self._labelled[key].get(value)
        return [found[place] for place in sorted(found)] if found else []

    def owned(self, uid: str) -> list[Object]:
        """The objects that the object of this uid controls, in the order of their places."""
        found = self._owned.get(uid)
        return [found[place] for place in sorted(found)] if found else []

    def _index(self, place: Place, old: Object | None, new: Object | None) -> None:
        self._index_owner(place, old, new)
        for key, values in self._labelled.items():
            before = objects.labels(old).get(key) if old is not None else None
            after = objects.labels(new).get(key) if new is not None else None
            if before is not None and before != after:
                values[before].pop(place, None)
            if after is not None and new is not None:
                values.setdefault(after, {})[place] = new

    def _index_owner(self, place: Place, old: Object | None, new: Object | None) -> None:
        before, after = _owner(old), _owner(new)
        if before and before != after:
            held = self._owned[before]
            held.pop(place, None)
            if not held:
                del self._owned[before]
        if after and new is not None:
            self._owned.setdefault(after, {})[place] = new


class Cache:
    """Everything that the informers of one process hold."""

    def __init__(self) -> None:
        self._tables: dict[tuple[Side, Resource], Table] = {}
        self._indexed: dict[tuple[Side, Resource], set[str]] = {}
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call `listener` with every change that is taken in."""
        self._listeners.append(listener)

    def index(self, side: Side, resource: Resource, labels: Iterable[str]) -> None:
        """Keep these labels of a resource findable; to be said before its first object comes."""
        assert (side, resource) not in self._tables, f"{resource.plural} is already being cached"
        self._indexed.setdefault((side, resource), set()).update(labels)

    def table(self, side: Side, resource: Resource) -> Table:
        """The table of one resource, made when first asked for."""
        key = (side, resource)
        table = self._tables.get(key)
        if table is None:
            table = self._tables[key] = Table(self._indexed.get(key, ()))
        return table

    def take(self, side: Side, resource: Resource, obj: Object, listed_at: int = 0) -> None:
        """An object as a watch or the answer to a write shows it, or a list of that version."""
        place = (objects.namespace(obj), objects.name(obj))
        table = self.table(side, resource)
        taken, old = table.put(place, obj, listed_at)
        if taken:
            self._tell(Seen(side, resource, old, table.objects[place]))

    def drop(self, side: Side, resource: Resource, obj: Object) -> None:
        """An object that a watch saw deleted; `obj` is its last state."""
        place = (objects.namespace(obj), objects.name(obj))
        old = self.table(side, resource).remove(place, _version(obj))
        if old is not None:
            self._tell(Seen(side, resource, old, None))

    def settle(self, side: Side, address: Address, listed: Sequence[Object], version: str) -> None:
        """A whole collection as just listed: take it in, and drop what it no longer has."""
        resource, scope = address.resource, address.namespace
        table = self.table(side, resource)
        listed_at = int(version) if version.isdecimal() else 0
        present = {(objects.namespace(obj), objects.name(obj)) for obj in listed}
        for place in [p for p in table.objects if p not in present and scope in ("", p[0])]:
            old = table.remove(place, 0)
            self._tell(Seen(side, resource, old, None))
        for obj in listed:
            self.take(side, resource, obj, listed_at)

    def _tell(self, seen: Seen) -> None:
        for listener in self._listeners:
            listener(seen)


class CacheReader:
    """The cache as a decider's gathering sees it, with the failures of one key."""

    def __init__(self, cache: Cache, failures: Sequence[Failure] = ()) -> None:
        self._cache, self._failures = cache, failures

    def get(self, address: Address, side: Side = "hub") -> Object | None:
        """The object at `address`, or None."""
        table = self._cache.table(side, address.resource)
        return table.objects.get((address.namespace, address.name))

    def list(self, resource: Resource, namespace: str = "", side: Side = "hub") -> Sequence[Object]:
        """The collection, ordered by namespace and name."""
        return self._cache.table(side, resource).listed(namespace)

    def labelled(
        self, resource: Resource, label: tuple[str, str], side: Side = "hub"
    ) -> Sequence[Object]:
        """The objects that carry this label with this value."""
        return self._cache.table(side, resource).labelled(*label)

    def owned(self, resource: Resource, uid: str, side: Side = "hub") -> Sequence[Object]:
        """The objects that the object of this uid controls."""
        return self._cache.table(side, resource).owned(uid)

    def failures(self) -> Sequence[Failure]:
        """What the API refused the last time that this key was acted for."""
        return self._failures


def _sharing(old: Object | None, new: Object) -> Object:
    """`new` with the very spec of `old`, if that is the same.

    Every change of a status comes with the whole spec again, decoded anew: what deciders remember
    of a spec, they remember by its identity.
    """
    if old is None or not objects.generation(new):
        return new
    spec = old.get("spec")
    # Python takes 1 and true for equal; a server that counts generations does not.
    is_same = objects.generation(old) == objects.generation(new) and spec == new.get("spec")
    return {**new, "spec": spec} if spec and is_same and spec is not new["spec"] else new


def _owner(obj: Object | None) -> str:
    reference = objects.controller_of(obj) if obj is not None else None
    return "" if reference is None else str(reference.get("uid") or "")


def _is_stale(version: int, known: int, listed_at: int) -> bool:
    """Whether `version` tells nothing new where `known` was seen.

    A server that was put back to an earlier state lists older versions than were seen: a list that
    is newer than all of them is believed.
    """
    if not version or version > known:
        return False
    return version == known or known > listed_at


def _version(obj: Object) -> int:
    # Kubernetes' resource versions are comparable numbers; anything else counts as always newer.
    text = objects.resource_version(obj)
    return int(text) if text.isdecimal() else 0
