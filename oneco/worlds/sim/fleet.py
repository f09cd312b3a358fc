"""Many simulated clusters on one agenda."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from oneco.worlds.behaviours.faults import NO_FAULTS, FaultBook
from oneco.worlds.behaviours.timers import Agenda
from oneco.worlds.clocks import Alarm
from oneco.worlds.sim.cluster import NodeSpec, SimCluster, plain_nodes


class SimFleet(Mapping[str, SimCluster]):
    """Clusters by name, in the order they were added."""

    def __init__(self, clock: Alarm, *, seed: int = 0, faults: FaultBook = NO_FAULTS) -> None:
        self._seed, self._faults = seed, faults
        self.agenda = Agenda(clock)
        self._clusters: dict[str, SimCluster] = {}

    def add(self, name: str, nodes: Sequence[NodeSpec] | int = 3) -> SimCluster:
        """A new cluster; its name must be free."""
        assert name not in self._clusters, f"there is a cluster {name} already"
        cluster = SimCluster(
            name,
            self.agenda,
            nodes=plain_nodes(nodes) if isinstance(nodes, int) else nodes,
            seed=self._seed,
            faults=self._faults,
        )
        self._clusters[name] = cluster
        return cluster

    def __getitem__(self, name: str) -> SimCluster:
        return self._clusters[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._clusters)

    def __len__(self) -> int:
        return len(self._clusters)
