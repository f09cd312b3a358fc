"""One connection to an API server: a request goes out, its answer comes in.

asyncio does sockets and TLS, httptools reads HTTP; between them stands only what the verbs of an
`Api` need. Why no library: docs/decisions/0027-requests-go-out-over-lines-of-our-own.md.
"""

from __future__ import annotations

import asyncio
import zlib
from collections import deque

import httptools

# So much of a stream waits for whoever reads it; then the server has to wait too.
_MOST_UNREAD_BYTES = 1024 * 1024
# Of an answer that is late while nobody waits for it just now.
_LOOK_AGAIN_SECONDS = 0.1
_READ = frozenset(
    ("etag", "warning", "retry-after", "content-encoding", "content-length", "transfer-encoding")
)
_GZIP = zlib.MAX_WBITS | 16


class HungUp(ConnectionError):
    """The server ended the connection without a word of an answer."""


class Broken(ConnectionError):
    """The connection ended, or made no sense, in the middle of an answer."""


class Line(asyncio.Protocol):
    """One connection, which carries one request at a time.

    `status`, `headers` (those that anybody reads, by lower-case name, several of one name joined)
    and the body are those of the present answer. A line that is given up in the middle of an
    answer must be ended.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._lost: BaseException | None = None
        self._patience: float | None = None
        self._heard_at = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self.gone: asyncio.Future[None] = self._loop.create_future()
        self.context: object = None
        """What it was made with: a line is good for requests with the very same only."""
        self._begin()
        self._is_whole = True

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self.status = 0
        self.headers: dict[str, str] = {}
        self._parts: deque[bytes] = deque()
        self._unread_bytes = 0
        self._has_head = self._is_whole = self._is_kept = False
        self._is_stream = self._is_paused = False
        self._unpack: zlib._Decompress | None = None

    @property
    def is_open(self) -> bool:
        """Whether another request can go out."""
        return self._lost is None and self._transport is not None

    async def ask(self, request: bytes, seconds: float | None, *, is_stream: bool = False) -> None:
        """Send `request`; return when the head of its answer is there.

        TimeoutError, here or while the body is read, when the answer is not whole within `seconds`.
        Of a stream the server sends only as much ahead as is read, and it may go on for ever, but
        never be silent for so long.
        """
        self._begin()
        self._is_stream = is_stream
        self._be_patient(seconds)
        if self._lost is not None or self._transport is None:
            raise HungUp
        self._transport.write(request)
        while not self._has_head:
            await self._news()

    async def body(self) -> bytes:
        """The whole body of the answer, or what is left of it."""
        while not self._is_whole:
            await self._news()
        body = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        return body

    async def part(self) -> bytes:
        """The next bytes of the body as they come; empty at its end."""
        while not self._parts and not self._is_whole:
            await self._news()
        found = b"".join(self._parts)
        self._parts.clear()
        self._unread_bytes = 0
        if self._is_paused and self._transport is not None:
            self._is_paused = False
            self._transport.resume_reading()
        return found

    def is_reusable(self) -> bool:
        """Whether the answer was read to its end and the server keeps the connection."""
        return self.is_open and self._is_whole and self._is_kept

    def end(self) -> None:
        """Close the connection at once."""
        self._stop_alarm()
        if self._transport is not None:
            self._transport.abort()

    async def _news(self) -> None:
        if self._lost is not None:
            raise self._lost
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _be_patient(self, seconds: float | None) -> None:
        self._patience, self._heard_at = seconds, self._loop.time()
        # One alarm serves many requests, and all events of a stream: setting one for each would
        # cost more than the event. It rings too early at times, and looks then.
        if self._alarm is not None and (seconds is None or self._alarm.when() > self._due(seconds)):
            self._alarm.cancel()
            self._alarm = None
        if self._alarm is None and seconds is not None:
            self._alarm = self._loop.call_at(self._due(seconds), self._ring)

    def _due(self, seconds: float) -> float:
        return self._heard_at + seconds

    def _ring(self) -> None:
        self._alarm = None
        if self._patience is None or (self._is_whole and self._waiter is None):
            return
        if self._waiter is None and self._is_stream:
            # Whoever reads is busy: the silence begins when it listens again.
            self._heard_at = self._loop.time()
        left = self._due(self._patience) - self._loop.time()
        if left <= 0 and self._waiter is not None:
            if not self._waiter.done():
                self._waiter.set_exception(TimeoutError())
            return
        self._alarm = self._loop.call_later(max(left, _LOOK_AGAIN_SECONDS), self._ring)

    def _stop_alarm(self) -> None:
        self._patience = None
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there; behind a proxy, as soon as TLS has begun on it."""
        assert isinstance(transport, asyncio.Transport), "a connection that cannot be written to"
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Bytes came from the server."""
        if self._is_stream:
            self._heard_at = self._loop.time()
        if self._is_whole:
            # Nobody asked: what follows could be taken for the next answer.
            self._lose(Broken("bytes without a request"))
            self.end()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade, zlib.error) as error:
            self._lose(Broken(type(error).__name__))
            self.end()
        else:
            if self._is_stream and self._unread_bytes > _MOST_UNREAD_BYTES:
                self._pause()
        if self._has_head:
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        if self._has_head and not self._is_whole and exc is None and self._ends_with_line():
            self._is_whole = True
        is_begun = self._parser.get_status_code() != 0
        self._lose(exc or (Broken("the answer is cut off") if is_begun else HungUp()))
        self._stop_alarm()
        if not self.gone.done():
            self.gone.set_result(None)

    def _pause(self) -> None:
        if not self._is_paused and self._transport is not None:
            self._is_paused = True
            self._transport.pause_reading()

    def _lose(self, error: BaseException) -> None:
        self._lost = self._lost or error
        self._wake()

    def _ends_with_line(self) -> bool:
        lengths = ("content-length", "transfer-encoding")
        return not any(name in self.headers for name in lengths)

    # What httptools calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header of the answer."""
        key = name.decode("latin-1").lower()
        if key not in _READ:
            return
        text = value.decode("utf-8", "replace")
        before = self.headers.get(key)
        self.headers[key] = text if before is None else f"{before}, {text}"

    def on_headers_complete(self) -> None:
        """The head is there."""
        status = self._parser.get_status_code()
        if status >= 200:
            self.status, self._has_head = status, True
            if self.headers.get("content-encoding", "").lower() == "gzip":
                self._unpack = zlib.decompressobj(_GZIP)

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        part = self._unpack.decompress(body) if self._unpack is not None else body
        if part:
            self._parts.append(part)
            self._unread_bytes += len(part)

    def on_message_complete(self) -> None:
        """The answer is whole; one that only says that another follows does not count."""
        if self._has_head:
            # Only now does the parser know.
            self._is_whole, self._is_kept = True, self._parser.should_keep_alive()
        else:
            self.headers = {}
