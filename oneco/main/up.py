"""`oneco up`: the hub in this process, with its built-in members and the agents it runs itself."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from oneco.control.journal import Journal
from oneco.decision import Side
from oneco.errors import Refused
from oneco.kinds import fleet, ocm, validity
from oneco.kinds.fleet import FaultSpec, FleetSpec, Member
from oneco.kinds.parts import parse
from oneco.kube import documents
from oneco.kube.api import Api, WriteOptions
from oneco.kube.refs import Address
from oneco.main import (
    authority_change,
    backup,
    hub,
    metrics,
    probing,
    scenario,
    server_certificates,
    speed,
    timekeeping,
)
from oneco.main.agents import Agent
from oneco.main.builtin import BuiltinFleet
from oneco.main.journal_file import JournalFile
from oneco.main.kubeconfigs import KubeconfigMembers
from oneco.worlds import clocks
from oneco.worlds.behaviours.faults import Fault, FaultBook
from oneco.worlds.clocks import Alarm, RealClock
from oneco.worlds.embedded.serve import EmbeddedServer, Settings


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UpOptions:
    """What a person may say of a hub. `fleet` names files or folders with a Fleet and Faults."""

    data: Path
    host: str = "127.0.0.1"
    port: int = 0
    fleet: tuple[Path, ...] = ()
    speed: float = 1.0
    origin: Path | None = None
    """A backup to begin from, in a directory without data."""
    origin_key: Path | None = None
    """A file with the keys of that backup."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A hub that is up. `api` acknowledges what is durable; `kubeconfigs` are by member."""

    api: Api
    url: str
    clock: Alarm
    kubeconfig: Path
    kubeconfigs: dict[str, Path]
    is_waiting_for_confirmation: bool


def up(options: UpOptions, ready: Callable[[Running], Awaitable[None]]) -> None:
    """Be a hub until a signal says to end, or until `ready` returns having raised Finished."""
    with clocks.rare_collections():
        asyncio.run(_until_signalled(options, ready))


class Finished(Exception):
    """Raised by `ready` to end the hub in good order."""


async def _until_signalled(options: UpOptions, ready: Callable[[Running], Awaitable[None]]) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    async with running(options) as (state, failed):
        saying = loop.create_task(_say(ready, state))
        waiting = loop.create_task(ended.wait())
        try:
            await _first((failed, waiting, saying), saying)
        finally:
            for task in (saying, waiting):
                task.cancel()


async def _say(ready: Callable[[Running], Awaitable[None]], state: Running) -> bool:
    try:
        await ready(state)
    except Finished:
        return True
    return False


async def _first(tasks: Sequence[asyncio.Future[Any]], saying: asyncio.Task[Any]) -> None:
    """Return when something ends the hub; a failure of its own is raised."""
    left = set(tasks)
    while left:
        done, left = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            result = task.result()
            if task is not saying or result:
                return


@contextlib.asynccontextmanager
async def running(
    options: UpOptions,
) -> AsyncIterator[tuple[Running, asyncio.Future[Any]]]:
    """A hub that is up for as long as the context lasts, and what fails if it breaks down."""
    members, faults = _fleet(options.fleet)
    if options.origin is not None:
        backup.restore(options.origin, options.data, options.origin_key)
    clock = timekeeping.clock(options.data, options.speed) if members else RealClock()
    # A stopped and restarted hub must not replay faults from their beginning: they are timeless.
    book = FaultBook(
        faults=tuple(faults), start=clock.now(), labels={one.name: one.labels for one in members}
    )
    names = {one.name for one in members}
    own = (speed.OnlyBuiltin(names, options.speed),) if options.speed != 1.0 else ()
    settings = Settings(name="oneco", admission=(validity.Admission(), *own))
    async with contextlib.AsyncExitStack() as stack:
        server = EmbeddedServer(options.data, clock, settings)
        stack.push_async_callback(server.stop)
        speed.check(server.store, names, options.speed)
        builtin = BuiltinFleet(members, options.data / "members", clock, book)
        stack.push_async_callback(builtin.stop)
        is_copy = server.store.is_copy()
        # Before any agent can ask: what it is told must carry the mark of this life of the hub.
        await hub.prepare(server.api, clock, is_copy=is_copy)
        if is_copy:
            server.store.adopt_copy()
        await server.start(options.host, options.port)
        await builtin.start()
        journal = JournalFile(options.data / "journal.jsonl")
        stack.callback(journal.close)
        work = await _start_work(stack, journal, server, builtin, clock)
        state = Running(
            api=server.api,
            url=server.url,
            clock=clock,
            kubeconfig=server.kubeconfig_path,
            kubeconfigs={one: builtin[one].server.kubeconfig_path for one in builtin},
            is_waiting_for_confirmation=is_copy,
        )
        yield state, work


async def _start_work(
    stack: contextlib.AsyncExitStack,
    journal: Journal,
    server: EmbeddedServer,
    builtin: BuiltinFleet,
    clock: Alarm,
) -> asyncio.Future[Any]:
    probe = probing.runner(metrics.probe(builtin))
    deciders = hub.shell(server.api, clock, more=(probe,), journal=journal)
    agents = [await _agent(server.api, builtin, name, clock, journal) for name in builtin]
    outside = KubeconfigMembers(server.api, clock, journal)
    keeper = authority_change.Keeper(server, RealClock())
    servers = [server, *(builtin[one].server for one in builtin)]
    certificates = server_certificates.keep(servers, RealClock())
    runs = (agent.run() for agent in agents)
    works = [deciders.run(), outside.run(), keeper.run(), certificates, *runs]
    tasks = [asyncio.get_running_loop().create_task(work) for work in works]
    stack.push_async_callback(_cancel, tasks)
    return asyncio.get_running_loop().create_task(_first_end(tasks))


async def _first_end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """None of these ends by itself: when one does, its failure is the hub's."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


async def _agent(
    api: Api, builtin: BuiltinFleet, name: str, clock: Alarm, journal: Journal
) -> Agent:
    member = builtin[name]
    registered = fleet.managed_cluster(member.member)
    address = Address(ocm.CLUSTERS, "", name)
    await api.apply(address, registered, WriteOptions(manager="oneco-fleet", force=True))
    apis: dict[Side, Api] = {"hub": api, "member": member.server.api}
    return Agent(name, apis, clock, journal=journal)


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _fleet(paths: Sequence[Path]) -> tuple[Sequence[Member], list[Fault]]:
    if not paths:
        return (), []
    every = documents.read_files(paths)
    found = [one for one in every if one.object["kind"] in ("Fleet", "Fault")]
    for document in found:
        for cause in validity.validate(document.object):
            raise Refused(f"{document.where(cause.field)}: {cause.message}")
    fleets = [one for one in found if one.object["kind"] == "Fleet"]
    if len(fleets) != 1:
        where = ", ".join(map(str, paths))
        raise Refused(where, found=f"{len(fleets)} Fleets", wanted="one Fleet")
    spec = parse(FleetSpec, fleets[0].object.get("spec"), f"{fleets[0].source}: spec")
    faults = [
        scenario.fault(parse(FaultSpec, one.object.get("spec"), f"{one.source}: spec"))
        for one in found
        if one.object["kind"] == "Fault"
    ]
    return fleet.members(spec), list(faults)
