"""HTTPS on one port: uvicorn's protocol, the certificate of the client made known to the app."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from oneco.errors import Refused, Unavailable
from oneco.kube.rbac import User
from oneco.worlds import buffers
from oneco.worlds.embedded.admittance import guarded
from oneco.worlds.embedded.identity import from_certificate

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_IDLE_SECONDS = 120
_HANDSHAKE_SECONDS = 10
_GOODBYE_SECONDS = 0.5
_BACKLOG = 512


# uvicorn complains there about what clients sent; without a handler it would reach the terminal.
logging.getLogger("uvicorn").addHandler(logging.NullHandler())


buffers.shrink()


class _Protocol(HttpToolsProtocol):
    """Adds to each request who the verified certificate of its connection names."""

    certified: User | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        session = transport.get_extra_info("ssl_object")
        self.certified = from_certificate(session.getpeercert() if session else None)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"tls": {"user": self.certified}}


class HttpsPort:
    """Serves an ASGI app on one address inside the running event loop.

    uvicorn's own `Server` is left out: it takes over the signals of the process and wakes it ten
    times a second for each port, to date answers that nobody reads the date of.
    """

    def __init__(self, app: Callable[..., Any], context: ssl.SSLContext) -> None:
        self._config = Config(
            app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_keep_alive=_IDLE_SECONDS,
        )
        self._config.load()
        self._state = ServerState()
        self._context = context
        self._server: asyncio.Server | None = None
        self.address: tuple[str, int] = ("", 0)

    async def open(self, host: str, port: int) -> None:
        """Listen; port 0 takes any that is free."""
        try:
            self._server = await asyncio.get_running_loop().create_server(
                self._protocol,
                host,
                port,
                ssl=self._context,
                ssl_handshake_timeout=_HANDSHAKE_SECONDS,
                backlog=_BACKLOG,
            )
        except OSError as failure:
            raise Unavailable(f"{host}:{port} cannot be listened on: {failure}") from failure
        self.address = self._server.sockets[0].getsockname()[:2]

    async def use(self, context: ssl.SSLContext) -> None:
        """Greet with `context` whoever connects from now on; who is connected stays so."""
        assert self._server is not None, "a port is opened first"
        before, self._context = self._server, context
        # The same socket goes on listening: nobody finds the port closed in between.
        listening = socket.socket(fileno=os.dup(before.sockets[0].fileno()))
        self._server = await asyncio.get_running_loop().create_server(
            self._protocol,
            sock=listening,
            ssl=context,
            ssl_handshake_timeout=_HANDSHAKE_SECONDS,
            backlog=_BACKLOG,
        )
        before.close()

    def _protocol(self) -> _Protocol:
        return _Protocol(self._config, self._state, {}, asyncio.get_running_loop())

    def drop(self, lets_in: Callable[[User | None], bool]) -> None:
        """End at once every connection of somebody who is not let in, watches too."""
        for connection in list(self._state.connections):
            if isinstance(connection, _Protocol) and not lets_in(connection.certified):
                connection.transport.abort()

    async def close(self) -> None:
        """Stop listening, let requests end that end at once, and drop the rest."""
        if self._server is None:
            return
        self._server.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        if self._state.tasks:
            await asyncio.wait(self._state.tasks, timeout=_GOODBYE_SECONDS)
        for task in list(self._state.tasks):
            task.cancel()
        for connection in list(self._state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.sleep(0)


def server_context(
    authority: Path, certificate: Path, key: Path, greet: Callable[[object], bool]
) -> ssl.SSLContext:
    """TLS that shows `certificate`, verifies that of a client if it has one, and asks `greet`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(authority)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.set_alpn_protocols(["http/1.1"])
    context.sslobject_class = guarded(greet)
    return context


def check_is_loopback(host: str) -> None:
    """Refused for any address that another machine can reach."""
    if host not in _LOOPBACK and not host.startswith("127."):
        raise Refused(
            "--listen",
            found=host,
            wanted="127.0.0.1, ::1 or localhost: rights for other machines do not exist yet",
        )
