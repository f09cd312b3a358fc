"""How an API server comes to ask the hub: by the Service of the cluster, or at an address."""

from __future__ import annotations

import asyncio
import base64
import ssl

import pytest

from oneco.errors import Refused
from oneco.kube.api import Api
from oneco.main import asked, installing, manifests
from oneco.worlds.clocks import RealClock
from oneco.worlds.webhook import certificate
from tests.cli.given import Hub


@pytest.fixture
def hub():
    made = Hub(has_our_kinds=False)
    wanted = [*manifests.account(), *manifests.process("image", 2)]
    asyncio.run(installing.install(made.api, wanted))
    return made


def bundles(hub: Hub) -> list[str]:
    found = hub.server.get(asked.CONFIGURATION)
    return [one["clientConfig"].get("caBundle", "") for one in found["webhooks"]]


def test_processes_behind_a_service_share_one_certificate_that_the_server_trusts(hub):
    asyncio.run(asked.register_service(hub.api))
    first = bundles(hub)
    asyncio.run(asked.register_service(hub.api))
    shared = asyncio.run(asked.shared(hub.api, RealClock()))
    assert bundles(hub) == first == [base64.b64encode(shared.certificate).decode()]


def test_a_damaged_certificate_is_told(hub):
    asyncio.run(asked.register_service(hub.api))
    secret = hub.server.get(asked.SECRET)
    hub.server.replace(asked.SECRET, {**secret, "data": {**secret["data"], "tls.key": ""}})
    with pytest.raises(Refused, match="delete it"):
        asyncio.run(asked.register_service(hub.api))


def test_an_address_that_is_everywhere_cannot_be_given_to_a_server():
    with pytest.raises(Refused, match="the address at which"):
        asked.Asked("0.0.0.0", 8443, print, is_behind_service=False)


def test_a_client_that_is_given_the_certificate_trusts_its_server():
    said: list[str] = []

    async def story() -> bytes:
        port = asked.Asked("127.0.0.1", 0, said.append, is_behind_service=False)
        await port.open(_nobody(), RealClock())
        try:
            assert port.certificate is not None
            trust = ssl.create_default_context(cadata=port.certificate.decode())
            reader, writer = await asyncio.open_connection(*port.address, ssl=trust)
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
            answer = await reader.read()
            writer.close()
            return answer
        finally:
            await port.close()

    assert asyncio.run(story()).startswith(b"HTTP/1.1 200")


def _nobody() -> Api:
    return Hub(has_our_kinds=False).api


def test_a_certificate_names_hosts_and_addresses():
    pair = certificate.self_signed(["hub.example", "10.0.0.1", "::1"])
    assert b"BEGIN CERTIFICATE" in pair.certificate
    certificate.context(pair)
