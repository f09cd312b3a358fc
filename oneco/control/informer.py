"""Keeps one collection of one cluster in the cache: list, watch, and begin again when broken."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses

from oneco.clock import Clock, Instant
from oneco.control.cache import Cache
from oneco.decision import Side
from oneco.kube import objects
from oneco.kube.api import Api, Event, ListOptions, Match, WatchOptions
from oneco.kube.errors import ApiError, ApiOutage, Expired, Forbidden, NotFound
from oneco.kube.objects import Object
from oneco.kube.refs import Address

_PAGE = 500
_FROM_THE_FUTURE = "ResourceVersionTooLarge"
"""What a server says that was put back to a state from before what we have seen of it."""
_NEWEST = str(2**63)
_FIRST_PAUSE_SECONDS, _LAST_PAUSE_SECONDS = 1.0, 30.0
_PATIENCE_SECONDS = 3.0


@dataclasses.dataclass(frozen=True, slots=True)
class Scope:
    """What is kept: a collection, or the objects of it that match."""

    side: Side
    address: Address
    match: Match = Match()


class Informer:
    """One collection, kept until cancelled."""

    def __init__(self, api: Api, scope: Scope, cache: Cache, clock: Clock) -> None:
        self._api, self._scope, self._cache, self._clock = api, scope, cache, clock
        self._version = ""
        self._is_put_back = False
        self._forbidden_since: Instant | None = None
        self._answered_at: Instant | None = None
        self.synced = asyncio.Event()
        self.trouble = ""
        """Why the collection is not being watched at the moment, in words; empty when it is."""

    async def run(self) -> None:
        """List, then watch, for ever; trouble only makes it wait and try again."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            self._answered_at = None
            trouble = await self._try()
            if self._has_worked():
                # For a while. Servers end every watch at times: that is no trouble yet.
                pause = _FIRST_PAUSE_SECONDS
                continue
            advice = 0.0
            if trouble is None:
                pause = _FIRST_PAUSE_SECONDS
            else:
                self.trouble = str(trouble)
                if isinstance(trouble, ApiOutage):
                    advice = trouble.retry_after_seconds or 0.0
            await self._clock.sleep_until(Instant(self._clock.now() + max(pause, advice)))
            pause = min(pause * 2, _LAST_PAUSE_SECONDS)

    def _has_worked(self) -> bool:
        answered = self._answered_at
        return answered is not None and self._clock.now() > answered + _LAST_PAUSE_SECONDS

    async def _try(self) -> ApiError | None:
        """Follow the collection as long as that goes well; the trouble that ended it."""
        try:
            await self._follow()
        except Expired:
            self._version = ""
        except ApiError as error:
            self._give_up(error)
            if any(cause.reason == _FROM_THE_FUTURE for cause in error.causes):
                self._version, self._is_put_back = "", True
            return error
        return None

    def _give_up(self, error: ApiError) -> None:
        """Let others go on without a collection in which there is nothing to be seen."""
        if isinstance(error, NotFound):
            self.synced.set()
        elif isinstance(error, Forbidden):
            # A server that has just started knows nobody's rights for some moments: half a
            # picture must not come of that.
            self._forbidden_since = self._forbidden_since or self._clock.now()
            if self._clock.now() >= self._forbidden_since + _PATIENCE_SECONDS:
                self.synced.set()

    async def _follow(self) -> None:
        if not self._version:
            await self._list()
        options = WatchOptions(match=self._scope.match, from_version=self._version)
        self.trouble = ""
        events = self._api.watch(self._scope.address, options)
        async with contextlib.aclosing(events) as following:  # type: ignore[type-var]
            async for event in following:
                self._answered_at = self._answered_at or self._clock.now()
                self._take(event)

    async def _list(self) -> None:
        found: list[Object] = []
        token = ""
        while True:
            options = ListOptions(match=self._scope.match, limit=_PAGE, continue_token=token)
            page = await self._api.list(self._scope.address, options)
            found.extend(page.items)
            token = page.continue_token
            if not token:
                break
        side, address = self._scope.side, self._scope.address
        decides_until = _NEWEST if self._is_put_back else page.resource_version
        self._cache.settle(side, address, found, decides_until)
        self._is_put_back = False
        self._version = page.resource_version
        self._answered_at = self._clock.now()
        self.synced.set()

    def _take(self, event: Event) -> None:
        self._version = objects.resource_version(event.object) or self._version
        if event.type == "BOOKMARK":
            return
        take = self._cache.drop if event.type == "DELETED" else self._cache.take
        take(self._scope.side, self._scope.address.resource, event.object)
