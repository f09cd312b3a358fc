"""A hub's own authority gives way to a new one, without any cluster joining anew.

A person asks for it in a ConfigMap, from wherever the hub can be asked. The hub then trusts both,
tells its agents of the new one in their namespaces, and waits until each has come with a
certificate of it; then it trusts that one alone.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from oneco.clock import Clock, Instant
from oneco.errors import Refused
from oneco.fleet.clusters import CONFIG_MAPS
from oneco.fleet.joining import REQUESTS
from oneco.fleet.rights import ROOT_AUTHORITY
from oneco.kinds import ocm
from oneco.kube import objects
from oneco.kube.api import Api, ListOptions, Match, Patch
from oneco.kube.errors import AlreadyExists, Forbidden, NotFound
from oneco.kube.objects import Object, dig
from oneco.kube.refs import Address
from oneco.main.epoch import NAMESPACE
from oneco.worlds.embedded.serve import EmbeddedServer

PLACE: Final = Address(CONFIG_MAPS, NAMESPACE.name, "authority")
_LOOK_SECONDS: Final = 2.0
_ELSEWHERE: Final = (
    "a hub that `oneco up` is: the authority of a Kubernetes cluster is changed by its own tools"
)


class State(NamedTuple):
    """Whether a change is under way, and the clusters whose agents it waits for."""

    is_changing: bool
    waiting: Sequence[str] = ()


class Keeper:
    """Carries out on one server what is asked of its authority."""

    def __init__(self, server: EmbeddedServer, clock: Clock) -> None:
        self._server, self._api, self._clock = server, server.api, clock
        self._told: dict[str, bytes] = {}

    async def run(self) -> None:
        """Look from time to time, until cancelled."""
        while True:
            await self.look()
            await self._clock.sleep_until(Instant(self._clock.now() + _LOOK_SECONDS))

    async def look(self) -> None:
        """Do the next step, if there is one."""
        authority = self._server.authority
        clusters = await _accepted(self._api)
        asked = await self._asked()
        wanted = str(asked.get("change") or "")
        if wanted and not authority.change and wanted != authority.last_change:
            await self._server.begin_change(wanted)
        await self._tell(clusters)
        waiting = await self._waiting(clusters) if authority.change else ()
        if authority.change and (not waiting or asked.get("finish") == authority.change):
            await self._server.finish_change()
            await self._tell(clusters)
            waiting = ()
        await self._show(asked, State(bool(authority.change), waiting))

    async def _asked(self) -> dict[str, Any]:
        try:
            return dict((await self._api.get(PLACE)).get("data") or {})
        except NotFound:
            head = {"apiVersion": "v1", "kind": "ConfigMap"}
            body = {**head, "metadata": {"name": PLACE.name}, "data": {"phase": "Settled"}}
            with contextlib.suppress(AlreadyExists):
                await self._api.create(PLACE._replace(name=""), body)
            return {}

    async def _show(self, asked: dict[str, Any], state: State) -> None:
        phase = "Changing" if state.is_changing else "Settled"
        shown = {"phase": phase, "waiting": ",".join(state.waiting)}
        if any(asked.get(key, "") != value for key, value in shown.items()):
            with contextlib.suppress(NotFound):
                await self._api.patch(PLACE, Patch("merge", {"data": shown}))

    async def _tell(self, clusters: Sequence[str]) -> None:
        """Write the authorities that are trusted into the namespace of each cluster."""
        trusted = self._server.authority.certificate_pem
        for name in clusters:
            if self._told.get(name) == trusted:
                continue
            body: Object = {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": ROOT_AUTHORITY, "namespace": name},
                "data": {"ca.crt": trusted.decode()},
            }
            try:
                await self._api.create(Address(CONFIG_MAPS, name), body)
            except AlreadyExists:
                place = Address(CONFIG_MAPS, name, ROOT_AUTHORITY)
                await self._api.patch(place, Patch("merge", {"data": body["data"]}))
            except NotFound:
                # Its namespace is still to be made.
                continue
            self._told[name] = trusted

    async def _waiting(self, clusters: Sequence[str]) -> tuple[str, ...]:
        """Clusters whose agents have certificates and have not come with one of the newest."""
        match = Match(labels=ocm.CLUSTER_NAME_LABEL)
        page = await self._api.list(Address(REQUESTS), ListOptions(match=match))
        outside = {
            objects.labels(one)[ocm.CLUSTER_NAME_LABEL]
            for one in page.items
            if dig(one, "status", "certificate")
        }
        ready = self._server.clusters_of_the_newest()
        return tuple(name for name in clusters if name in outside and name not in ready)


async def state(hub: Api) -> State:
    """How far a change is."""
    data = (await _stored(hub)).get("data") or {}
    waiting = tuple(filter(None, str(data.get("waiting") or "").split(",")))
    return State(data.get("phase") == "Changing", waiting)


async def is_kept_by(hub: Api) -> bool:
    """Whether the hub is one that `oneco up` is, which keeps an authority of its own."""
    try:
        await hub.get(PLACE)
    except (NotFound, Forbidden):
        return False
    return True


async def change(hub: Api) -> None:
    """Ask for a new authority; one that is under way goes on."""
    if not (await state(hub)).is_changing:
        await hub.patch(PLACE, Patch("merge", {"data": {"change": secrets.token_hex(8)}}))


async def finish(hub: Api) -> Sequence[str]:
    """Ask to wait for nobody any more; the clusters that have to join anew."""
    seen = await state(hub)
    if not seen.is_changing:
        wanted = "a change that is under way: `oneco authority change` begins one"
        raise Refused("authority", found="none that is being changed", wanted=wanted)
    name = ((await _stored(hub)).get("data") or {}).get("change")
    await hub.patch(PLACE, Patch("merge", {"data": {"finish": name}}))
    return seen.waiting


async def _stored(hub: Api) -> Object:
    try:
        return await hub.get(PLACE)
    except NotFound:
        raise Refused("the hub", found="another API server", wanted=_ELSEWHERE) from None


async def _accepted(api: Api) -> tuple[str, ...]:
    page = await api.list(Address(ocm.CLUSTERS))
    return tuple(
        objects.name(one) for one in page.items if dig(one, "spec", "hubAcceptsClient") is True
    )
