"""Members that live in this process: a whole cluster each, kept in the hub's data directory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from oneco.kinds.fleet import Member
from oneco.kube.refs import Address, Resource
from oneco.main import crds
from oneco.main.metrics import Metered
from oneco.worlds.behaviours import Agenda, Behaviours
from oneco.worlds.behaviours.faults import FaultBook
from oneco.worlds.behaviours.kruise.webhook import Webhook
from oneco.worlds.clocks import Alarm
from oneco.worlds.embedded.serve import EmbeddedServer, Settings

_NODES = "/nodes"
_NODE_RESOURCE = Resource("", "v1", "nodes")


class BuiltinMember:
    """One cluster with its own directory, port and kubeconfig."""

    def __init__(self, member: Member, directory: Path, agenda: Agenda, faults: FaultBook) -> None:
        self.member, self._clock = member, agenda.clock
        self._faults = faults.of(member.name)
        hooks = (Webhook(),)
        settings = Settings(name=member.name, admission=hooks, completions=hooks)
        self.server = EmbeddedServer(directory, agenda.clock, settings)
        self.store = self.server.store
        self.behaviours = Behaviours(
            self.server.server,
            agenda,
            cluster=member.name,
            seed=1,
            faults=faults,
            root_certificate=self.server.authority.certificate_pem.decode(),
        )

    async def start(self) -> None:
        """Serve, with its nodes and whatever was going on when it was last ended."""
        self._add_nodes()
        self.behaviours.resume()
        await self.server.start()
        await crds.install(self.server.api, crds.for_own_member())

    def error_rate(self, namespace: str, selector: str = "") -> float:
        """The share of requests that the ready pods with these labels fail now."""
        return self._faults.error_rate_of(self.store, namespace, selector, self._clock.now())

    def _add_nodes(self) -> None:
        there = {node["metadata"]["name"] for node in self.store.scan(_NODES)}
        for number in range(1, self.member.nodes + 1):
            name = f"node-{number}"
            if name not in there:
                self.server.server.create(Address(_NODE_RESOURCE), _node(self.member, name))


class BuiltinFleet(Mapping[str, Metered]):
    """The built-in members by name, on one agenda."""

    def __init__(
        self, members: Sequence[Member], directory: Path, clock: Alarm, faults: FaultBook
    ) -> None:
        self._agenda = Agenda(clock)
        self._members: dict[str, BuiltinMember] = {
            one.name: BuiltinMember(one, directory / one.name, self._agenda, faults)
            for one in members
        }

    def __getitem__(self, name: str) -> BuiltinMember:
        return self._members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    async def start(self) -> None:
        """Start every member."""
        for member in self._members.values():
            await member.start()

    async def stop(self) -> None:
        """Stop every member; all they acknowledged is on disk."""
        for member in self._members.values():
            # What is due in the meantime could not be written any more.
            member.behaviours.stop()
            await member.server.stop()


def _node(member: Member, name: str) -> dict[str, object]:
    room = {"cpu": member.cpu, "memory": member.memory, "pods": "110"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "spec": {},
        "status": {"capacity": room, "allocatable": room},
    }
