"""A person who releases one version after the other, pausing some of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from oneco.kinds.parts import parse
from oneco.kinds.release import FINAL_PHASES, RELEASES, ReleaseStatus
from oneco.kube import objects
from oneco.kube.api import Api, Patch, WriteOptions
from oneco.kube.objects import Object
from oneco.kube.refs import Address
from tests.kills import company
from tests.kills.process import HubProcess

_LOOK_SECONDS = 0.1
_PAUSED_SECONDS = 0.6
_OPTIONS = WriteOptions(manager="person", force=True)


class Person:
    """Releases versions while `goes_on` says so; `paused` is what was acknowledged last."""

    def __init__(self, hub: HubProcess, goes_on: Callable[[int], bool], *, pauses: bool) -> None:
        self._hub, self.goes_on, self._pauses = hub, goes_on, pauses
        self.version = 0
        self.paused: dict[str, bool] = {}

    async def work(self) -> None:
        """Release version after version; each begins when the one before has ended."""
        while self.goes_on(self.version):
            self.version += 1
            await self._apply(company.application(self.version))
            await self._see_through(f"{company.NAME}-v{self.version}")

    async def _apply(self, body: Object) -> None:
        await self._hub.ask(lambda api: api.apply(company.APPLICATION, body, _OPTIONS))

    async def _see_through(self, release: str) -> None:
        has_paused = not self._pauses or self.version % 2 == 1
        while True:
            found = await self._hub.ask(lambda api: _find(api, release))
            status = parse(ReleaseStatus, (found or {}).get("status"), "status")
            if found is not None:
                self._check_pause(found)
            if status.phase in FINAL_PHASES:
                wanted = "RolledBack" if company.is_bad(self.version) else "Succeeded"
                assert status.phase == wanted, f"{release} ended {status.phase}: {status.message}"
                return
            if not has_paused and status.phase == "Progressing":
                has_paused = True
                await self._pause(release)
            await asyncio.sleep(_LOOK_SECONDS)

    async def _pause(self, release: str) -> None:
        await self._say(release, paused=True)
        await asyncio.sleep(_PAUSED_SECONDS)
        found = await self._hub.ask(lambda api: _find(api, release))
        assert found is not None
        self._check_pause(found)
        await self._say(release, paused=False)

    async def _say(self, release: str, *, paused: bool) -> None:
        self.paused.pop(release, None)
        address = Address(RELEASES, company.NAMESPACE, release)
        patch = Patch("merge", {"spec": {"paused": paused}})
        await self._hub.ask(lambda api: api.patch(address, patch))
        self.paused[release] = paused

    def _check_pause(self, release: Object) -> None:
        wanted = self.paused.get(objects.name(release))
        if wanted is not None:
            found = objects.dig(release, "spec", "paused", default=False)
            assert found == wanted, f"{objects.name(release)} forgot an acknowledged pause"


async def _find(api: Api, name: str) -> Object | None:
    page = await api.list(Address(RELEASES, company.NAMESPACE))
    return next((one for one in page.items if objects.name(one) == name), None)
