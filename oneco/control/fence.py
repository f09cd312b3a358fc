"""An `Api` that writes only while this process leads: whoever lost the Lease changes nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence

from oneco.control.election import Election
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
from oneco.kube.errors import ServiceUnavailable, Timeout
from oneco.kube.objects import Object
from oneco.kube.refs import Address, ResourceInfo


class FencedApi(Api):
    """The cluster behind `api`, as the holder of an election may use it."""

    def __init__(self, api: Api, election: Election) -> None:
        self._api, self._election = api, election

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
        async with self._held():
            return await self._api.create(address, body, options)

    async def replace(
        self, address: Address, body: Object, options: WriteOptions = WriteOptions()
    ) -> Object:
        """Put `body` in place of what is there; its resourceVersion, if given, must be current."""
        async with self._held():
            return await self._api.replace(address, body, options)

    async def patch(
        self, address: Address, patch: Patch, options: WriteOptions = WriteOptions()
    ) -> Object:
        """Change what is there."""
        async with self._held():
            return await self._api.patch(address, patch, options)

    async def apply(
        self, address: Address, body: Object, options: WriteOptions = WriteOptions()
    ) -> Object:
        """Server-side apply: `options.manager` owns exactly the fields in `body`."""
        async with self._held():
            return await self._api.apply(address, body, options)

    async def delete(self, address: Address, options: DeleteOptions = DeleteOptions()) -> Object:
        """Delete the object: at once, or marked until its finalizers are gone."""
        async with self._held():
            return await self._api.delete(address, options)

    async def delete_many(
        self, address: Address, match: Match = Match(), options: DeleteOptions = DeleteOptions()
    ) -> Sequence[Object]:
        """Delete the matching objects of the collection."""
        async with self._held():
            return await self._api.delete_many(address, match, options)

    async def discover(self) -> Sequence[ResourceInfo]:
        """What this cluster serves, preferred versions first."""
        return await self._api.discover()

    def stream(self, address: Address, query: Mapping[str, str]) -> AsyncIterator[bytes]:
        """The bytes of a streaming subresource such as `log`."""
        return self._api.stream(address, query)

    @contextlib.asynccontextmanager
    async def _held(self) -> AsyncIterator[None]:
        left = self._election.seconds_left()
        if left <= 0:
            raise ServiceUnavailable("this process does not lead the hub and writes nothing")
        try:
            # What is not acknowledged in time is given up before somebody else may lead.
            async with asyncio.timeout(left):
                yield
        except TimeoutError as error:
            raise Timeout("the lease ended before the write was acknowledged") from error
