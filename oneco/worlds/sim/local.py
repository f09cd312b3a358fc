"""A server of this process as an `Api`: no socket, no bytes, no copies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Final

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
from oneco.kube.errors import MethodNotAllowed
from oneco.kube.objects import Object
from oneco.kube.refs import Address, ResourceInfo
from oneco.worlds.apiserver.backlog import Backlog
from oneco.worlds.apiserver.core import IN_PROCESS, Caller
from oneco.worlds.apiserver.server import ApiServer

LONGEST_BACKLOG: Final = 100_000
"""So many events may wait for a slow reader of a watch; one more, and it must list again."""


class LocalApi(Api):
    """One server in memory, asked by `caller`.

    `shows_managers` makes `get` compute managedFields of ordinary updates, which only people and
    tests look at.
    """

    def __init__(
        self, server: ApiServer, *, caller: Caller = IN_PROCESS, shows_managers: bool = False
    ) -> None:
        self.server, self._caller, self._shows_managers = server, caller, shows_managers

    async def get(self, address: Address) -> Object:
        """The object at `address`."""
        return self.server.get(address, managers=self._shows_managers)

    async def list(self, address: Address, options: ListOptions = ListOptions()) -> Page:
        """The objects of the collection, ordered by namespace and name."""
        return self.server.list(address, options)

    async def watch(
        self, address: Address, options: WatchOptions = WatchOptions()
    ) -> AsyncGenerator[Event, None]:
        """The changes of the collection from then on; ends by itself only with an error."""
        backlog = Backlog()
        subscription = self.server.watch(address, options, backlog.add)
        backlog.limit = len(backlog.events) + LONGEST_BACKLOG
        loop = asyncio.get_running_loop()
        end = None if options.timeout_seconds is None else loop.time() + options.timeout_seconds
        try:
            while (event := await backlog.next(end)) is not None:
                yield event
        finally:
            subscription.close()

    async def create(
        self, address: Address, body: Object, options: WriteOptions = WriteOptions()
    ) -> Object:
        """Store a new object in the collection; the answer carries what the server added."""
        return self.server.create(address, body, options, self._caller)

    async def replace(
        self, address: Address, body: Object, options: WriteOptions = WriteOptions()
    ) -> Object:
        """Put `body` in place of what is there; its resourceVersion, if given, must be current."""
        return self.server.replace(address, body, options, self._caller)

    async def patch(
        self, address: Address, patch: Patch, options: WriteOptions = WriteOptions()
    ) -> Object:
        """Change what is there."""
        return self.server.patch(address, patch, options, self._caller)

    async def apply(
        self, address: Address, body: Object, options: WriteOptions = WriteOptions()
    ) -> Object:
        """Server-side apply: `options.manager` owns exactly the fields in `body`."""
        return self.server.apply(address, body, options, self._caller)

    async def delete(self, address: Address, options: DeleteOptions = DeleteOptions()) -> Object:
        """Delete the object: at once, or marked until its finalizers are gone."""
        return self.server.delete(address, options)

    async def delete_many(
        self, address: Address, match: Match = Match(), options: DeleteOptions = DeleteOptions()
    ) -> Sequence[Object]:
        """Delete the matching objects of the collection."""
        return self.server.delete_many(address, match, options)

    async def discover(self) -> Sequence[ResourceInfo]:
        """What this cluster serves, preferred versions first."""
        return self.server.discover()

    def stream(self, address: Address, query: Mapping[str, str]) -> AsyncIterator[bytes]:
        """Nothing in memory has a byte stream."""
        raise MethodNotAllowed(f"{address} streams nothing: its containers are simulated")
