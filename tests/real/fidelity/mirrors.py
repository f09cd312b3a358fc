"""What one collection holds, kept by a watch: many stories ask, and one request answers them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from oneco.clock import Clock, Instant
from oneco.kube import objects
from oneco.kube.api import Api, WatchOptions
from oneco.kube.errors import ApiOutage
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource

_PAUSE_SECONDS = 0.2


class Mirror:
    """One collection in all namespaces; `listeners` hear of every change, after it is taken in."""

    def __init__(self, api: Api, resource: Resource, clock: Clock) -> None:
        self._api, self._place, self._clock = api, Address(resource), clock
        self._objects: dict[tuple[str, str], Object] = {}
        self.is_filled = asyncio.Event()
        self.listeners: list[Callable[[Object], None]] = []

    def of(self, namespace: str) -> list[Object]:
        """The objects of a namespace."""
        return [one for (where, _), one in sorted(self._objects.items()) if where == namespace]

    async def follow(self) -> None:
        """Keep up until cancelled."""
        while True:
            with contextlib.suppress(ApiOutage):
                page = await self._api.list(self._place)
                self._objects = {_key(one): one for one in page.items}
                self.is_filled.set()
                options = WatchOptions(from_version=page.resource_version, bookmarks=False)
                async for event in self._api.watch(self._place, options):
                    self._take(event.type, event.object)
            await self._clock.sleep_until(Instant(self._clock.now() + _PAUSE_SECONDS))

    def _take(self, what: str, obj: Object) -> None:
        if what == "DELETED":
            self._objects.pop(_key(obj), None)
        else:
            self._objects[_key(obj)] = obj
        for listener in tuple(self.listeners):
            listener(obj)


def _key(obj: Object) -> tuple[str, str]:
    return objects.namespace(obj), objects.name(obj)
