"""What hub and agents write, in order, as far as two runs of one story must agree on it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple

from oneco.kinds import ocm
from oneco.kinds.release import OBSERVATIONS
from oneco.kube import objects
from oneco.kube.api import (
    Api,
    DeleteOptions,
    Event,
    ListOptions,
    Match,
    Page,
    Patch,
    WatchOptions,
    WriteOptions,
)
from oneco.kube.objects import Object
from oneco.kube.refs import Address, ResourceInfo

_REPORTS = frozenset({OBSERVATIONS.plural, ocm.CLUSTERS.plural, "leases", "events"})
"""Written again and again to say how things are: statuses in all but name."""
_OWN = frozenset(
    {"resourceVersion", "uid", "creationTimestamp", "generation", "managedFields", "selfLink"}
)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Write(NamedTuple):
    """One write that was accepted: where, of what, how, and what it said."""

    side: str
    collection: str
    namespace: str
    name: str
    verb: str
    body: Any

    @property
    def object(self) -> str:
        """The object that was written, as one word. Pods have random names: all are one."""
        name = "*" if self.collection == "pods" else self.name
        return f"{self.side}: {self.collection} {self.namespace}/{name}"


class Recorder:
    """An `Api` that notes in `log` what is written through it."""

    def __init__(self, side: str, api: Api, log: list[Write]) -> None:
        self._side, self._api, self._log = side, api, log

    async def get(self, address: Address) -> Object:
        """The object at `address`."""
        return await self._api.get(address)

    async def list(self, address: Address, options: ListOptions = ListOptions()) -> Page:
        """The objects of the collection."""
        return await self._api.list(address, options)

    def watch(
        self, address: Address, options: WatchOptions = WatchOptions()
    ) -> AsyncIterator[Event]:
        """The changes of the collection."""
        return self._api.watch(address, options)

    async def create(
        self, address: Address, body: Object, options: WriteOptions = WriteOptions()
    ) -> Object:
        """Store a new object."""
        answer = await self._api.create(address, body, options)
        name = address.name or objects.name(body)
        self._note(address._replace(name=name), "create", body, is_dry=options.dry_run)
        return answer

    async def replace(
        self, address: Address, body: Object, options: WriteOptions = WriteOptions()
    ) -> Object:
        """Put `body` in place of what is there."""
        answer = await self._api.replace(address, body, options)
        self._note(address, "replace", body, is_dry=options.dry_run)
        return answer

    async def patch(
        self, address: Address, patch: Patch, options: WriteOptions = WriteOptions()
    ) -> Object:
        """Change what is there."""
        answer = await self._api.patch(address, patch, options)
        self._note(address, f"{patch.type} patch", patch.body, is_dry=options.dry_run)
        return answer

    async def apply(
        self, address: Address, body: Object, options: WriteOptions = WriteOptions()
    ) -> Object:
        """Server-side apply."""
        answer = await self._api.apply(address, body, options)
        self._note(address, f"apply as {options.manager}", body, is_dry=options.dry_run)
        return answer

    async def delete(self, address: Address, options: DeleteOptions = DeleteOptions()) -> Object:
        """Delete the object."""
        answer = await self._api.delete(address, options)
        self._note(address, "delete", None, is_dry=options.dry_run)
        return answer

    async def delete_many(
        self, address: Address, match: Match = Match(), options: DeleteOptions = DeleteOptions()
    ) -> Sequence[Object]:
        """Delete the matching objects of the collection."""
        answer = await self._api.delete_many(address, match, options)
        self._note(address, f"delete all {match}", None, is_dry=options.dry_run)
        return answer

    async def discover(self) -> Sequence[ResourceInfo]:
        """What this cluster serves."""
        return await self._api.discover()

    def stream(self, address: Address, query: Mapping[str, str]) -> AsyncIterator[bytes]:
        """The bytes of a streaming subresource."""
        return self._api.stream(address, query)

    def _note(self, address: Address, verb: str, body: Any, *, is_dry: bool) -> None:
        plural = address.resource.plural
        if is_dry or address.subresource or plural in _REPORTS:
            return
        group = address.resource.group
        collection = f"{plural}.{group}" if group else plural
        place = (address.namespace, address.name)
        self._log.append(Write(self._side, collection, *place, verb, normal(body)))


def normal(value: Any) -> Any:
    """`value` without what differs from one run to the next, and without what says nothing."""
    if isinstance(value, str):
        return _UID.sub("<uid>", _TIME.sub("<time>", value))
    if isinstance(value, Mapping):
        parts = {key: normal(part) for key, part in value.items() if key not in (*_OWN, "status")}
        # Go writes empty structures and nulls where others write nothing.
        return {key: part for key, part in sorted(parts.items()) if part not in (None, {}, [])}
    if isinstance(value, list | tuple):
        return [normal(one) for one in value]
    return value
