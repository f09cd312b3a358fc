"""A cluster on disk goes on after its process ended."""

from __future__ import annotations

import asyncio

from oneco.clock import Instant
from oneco.kube.refs import Address, Resource
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.apiserver.store import Key
from oneco.worlds.behaviours import Agenda, Behaviours
from oneco.worlds.behaviours.faults import NO_FAULTS
from oneco.worlds.clocks import ScaledClock
from oneco.worlds.embedded.sqlite import SqliteStore
from tests.behaviours.a_cluster import START, a_deployment

DEPLOYMENT = Address(Resource("apps", "v1", "deployments"), "default", "web")


def live(path, start, story):
    """What `story(server)` answers in a process whose cluster is in the file at `path`."""

    async def main():
        clock = ScaledClock(speed=100, start=start)
        store = SqliteStore(path, call_soon=asyncio.get_running_loop().call_soon_threadsafe)
        server = ApiServer(store, clock, seed=1)
        agenda = Agenda(clock)
        behaviours = Behaviours(server, agenda, cluster="here", seed=1, faults=NO_FAULTS)
        behaviours.resume()
        try:
            await story(server, clock)
            await store.durable(store.revision())
            return clock.now()
        finally:
            behaviours.stop()
            agenda.close()
            store.close()

    return asyncio.run(main())


def test_pods_that_were_starting_become_ready_after_a_restart(tmp_path):
    found = {}

    async def begin(server, _clock):
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {}}
        server.inside.create(Key("/nodes", "", "one"), node)
        server.create(DEPLOYMENT._replace(name=""), a_deployment(replicas=3))
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def go_on(server, clock):
        await clock.sleep_until(Instant(clock.now() + 10))
        found.update(server.get(DEPLOYMENT)["status"])

    stopped = live(tmp_path / "store", START, begin)
    live(tmp_path / "store", stopped, go_on)
    assert found["readyReplicas"] == found["availableReplicas"] == 3
