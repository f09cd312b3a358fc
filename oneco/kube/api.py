"""The one way to talk to a cluster: every answer to it behaves as a kube-apiserver does."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from oneco.kube.objects import Object
from oneco.kube.refs import Address, ResourceInfo

EventType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
PatchType = Literal["json", "merge", "strategic"]
Propagation = Literal["Background", "Foreground", "Orphan"]
FieldValidation = Literal["Strict", "Warn", "Ignore"]

INITIAL_EVENTS_END = "k8s.io/initial-events-end"
"""The annotation of the bookmark that ends the initial events of a watch."""


class Event(NamedTuple):
    """One change seen by a watch; a DELETED event carries the last state."""

    type: EventType
    object: Object


class Page(NamedTuple):
    """One page of a list; `continue_token` is empty on the last."""

    items: Sequence[Object]
    resource_version: str
    continue_token: str = ""
    remaining: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Which objects of a collection: selectors in the text form that URLs carry."""

    labels: str = ""
    fields: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ListOptions:
    """How a collection is listed."""

    match: Match = Match()
    limit: int = 0
    continue_token: str = ""
    resource_version: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WatchOptions:
    """How a collection is watched.

    `from_version` is the version after which events are wanted; empty means from now, with the
    present objects as ADDED events first. `initial_events` asks for them in any case, ended by a
    bookmark that carries INITIAL_EVENTS_END; with `bookmarks` it comes unasked.
    """

    match: Match = Match()
    from_version: str = ""
    bookmarks: bool = True
    initial_events: bool = False
    timeout_seconds: float | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WriteOptions:
    """How a write is done; `manager` owns the fields it sets. `force` is for apply only."""

    manager: str = "oneco"
    force: bool = False
    dry_run: bool = False
    field_validation: FieldValidation = "Warn"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DeleteOptions:
    """How an object is deleted; the preconditions hold it to one uid and version."""

    propagation: Propagation = "Background"
    uid: str = ""
    resource_version: str = ""
    grace_seconds: int | None = None
    dry_run: bool = False


class Patch(NamedTuple):
    """A change to an object: RFC 6902, RFC 7386 or Kubernetes' strategic merge."""

    type: PatchType
    body: Any


class Api(Protocol):
    """One cluster. Raises only what `kube.errors` names.

    An address with a subresource (`status`, `scale`, `approval`, …) goes there. Objects that come
    back are values: they are never changed in place, by neither side.
    """

    async def get(self, address: Address) -> Object:
        """The object at `address`."""
        ...

    async def list(self, address: Address, options: ListOptions = ListOptions()) -> Page:
        """The objects of the collection, ordered by namespace and name."""
        ...

    def watch(
        self, address: Address, options: WatchOptions = WatchOptions()
    ) -> AsyncIterator[Event]:
        """The changes of the collection from then on; ends by itself only with an error."""
        ...

    async def create(
        self, address: Address, body: Object, options: WriteOptions = WriteOptions()
    ) -> Object:
        """Store a new object in the collection; the answer carries what the server added."""
        ...

    async def replace(
        self, address: Address, body: Object, options: WriteOptions = WriteOptions()
    ) -> Object:
        """Put `body` in place of what is there; its resourceVersion, if given, must be current."""
        ...

    async def patch(
        self, address: Address, patch: Patch, options: WriteOptions = WriteOptions()
    ) -> Object:
        """Change what is there."""
        ...

    async def apply(
        self, address: Address, body: Object, options: WriteOptions = WriteOptions()
    ) -> Object:
        """Server-side apply: `options.manager` owns exactly the fields in `body`."""
        ...

    async def delete(self, address: Address, options: DeleteOptions = DeleteOptions()) -> Object:
        """Delete the object: at once, or marked until its finalizers are gone."""
        ...

    async def delete_many(
        self, address: Address, match: Match = Match(), options: DeleteOptions = DeleteOptions()
    ) -> Sequence[Object]:
        """Delete the matching objects of the collection."""
        ...

    async def discover(self) -> Sequence[ResourceInfo]:
        """What this cluster serves, preferred versions first."""
        ...

    def stream(self, address: Address, query: Mapping[str, str]) -> AsyncIterator[bytes]:
        """The bytes of a streaming subresource such as `log`."""
        ...
