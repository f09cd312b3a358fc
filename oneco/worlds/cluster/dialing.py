"""Opens lines to one server: its address, TLS, and a proxy in between."""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from oneco.worlds.cluster.line import Line

# As browsers do: the next address of a name is tried when one is silent for so long.
_NEXT_ADDRESS_SECONDS = 0.25
_LONGEST_HEAD_BYTES = 65536
_PORTS = {"http": 80, "https": 443}


class NoConnectionInTime(TimeoutError):
    """Nobody could be spoken to for too long."""


class ProxyUnreachable(ConnectionError):
    """The proxy itself could not be spoken to."""


class ProxyRefused(ConnectionError):
    """The proxy answered otherwise than with a way to the server."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


class Server(NamedTuple):
    """Where requests go: `name` is what its certificate says; `proxy` is empty without one."""

    is_tls: bool
    host: str
    port: int
    prefix: str
    """The path below which the API is served."""
    name: str
    proxy: str

    @property
    def authority(self) -> str:
        """Host and port, as HTTP writes them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def host_header(self) -> str:
        """The same, without the port where it is the usual one."""
        usual = _PORTS["https" if self.is_tls else "http"]
        return self.authority.removesuffix(f":{usual}") if self.port == usual else self.authority

    @property
    def target(self) -> str:
        """What stands in front of the path of each request."""
        # Only a proxy that reads the requests has to be told whom they are for.
        is_read = self.proxy and not self.is_tls
        return f"http://{self.authority}{self.prefix}" if is_read else self.prefix


def server(url: str, name: str, proxy: str) -> Server:
    """The server at `url`; ValueError where that is no address."""
    parts = urlsplit(url)
    host, port = _place(parts)
    is_tls = parts.scheme == "https"
    return Server(is_tls, host, port, parts.path.rstrip("/"), name or host, proxy)


async def dial(there: Server, context: ssl.SSLContext | None, seconds: float) -> Line:
    """A line to the server, within `seconds`; `context` says whom to trust."""
    try:
        async with asyncio.timeout(seconds):
            if there.proxy:
                return await _through_proxy(there, context)
            return await _straight(there.host, there.port, context, there.name)
    except TimeoutError as late:
        raise NoConnectionInTime from late


def authorization(proxy: str) -> str:
    """What tells the proxy who we are; empty where its address says nothing of it."""
    parts = urlsplit(proxy)
    if parts.username is None:
        return ""
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Proxy-Authorization: Basic {base64.b64encode(pair.encode()).decode()}\r\n"


def _place(parts: SplitResult) -> tuple[str, int]:
    if not parts.hostname:
        raise ValueError("an address without a host")
    return parts.hostname, parts.port or _PORTS.get(parts.scheme, 443)


async def _straight(host: str, port: int, context: ssl.SSLContext | None, name: str) -> Line:
    transport, line = await asyncio.get_running_loop().create_connection(
        Line,
        host,
        port,
        ssl=context,
        server_hostname=name if context is not None else None,
        happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS,
    )
    _keep_alive(transport)
    return line


async def _through_proxy(there: Server, context: ssl.SSLContext | None) -> Line:
    parts = urlsplit(there.proxy)
    host, port = _place(parts)
    own = ssl.create_default_context() if parts.scheme == "https" else None
    loop = asyncio.get_running_loop()
    if context is None:
        try:
            return await _straight(host, port, own, host)
        except OSError as error:
            raise ProxyUnreachable from error
    try:
        transport, tunnel = await loop.create_connection(
            _Tunnel, host, port, ssl=own, server_hostname=host if own is not None else None
        )
    except OSError as error:
        raise ProxyUnreachable from error
    _keep_alive(transport)
    try:
        await tunnel.ask(there, authorization(there.proxy))
        line = Line()
        inner = await loop.start_tls(transport, line, context, server_hostname=there.name)
        assert inner is not None, "TLS began without a transport"
        line.connection_made(inner)
    except BaseException:
        transport.abort()
        raise
    return line


def _keep_alive(transport: asyncio.BaseTransport) -> None:
    # Watches are silent for long: whoever sits in between must not take them for forgotten.
    found = transport.get_extra_info("socket")
    if found is not None:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


class _Tunnel(asyncio.Protocol):
    """Asks a proxy for a way to the server, before TLS begins on it."""

    def __init__(self) -> None:
        self._head = b""
        self._answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The proxy is there."""
        assert isinstance(transport, asyncio.Transport), "a proxy that cannot be written to"
        self._transport = transport

    async def ask(self, there: Server, who: str) -> None:
        """Return when the proxy has opened the way."""
        assert self._transport is not None, "asked before there was a proxy"
        to = there.authority
        self._transport.write(f"CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n{who}\r\n".encode())
        status = await self._answer
        if not status.startswith("2"):
            raise ProxyRefused(status)

    def data_received(self, data: bytes) -> None:
        """A part of the proxy's answer."""
        self._head += data
        is_whole = b"\r\n\r\n" in self._head
        if self._answer.done() or not (is_whole or len(self._head) > _LONGEST_HEAD_BYTES):
            return
        words = self._head.split(b"\r\n", 1)[0].decode("latin-1").split()
        is_http = is_whole and len(words) > 1 and words[0].startswith("HTTP/")
        self._answer.set_result(words[1] if is_http else "of no kind")

    def connection_lost(self, exc: Exception | None) -> None:
        """The proxy hung up."""
        if not self._answer.done():
            self._answer.set_exception(ProxyUnreachable())
