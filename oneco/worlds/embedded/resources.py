"""Requests on resources: the right asked for, the call made, the answer in the form wanted."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from oneco.kube import selectors
from oneco.kube.api import Page, Patch
from oneco.kube.errors import MethodNotAllowed, NotFound
from oneco.kube.objects import Object, is_deleting, name, uid
from oneco.kube.refs import Address, ResourceInfo
from oneco.worlds.apiserver.core import Caller
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.apiserver.store import Store
from oneco.worlds.apiserver.watches import Subscription
from oneco.worlds.embedded import answers, negotiation, requests, rights, shapes, signing
from oneco.worlds.embedded.answers import Answer
from oneco.worlds.embedded.inprocess import settled
from oneco.worlds.embedded.requests import Request
from oneco.worlds.embedded.watching import SharedLines, WatchStream

_WATCH_SECONDS = 3600.0
_BOOKMARK_SECONDS = 60.0
_REQUESTS = signing.COLLECTION.split("/")


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

    def __init__(self, server: ApiServer, store: Store) -> None:
        self._server, self._store = server, store
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
        warnings: list[str] = []
        call = _Asked(request, at, verb, warnings)
        rights.authorize(request.user, verb, _narrowed(at, request, verb))
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
        obj = self._server.get(call.at)
        rights.check_content(call.request.user, call.verb, call.at, obj)
        return answers.of_json(shape.one(obj))

    def _list(self, call: _Asked) -> Answer:
        shape = self._shape(call)
        page = self._server.list(call.at, requests.list_options(call.request.query))
        return answers.of_json(shape.many(page))

    def _create(self, call: _Asked) -> Answer:
        shape = self._shape(call)
        user, body = call.request.user, requests.object_body(call.request)
        rights.check_content(user, call.verb, call.at, body)
        if [call.at.resource.group, call.at.resource.plural] == _REQUESTS and not call.at.name:
            body = signing.with_author(body, user)
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
        deleted = self._server.delete(call.at, options, call.caller)
        if is_deleting(deleted) and self._exists(call.at):
            return answers.of_json(deleted)
        return answers.of_json(_success(call.at, deleted))

    def _delete_many(self, call: _Asked) -> Answer:
        query = call.request.query
        options = requests.delete_options(call.request)
        deleted = self._server.delete_many(call.at, requests.match(query), options, call.caller)
        page = Page(deleted, str(self._store.revision()))
        return answers.of_json(shapes.ObjectShape(self._info(call.at)).many(page))

    def _watch(self, call: _Asked) -> Watch:
        options = requests.watch_options(call.request.query, call.at.name)
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
        return shapes.shape(wanted, self._info(call.at), call.request.query)

    def _info(self, at: Address) -> ResourceInfo:
        return self._server.resource(at.resource)


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


def _narrowed(at: Address, request: Request, verb: str) -> Address:
    """A list of the one object with a given name is a request for that object."""
    fields = request.query.text("fieldSelector")
    if at.name or not fields or verb not in ("list", "watch", "deletecollection"):
        return at
    wanted = selectors.parse_fields(fields).required_value("metadata.name")
    return at._replace(name=wanted or "")


def _success(at: Address, deleted: Object) -> dict[str, Any]:
    details = {"name": name(deleted), "group": at.resource.group, "kind": at.resource.plural}
    details |= {"uid": uid(deleted)}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {key: value for key, value in details.items() if value},
    }
