"""A simulated server as somebody sees it who is at the other end of a line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

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
from oneco.kube.objects import Object
from oneco.kube.refs import Address, ResourceInfo
from oneco.worlds.apiserver.core import IN_PROCESS, Caller
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.sim.line import Line
from oneco.worlds.sim.local import LocalApi


class LineApi(LocalApi):
    """One server in memory behind `line`: what the line stops raises ServiceUnavailable."""

    def __init__(self, server: ApiServer, line: Line, *, caller: Caller = IN_PROCESS) -> None:
        super().__init__(server, caller=caller)
        self.line = line

    async def get(self, address: Address) -> Object:
        """The object at `address`."""
        await self.line.pass_through()
        return await super().get(address)

    async def list(self, address: Address, options: ListOptions = ListOptions()) -> Page:
        """The objects of the collection, ordered by namespace and name."""
        await self.line.pass_through()
        return await super().list(address, options)

    async def watch(
        self, address: Address, options: WatchOptions = WatchOptions()
    ) -> AsyncGenerator[Event, None]:
        """The changes of the collection from then on; ends with an error when the line is cut."""
        line = self.line
        await line.pass_through()
        wire = line.open_wire()
        subscription = self.server.watch(address, options, lambda event: line.send(wire, event))
        timer = None
        if options.timeout_seconds is not None:
            loop = asyncio.get_running_loop()
            timer = loop.call_later(options.timeout_seconds, wire.finish)
        try:
            while (event := await wire.take()) is not None:
                yield event
        finally:
            subscription.close()
            line.close_wire(wire)
            if timer is not None:
                timer.cancel()

    async def create(
        self, address: Address, body: Object, options: WriteOptions = WriteOptions()
    ) -> Object:
        """Store a new object in the collection; the answer carries what the server added."""
        await self.line.pass_through()
        return self._answered(await super().create(address, body, options))

    async def replace(
        self, address: Address, body: Object, options: WriteOptions = WriteOptions()
    ) -> Object:
        """Put `body` in place of what is there; its resourceVersion, if given, must be current."""
        await self.line.pass_through()
        return self._answered(await super().replace(address, body, options))

    async def patch(
        self, address: Address, patch: Patch, options: WriteOptions = WriteOptions()
    ) -> Object:
        """Change what is there."""
        await self.line.pass_through()
        return self._answered(await super().patch(address, patch, options))

    async def apply(
        self, address: Address, body: Object, options: WriteOptions = WriteOptions()
    ) -> Object:
        """Server-side apply: `options.manager` owns exactly the fields in `body`."""
        await self.line.pass_through()
        return self._answered(await super().apply(address, body, options))

    async def delete(self, address: Address, options: DeleteOptions = DeleteOptions()) -> Object:
        """Delete the object: at once, or marked until its finalizers are gone."""
        await self.line.pass_through()
        return self._answered(await super().delete(address, options))

    async def delete_many(
        self, address: Address, match: Match = Match(), options: DeleteOptions = DeleteOptions()
    ) -> Sequence[Object]:
        """Delete the matching objects of the collection."""
        await self.line.pass_through()
        found = await super().delete_many(address, match, options)
        self.line.check_answer()
        return found

    async def discover(self) -> Sequence[ResourceInfo]:
        """What this cluster serves, preferred versions first."""
        await self.line.pass_through()
        return await super().discover()

    def _answered(self, answer: Object) -> Object:
        self.line.check_answer()
        return answer
