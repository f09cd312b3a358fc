"""`Api` over HTTPS: any real API server."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence

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
from oneco.kube.objects import Json, Object
from oneco.kube.refs import Address, ResourceInfo
from oneco.worlds.cluster import kubeconfig, paths, wire
from oneco.worlds.cluster.connection import Connection, OnWarning, Request
from oneco.worlds.cluster.discovery import Discovery
from oneco.worlds.cluster.target import Target
from oneco.worlds.cluster.watching import QUIET_SECONDS, Watching
from oneco.worlds.cluster.wire import KeepsManagers, keep_all

_PATCH_TYPES = {
    "json": "application/json-patch+json",
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}
# The server reads YAML here, and JSON is YAML.
_APPLY_TYPE = "application/apply-patch+yaml"


class ClusterApi(Api):
    """One real cluster as one user; `close` it, or use it with `async with`.

    Objects come without managedFields, a third of most, unless `keeps_managers` wants them: they
    say nothing to who writes only its own. A server keeps them where a replacement has none.
    """

    def __init__(
        self,
        target: Target,
        *,
        on_warning: OnWarning | None = None,
        user_agent: str = "oneco",
        quiet_seconds: float = QUIET_SECONDS,
        keeps_managers: KeepsManagers = keep_all,
    ) -> None:
        self.target, self._keeps_managers = target, keeps_managers
        self._connection = Connection(target, user_agent=user_agent, on_warning=on_warning)
        self._discovery = Discovery(self._connection)
        self._watching = Watching(
            self._connection, quiet_seconds=quiet_seconds, keeps_managers=keeps_managers
        )

    async def __aenter__(self) -> ClusterApi:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End all connections, watches included."""
        await self._connection.close()

    async def get(self, address: Address) -> Object:
        """The object at `address`."""
        return await self._object(Request("GET", paths.of_address(address)))

    async def list(self, address: Address, options: ListOptions = ListOptions()) -> Page:
        """The objects of the collection, ordered by namespace and name."""
        request = Request("GET", paths.of_address(address), paths.list_query(options))
        page = wire.decode_listing((await self._connection.send(request)).body).page
        wire.thin(page.items, self._keeps_managers)
        return page

    def watch(
        self, address: Address, options: WatchOptions = WatchOptions()
    ) -> AsyncGenerator[Event, None]:
        """The changes of the collection from then on; ends by itself only with an error."""
        return self._watching.events(address, options)

    async def create(
        self, address: Address, body: Object, options: WriteOptions = WriteOptions()
    ) -> Object:
        """Store a new object in the collection, or post to a subresource such as `eviction`."""
        query = paths.write_query(options)
        return await self._object(_with("POST", paths.of_new(address), query, body))

    async def replace(
        self, address: Address, body: Object, options: WriteOptions = WriteOptions()
    ) -> Object:
        """Put `body` in place of what is there; its resourceVersion, if given, must be current."""
        query = paths.write_query(options)
        return await self._object(_with("PUT", paths.of_address(address), query, body))

    async def patch(
        self, address: Address, patch: Patch, options: WriteOptions = WriteOptions()
    ) -> Object:
        """Change what is there."""
        request = _with("PATCH", paths.of_address(address), paths.write_query(options), patch.body)
        return await self._object(request._replace(content_type=_PATCH_TYPES[patch.type]))

    async def apply(
        self, address: Address, body: Object, options: WriteOptions = WriteOptions()
    ) -> Object:
        """Server-side apply: `options.manager` owns exactly the fields in `body`."""
        request = _with("PATCH", paths.of_address(address), paths.apply_query(options), body)
        return await self._object(request._replace(content_type=_APPLY_TYPE))

    async def delete(self, address: Address, options: DeleteOptions = DeleteOptions()) -> Object:
        """Delete the object: at once, or marked until its finalizers are gone."""
        body = paths.delete_body(options)
        return await self._object(_with("DELETE", paths.of_address(address), {}, body))

    async def delete_many(
        self, address: Address, match: Match = Match(), options: DeleteOptions = DeleteOptions()
    ) -> Sequence[Object]:
        """Delete the matching objects of the collection."""
        body, query = paths.delete_body(options), paths.match_query(match)
        answer = await self._connection.send(
            _with("DELETE", paths.of_address(address), query, body)
        )
        return wire.decode_listing(answer.body).page.items

    async def discover(self) -> Sequence[ResourceInfo]:
        """What this cluster serves, preferred versions first."""
        return await self._discovery.refresh()

    async def stream(
        self, address: Address, query: Mapping[str, str]
    ) -> AsyncGenerator[bytes, None]:
        """The bytes of a streaming subresource such as `log`."""
        request = Request("GET", paths.of_address(address), query, accept="*/*")
        # A log may be silent for days.
        async with self._connection.chunks(request, None) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _object(self, request: Request) -> Object:
        found = wire.decode_object((await self._connection.send(request)).body)
        wire.thin((found,), self._keeps_managers)
        return found


def connect(
    kubeconfig_path: str | None = None,
    context: str | None = None,
    *,
    on_warning: OnWarning | None = None,
    keeps_managers: KeepsManagers = keep_all,
) -> ClusterApi:
    """The cluster that the kubeconfig (the given one, or where kubectl would look) leads to.

    Refused if the kubeconfig is wrong; whether the server answers shows with the first request.
    """
    target = kubeconfig.load(kubeconfig_path, context)
    return ClusterApi(target, on_warning=on_warning, keeps_managers=keeps_managers)


def _with(method: str, path: str, query: Mapping[str, str], body: Json) -> Request:
    return Request(method, path, query, wire.encode(body))
