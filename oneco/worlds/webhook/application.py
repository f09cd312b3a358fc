"""AdmissionReviews as an ASGI application, and whether this process is alive."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

import msgspec

from oneco.kube import causes
from oneco.kube.errors import Invalid
from oneco.kube.objects import Object, dig
from oneco.worlds.apiserver.admission import Admission

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

VALIDATE = "/validate"
_ALIVE = ("/healthz", "/livez", "/readyz")
_MOST_BODY_BYTES = 8 << 20
"""Two objects of the largest size that a server keeps, and more."""


class _Kind(msgspec.Struct, frozen=True):
    kind: str
    group: str = ""


class Asked(msgspec.Struct, frozen=True):
    """What an API server asks about one object."""

    uid: str
    kind: _Kind
    operation: Literal["CREATE", "UPDATE", "DELETE"]
    name: str = ""
    object: dict[str, Any] | None = None
    oldObject: dict[str, Any] | None = None


class _Review(msgspec.Struct, frozen=True):
    request: Asked


class Application:
    """Says of each object what is wrong with it, by the rules of its kind."""

    def __init__(self, rules: Sequence[Admission]) -> None:
        self._rules: dict[tuple[str, str], list[Admission]] = {}
        for one in rules:
            for kind in one.kinds():
                self._rules.setdefault(kind, []).append(one)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        method, path = scope["method"], scope["path"]
        if path in _ALIVE and method in ("GET", "HEAD"):
            await _answer(send, 200, b"ok")
        elif path != VALIDATE:
            await _answer(send, 404, b"only /validate and /healthz are here")
        elif method != "POST":
            await _answer(send, 405, b"an AdmissionReview is posted")
        else:
            await self._judge(await _body(receive), send)

    async def _judge(self, body: bytes | None, send: Send) -> None:
        if body is None:
            return await _answer(send, 413, b"larger than two objects can be")
        try:
            asked = msgspec.json.decode(body, type=_Review).request
        except (msgspec.DecodeError, UnicodeDecodeError):
            return await _answer(send, 400, b"this is no AdmissionReview")
        answer = msgspec.json.encode(self.review(asked))
        return await _answer(send, 200, answer, b"application/json")

    def review(self, asked: Asked) -> Object:
        """The AdmissionReview that answers the question."""
        rules = self._rules.get((asked.kind.group, asked.kind.kind), ())
        found = [
            cause
            for rule in rules
            for cause in rule.validate(asked.operation, asked.oldObject, asked.object)
        ]
        response: dict[str, Any] = {"uid": asked.uid, "allowed": not found}
        if found:
            said = causes.text(found)
            name = asked.name or dig(asked.object, "metadata", "name", default="")
            refusal = Invalid(f'{asked.kind.kind} "{name}" is invalid: {said}', causes=found)
            response["status"] = refusal.status()
        return {
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "response": response,
        }


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None where it is larger than any object."""
    pieces, size = [], 0
    while True:
        message = await receive()
        piece = message.get("body", b"")
        size += len(piece)
        if size > _MOST_BODY_BYTES:
            return None
        pieces.append(piece)
        if not message.get("more_body"):
            return b"".join(pieces)


async def _answer(send: Send, status: int, body: bytes, kind: bytes = b"text/plain") -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
