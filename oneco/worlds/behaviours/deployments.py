"""Deployments: their ReplicaSets, and how pods move from the old ones to the new one."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from oneco.kube import selectors
from oneco.kube.objects import Object
from oneco.worlds.apiserver.store import Change, Key
from oneco.worlds.behaviours import statuses, templates
from oneco.worlds.behaviours.controller import Controller
from oneco.worlds.behaviours.hand import Hand
from oneco.worlds.behaviours.index import DEPLOYMENTS, PODS, REPLICA_SETS, Index, owner_of
from oneco.worlds.behaviours.rollout import Rollout


class Deployments(Controller):
    """The Deployment controller of one cluster."""

    collections: ClassVar[tuple[str, ...]] = (DEPLOYMENTS, REPLICA_SETS, PODS)

    def __init__(self, hand: Hand, index: Index, stir: Callable[[], None]) -> None:
        super().__init__(hand, index, stir)
        self._comparisons = templates.Comparisons()

    def notice(self, change: Change) -> None:
        """Look at a Deployment that changed, or whose ReplicaSets did."""
        key, before, after = change.key, change.before, change.after
        if key.collection == DEPLOYMENTS:
            if after is not None and (before is None or _is_news(before, after)):
                self.mark(key)
        elif key.collection == REPLICA_SETS:
            self._mark_owner(key, after or before)
        elif after is None and before is not None:
            # A Recreate waits for the last old pod to be gone.
            parent = owner_of(before)
            if parent is not None and parent["kind"] == "ReplicaSet":
                found = self.hand.store.get(Key(REPLICA_SETS, key.namespace, parent["name"]))
                self._mark_owner(key, found)

    def reconcile(self, key: Key) -> None:
        """Take the rollout's next step and write the status."""
        deployment = self.hand.store.get(key)
        if deployment is None:
            return
        self._adopt(deployment)
        sets = list(self.index.children(deployment["metadata"]["uid"]).values())
        rollout = Rollout(
            self.hand,
            deployment,
            sets,
            comparisons=self._comparisons,
            has_old_pods=self._has_old_pods,
        )
        recheck = rollout.step()
        if recheck is not None:
            self.mark_at(recheck, key)

    def _mark_owner(self, key: Key, replica_set: Object | None) -> None:
        if replica_set is None:
            return
        owner = owner_of(replica_set)
        if owner is not None:
            if owner["kind"] == "Deployment":
                self.mark(Key(DEPLOYMENTS, key.namespace, owner["name"]))
            return
        for found in self.hand.store.scan(DEPLOYMENTS, key.namespace):
            if _chooses(found, replica_set):
                self.mark(Key(DEPLOYMENTS, key.namespace, found["metadata"]["name"]))

    def _adopt(self, deployment: Object) -> None:
        metadata = deployment["metadata"]
        if "deletionTimestamp" in metadata:
            return
        namespace = metadata["namespace"]
        for name, found in sorted(
            self.index.orphans(REPLICA_SETS, namespace).items(), key=_by_name
        ):
            if "deletionTimestamp" not in found["metadata"] and _chooses(deployment, found):
                references = [
                    *(found["metadata"].get("ownerReferences") or ()),
                    templates.owner_reference(deployment),
                ]
                changed = {**found["metadata"], "ownerReferences": references}
                self.hand.put(Key(REPLICA_SETS, namespace, name), {**found, "metadata": changed})

    def _has_old_pods(self, replica_set: Object) -> bool:
        pods = self.index.children(replica_set["metadata"]["uid"]).values()
        return any(not statuses.is_finished(pod) for pod in pods)


def _by_name(entry: tuple[str, Object]) -> str:
    return entry[0]


def _is_news(before: Object, after: Object) -> bool:
    return (
        before["spec"] is not after["spec"]
        or before["metadata"].get("annotations") is not after["metadata"].get("annotations")
        or "deletionTimestamp" in after["metadata"]
    )


def _chooses(deployment: Object, replica_set: Object) -> bool:
    chosen = selectors.from_object(deployment["spec"].get("selector"))
    return chosen.matches(replica_set["metadata"].get("labels"))
