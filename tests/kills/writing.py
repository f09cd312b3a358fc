"""Writers that never stop, and the ledger of what they were promised."""

from __future__ import annotations

import asyncio
from functools import partial

from oneco.kube import objects
from oneco.kube.api import Api, WriteOptions
from oneco.kube.errors import AlreadyExists
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource
from tests.kills.process import HubProcess

CONFIG_MAPS = Address(Resource("", "v1", "configmaps"), "default")
_PAUSE_SECONDS = 0.02


class Ledger:
    """What one server acknowledged: objects by name with their version, and a counter's value."""

    def __init__(self) -> None:
        self.created: dict[str, str] = {}
        self.counted = 0
        self.tried = 0


async def write(hub: HubProcess, member: str, ledger: Ledger) -> None:
    """Create objects and count another one up, until cancelled."""
    turn = 0
    while True:
        turn += 1
        name = f"written-{turn}"
        version = await hub.ask(partial(_create, name=name), member)
        ledger.created[name] = version
        ledger.tried = turn
        await hub.ask(partial(_count, turn=turn), member)
        ledger.counted = turn
        await asyncio.sleep(_PAUSE_SECONDS)


async def check(hub: HubProcess, member: str, ledger: Ledger) -> None:
    """Fail if anything that was acknowledged is missing or is not what it was."""
    # What is promised while the list is on its way need not be in it: writers go on meanwhile.
    created, counted = dict(ledger.created), ledger.counted
    page = await hub.ask(lambda api: api.list(CONFIG_MAPS), member)
    there = {objects.name(one): one for one in page.items}
    missing = sorted(created.keys() - there.keys())
    assert not missing, f"{member or 'hub'} lost {len(missing)} acknowledged objects: {missing[:5]}"
    for name, version in created.items():
        assert objects.resource_version(there[name]) == version, f"{name} was written anew"
    if counted:
        count = int(there["counter"]["data"]["count"])
        assert counted <= count <= ledger.tried, f"the counter of {member or 'hub'}"


async def _create(api: Api, name: str) -> str:
    body = _config_map(name, name)
    try:
        return objects.resource_version(await api.create(CONFIG_MAPS, body))
    except AlreadyExists:
        # The answer to an earlier try was lost with its server.
        return objects.resource_version(await api.get(CONFIG_MAPS._replace(name=name)))


async def _count(api: Api, turn: int) -> Object:
    address = CONFIG_MAPS._replace(name="counter")
    options = WriteOptions(manager="writer", force=True)
    return await api.apply(address, _config_map("counter", str(turn)), options)


def _config_map(name: str, value: str) -> Object:
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"count": value}}
