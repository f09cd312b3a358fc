"""Requests on resources: the right asked for, the call made, the answer in the form wanted."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
from collections.abc import Awaitable, Callable, Sequence

from oneco.clock import Clock
from oneco.kube import selectors
from oneco.kube.api import Page, Patch
from oneco.kube.errors import BadRequest, MethodNotAllowed, NotFound
from oneco.kube.refs import Address, Resource, ResourceInfo
from oneco.worlds.apiserver.core import Caller
from oneco.worlds.apiserver.registry import Served
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.apiserver.store import Store
from oneco.worlds.apiserver.watches import Subscription
from oneco.worlds.embedded import answers, negotiation, requests, shapes
from oneco.worlds.embedded.answers import Answer
from oneco.worlds.embedded.inprocess import settled
from oneco.worlds.embedded.requests import Request
from oneco.worlds.embedded.rights import RoleRights
from oneco.worlds.embedded.watching import SharedLines, WatchStream

_WATCH_SECONDS = 3600.0
_BOOKMARK_SECONDS = 60.0
_SCALES = ResourceInfo(Resource("autoscaling", "v1", "scales"), "Scale", True)
_PODS = Resource("", "v1", "pods")
_DEPRECATED = {
    Resource("", "v1", "endpoints"): (
        "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
    ),
    Resource("", "v1", "componentstatuses"): ("v1 ComponentStatus is deprecated in v1.19+",),
}
_OF_CONTAINERS = frozenset({"log", "exec", "attach", "portforward", "proxy"})


@dataclasses.dataclass(frozen=True, slots=True)
class Watch:
    """A watch that is being answered."""

    stream: WatchStream
    begun: Callable[[], Awaitable[None]]
    """Returns when what the watch saw first is durable."""
    seconds: float
    close: Callable[[], None]
    warnings: Sequence[str] = ()


class Resources:
    """Answers the paths that name resources."""

    def __init__(self, server: ApiServer, store: Store, clock: Clock, rights: RoleRights) -> None:
        self._server, self._store, self._clock, self._rights = server, store, clock, rights
        self._lines = SharedLines()
        self._streams: set[WatchStream] = set()
        self._calls: dict[str, _Call] = {
            "get": self._get,
            "list": self._list,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_many,
        }

    async def answer(self, request: Request, verb: str, at: Address) -> Answer | Watch:
        """What `verb` gives at `at`, once it is durable."""
        warnings = [*_DEPRECATED.get(at.resource, ())]
        call = _Asked(request, at, verb, warnings)
        self._rights.authorize(request.user, verb, _narrowed(at, request, verb))
        _check_containers(at)
        if verb == "watch":
            return self._watch(call)
        method = self._calls.get(verb)
        if method is None:
            raise MethodNotAllowed(
                "the server does not allow this method on the requested resource"
            )
        found = await settled(self._store, lambda: method(call))
        return found._replace(warnings=warnings) if warnings else found

    def end_watches(self) -> None:
        """End every watch, as a server does that stops."""
        for stream in list(self._streams):
            stream.end()

    def _get(self, call: _Asked) -> Answer:
        shape = self._shape(call)
        return answers.of_json(shape.one(self._server.get(call.at)))

    def _list(self, call: _Asked) -> Answer:
        shape = self._shape(call)
        page = self._server.list(call.at, requests.list_options(call.request.query))
        return answers.of_json(shape.many(page))

    def _create(self, call: _Asked) -> Answer:
        shape = self._shape(call)
        body = requests.object_body(call.request)
        options = requests.write_options(call.request)
        created = self._server.create(call.at, body, options, call.caller)
        return answers.of_json(shape.one(created), 201)

    def _update(self, call: _Asked) -> Answer:
        shape, body = self._shape(call), requests.object_body(call.request)
        options = requests.write_options(call.request)
        return answers.of_json(shape.one(self._server.replace(call.at, body, options, call.caller)))

    def _patch(self, call: _Asked) -> Answer:
        shape, body = self._shape(call), requests.patch_body(call.request)
        options = requests.write_options(call.request)
        if isinstance(body, Patch):
            patched = self._server.patch(call.at, body, options, call.caller)
            return answers.of_json(shape.one(patched))
        code = 200 if self._exists(call.at) else 201
        applied = self._server.apply(call.at, body, options, call.caller)
        return answers.of_json(shape.one(applied), code)

    def _delete(self, call: _Asked) -> Answer:
        options = requests.delete_options(call.request)
        deleted = self._server.delete(call.at, options)
        return answers.of_json(deleted)

    def _delete_many(self, call: _Asked) -> Answer:
        query = call.request.query
        options = requests.delete_options(call.request)
        deleted = self._server.delete_many(call.at, requests.match(query), options)
        page = Page(deleted, str(self._store.revision()))
        return answers.of_json(shapes.ObjectShape(self._served(call.at).info).many(page))

    def _watch(self, call: _Asked) -> Watch:
        options = requests.watch_options(call.request.query, call.at.name)
        if requests.is_from_now(call.request.query):
            options = dataclasses.replace(options, from_version=str(self._store.revision()))
        shape = self._shape(call)
        encoder = shape.line if shape.is_changing else self._lines.line
        stream = WatchStream(encoder)
        collection = call.at._replace(name="")
        subscription = self._server.watch(collection, options, stream.sink)
        stream.limit()
        self._streams.add(stream)
        bookmarks = _Bookmarks(subscription, stream) if options.bookmarks else None

        def close() -> None:
            subscription.close()
            self._streams.discard(stream)
            if bookmarks:
                bookmarks.stop()

        return Watch(
            stream=stream,
            begun=functools.partial(self._store.durable, self._store.revision()),
            seconds=options.timeout_seconds or _WATCH_SECONDS,
            close=close,
            warnings=tuple(call.warnings),
        )

    def _exists(self, at: Address) -> bool:
        try:
            self._server.get(at)
        except NotFound:
            return False
        return True

    def _shape(self, call: _Asked) -> shapes.Shape:
        wanted = negotiation.choose(
            call.request.headers.get("accept", ""), offered=("Table", "PartialObjectMetadata")
        )
        return shapes.shape(wanted, self._served(call.at), self._clock, call.request.query)

    def _served(self, at: Address) -> Served:
        served = self._server.served(at)
        if at.subresource != "scale":
            return served
        return dataclasses.replace(served, info=_SCALES, custom=None)


@dataclasses.dataclass(frozen=True, slots=True)
class _Asked:
    """One request on a resource, on its way through."""

    request: Request
    at: Address
    verb: str
    warnings: list[str]

    @property
    def caller(self) -> Caller:
        user = self.request.user
        return Caller(user.name, tuple(user.groups), self.warnings.append)


_Call = Callable[[_Asked], Answer]


class _Bookmarks:
    """Tells a quiet watcher from time to time how far it is, so that it can resume from there."""

    def __init__(self, subscription: Subscription, stream: WatchStream) -> None:
        self._subscription, self._stream = subscription, stream
        self._again()

    def stop(self) -> None:
        self._timer.cancel()

    def _again(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(_BOOKMARK_SECONDS, self._send)

    def _send(self) -> None:
        self._subscription.bookmark()
        self._again()


def _check_containers(at: Address) -> None:
    """Refuse what only a running container could answer."""
    if at.resource == _PODS and at.subresource in _OF_CONTAINERS:
        message = f"this cluster starts no containers: {at.name} has nothing for {at.subresource}"
        raise BadRequest(message)


def _narrowed(at: Address, request: Request, verb: str) -> Address:
    """A list of the one object with a given name is a request for that object."""
    fields = request.query.text("fieldSelector")
    if at.name or not fields or verb not in ("list", "watch", "deletecollection"):
        return at
    wanted = selectors.parse_fields(fields).required_value("metadata.name")
    return at._replace(name=wanted or "")
