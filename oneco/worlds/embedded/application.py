"""The Kubernetes REST API as an ASGI application."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from oneco.errors import OnecoError
from oneco.kube.errors import ApiError, NotFound, TooLarge, Unauthorized
from oneco.kube.rbac import Asked, User
from oneco.worlds.apiserver.registry import NO_SUCH_RESOURCE, has_group
from oneco.worlds.embedded import answers
from oneco.worlds.embedded.answers import Answer
from oneco.worlds.embedded.documents import Documents
from oneco.worlds.embedded.identity import ANONYMOUS, Impersonation, is_impersonating
from oneco.worlds.embedded.paths import address, verb
from oneco.worlds.embedded.requests import Query, Request
from oneco.worlds.embedded.resources import Resources, Watch
from oneco.worlds.embedded.rights import RoleRights

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_MOST_BODY_BYTES = 3 << 20
_PIECE_BYTES = 256 << 10
_THREAD_FROM_BYTES = 1 << 20
_log = logging.getLogger(__name__)


class Application:
    """Answers each request; every failure becomes a Status object."""

    def __init__(self, resources: Resources, documents: Documents, rights: RoleRights) -> None:
        self._resources, self._documents, self._rights = resources, documents, rights

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        try:
            request = Request(
                method=scope["method"],
                path=scope["path"],
                query=Query(scope["query_string"].decode("latin-1")),
                headers=headers,
                user=self._user(scope, headers),
                body=await _body(headers, receive)
                if scope["method"] not in ("GET", "HEAD")
                else b"",
            )
            answer = await self._answer(request)
            if isinstance(answer, Answer) and request.query.flag("pretty"):
                answer = answers.indented(answer)
        except OnecoError as failure:
            answer = _failed(failure, scope["path"])
        except Exception as failure:
            # Ours to repair; the client still gets an answer that it can read.
            _log.exception("%s %s failed", scope["method"], scope["path"])
            answer = answers.of_error(failure)
        if isinstance(answer, Watch):
            await _stream(answer, receive, send)
            return
        await _send(answer, headers, send)

    async def _answer(self, request: Request) -> Answer | Watch:
        at = address(request.path)
        if at is None:
            asked = Asked(request.method.lower(), path=request.path)
            self._rights.authorize_act(request.user, asked)
            return self._documents.answer(request)
        is_watch = request.method == "GET" and request.query.flag("watch")
        return await self._resources.answer(
            request, verb(request.method, at, is_watch=is_watch), at
        )

    def _user(self, scope: Scope, headers: dict[str, str]) -> User:
        """Who asks, or whom the one who asks may be."""
        user = self._proven(scope, headers)
        if not is_impersonating(headers):
            return user
        meant = Impersonation(scope["headers"])
        for act in meant.acts():
            self._rights.authorize_act(user, act)
        return meant.user()

    def _proven(self, scope: Scope, headers: dict[str, str]) -> User:
        certified = scope.get("extensions", {}).get("tls", {}).get("user")
        if certified is not None:
            return certified  # type: ignore[no-any-return]
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if not scheme:
            return ANONYMOUS
        is_bearer = scheme.lower() == "bearer"
        found = self._rights.identify(token.strip(), ()) if is_bearer else None
        if found is None:
            raise Unauthorized("Unauthorized")
        return found.user


def _failed(failure: OnecoError, path: str) -> Answer:
    """The Status for a failure; a group that nobody defines has, as a kube-apiserver's, a page."""
    if isinstance(failure, NotFound) and failure.message == NO_SUCH_RESOURCE:
        parts = path.split("/")
        if parts[1] != "api" and not (parts[1] == "apis" and has_group("".join(parts[2:3]))):
            return answers.of_text("404 page not found\n", 404)
    return answers.of_error(failure)


async def _body(headers: dict[str, str], receive: Receive) -> bytes:
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > _MOST_BODY_BYTES:
        raise _too_large()
    parts, size, has_more = [], 0, True
    while has_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        parts.append(message["body"])
        size += len(message["body"])
        if size > _MOST_BODY_BYTES:
            raise _too_large()
        has_more = message["more_body"]
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large() -> TooLarge:
    return TooLarge(f"Request entity too large: limit is {_MOST_BODY_BYTES}")


async def _send(answer: Answer, headers: dict[str, str], send: Send) -> None:
    accepts_gzip = "gzip" in headers.get("accept-encoding", "")
    if accepts_gzip and len(answer.body) >= _THREAD_FROM_BYTES:
        # Compressing lets other threads run; requests go on meanwhile.
        found, body = await asyncio.to_thread(answers.headers, answer, accepts_gzip=True)
    else:
        found, body = answers.headers(answer, accepts_gzip=accepts_gzip)
    await send({"type": "http.response.start", "status": answer.code, "headers": found})
    view = memoryview(body)
    # A piece at a time, and each only when the one before has gone: a long list is then held once,
    # not once more in every buffer on its way.
    for start in range(0, len(body) - _PIECE_BYTES, _PIECE_BYTES):
        piece = bytes(view[start : start + _PIECE_BYTES])
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    rest = bytes(view[(max(len(body) - 1, 0) // _PIECE_BYTES) * _PIECE_BYTES :])
    await send({"type": "http.response.body", "body": rest})


async def _stream(watch: Watch, receive: Receive, send: Send) -> None:
    headers = [(b"content-type", b"application/json")]
    headers += [answers.warning_header(text) for text in watch.warnings]
    leaving = asyncio.create_task(_end_when_left(watch, receive))
    timer = asyncio.get_running_loop().call_later(watch.seconds, watch.stream.end)
    try:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        # Headers alone tell the client that the watch has begun.
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        try:
            await watch.begun()
        except ApiError as failure:
            watch.stream.abandon(failure)
        async for lines in watch.stream.lines():
            await send({"type": "http.response.body", "body": lines, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        timer.cancel()
        leaving.cancel()
        watch.close()


async def _end_when_left(watch: Watch, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
    watch.stream.end()
