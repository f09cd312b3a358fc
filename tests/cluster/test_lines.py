"""Connections to a server: used again, given up, held back; answers in every shape of HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from oneco.kube import errors
from oneco.kube.refs import Address, Resource
from oneco.worlds.cluster import connection
from oneco.worlds.cluster.client import ClusterApi
from oneco.worlds.cluster.connection import Connection, Request
from oneco.worlds.cluster.target import Cluster, Target, User

Serve = Callable[[bytes, asyncio.StreamWriter, int], Awaitable[None]]
CONFIG = Address(Resource("", "v1", "configmaps"), "default", "a")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@contextlib.asynccontextmanager
async def talking(serve: Serve) -> AsyncIterator[tuple[str, list[int]]]:
    """A server that answers each head of a request by `serve`, told how many came before on the
    same connection; yields its address, and the number of each connection that was opened.
    """
    opened: list[int] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(len(opened))
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            for count in range(1000):
                head = await reader.readuntil(b"\r\n\r\n")
                size = head.lower().partition(b"content-length:")[2].split(b"\r")[0]
                await reader.readexactly(int(size or 0))
                await serve(head, writer, count)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", opened
    finally:
        server.close()


def asked(serve: Serve, *requests: Request, **cluster) -> tuple[list[bytes], int]:
    """The bodies that these requests got one after another, and over how many connections."""

    async def run():
        async with talking(serve) as (server, opened):
            line = Connection(Target(cluster=Cluster(server=server, **cluster)))
            bodies = [(await line.send(one)).body for one in requests]
            await line.close()
            return bodies, len(opened)

    return asyncio.run(run())


def answering(*parts: bytes) -> Serve:
    async def serve(head: bytes, writer: asyncio.StreamWriter, count: int) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.001)

    return serve


def ending_after_the_first(answer: bytes = OK) -> Serve:
    async def serve(head: bytes, writer: asyncio.StreamWriter, count: int) -> None:
        if count:
            writer.close()
        else:
            writer.write(answer)

    return serve


GET = Request("GET", "/a")
POST = Request("POST", "/a", body=b"{}")


def test_requests_one_after_another_share_a_connection():
    assert asked(answering(OK), GET, POST, GET) == ([b"{}"] * 3, 1)


def test_requests_side_by_side_have_connections_of_their_own():
    together = asyncio.Barrier(3)

    async def serve(head: bytes, writer: asyncio.StreamWriter, count: int) -> None:
        await together.wait()
        writer.write(OK)

    async def run():
        async with talking(serve) as (server, opened):
            line = Connection(Target(cluster=Cluster(server=server)))
            await asyncio.gather(*(line.send(GET) for _ in range(3)))
            await line.close()
            return len(opened)

    assert asyncio.run(run()) == 3


def test_a_server_that_closes_after_its_answer_gets_a_new_connection():
    last = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
    assert asked(answering(last), GET, GET) == ([b"{}"] * 2, 2)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_may_be_asked_twice_is_when_a_kept_connection_has_ended(method):
    again = Request(method, "/a", body=b"{}")
    assert asked(ending_after_the_first(), GET, again) == ([b"{}"] * 2, 2)


def test_what_may_have_been_done_is_not_asked_twice():
    with pytest.raises(errors.ServiceUnavailable, match="hung up without an answer"):
        asked(ending_after_the_first(), GET, POST)


def test_a_connection_that_ended_while_idle_is_not_used():
    async def serve(head: bytes, writer: asyncio.StreamWriter, count: int) -> None:
        writer.write(OK)
        await writer.drain()
        writer.close()

    async def run():
        async with talking(serve) as (server, opened):
            line = Connection(Target(cluster=Cluster(server=server)))
            await line.send(GET)
            await asyncio.sleep(0.05)
            await line.send(POST)
            await line.close()
            return len(opened)

    assert asyncio.run(run()) == 2


@pytest.mark.parametrize(
    "parts",
    [
        (
            b"HTTP/1.1 100 Continue\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwhole"[:-1],
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nwh\r\n",
            b"2\r\nol\r\n0\r\n\r\n",
        ),
        tuple(bytes([one]) for one in b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwhol"),
    ],
)
def test_an_answer_is_the_same_in_every_shape(parts):
    assert asked(answering(*parts), GET, GET) == ([b"whol"] * 2, 1)


def test_an_answer_without_a_length_ends_with_its_connection():
    async def serve(head: bytes, writer: asyncio.StreamWriter, count: int) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nall of it")
        writer.close()

    assert asked(serve, GET, GET) == ([b"all of it"] * 2, 2)


def test_an_answer_that_is_cut_off_is_not_taken_for_a_whole_one():
    async def serve(head: bytes, writer: asyncio.StreamWriter, count: int) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        writer.close()

    with pytest.raises(errors.ServiceUnavailable, match="the connection broke"):
        asked(serve, GET)


def test_what_is_no_http_is_an_outage():
    with pytest.raises(errors.ServiceUnavailable, match="the connection broke"):
        asked(answering(b"SSH-2.0-OpenSSH_9.2\r\n"), GET)


def test_a_packed_answer_is_unpacked():
    packed = gzip.compress(b"x" * 100_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    assert asked(answering(head, packed[:50], packed[50:]), GET) == ([b"x" * 100_000], 1)


def test_a_large_body_arrives_whole():
    heard = 0

    async def serve(head: bytes, writer: asyncio.StreamWriter, count: int) -> None:
        nonlocal heard
        heard = int(head.lower().partition(b"content-length:")[2].split(b"\r")[0])
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % heard + b"y" * heard)

    body = b"z" * 60_000  # asyncio's readexactly in the server takes it whatever its size
    assert asked(serve, Request("POST", "/a", body=body)) == ([b"y" * 60_000], 1)


def test_a_server_cannot_send_more_than_is_read():
    """A watch whose reader is busy must not fill the memory."""
    sent = 0

    async def serve(head: bytes, writer: asyncio.StreamWriter, count: int) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(2000):
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536

    async def run():
        async with talking(serve) as (server, _):
            line = Connection(Target(cluster=Cluster(server=server)))
            async with line.chunks(GET, 5.0) as chunks:
                first = await anext(aiter(chunks))
                await asyncio.sleep(0.3)
            await line.close()
            return len(first)

    assert asyncio.run(run()) > 0
    # What the reader has not asked for: our own megabyte, and what sockets hold.
    assert sent < 32 * 1024 * 1024


def test_a_credential_of_two_lines_never_becomes_a_header():
    async def run():
        async with talking(answering(OK)) as (server, opened):
            user = User(token="t0k3n\r\nX-Remote-User: admin")
            async with ClusterApi(Target(cluster=Cluster(server=server), user=user)) as api:
                with pytest.raises(errors.ServiceUnavailable) as caught:
                    await api.get(CONFIG)
            return str(caught.value), opened

    said, opened = asyncio.run(run())
    assert "t0k3n" not in said
    assert opened == []


def test_a_proxy_that_refuses_is_told_by_its_answer():
    async def run():
        async with talking(answering(b"HTTP/1.1 407 Who are you\r\n\r\n")) as (proxy, _):
            cluster = Cluster(server="https://far.example", proxy_url=proxy)
            async with ClusterApi(Target(cluster=cluster)) as api:
                await api.get(CONFIG)

    with pytest.raises(errors.ServiceUnavailable, match="its proxy answered HTTP status 407"):
        asyncio.run(run())


def test_plain_http_goes_through_a_proxy_that_reads_it():
    heads: list[bytes] = []

    async def serve(head: bytes, writer: asyncio.StreamWriter, count: int) -> None:
        heads.append(head)
        writer.write(OK)

    async def run():
        async with talking(serve) as (proxy, _):
            url = proxy.replace("http://", "http://me:hidden@")
            cluster = Cluster(server="http://far.example/k8s", proxy_url=url)
            line = Connection(Target(cluster=cluster))
            await line.send(GET)
            await line.close()

    asyncio.run(run())
    assert heads[0].startswith(b"GET http://far.example:80/k8s/a HTTP/1.1\r\nHost: far.example\r\n")
    assert b"Proxy-Authorization: Basic bWU6aGlkZGVu\r\n" in heads[0]


def test_a_request_that_is_given_up_leaves_no_answer_for_the_next():
    async def serve(head: bytes, writer: asyncio.StreamWriter, count: int) -> None:
        if b"/slow" in head:
            await asyncio.sleep(0.05)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
        else:
            writer.write(OK)

    async def run():
        async with talking(serve) as (server, _):
            line = Connection(Target(cluster=Cluster(server=server)))
            await line.send(GET)
            slow = asyncio.create_task(line.send(Request("GET", "/slow")))
            await asyncio.sleep(0.01)
            slow.cancel()
            await asyncio.gather(slow, return_exceptions=True)
            body = (await line.send(GET)).body
            await line.close()
            return body

    assert asyncio.run(run()) == b"{}"


def test_idle_connections_are_ended_after_a_while(monkeypatch):
    monkeypatch.setattr("oneco.worlds.cluster.idle.IDLE_SECONDS", 0.05)

    async def run():
        async with talking(answering(OK)) as (server, opened):
            line = Connection(Target(cluster=Cluster(server=server)))
            await line.send(GET)
            await asyncio.sleep(0.3)
            await line.send(GET)
            await line.close()
            return len(opened)

    assert asyncio.run(run()) == 2


def test_a_loopback_is_told_from_everything_else():
    known = ("localhost", "127.0.0.1", "127.8.0.1", "::1", "10.0.0.1", "localhost.example")
    assert [connection.is_loopback(one) for one in known] == [True] * 4 + [False] * 2
