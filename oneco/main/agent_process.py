"""`oneco agent`: one cluster's agent as a process of its own, which only ever dials out."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

from oneco.agent import marks
from oneco.clock import Clock, Instant
from oneco.decision import Side
from oneco.errors import Refused
from oneco.kinds import ocm
from oneco.kube.api import Api, ListOptions, Page
from oneco.kube.errors import ApiOutage
from oneco.kube.objects import Object
from oneco.kube.refs import Address
from oneco.main import crds, enrolling, joining, plain_hub, signals, telling
from oneco.main.agent_controllers import AT_ONCE, Duties
from oneco.main.agents import Agent
from oneco.main.enrolling import Wallet
from oneco.main.intent import Intent
from oneco.main.telling import Say
from oneco.worlds.clocks import RealClock
from oneco.worlds.cluster import kubeconfig
from oneco.worlds.cluster.client import ClusterApi
from oneco.worlds.cluster.target import Target
from oneco.worlds.cluster.wire import keep_none
from oneco.worlds.embedded.ownership import FileOwner

_FIRST_PAUSE_SECONDS, _LAST_PAUSE_SECONDS = 1.0, 30.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AgentOptions:
    """What a person says of an agent.

    `data` is its own directory, `join` an invitation, `kubeconfig` and `context` lead to the
    member (empty: as kubectl finds it), `name` is the cluster's if it should be checked. `hub` is
    a kubeconfig of the hub that somebody else keeps valid, in place of an invitation.
    """

    data: Path
    join: Path | None = None
    hub: Path | None = None
    kubeconfig: str = ""
    context: str = ""
    name: str = ""
    begins_anew: bool = False
    """Whether the whole process may be begun anew once it has joined."""


def run(options: AgentOptions, say: Say | None = None) -> None:
    """Be the agent until a signal says to end; Refused where the person has to change something."""
    anew = dataclasses.replace(options, begins_anew=True)
    try:
        asyncio.run(signals.until_signalled(serve(anew, say or telling.to_stderr)))
    except _Joined:
        # What was loaded to join would be held for life. The same process begins again, as every
        # later start does: with what is on its disk.
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


class _Joined(Exception):
    """The agent has its certificate, and may begin anew."""


async def serve(options: AgentOptions, say: Say) -> None:
    """Be the agent until cancelled."""
    clock = RealClock()
    options.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    member_target = kubeconfig.load(options.kubeconfig or None, options.context or None)
    with _alone(options.data):
        wallet = Wallet(options.data)
        cluster, file = await _way_to_the_hub(wallet, options, clock, say)
        if options.begins_anew and _has_joined(options):
            raise _Joined
        own = ClusterApi(member_target, keeps_managers=marks.has_a_size)
        async with own as member, _Hub(kubeconfig.load(file), cluster) as hub:
            await _prepare(member, clock, say)
            await _work(wallet, hub, member, clock, say)


def _has_joined(options: AgentOptions) -> bool:
    """Whether this process loaded what it takes to join, and could do without if it began anew."""
    # An invitation that came through a pipe could not be read again.
    can_begin = options.join is not None and options.join.is_file()
    return can_begin and "oneco.main.asking" in sys.modules


async def _way_to_the_hub(
    wallet: Wallet, options: AgentOptions, clock: Clock, say: Say
) -> tuple[str, str]:
    """The cluster's name, and the kubeconfig by which its agent reaches the hub."""
    if options.hub is None:
        cluster = await enrolling.enrol(wallet, options.join, clock, say, name=options.name)
        if options.name and options.name != cluster:
            where, wanted = str(options.data), f"the data directory of cluster {options.name}"
            raise Refused(where, found=f"that of cluster {cluster}", wanted=wanted)
        return cluster, str(wallet.kubeconfig)
    if options.join is not None:
        wanted = "one of the two: an invitation leads to a certificate that the agent keeps itself"
        raise Refused("--hub-kubeconfig", found="--join besides", wanted=wanted)
    if not options.name:
        raise Refused("--hub-kubeconfig", wanted="--name too: the cluster that this is to be")
    joining.check_name(options.name)
    return options.name, str(options.hub)


async def _work(wallet: Wallet, hub: _Hub, member: Api, clock: Clock, say: Say) -> None:
    cluster = hub.cluster
    intent = Intent(wallet.directory, cluster)
    if intent.trouble:
        say(intent.trouble)
    intent.is_watched = await plain_hub.is_watched(hub, intent.is_watched)
    is_ours = intent.is_watched
    apis: dict[Side, Api] = {"hub": hub, "member": member}
    duties = Duties(has_heartbeat=is_ours, is_watched=is_ours, at_once=AT_ONCE)
    agent = Agent(cluster, apis, clock, duties=duties)
    hub.learn = partial(agent.shell.cache.take, "hub", ocm.CLUSTERS)
    works = intent.begin(agent.shell)
    begins = f"begins with {works} works from its own disk" if works else "begins"
    say(f"agent of cluster {cluster}: {begins}")
    watching = telling.troubles(agent.shell, clock, say, "both clusters answer again")
    tasks: list[Awaitable[None]] = [agent.run(), watching]
    if wallet.kubeconfig.exists():
        tasks.append(enrolling.keep(wallet, hub, clock, say))
    if not is_ours:
        with contextlib.suppress(ApiOutage):
            await plain_hub.register(hub, cluster)
        tasks.append(plain_hub.keep_lease(hub, cluster, clock))
    try:
        await signals.together(*tasks)
    finally:
        intent.end()


class _Hub(ClusterApi):
    """The hub, asked which life it is in each time before anything of the cluster's is listed.

    After a hub came back from a copy, its works must not be read under the mark of the life that
    was confirmed before.
    """

    learn: Callable[[Object], None]
    """Told of the ManagedCluster; to be set before the first list."""

    def __init__(self, target: Target, cluster: str) -> None:
        super().__init__(target, keeps_managers=keep_none)
        self.cluster = cluster
        self._address = Address(ocm.CLUSTERS, "", cluster)

    async def __aenter__(self) -> _Hub:
        return self

    async def list(self, address: Address, options: ListOptions = ListOptions()) -> Page:
        """The objects of the collection, ordered by namespace and name."""
        if address.namespace:
            self.learn(await self.get(self._address))
        return await super().list(address, options)


async def _prepare(member: Api, clock: Clock, say: Say) -> None:
    """Teach the member the kind in which the agent keeps its records."""
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            await crds.install(member, crds.for_member())
            return await crds.served(member, crds.for_member(), clock)
        except ApiOutage as outage:
            say(f"this cluster cannot be reached: {outage}; trying again")
        await clock.sleep_until(Instant(clock.now() + pause))
        pause = min(pause * 2, _LAST_PAUSE_SECONDS)


@contextlib.contextmanager
def _alone(data: Path) -> Iterator[None]:
    owner = FileOwner(data / "agent.lock")
    try:
        yield
    finally:
        owner.release()
