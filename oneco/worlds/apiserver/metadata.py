"""The parts of metadata that belong to the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from oneco.kube.objects import Object
from oneco.worlds.apiserver.store import Key

_GIVEN: Final = ("labels", "annotations", "ownerReferences", "finalizers")
_SERVERS: Final = (
    "name", "generateName", "namespace", "creationTimestamp", "deletionTimestamp",
    "deletionGracePeriodSeconds", "generation", "managedFields", "resourceVersion", "uid",
)  # fmt: skip


def new(given: Object, key: Key, *, uid: str, now: str, generation: int) -> Mapping[str, Any]:
    """The metadata of a new object at `key`: what was given of it, and what the server adds."""
    meta: dict[str, Any] = {"name": key.name}
    if given.get("generateName"):
        meta["generateName"] = given["generateName"]
    if key.namespace:
        meta["namespace"] = key.namespace
    meta["uid"] = uid
    meta["creationTimestamp"] = now
    if generation:
        meta["generation"] = generation
    for part in _GIVEN:
        value = given.get(part)
        if value:
            meta[part] = value
    if given.get("managedFields"):
        meta["managedFields"] = given["managedFields"]
    return meta


def kept(given: Object, old: Object) -> Mapping[str, Any]:
    """`given` with the server's own parts as they are in `old`; `old` itself if nothing differs."""
    if given is old:
        return old
    meta: dict[str, Any] = {}
    for part in _SERVERS:
        value = old.get(part)
        if value is not None:
            meta[part] = value
    for part in _GIVEN:
        value = given.get(part)
        if value:
            meta[part] = value
    return old if meta == old else meta
