"""Requests to one API server: credentials, TLS, proxies, timeouts; answers as bytes."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import re
import ssl
import urllib.request
from collections.abc import AsyncIterator, Callable, Mapping
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from oneco.kube.errors import ServiceUnavailable
from oneco.worlds import buffers
from oneco.worlds.cluster import dialing, failures
from oneco.worlds.cluster.credentials import Credentials
from oneco.worlds.cluster.exec_plugin import Credential
from oneco.worlds.cluster.idle import IdleLines
from oneco.worlds.cluster.line import Broken, Line
from oneco.worlds.cluster.target import Target
from oneco.worlds.cluster.tls import TlsContexts

OnWarning = Callable[[str], None]

# API servers end a request after 60 s themselves; this is for those that cannot.
ANSWER_SECONDS = 65.0
CONNECT_SECONDS = 15.0
_GOODBYE_SECONDS = 1.0
# What may be asked twice where nobody knows whether it was heard the first time.
_REPEATABLE = ("GET", "PUT", "DELETE")
_JSON = "application/json"
_WARNING = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')
_ONE_LINE = re.compile(r"[^\r\n\0]*")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


buffers.shrink()


class Request(NamedTuple):
    """One HTTP request; `path` begins below the server's address."""

    method: str
    path: str
    query: Mapping[str, str] = {}
    body: bytes | None = None
    content_type: str = _JSON
    accept: str = _JSON
    version: str = ""
    """The ETag that we hold already: an unchanged answer then has an empty body."""


class Stream(NamedTuple):
    """An answer that is read as it comes, and that may be silent for so long."""

    quiet_seconds: float | None


class _Reached(NamedTuple):
    """Where requests go, and the headers that all of them have."""

    server: dialing.Server
    headers: str


class Answer(NamedTuple):
    """An answer that was read to its end."""

    status: int
    body: bytes
    version: str


class Connection:
    """The way to one API server; connections are made when first needed and then kept.

    Refused if the certificates that it should use are none.
    """

    def __init__(
        self, target: Target, *, user_agent: str = "oneco", on_warning: OnWarning | None = None
    ) -> None:
        self._cluster = target.cluster
        self._credentials, self._contexts = Credentials(target), TlsContexts(target)
        self._on_warning = on_warning
        self._proxy = self._cluster.proxy_url or proxy_of_environment(self._cluster.server)
        self._headers = [("User-Agent", user_agent), *target.user.impersonation]
        self._reached: _Reached | None = None
        self._idle = IdleLines()
        self._lines: set[Line] = set()
        self._is_closed = False
        # What is wrong with the files is said at once, not with the first request.
        self._context(Credential())

    async def close(self) -> None:
        """End all connections; every later request fails."""
        self._is_closed = True
        self._idle.end()
        lines = tuple(self._lines)
        for line in lines:
            line.end()
        if lines:
            await asyncio.wait([line.gone for line in lines], timeout=_GOODBYE_SECONDS)

    async def send(self, request: Request) -> Answer:
        """The whole answer to `request`."""
        try:
            line = await self._open(request)
            body = await self._body(line)
        except failures.RAISED as error:
            raise failures.named(error, self._cluster) from error
        return Answer(line.status, body, line.headers.get("etag", ""))

    @contextlib.asynccontextmanager
    async def chunks(
        self, request: Request, quiet_seconds: float | None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """The answer's bytes as they come; Timeout when nothing came for `quiet_seconds`."""
        try:
            line = await self._open(request, Stream(quiet_seconds))
        except failures.RAISED as error:
            raise failures.named(error, self._cluster) from error
        try:
            yield self._parts(line)
        finally:
            # The rest of a stream is not wanted: closing is the only way to say so.
            self._leave(line)

    async def _parts(self, line: Line) -> AsyncIterator[bytes]:
        while True:
            try:
                part = await line.part()
            except failures.RAISED as error:
                raise failures.named(error, self._cluster) from error
            if not part:
                return
            yield part

    async def _open(self, request: Request, stream: Stream | None = None) -> Line:
        """A line on which the head of a good answer has come."""
        credential = await self._credentials.current()
        line = await self._attempt(request, credential, stream)
        if line.status == 401:
            renewed = await self._renewed(line, credential)
            if renewed is not None:
                line = await self._attempt(request, renewed, stream)
        if line.status >= 300 and line.status != 304:
            body = await self._body(line)
            raise failures.from_answer(line.status, line.headers, body)
        self._warn(line)
        return line

    async def _renewed(self, line: Line, credential: Credential) -> Credential | None:
        try:
            renewed = await self._credentials.renew(credential)
        except BaseException:
            line.end()
            raise
        if renewed is not None:
            line.end()
        return renewed

    async def _attempt(
        self, request: Request, credential: Credential, stream: Stream | None
    ) -> Line:
        context = self._context(credential)
        written = self._written(request, credential)
        kept = self._idle.take(context)
        if kept is not None:
            try:
                return await _asked(kept, written, stream)
            except ConnectionError as error:
                # The server may have ended the connection while the request was on its way.
                if isinstance(error, Broken) or request.method not in _REPEATABLE:
                    raise
        return await _asked(await self._dialled(context), written, stream)

    async def _dialled(self, context: ssl.SSLContext | None) -> Line:
        if self._is_closed:
            raise ServiceUnavailable(f"{self._cluster.server}: this client was closed")
        line = await dialing.dial(self._there().server, context, CONNECT_SECONDS)
        line.context = context
        self._lines.add(line)
        line.gone.add_done_callback(lambda _: self._lines.discard(line))
        return line

    async def _body(self, line: Line) -> bytes:
        try:
            return await line.body()
        finally:
            self._leave(line)

    def _leave(self, line: Line) -> None:
        """Keep the line for others, if the answer was read to its end."""
        if line.is_reusable() and not self._is_closed:
            self._idle.give(line)
        else:
            line.end()

    def _context(self, credential: Credential) -> ssl.SSLContext | None:
        if self._cluster.server.startswith("http:"):
            return None
        return self._contexts.current(credential)

    def _there(self) -> _Reached:
        if self._reached is None:
            server = dialing.server(self._cluster.server, self._cluster.server_name, self._proxy)
            headers = [("Host", server.host_header), *self._headers]
            # What is next to the server has more wire than processor to spare.
            is_plain = self._cluster.disable_compression or is_loopback(server.host)
            headers.append(("Accept-Encoding", "identity" if is_plain else "gzip"))
            written = "".join(_header(name, value) for name, value in headers)
            if self._proxy and not server.is_tls:
                written += dialing.authorization(self._proxy)
            self._reached = _Reached(server, written)
        return self._reached

    def _written(self, request: Request, credential: Credential) -> bytes:
        server, always = self._there()
        query = f"?{urlencode(request.query)}" if request.query else ""
        head = (
            f"{request.method} {server.target}{request.path}{query} HTTP/1.1\r\n{always}"
            f"Accept: {request.accept}\r\n"
        )
        if request.body is not None:
            head += (
                f"Content-Type: {request.content_type}\r\nContent-Length: {len(request.body)}\r\n"
            )
        if request.version:
            head += _header("If-None-Match", request.version)
        if credential.token:
            head += _header("Authorization", f"Bearer {credential.token}")
        return b"".join((head.encode(), b"\r\n", request.body or b""))

    def _warn(self, line: Line) -> None:
        said = line.headers.get("warning")
        if said is None or self._on_warning is None:
            return
        for text in _WARNING.findall(said):
            self._on_warning(re.sub(r"\\(.)", r"\1", text))


async def _asked(line: Line, written: bytes, stream: Stream | None) -> Line:
    try:
        if stream is None:
            await line.ask(written, ANSWER_SECONDS)
        else:
            await line.ask(written, stream.quiet_seconds, is_stream=True)
    except BaseException:
        line.end()
        raise
    return line


def _header(name: str, value: str) -> str:
    if not _ONE_LINE.fullmatch(value):
        # Another line would be another header. The value may be a credential: it is not shown.
        raise ValueError(f"header {name} is not one line")
    return f"{name}: {value}\r\n"


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine."""
    return host in _LOOPBACK or host.startswith("127.")


def proxy_of_environment(server: str) -> str:
    """The proxy that HTTPS_PROXY and its kin name for `server`; empty where there is none."""
    parts = urlsplit(server)
    host = parts.hostname or ""
    # As other clients do: what runs on this machine is never behind a proxy.
    if is_loopback(host) or urllib.request.proxy_bypass(parts.netloc):
        return ""
    proxies = urllib.request.getproxies()
    if _is_in_networks(host, proxies.get("no", "")):
        return ""
    found = proxies.get(parts.scheme, "")
    return found if found.startswith(("http://", "https://")) else ""


def _is_in_networks(host: str, listed: str) -> bool:
    # NO_PROXY=10.0.0.0/8 is usual among cluster users; Python's own reading knows names only.
    for one in listed.split(","):
        with contextlib.suppress(ValueError):
            if ipaddress.ip_address(host) in ipaddress.ip_network(one.strip(), strict=False):
                return True
    return False
