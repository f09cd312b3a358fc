"""How much memory a connection takes."""

from __future__ import annotations

from asyncio.sslproto import SSLProtocol

_BYTES = 32 * 1024


def shrink() -> None:
    """Let every TLS connection of this process read into a buffer of 32 KiB.

    asyncio gives each of them 256 KiB, whatever it carries: 50 MiB for 200 watches that are silent.
    """
    SSLProtocol.max_size = _BYTES
