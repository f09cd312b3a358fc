"""A running server for tests, and kubectl and plain requests to ask it."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from oneco.worlds.clocks import RealClock
from oneco.worlds.embedded.serve import EmbeddedServer, Settings

KUBECTL = shutil.which("kubectl")
needs_kubectl = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not on the PATH")


@contextlib.contextmanager
def a_server(directory: Path, settings: Settings | None = None) -> Iterator[EmbeddedServer]:
    """A server on an event loop of its own, so that the test may block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> EmbeddedServer:
        made = EmbeddedServer(directory, RealClock(), settings or Settings())
        await made.start()
        return made

    try:
        server = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
        try:
            yield server
        finally:
            asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


class Reply(NamedTuple):
    """What a plain request was answered with."""

    code: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Plain requests with one certificate or token."""

    def __init__(self, server: EmbeddedServer, user: str = "", *, groups=(), token="") -> None:
        context = ssl.create_default_context(cafile=server.authority.directory / "ca.crt")
        if user:
            credential = server.authority.client(user, groups)
            both = server.directory / f"{user.replace(':', '_')}.pem"
            both.write_bytes(credential.certificate + credential.key)
            context.load_cert_chain(both)
        self._host = server.url.removeprefix("https://")
        self._context, self._token = context, token
        self._connection: http.client.HTTPSConnection | None = None

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        connection = http.client.HTTPSConnection(self._host, context=self._context, timeout=10)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self._token:
            sent["authorization"] = f"Bearer {self._token}"
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        try:
            connection.request(method, path, content, sent)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, found, answer.read())
        finally:
            connection.close()


def an_administrator(server: EmbeddedServer) -> Client:
    """The person whose server it is."""
    return Client(server, "admin", groups=("system:masters",))


class Kubectl:
    """The real kubectl against one server."""

    def __init__(self, server: EmbeddedServer) -> None:
        self.environment = {
            **os.environ,
            "KUBECONFIG": str(server.kubeconfig_path),
            "KUBECACHEDIR": str(server.directory / "cache"),
            "HOME": str(server.directory),
        }

    def run(self, *words: str, stdin: Any = None) -> subprocess.CompletedProcess[str]:
        assert KUBECTL is not None
        text = stdin if isinstance(stdin, str | None) else json.dumps(stdin)
        return subprocess.run(
            [KUBECTL, *words],
            input=text, capture_output=True, text=True, timeout=20, env=self.environment,
        )  # fmt: skip

    def __call__(self, *words: str, stdin: Any = None) -> str:
        """Standard output of a command that has to succeed."""
        done = self.run(*words, stdin=stdin)
        assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}{done.stdout}"
        return done.stdout

    def fails(self, *words: str, stdin: Any = None) -> str:
        """Standard error of a command that has to fail."""
        done = self.run(*words, stdin=stdin)
        assert done.returncode != 0, f"kubectl {' '.join(words)} succeeded: {done.stdout}"
        return done.stderr
