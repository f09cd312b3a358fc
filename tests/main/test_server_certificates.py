"""A server that is never restarted shows a valid certificate for ever; nobody is disconnected."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
import time
from pathlib import Path

import yaml

from oneco.clock import Instant
from oneco.integrations.x509 import certificates
from oneco.main import server_certificates
from oneco.worlds.clocks import RealClock
from oneco.worlds.embedded.serve import EmbeddedServer, Settings

DAY = 86_400.0
THIRTEEN_MONTHS = 396


class DayByDay:
    """A clock that a test moves, for what waits beside real sockets."""

    def __init__(self) -> None:
        self._now, self._moved = time.time(), asyncio.Condition()

    def now(self) -> Instant:
        return Instant(self._now)

    async def sleep_until(self, instant: Instant) -> None:
        async with self._moved:
            await self._moved.wait_for(lambda: self._now >= instant)

    async def move(self, seconds: float) -> None:
        """Move on, and let everybody who waited do what is due."""
        async with self._moved:
            self._now += seconds
            self._moved.notify_all()
        await asyncio.sleep(0.02)


async def met(server: EmbeddedServer) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A new connection; whatever its certificate says is taken."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    port = int(server.url.rpartition(":")[2])
    return await asyncio.open_connection("127.0.0.1", port, ssl=context)


async def shown(server: EmbeddedServer) -> certificates.Certificate:
    """The certificate that a newcomer is shown."""
    _, writer = await met(server)
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return certificates.read(ssl.DER_cert_to_PEM_cert(der).encode())


async def is_answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Whether a connection that has long been open still serves."""
    writer.write(b"GET /healthz HTTP/1.1\r\nhost: hub\r\n\r\n")
    return (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")


def person(server: EmbeddedServer) -> certificates.Certificate:
    """The certificate in the kubeconfig of the person at this machine."""
    user = yaml.safe_load(server.kubeconfig_path.read_bytes())["users"][0]["user"]
    return certificates.read(base64.b64decode(user["client-certificate-data"]))


def test_thirteen_months_without_a_restart_pass_without_a_lapse(tmp_path):
    async def story() -> None:
        clock = DayByDay()
        server = EmbeddedServer(tmp_path, RealClock(), Settings(certified_at=clock.now))
        await server.start()
        keeping = asyncio.ensure_future(server_certificates.keep([server], clock))
        first = await shown(server)
        for _ in range(THIRTEEN_MONTHS // 33):
            await clock.move(33 * DAY)
            # One that ends in two weeks is what `oneco doctor` warns of.
            assert (await shown(server)).ends > clock.now() + 14 * DAY
            assert person(server).ends > clock.now() + 14 * DAY
        assert (await shown(server)).ends > first.ends
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping
        await server.stop()

    asyncio.run(story())


def test_whoever_is_connected_stays_so_when_the_certificate_changes(tmp_path):
    async def story() -> None:
        server = EmbeddedServer(tmp_path, RealClock())
        await server.start()
        before = await met(server)
        assert await is_answered(*before)
        await before[0].readuntil(b"\r\n\r\n")
        await before[0].read(100)
        await server.renew()
        assert await is_answered(*before)
        before[1].close()
        await server.stop()

    asyncio.run(story())


def test_a_disk_that_is_full_at_the_renewal_is_asked_again(tmp_path):
    async def story() -> None:
        clock = DayByDay()
        server = EmbeddedServer(tmp_path, RealClock(), Settings(certified_at=clock.now))
        await server.start()
        keeping = asyncio.ensure_future(server_certificates.keep([server], clock))
        first = await shown(server)
        pki: Path = server.authority.directory
        pki.rename(tmp_path / "away")
        await clock.move(300 * DAY)
        assert not keeping.done()
        (tmp_path / "away").rename(pki)
        await clock.move(DAY)
        async with asyncio.timeout(20):
            while (await shown(server)).ends <= first.ends:
                await asyncio.sleep(0.05)
        keeping.cancel()
        await server.stop()

    asyncio.run(story())
