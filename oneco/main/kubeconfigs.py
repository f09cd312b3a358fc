"""Real members that the hub reaches with a kubeconfig of its own: it runs their agents itself.

Only then does the hub hold a member's credential. It is a Secret in the hub's system namespace
with the label MEMBER_LABEL, whose value is the cluster's name.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import tempfile
from collections.abc import Callable
from pathlib import Path

from oneco.agent import marks
from oneco.clock import Clock, Instant
from oneco.control.journal import Journal
from oneco.decision import Side
from oneco.errors import OnecoError
from oneco.kube import objects
from oneco.kube.api import Api, ListOptions, Match
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource
from oneco.main import crds
from oneco.main.agent_controllers import AT_ONCE, Duties
from oneco.main.agents import Agent
from oneco.main.epoch import SYSTEM_NAMESPACE

MEMBER_LABEL = "onepersoncompany.io/member"
SECRETS = Resource("", "v1", "secrets")
KEY = "kubeconfig"
_LOOK_SECONDS = 5.0
_log = logging.getLogger(__name__)


def secret(cluster: str, kubeconfig: str) -> Object:
    """The Secret that makes the hub run the agent of `cluster`."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": f"member-{cluster}",
            "namespace": SYSTEM_NAMESPACE,
            "labels": {MEMBER_LABEL: cluster},
        },
        "data": {KEY: base64.b64encode(kubeconfig.encode()).decode()},
    }


class KubeconfigMembers:
    """Starts and ends the agents of members whose kubeconfigs the hub holds.

    `guard` stands between the agents and their members, where not every process may write there.
    """

    def __init__(
        self,
        hub: Api,
        clock: Clock,
        journal: Journal,
        guard: Callable[[Api], Api] = lambda member: member,
    ) -> None:
        self._hub, self._clock, self._journal, self._guard = hub, clock, journal, guard
        self._agents: dict[str, tuple[str, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Keep the agents as the Secrets say, until cancelled."""
        try:
            while True:
                with contextlib.suppress(OnecoError):
                    await self._look()
                await self._clock.sleep_until(Instant(self._clock.now() + _LOOK_SECONDS))
        finally:
            for _, task in self._agents.values():
                task.cancel()

    async def _look(self) -> None:
        options = ListOptions(match=Match(labels=MEMBER_LABEL))
        page = await self._hub.list(Address(SECRETS, SYSTEM_NAMESPACE), options)
        wanted = {objects.labels(one)[MEMBER_LABEL]: one for one in page.items}
        for name in [one for one in self._agents if one not in wanted]:
            self._agents.pop(name)[1].cancel()
        for name, found in wanted.items():
            version = objects.resource_version(found)
            held = self._agents.get(name)
            if held is None or held[0] != version or held[1].done():
                if held is not None:
                    held[1].cancel()
                task = asyncio.get_running_loop().create_task(self._serve(name, found))
                self._agents[name] = (version, task)

    async def _serve(self, cluster: str, found: Object) -> None:
        try:
            await self._run_agent(cluster, found)
        except OnecoError as failure:
            # It is begun again at the next look.
            _log.warning("cluster %s: %s", cluster, failure)

    async def _run_agent(self, cluster: str, found: Object) -> None:
        # aiohttp is loaded only by those who reach outside this process.
        from oneco.worlds.cluster.client import connect

        text = base64.b64decode(objects.dig(found, "data", KEY, default="")).decode()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, KEY)
            path.touch(mode=0o600)
            path.write_text(text)
            member = connect(str(path), keeps_managers=marks.has_a_size)
        async with member:
            guarded = self._guard(member)
            await crds.install(guarded, crds.for_member())
            await crds.served(guarded, crds.for_member(), self._clock)
            apis: dict[Side, Api] = {"hub": self._hub, "member": guarded}
            agent = Agent(
                cluster, apis, self._clock, duties=Duties(at_once=AT_ONCE), journal=self._journal
            )
            await agent.run()
