"""The same server without a socket: an `Api` for the parts of this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from typing import TypeVar

from oneco.kube.api import (
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
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.apiserver.store import Store

Result = TypeVar("Result")

_MOST_BEHIND = 10_000


class InProcessApi:
    """Answers when what it answers is durable: nothing it said is gone after a crash."""

    def __init__(self, server: ApiServer, store: Store) -> None:
        self._server, self._store = server, store

    async def get(self, address: Address) -> Object:
        return await self._settled(lambda: self._server.get(address))

    async def list(self, address: Address, options: ListOptions = ListOptions()) -> Page:
        return await self._settled(lambda: self._server.list(address, options))

    async def watch(
        self, address: Address, options: WatchOptions = WatchOptions()
    ) -> AsyncGenerator[Event, None]:
        loop, backlog = asyncio.get_running_loop(), Backlog()
        limit = options.timeout_seconds
        end = None if limit is None else loop.time() + limit
        subscription = self._server.watch(address, options, backlog.add)
        backlog.limit = len(backlog.events) + _MOST_BEHIND
        try:
            await self._store.durable(self._store.revision())
            while (event := await backlog.next(end)) is not None:
                yield event
        finally:
            subscription.close()

    async def create(
        self, address: Address, body: Object, options: WriteOptions = WriteOptions()
    ) -> Object:
        return await self._settled(lambda: self._server.create(address, body, options))

    async def replace(
        self, address: Address, body: Object, options: WriteOptions = WriteOptions()
    ) -> Object:
        return await self._settled(lambda: self._server.replace(address, body, options))

    async def patch(
        self, address: Address, patch: Patch, options: WriteOptions = WriteOptions()
    ) -> Object:
        return await self._settled(lambda: self._server.patch(address, patch, options))

    async def apply(
        self, address: Address, body: Object, options: WriteOptions = WriteOptions()
    ) -> Object:
        return await self._settled(lambda: self._server.apply(address, body, options))

    async def delete(self, address: Address, options: DeleteOptions = DeleteOptions()) -> Object:
        return await self._settled(lambda: self._server.delete(address, options))

    async def delete_many(
        self, address: Address, match: Match = Match(), options: DeleteOptions = DeleteOptions()
    ) -> Sequence[Object]:
        return await self._settled(lambda: self._server.delete_many(address, match, options))

    async def discover(self) -> Sequence[ResourceInfo]:
        return self._server.discover()

    async def stream(self, address: Address, query: Mapping[str, str]) -> AsyncIterator[bytes]:
        yield _not_streamed(address)

    async def _settled(self, call: Callable[[], Result]) -> Result:
        return await settled(self._store, call)


async def settled(store: Store, call: Callable[[], Result]) -> Result:
    """What `call` gives or raises, once everything that it may have seen or done is durable."""
    try:
        return call()
    finally:
        # After an error too: "it exists already" is a promise.
        await store.durable(store.revision())


def _not_streamed(address: Address) -> bytes:
    raise MethodNotAllowed(f"{address.subresource} of {address} is not streamed here")
