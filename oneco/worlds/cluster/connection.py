"""Requests to one API server: credentials, TLS, proxies, timeouts; answers as bytes."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import ssl
import urllib.request
from collections.abc import AsyncIterator, Callable, Mapping
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

import aiohttp
import yarl

from oneco.kube.errors import ServiceUnavailable
from oneco.worlds import buffers
from oneco.worlds.cluster import failures
from oneco.worlds.cluster.credentials import Credentials
from oneco.worlds.cluster.exec_plugin import Credential
from oneco.worlds.cluster.target import Target
from oneco.worlds.cluster.tls import TlsContexts

OnWarning = Callable[[str], None]

# API servers end a request after 60 s themselves; this is for those that cannot.
ANSWER_SECONDS = 65.0
CONNECT_SECONDS = 15.0
# Shorter than any server's own patience, so that a request seldom meets a closing connection.
_IDLE_SECONDS = 30.0
_JSON = "application/json"
_WARNING = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')
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
        if self._cluster.disable_compression:
            self._headers.append(("Accept-Encoding", "identity"))
        self._session: aiohttp.ClientSession | None = None
        self._is_closed = False
        # What is wrong with the files is said at once, not with the first request.
        self._context(Credential())

    async def close(self) -> None:
        """End all connections; every later request fails."""
        self._is_closed = True
        if self._session is not None:
            await self._session.close()

    async def send(self, request: Request) -> Answer:
        """The whole answer to `request`."""
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS, sock_connect=CONNECT_SECONDS)
        with failures.told(self._cluster):
            response = await self._open(request, timeout)
            async with response:
                body = await response.read()
                return Answer(response.status, body, response.headers.get("ETag", ""))

    @contextlib.asynccontextmanager
    async def chunks(
        self, request: Request, quiet_seconds: float | None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """The answer's bytes as they come; Timeout when nothing came for `quiet_seconds`."""
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_SECONDS, sock_read=quiet_seconds
        )
        with failures.told(self._cluster):
            response = await self._open(request, timeout)
        try:
            yield self._told_chunks(response)
        finally:
            # The rest of a stream is not wanted: closing is the only way to say so.
            response.close()

    async def _told_chunks(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        with failures.told(self._cluster):
            async for chunk in response.content.iter_any():
                yield chunk

    async def _open(
        self, request: Request, timeout: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        credential = await self._credentials.current()
        response = await self._attempt(request, credential, timeout)
        if response.status == 401:
            renewed = await self._renewed(response, credential)
            if renewed is not None:
                response = await self._attempt(request, renewed, timeout)
        if response.status >= 300 and response.status != 304:
            async with response:
                body = await response.read()
            raise failures.from_answer(response.status, response.headers, body)
        self._warn(response)
        return response

    async def _renewed(
        self, response: aiohttp.ClientResponse, credential: Credential
    ) -> Credential | None:
        try:
            renewed = await self._credentials.renew(credential)
        except BaseException:
            response.close()
            raise
        if renewed is not None:
            response.close()
        return renewed

    async def _attempt(
        self, request: Request, credential: Credential, timeout: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        query = f"?{urlencode(request.query)}" if request.query else ""
        return await self._opened_session().request(
            request.method,
            yarl.URL(f"{self._cluster.server}{request.path}{query}", encoded=True),
            data=request.body,
            headers=self._all_headers(request, credential),
            ssl=self._context(credential),
            server_hostname=self._cluster.server_name or None,
            proxy=self._proxy or None,
            timeout=timeout,
            # A redirect would carry the credential to wherever it points.
            allow_redirects=False,
        )

    def _context(self, credential: Credential) -> ssl.SSLContext | bool:
        if self._cluster.server.startswith("http:"):
            return True
        return self._contexts.current(credential)

    def _all_headers(self, request: Request, credential: Credential) -> list[tuple[str, str]]:
        headers = [*self._headers, ("Accept", request.accept)]
        if request.body is not None:
            headers.append(("Content-Type", request.content_type))
        if request.version:
            headers.append(("If-None-Match", request.version))
        if credential.token:
            headers.append(("Authorization", f"Bearer {credential.token}"))
        return headers

    def _opened_session(self) -> aiohttp.ClientSession:
        if self._is_closed:
            raise ServiceUnavailable(f"{self._cluster.server}: this client was closed")
        if self._session is None:
            # Every watch holds a connection, so their number has no limit here.
            connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE_SECONDS)
            jar = aiohttp.DummyCookieJar()
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=jar)
        return self._session

    def _warn(self, response: aiohttp.ClientResponse) -> None:
        if self._on_warning is None:
            return
        for header in response.headers.getall("Warning", ()):
            for text in _WARNING.findall(header):
                self._on_warning(re.sub(r"\\(.)", r"\1", text))


def proxy_of_environment(server: str) -> str:
    """The proxy that HTTPS_PROXY and its kin name for `server`; empty where there is none."""
    parts = urlsplit(server)
    host = parts.hostname or ""
    # As other clients do: what runs on this machine is never behind a proxy.
    if host in _LOOPBACK or host.startswith("127.") or urllib.request.proxy_bypass(parts.netloc):
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
