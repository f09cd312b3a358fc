"""One watch: lines as events, errors as errors; where to resume is the caller's affair."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncGenerator

import msgspec

from oneco.kube import errors
from oneco.kube.api import INITIAL_EVENTS_END, Event, ListOptions, WatchOptions
from oneco.kube.objects import Object
from oneco.kube.refs import Address
from oneco.worlds.cluster import paths, wire
from oneco.worlds.cluster.connection import Connection, Request
from oneco.worlds.cluster.lines import LineSplitter
from oneco.worlds.cluster.wire import KeepsManagers, keep_all

# Servers send a bookmark about once a minute; a watch that is silent for longer than two and a
# half has lost its server. Without bookmarks silence says little.
QUIET_SECONDS = 150.0
_QUIET_SECONDS_WITHOUT_BOOKMARKS = 900.0
_PAGE = 500


class Watching:
    """Opens watches; remembers whether the server can begin one with the present objects."""

    def __init__(
        self,
        connection: Connection,
        *,
        quiet_seconds: float = QUIET_SECONDS,
        keeps_managers: KeepsManagers = keep_all,
    ) -> None:
        self._connection, self._quiet_seconds = connection, quiet_seconds
        self._keeps_managers = keeps_managers
        self._can_begin_with_present = True

    async def events(self, address: Address, options: WatchOptions) -> AsyncGenerator[Event, None]:
        """The events of the collection, until an error or the asked timeout ends them."""
        has_begun = False
        if self._can_begin_with_present or not options.initial_events:
            try:
                async with contextlib.aclosing(self._streamed(address, options)) as events:
                    async for event in events:
                        has_begun = True
                        yield event
                return
            except (errors.Invalid, errors.BadRequest):
                # Servers refuse `sendInitialEvents` where it is not switched on.
                if has_begun or not options.initial_events:
                    raise
        async with contextlib.aclosing(self._listed_first(address, options)) as events:
            async for event in events:
                # Only now is it certain that nothing else in the request was wrong.
                self._can_begin_with_present = False
                yield event

    async def _listed_first(
        self, address: Address, options: WatchOptions
    ) -> AsyncGenerator[Event, None]:
        listing = await self._page(address, options, "")
        for item in listing.page.items:
            yield Event("ADDED", item)
        while listing.page.continue_token:
            listing = await self._page(address, options, listing.page.continue_token)
            for item in listing.page.items:
                yield Event("ADDED", item)
        version = listing.page.resource_version
        yield Event("BOOKMARK", _end_of_initial(listing, version))
        onwards = dataclasses.replace(options, initial_events=False, from_version=version)
        async with contextlib.aclosing(self._streamed(address, onwards)) as events:
            async for event in events:
                yield event

    async def _page(self, address: Address, options: WatchOptions, token: str) -> wire.Listing:
        how = ListOptions(match=options.match, limit=_PAGE, continue_token=token)
        request = Request("GET", paths.of_address(address), paths.list_query(how))
        listing = wire.decode_listing((await self._connection.send(request)).body)
        wire.thin(listing.page.items, self._keeps_managers)
        return listing

    async def _streamed(
        self, address: Address, options: WatchOptions
    ) -> AsyncGenerator[Event, None]:
        request = Request("GET", paths.of_address(address), paths.watch_query(options))
        quiet = self._quiet_seconds if options.bookmarks else _QUIET_SECONDS_WITHOUT_BOOKMARKS
        splitter = LineSplitter()
        async with self._connection.chunks(request, quiet) as chunks:
            async for chunk in chunks:
                for line in splitter.feed(chunk):
                    event = _event(line)
                    wire.thin((event.object,), self._keeps_managers)
                    if event.type != "BOOKMARK" or _is_wanted(event.object, options):
                        yield event
        if options.timeout_seconds is None:
            raise errors.ServiceUnavailable(f"the server ended the watch of {address}")


def _event(line: bytes) -> Event:
    try:
        said = wire.decode_line(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise errors.ServiceUnavailable(f"a watch line is not an event: {error}") from error
    if said.type == "ERROR":
        raise errors.from_status(said.object)
    if said.type not in ("ADDED", "MODIFIED", "DELETED", "BOOKMARK"):
        raise errors.ServiceUnavailable(f"a watch line is of the unknown type {said.type!r}")
    return Event(said.type, said.object)  # type: ignore[arg-type]


def _is_wanted(bookmark: Object, options: WatchOptions) -> bool:
    # Initial events need bookmarks on the wire, even where the caller wants only the last one.
    annotations = bookmark.get("metadata", {}).get("annotations") or {}
    return options.bookmarks or INITIAL_EVENTS_END in annotations


def _end_of_initial(listing: wire.Listing, version: str) -> Object:
    return {
        "apiVersion": listing.api_version,
        "kind": listing.kind,
        "metadata": {
            "resourceVersion": version,
            "annotations": {INITIAL_EVENTS_END: "true"},
        },
    }
