"""How a member serves each kind, asked once and again when something unknown turns up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from oneco.kube.api import Api
from oneco.kube.errors import ApiError
from oneco.kube.refs import Kind, ResourceInfo
from oneco.kube.remembered import Remembered

_tables: Remembered[dict[Kind, ResourceInfo]] = Remembered(64)


class ServedKinds:
    """The kinds of one cluster, as its discovery told them last."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: dict[Kind, ResourceInfo] = {}
        self.missing = asyncio.Event()
        """Set while a kind was asked for that the last discovery did not name."""

    def __call__(self, *kinds: Kind) -> ResourceInfo | None:
        """How the first of `kinds` that is served is served, or None."""
        for kind in kinds:
            info = self._known.get(kind)
            if info is not None:
                return info
        self.missing.set()
        return None

    async def refresh(self) -> bool:
        """Ask the cluster again; whether it answered."""
        try:
            # A thousand simulated clusters answer with the same value: they share one table.
            self._known = _tables.ask(_table, await self._api.discover())
        except ApiError:
            return False
        self.missing.clear()
        return True


def _table(infos: Sequence[ResourceInfo]) -> dict[Kind, ResourceInfo]:
    table: dict[Kind, ResourceInfo] = {}
    for info in infos:
        resource = info.resource
        table.setdefault(Kind(resource.group, resource.version, info.kind), info)
    return table
