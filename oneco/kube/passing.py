"""An `Api` in front of another: it passes everything on, and its kinds step in at every write."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

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

Answer = TypeVar("Answer")


class Write(NamedTuple):
    """One write: how, where, and what it says; `body` is None where it says nothing."""

    verb: str
    """`create`, `replace`, `merge patch`, `apply as MANAGER`, `delete`, `delete all MATCH`, …"""
    address: Address
    body: Any = None
    is_dry: bool = False


class PassingApi(Api):
    """The cluster behind `api`; a kind of this class says what happens around a write."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def around(self, write: Write, act: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer to a write, which `act` does."""
        del write
        return await act()

    async def get(self, address: Address) -> Object:
        """The object at `address`."""
        return await self._api.get(address)

    async def list(self, address: Address, options: ListOptions = ListOptions()) -> Page:
        """The objects of the collection, ordered by namespace and name."""
        return await self._api.list(address, options)

    def watch(
        self, address: Address, options: WatchOptions = WatchOptions()
    ) -> AsyncIterator[Event]:
        """The changes of the collection from then on; ends by itself only with an error."""
        return self._api.watch(address, options)

    async def create(
        self, address: Address, body: Object, options: WriteOptions = WriteOptions()
    ) -> Object:
        """Store a new object in the collection; the answer carries what the server added."""
        write = Write("create", address, body, options.dry_run)
        return await self.around(write, lambda: self._api.create(address, body, options))

    async def replace(
        self, address: Address, body: Object, options: WriteOptions = WriteOptions()
    ) -> Object:
        """Put `body` in place of what is there; its resourceVersion, if given, must be current."""
        write = Write("replace", address, body, options.dry_run)
        return await self.around(write, lambda: self._api.replace(address, body, options))

    async def patch(
        self, address: Address, patch: Patch, options: WriteOptions = WriteOptions()
    ) -> Object:
        """Change what is there."""
        write = Write(f"{patch.type} patch", address, patch.body, options.dry_run)
        return await self.around(write, lambda: self._api.patch(address, patch, options))

    async def apply(
        self, address: Address, body: Object, options: WriteOptions = WriteOptions()
    ) -> Object:
        """Server-side apply: `options.manager` owns exactly the fields in `body`."""
        write = Write(f"apply as {options.manager}", address, body, options.dry_run)
        return await self.around(write, lambda: self._api.apply(address, body, options))

    async def delete(self, address: Address, options: DeleteOptions = DeleteOptions()) -> Object:
        """Delete the object: at once, or marked until its finalizers are gone."""
        write = Write("delete", address, is_dry=options.dry_run)
        return await self.around(write, lambda: self._api.delete(address, options))

    async def delete_many(
        self, address: Address, match: Match = Match(), options: DeleteOptions = DeleteOptions()
    ) -> Sequence[Object]:
        """Delete the matching objects of the collection."""
        write = Write(f"delete all {match}", address, is_dry=options.dry_run)
        return await self.around(write, lambda: self._api.delete_many(address, match, options))

    async def discover(self) -> Sequence[ResourceInfo]:
        """What this cluster serves, preferred versions first."""
        return await self._api.discover()

    def stream(self, address: Address, query: Mapping[str, str]) -> AsyncIterator[bytes]:
        """The bytes of a streaming subresource such as `log`."""
        return self._api.stream(address, query)
