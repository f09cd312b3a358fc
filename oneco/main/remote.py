"""`oneco up --kubeconfig`: the hub's deciders in this process, over an API server elsewhere.

Nothing is kept here: everything a hub knows are objects of its API server. Several processes may
stand for one hub; a Lease says which of them works.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from oneco.clock import Clock, Instant
from oneco.control.election import LEASES, Election
from oneco.control.fence import FencedApi
from oneco.control.journal import Journal, forget
from oneco.errors import Refused
from oneco.kube.api import Api
from oneco.kube.errors import (
    AlreadyExists,
    ApiOutage,
    ApiRefusal,
    Forbidden,
    NotFound,
    Unauthorized,
)
from oneco.kube.refs import Address
from oneco.main import epoch, hub, signals, telling
from oneco.main.asked import Asked
from oneco.main.journal_file import JournalFile
from oneco.main.kubeconfigs import KubeconfigMembers
from oneco.main.telling import Say
from oneco.worlds import clocks
from oneco.worlds.clocks import RealClock
from oneco.worlds.cluster import kubeconfig
from oneco.worlds.cluster.client import ClusterApi
from oneco.worlds.cluster.target import Target
from oneco.worlds.cluster.wire import keep_none

LEASE: Final = Address(LEASES, epoch.SYSTEM_NAMESPACE, "oneco-hub")
_FIRST_PAUSE_SECONDS, _LAST_PAUSE_SECONDS = 1.0, 15.0
_GOODBYE_SECONDS = 3.0
# A server that has just started knows nobody's rights for some moments.
_PATIENCE_SECONDS = 5.0
_INSTALL: Final = "`oneco install` as an administrator of this hub writes the rights it needs"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RemoteOptions:
    """What a person says of a hub elsewhere; without `kubeconfig`, kubectl's rules find it.

    `is_in_cluster` asks for the service account of the pod that this process runs in. `data` is a
    directory for the journal, if one is wanted. `is_copy` says that the hub's store was put back
    from a backup.
    """

    kubeconfig: str = ""
    context: str = ""
    is_in_cluster: bool = False
    listen: tuple[str, int] | None = None
    """Where the API server may ask about objects; None where nobody asks."""
    data: Path | None = None
    is_copy: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Leading:
    """This process works for the hub now."""

    url: str
    identity: str
    epoch: str


Ready = Callable[[Leading], Awaitable[None]]


def up(options: RemoteOptions, ready: Ready, say: Say = telling.to_stderr) -> None:
    """Work for the hub until a signal says to end; Refused where a person has to change something.

    `ready` is called when this process first leads.
    """
    with clocks.rare_collections():
        asyncio.run(signals.until_signalled(serve(options, ready, say)))


async def serve(options: RemoteOptions, ready: Ready, say: Say) -> None:
    """Work for the hub until cancelled."""
    clock = RealClock()
    target = _target(options)
    asked = _asked(options, say)
    identity = f"{socket.gethostname()}-{secrets.token_hex(3)}"
    hub = ClusterApi(target, user_agent="oneco-hub", keeps_managers=keep_none)
    async with hub as api, _journal(options) as journal:
        election = Election(api, LEASE, identity, clock)
        process = _Process(api, election, _Tools(clock, journal, say, asked))
        await process.persist(process.reach, "the hub")
        async with _listening(asked, api, clock):
            while True:
                await process.persist(process.win, "the lease")
                say(f"{identity} leads the hub at {target.cluster.server}")
                try:
                    why = await process.lead(is_copy=options.is_copy, ready=ready)
                finally:
                    await process.leave()
                say(f"{identity} does not lead any more: {why}; stands again")


class _Tools(NamedTuple):
    """What a process has besides the hub itself."""

    clock: Clock
    journal: Journal
    say: Say
    asked: Asked | None


class _Process:
    """One process that stands for a hub, and works for it while it leads."""

    def __init__(self, api: ClusterApi, election: Election, tools: _Tools) -> None:
        self._api, self._election = api, election
        self._clock, self._journal, self._say, self._asked = tools
        self._is_told = self._has_led = False

    async def persist(self, work: Callable[[], Awaitable[None]], what: str) -> None:
        """Do `work`, however long the hub cannot be reached; Refused if it never will do."""
        began, pause, said = self._clock.now(), _FIRST_PAUSE_SECONDS, ""
        while True:
            try:
                return await work()
            except (ApiOutage, Forbidden, Unauthorized) as trouble:
                is_late = self._clock.now() > began + _PATIENCE_SECONDS
                if isinstance(trouble, ApiRefusal) and is_late and not self._has_led:
                    raise _without_rights(trouble) from trouble
                if trouble.message != said:
                    said = trouble.message
                    self._say(f"{what} cannot be had: {said}; trying again")
                advice = trouble.retry_after_seconds if isinstance(trouble, ApiOutage) else None
            await self._clock.sleep_until(Instant(self._clock.now() + max(pause, advice or 0.0)))
            pause = min(pause * 2, _LAST_PAUSE_SECONDS)

    async def reach(self) -> None:
        """Find the hub's own namespace, or make it: the lease lies there."""
        place = epoch.NAMESPACE
        try:
            await self._api.get(place)
        except NotFound:
            with contextlib.suppress(AlreadyExists):
                await self._api.create(place._replace(name=""), epoch.namespace())

    async def win(self) -> None:
        """Return when this process leads."""
        said = ""
        while not await self._election.stand():
            if self._election.holder != said:
                said = self._election.holder
                self._say(f"{said} leads; {self._election.identity} waits to take over")
            await self._election.pause()
        self._has_led = True

    async def lead(self, *, is_copy: bool, ready: Ready) -> str:
        """Work for the hub until the lease is lost; why it was."""
        loop = asyncio.get_running_loop()
        keeping = loop.create_task(self._election.keep())
        working = loop.create_task(self._work(is_copy=is_copy, ready=ready))
        try:
            await asyncio.wait((keeping, working), return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
            return await keeping
        finally:
            for task in (working, keeping):
                task.cancel()
            await asyncio.gather(working, keeping, return_exceptions=True)

    async def leave(self) -> None:
        """Let somebody else lead at once, if this process still does."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(_GOODBYE_SECONDS):
                if self._asked is not None:
                    await self._asked.leave(FencedApi(self._api, self._election))
                await self._election.give_back()

    async def _work(self, *, is_copy: bool, ready: Ready) -> None:
        api = FencedApi(self._api, self._election)
        begun = ""

        async def prepare() -> None:
            nonlocal begun
            begun = await hub.prepare(api, self._clock, is_copy=is_copy and not self._is_told)

        await self.persist(prepare, "the hub")
        if self._asked is not None:
            await self.persist(partial(self._asked.register, api), "the webhook")
        shell = hub.shell(api, self._clock, journal=self._journal)
        members = KubeconfigMembers(api, self._clock, self._journal, self._fenced)
        if not self._is_told:
            self._is_told = True
            server = self._api.target.cluster.server
            await ready(Leading(url=server, identity=self._election.identity, epoch=begun))
        watching = telling.troubles(shell, self._clock, self._say, "the hub answers again")
        await signals.together(shell.run(), members.run(), watching)

    def _fenced(self, member: Api) -> Api:
        return FencedApi(member, self._election)


@contextlib.asynccontextmanager
async def _journal(options: RemoteOptions) -> AsyncIterator[Journal]:
    if options.data is None:
        yield forget
        return
    options.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    journal = JournalFile(options.data / "journal.jsonl")
    try:
        yield journal
    finally:
        journal.close()


def _asked(options: RemoteOptions, say: Say) -> Asked | None:
    if options.listen is None:
        return None
    return Asked(*options.listen, say, is_behind_service=options.is_in_cluster)


@contextlib.asynccontextmanager
async def _listening(asked: Asked | None, api: Api, clock: Clock) -> AsyncIterator[None]:
    """The port is open while the context lasts, or as soon as its certificate is there."""
    if asked is None:
        yield
        return
    opening = asyncio.get_running_loop().create_task(asked.open(api, clock))
    try:
        if not asked.is_behind_service:
            await opening
        yield
    finally:
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        await asked.close()


def _target(options: RemoteOptions) -> Target:
    if options.is_in_cluster:
        return kubeconfig.in_cluster()
    return kubeconfig.load(options.kubeconfig or None, options.context or None)


def _without_rights(refusal: ApiRefusal) -> Refused:
    if isinstance(refusal, Unauthorized):
        wanted = "credentials that the hub knows"
    else:
        wanted = f"rights on the hub: {_INSTALL}"
    return Refused("the hub", found=refusal.message, wanted=wanted)
