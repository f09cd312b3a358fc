"""One simulated cluster: an API server in memory with everything a cluster does by itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from oneco.kube.api import Api
from oneco.worlds.apiserver.core import IN_PROCESS, Caller
from oneco.worlds.apiserver.memory import MemoryStore
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.apiserver.store import Key
from oneco.worlds.behaviours import Behaviours, chances
from oneco.worlds.behaviours.faults import NO_FAULTS, FaultBook
from oneco.worlds.behaviours.index import NODES
from oneco.worlds.behaviours.kruise.webhook import Webhook
from oneco.worlds.behaviours.timers import Agenda
from oneco.worlds.sim.api import LineApi
from oneco.worlds.sim.line import Line

# So many changes are remembered for watches to resume: a thousand clusters share one memory.
_HISTORY = 200
# OpenKruise's, for clusters that serve its kinds.
_WEBHOOKS = (Webhook(),)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NodeSpec:
    """One node to begin with."""

    name: str
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    pods: int = 110


def plain_nodes(count: int) -> Sequence[NodeSpec]:
    """So many nodes without any particularity."""
    return tuple(NodeSpec(name=f"node-{number}") for number in range(1, count + 1))


class SimCluster:
    """A cluster that exists in this process alone.

    `api` is how the rest of the world sees it, across a line that faults can cut; `server` and
    `store` are its inside, always there.
    """

    def __init__(
        self,
        name: str,
        agenda: Agenda,
        *,
        nodes: Sequence[NodeSpec] | int = 3,
        seed: int = 0,
        faults: FaultBook = NO_FAULTS,
    ) -> None:
        self.name, self._clock = name, agenda.clock
        self.faults = faults.of(name)
        self.store = MemoryStore(history=_HISTORY)
        self.server = ApiServer(
            self.store,
            agenda.clock,
            admission=_WEBHOOKS,
            completions=_WEBHOOKS,
            seed=chances.number(seed, name),
        )
        self.line = Line(name, agenda, self.faults)
        self.api: Api = LineApi(self.server, self.line)
        self.behaviours = Behaviours(self.server, agenda, cluster=name, seed=seed, faults=faults)
        for node in plain_nodes(nodes) if isinstance(nodes, int) else nodes:
            self._add_node(node)

    def way_to(self, server: ApiServer, caller: Caller = IN_PROCESS) -> Api:
        """Another server as seen from inside this cluster: nothing gets there while it is cut off.

        This is how the cluster's agent sees the hub.
        """
        return LineApi(server, self.line, caller=caller)

    def is_reachable(self) -> bool:
        """Whether the cluster and the rest of the world can talk now."""
        return self.line.is_open()

    def error_rate(self, namespace: str, selector: str = "") -> float:
        """The share of requests that the ready pods with these labels fail now."""
        return self.faults.error_rate_of(self.store, namespace, selector, self._clock.now())

    def _add_node(self, node: NodeSpec) -> None:
        labels = {"kubernetes.io/hostname": node.name, "kubernetes.io/os": "linux", **node.labels}
        room = {"cpu": "16", "memory": "64Gi", "pods": str(node.pods)}
        self.server.inside.create(
            Key(NODES, "", node.name),
            {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"labels": labels},
                "spec": {},
                "status": {"capacity": room, "allocatable": room},
            },
        )
