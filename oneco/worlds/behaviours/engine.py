"""The controllers of one cluster, woken by commits and run once at the end of each turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from oneco.worlds.apiserver.evictions import BUDGETS
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.apiserver.store import Change, Key
from oneco.worlds.behaviours import autoscalers
from oneco.worlds.behaviours.autoscalers import Autoscalers
from oneco.worlds.behaviours.budgets import Budgets
from oneco.worlds.behaviours.claims import Claims
from oneco.worlds.behaviours.controller import Controller
from oneco.worlds.behaviours.cronjobs import CronJobs
from oneco.worlds.behaviours.daemonsets import DaemonSets
from oneco.worlds.behaviours.deployments import Deployments
from oneco.worlds.behaviours.endpoints import Endpoints
from oneco.worlds.behaviours.faults import FaultBook
from oneco.worlds.behaviours.hand import Hand
from oneco.worlds.behaviours.index import Index
from oneco.worlds.behaviours.jobs import Jobs
from oneco.worlds.behaviours.kruise import clonesets
from oneco.worlds.behaviours.kruise import daemonsets as advanced_daemonsets
from oneco.worlds.behaviours.kruise import statefulsets as advanced_statefulsets
from oneco.worlds.behaviours.narrator import Narrator
from oneco.worlds.behaviours.nodes import Nodes
from oneco.worlds.behaviours.pods import Pods
from oneco.worlds.behaviours.replicasets import ReplicaSets
from oneco.worlds.behaviours.statefulsets import StatefulSets
from oneco.worlds.behaviours.timers import Agenda
from oneco.worlds.behaviours.upkeep import Upkeep

_Maker = Callable[[Hand, Index, Callable[[], None]], Controller]
_LATE: Mapping[str, _Maker] = {
    BUDGETS: Budgets,
    clonesets.COLLECTION: clonesets.CloneSets,
    advanced_statefulsets.COLLECTION: advanced_statefulsets.AdvancedStatefulSets,
    advanced_daemonsets.COLLECTION: advanced_daemonsets.AdvancedDaemonSets,
}
"""Controllers that start with their collection's first object: without one they cost nothing."""


class Behaviours:
    """Everything that one cluster does by itself, from the first commit on.

    A commit only marks what it touches. At the end of the turn each marked object is reconciled
    once, pods first and what owns them later, until nothing is marked: ten pods that become ready
    at one instant cost one status of their ReplicaSet and one of its Deployment.
    """

    # More rounds than any chain of owners needs: what is left then feeds itself.
    _ROUNDS = 1000

    def __init__(  # noqa: PLR0913 - what makes one cluster differ from another, all by name
        self,
        server: ApiServer,
        agenda: Agenda,
        *,
        cluster: str,
        seed: int,
        faults: FaultBook,
        root_certificate: str | None = None,
    ) -> None:
        """With its root certificate it also does what only people look at: it gives each
        namespace an account and the certificate, and tells in events what controllers did.
        """
        self.cluster, self._agenda = cluster, agenda
        hand, self._index = Hand(server, agenda, cluster, seed), Index()
        self._store, self._is_stirred, self._is_off = server.store, False, False
        nodes = Nodes(hand, self._index, self._stir, faults)
        # The order of work: what others wait for comes first.
        self._controllers: Sequence[Controller] = (
            nodes,
            Pods(hand, self._index, self._stir, nodes=nodes, faults=faults),
            ReplicaSets(hand, self._index, self._stir),
            Jobs(hand, self._index, self._stir),
            Deployments(hand, self._index, self._stir),
            StatefulSets(hand, self._index, self._stir),
            DaemonSets(hand, self._index, self._stir),
            Endpoints(hand, self._index, self._stir),
            Claims(hand, self._index, self._stir),
            CronJobs(hand, self._index, self._stir),
        )
        if root_certificate is not None:
            self._controllers = (
                *self._controllers,
                Upkeep(hand, self._index, self._stir, root_certificate),
                Narrator(hand, self._index, self._stir),
            )
        self._early = len(self._controllers)
        self._hand, self._interested = hand, dict[str, tuple[Controller, ...]]()
        self._waiting: dict[str, _Maker] = {
            **_LATE,
            autoscalers.COLLECTION: partial(Autoscalers, faults=faults),
        }
        for controller in self._controllers:
            self._listen(controller)
        server.store.on_commit(self._on_commit)

    def resume(self) -> None:
        """Take up a store that already has objects: every pending stage is derived from them."""
        for collection in tuple(self._waiting):
            if next(iter(self._store.scan(collection)), None) is not None:
                self._start_late(collection)
        for collection in self._interested:
            for obj in self._store.scan(collection):
                metadata = obj["metadata"]
                key = Key(collection, metadata.get("namespace") or "", metadata["name"])
                self._on_commit(Change(0, key, None, obj))

    def stop(self) -> None:
        """Do nothing any more, whatever is committed."""
        self._is_off = True

    def _on_commit(self, change: Change) -> None:
        interested = self._interested.get(change.key.collection)
        if interested is None:
            if change.key.collection not in self._waiting:
                return
            interested = self._start_late(change.key.collection)
        if self._is_off:
            return
        self._index.notice(change)
        for controller in interested:
            controller.notice(change)

    def _listen(self, controller: Controller) -> None:
        for collection in controller.collections:
            before = self._interested.get(collection, ())
            self._interested[collection] = (*before, controller)

    def _start_late(self, collection: str) -> tuple[Controller, ...]:
        """Start the controller of a kind that most clusters have no object of."""
        controller = self._waiting.pop(collection)(self._hand, self._index, self._stir)
        late = [*self._controllers[self._early :], controller]
        # Their order follows from their kinds, not from which kind was first seen.
        late.sort(key=lambda one: type(one).__name__)
        self._controllers = (*self._controllers[: self._early], *late)
        self._listen(controller)
        return self._interested[collection]

    def _stir(self) -> None:
        if not self._is_stirred:
            self._is_stirred = True
            self._agenda.soon(self._work)

    def _work(self) -> None:
        for _ in range(self._ROUNDS):
            for controller in self._controllers:
                if controller.todo and not self._is_off:
                    controller.work()
                    break
            else:
                self._is_stirred = False
                return
        names = [type(controller).__name__ for controller in self._controllers if controller.todo]
        raise AssertionError(f"{', '.join(names)} of cluster {self.cluster} feed each other")
