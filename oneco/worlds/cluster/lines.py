"""A stream of bytes cut into lines, whatever their length and however they arrive."""

from __future__ import annotations

from collections.abc import Sequence

from oneco.kube.errors import ServiceUnavailable

# An object is at most a few MiB on any server; beyond this the stream is not a watch.
LONGEST_LINE_BYTES = 64 * 1024 * 1024


class LineSplitter:
    """Keeps the unfinished end of a stream between two chunks."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._held_bytes = 0

    def feed(self, chunk: bytes) -> Sequence[bytes]:
        """The lines that `chunk` completes, without their ends and without empty ones.

        ServiceUnavailable when a line grows beyond any object's size.
        """
        head, newline, rest = chunk.partition(b"\n")
        if not newline:
            self._hold(chunk)
            return ()
        lines = [b"".join((*self._parts, head))]
        self._parts, self._held_bytes = [], 0
        *complete, tail = rest.split(b"\n")
        lines += complete
        if tail:
            self._hold(tail)
        return [line for line in lines if line.strip()]

    def _hold(self, part: bytes) -> None:
        # Parts are joined once, when the line is complete: joining at every chunk would be
        # quadratic for a large object.
        self._held_bytes += len(part)
        if self._held_bytes > LONGEST_LINE_BYTES:
            raise ServiceUnavailable(f"a line of more than {LONGEST_LINE_BYTES} bytes")
        self._parts.append(part)
