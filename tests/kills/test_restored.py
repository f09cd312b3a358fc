"""A hub that starts from a copy made in the middle of a release."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from oneco.kinds import ocm
from oneco.kinds.parts import parse
from oneco.kinds.release import OBSERVATIONS, RELEASES, UNITS, ReleaseStatus, UnitStatus
from oneco.kube import objects
from oneco.kube.api import Api, Patch
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource
from oneco.main import backup, keys
from tests.kills import company, ending, history
from tests.kills.process import HubProcess, a_hub
from tests.kills.releasing import Person

_LOOK_SECONDS = 0.05
_QUIET_SECONDS = 3.0
"""Three minutes on the hub's clock: more than any of its waits."""
_DELIVERED = (
    Resource("apps", "v1", "deployments"),
    Resource("apps", "v1", "replicasets"),
    Resource("", "v1", "services"),
    Resource("", "v1", "secrets"),
    ocm.APPLIED_WORKS,
)


async def tell(place: Path) -> dict[str, Any]:
    """A copy in the middle of version 2; versions 2, 3 and 4 end; a hub starts from the copy."""
    fleet, copy = place / "fleet.yaml", place / "copy.db"
    fleet.write_text(company.FLEET)
    async with a_hub(place / "first", fleet) as hub:
        hub.start()
        await hub.up()
        person = Person(hub, lambda version: version < 1, pauses=False)
        await person.work()
        person.goes_on = lambda version: version < 4
        working = asyncio.create_task(person.work())
        await until(lambda: hub.ask(_is_in_the_middle))
        await asyncio.to_thread(backup.backup, place / "first", copy)
        await working
        await hub.stop()
    # The machine is lost; its clusters are not.
    keys.export(place / "first", place / "keys")
    backup.restore(copy, place / "second", place / "keys")
    shutil.move(place / "first" / "members", place / "second" / "members")
    async with a_hub(place / "second", fleet) as hub:
        return await _second_life(hub)


async def _second_life(hub: HubProcess) -> dict[str, Any]:
    before = history_of_members(hub.data)
    hub.start()
    await hub.up()
    told: dict[str, Any] = {"waits": hub.is_waiting_for_confirmation}
    await asyncio.sleep(_QUIET_SECONDS)
    told["observed"] = await hub.ask(_observed)
    told["unit"] = await hub.ask(_reason_of_the_first)
    await hub.kill()
    # Even a kill does not make it forget that nobody has confirmed.
    hub.start()
    await hub.up()
    await asyncio.sleep(_QUIET_SECONDS)
    await hub.stop()
    told["untouched"] = history_of_members(hub.data) == before
    hub.start()
    await hub.up()
    for name in company.CLUSTERS:
        await hub.ask(partial(_confirm, name=name))
    await until(lambda: hub.ask(_is_done))
    await asyncio.sleep(1)
    told["releases"] = await hub.ask(_phases)
    await hub.stop()
    with history.opened(hub.data / "members" / "first") as store:
        ending.check_no_gate(store)
        told["pods"] = dict(ending.of_member(store)["pods"])
    return told


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Return when it is so; the test's own limit ends what never will be."""
    while not await is_so():
        await asyncio.sleep(_LOOK_SECONDS)


def history_of_members(data: Path) -> dict[str, str]:
    """The version of every delivered object in every member."""
    found = {}
    for cluster in company.CLUSTERS:
        with history.opened(data / "members" / cluster) as store:
            for resource in _DELIVERED:
                for one in store.scan(history.collection(resource)):
                    name = f"{cluster} {resource.plural} {objects.name(one)}"
                    found[name] = objects.resource_version(one)
    return found


async def _is_in_the_middle(api: Api) -> bool:
    page = await api.list(Address(UNITS, "second"))
    statuses = [parse(UnitStatus, one.get("status"), "status") for one in page.items]
    return any(one.release == f"{company.NAME}-v2" and one.batch == 2 for one in statuses)


async def _is_done(api: Api) -> bool:
    return set((await _phases(api)).values()) == {"Succeeded"}


async def _phases(api: Api) -> dict[str, str]:
    page = await api.list(Address(RELEASES, company.NAMESPACE))
    statuses = {one["metadata"]["name"]: one.get("status") for one in page.items}
    return {name: parse(ReleaseStatus, status).phase for name, status in statuses.items()}


async def _observed(api: Api) -> dict[str, tuple[bool, bool]]:
    """By cluster: whether its agent may act, and whether it sees differences."""
    page = await api.list(Address(OBSERVATIONS))
    found: list[Object] = [*page.items]
    return {
        objects.namespace(one): (
            one["observed"]["isConfirmed"],
            one["observed"].get("differences", 0) > 0,
        )
        for one in found
    }


async def _reason_of_the_first(api: Api) -> str:
    page = await api.list(Address(UNITS, "second"))
    return parse(UnitStatus, page.items[0].get("status")).reason


async def _confirm(api: Api, name: str) -> Object:
    address = Address(ocm.CLUSTERS, "", name)
    epoch = objects.annotations_of(await api.get(address))[ocm.HUB_EPOCH_ANNOTATION]
    marks = {"metadata": {"annotations": {ocm.CONFIRMED_EPOCH_ANNOTATION: epoch}}}
    return await api.patch(address, Patch("merge", marks))


@pytest.mark.slow
@pytest.mark.timeout(90)
def test_a_hub_restored_from_the_middle_of_a_release_waits_to_be_confirmed_and_goes_on(tmp_path):
    told = asyncio.run(tell(tmp_path))
    assert told["waits"]
    assert told["untouched"]
    assert told["observed"] == dict.fromkeys(company.CLUSTERS, (False, True))
    assert told["unit"] == "NotConfirmed"
    assert told["releases"] == {"shop-v1": "Succeeded", "shop-v2": "Succeeded"}
    assert told["pods"] == {
        ("registry.example/web:v2", True): 4,
        ("registry.example/worker:v2", True): 3,
    }
