"""PodDisruptionBudgets: how many of the pods that they choose may be evicted now."""

from __future__ import annotations

import math
from typing import ClassVar

from oneco.kube import selectors
from oneco.kube.objects import Object, dig
from oneco.worlds.apiserver.evictions import BUDGETS
from oneco.worlds.apiserver.store import Change, Key
from oneco.worlds.behaviours import statuses
from oneco.worlds.behaviours.controller import Controller
from oneco.worlds.behaviours.index import (
    DEPLOYMENTS,
    PODS,
    REPLICA_SETS,
    STATEFUL_SETS,
    owner_of,
)

_SCALED = {
    "Deployment": DEPLOYMENTS,
    "ReplicaSet": REPLICA_SETS,
    "StatefulSet": STATEFUL_SETS,
    "CloneSet": "apps.kruise.io/clonesets",
}


class Budgets(Controller):
    """The disruption controller of one cluster."""

    collections: ClassVar[tuple[str, ...]] = (BUDGETS, PODS)

    def notice(self, change: Change) -> None:
        """Look at a budget that changed, and at those of a namespace whose pods did."""
        key, before, after = change.key, change.before, change.after
        if key.collection == BUDGETS:
            if after is not None and (before is None or before["spec"] is not after["spec"]):
                self.mark(key)
            return
        for budget in self.hand.store.scan(BUDGETS, key.namespace):
            self.mark(Key(BUDGETS, key.namespace, budget["metadata"]["name"]))

    def reconcile(self, key: Key) -> None:
        """Write how many disruptions the budget allows."""
        budget = self.hand.store.get(key)
        if budget is None or "deletionTimestamp" in budget["metadata"]:
            return
        chosen = self._chosen(key.namespace, budget)
        expected, desired = self._wanted(key.namespace, budget, chosen)
        healthy = sum(
            statuses.is_ready(pod) and "deletionTimestamp" not in pod["metadata"] for pod in chosen
        )
        allowed = max(healthy - desired, 0) if expected > 0 else 0
        held = budget.get("status") or {}
        status = {
            "conditions": self._conditions(budget, allowed),
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "disruptionsAllowed": allowed,
            "expectedPods": expected,
            "observedGeneration": budget["metadata"].get("generation", 1),
        }
        if status != held:
            self.hand.report(key, budget, status)

    def _chosen(self, namespace: str, budget: Object) -> list[Object]:
        wanted = dig(budget, "spec", "selector")
        if wanted is None:
            return []
        selector = selectors.from_object(wanted)
        pods = self.index.pods(namespace).values()
        return [pod for pod in pods if selector.matches(pod["metadata"].get("labels"))]

    def _wanted(self, namespace: str, budget: Object, chosen: list[Object]) -> tuple[int, int]:
        """How many pods there should be, and how many of them have to be healthy."""
        spec = budget["spec"]
        fewest, most = spec.get("minAvailable"), spec.get("maxUnavailable")
        if most is not None:
            scale = self._scale(namespace, chosen)
            return scale, max(scale - _count(most, scale), 0)
        if isinstance(fewest, str):
            scale = self._scale(namespace, chosen)
            return scale, _count(fewest, scale)
        return len(chosen), fewest or 0

    def _scale(self, namespace: str, chosen: list[Object]) -> int:
        """The size that those who control the pods want; pods of nobody count for nothing."""
        sizes: dict[str, int] = {}
        for pod in chosen:
            owner = self._controller(namespace, pod)
            if owner is not None:
                sizes[owner["metadata"]["uid"]] = dig(owner, "spec", "replicas", default=0)
        return sum(sizes.values())

    def _controller(self, namespace: str, child: Object) -> Object | None:
        reference = owner_of(child)
        if reference is None or reference["kind"] not in _SCALED:
            return None
        found = self.hand.store.get(Key(_SCALED[reference["kind"]], namespace, reference["name"]))
        # A ReplicaSet of a Deployment is one of several: the Deployment knows the size.
        return found if found is None else self._controller(namespace, found) or found

    def _conditions(self, budget: Object, allowed: int) -> list[Object]:
        wanted = {
            "status": "True" if allowed else "False",
            "reason": "SufficientPods" if allowed else "InsufficientPods",
        }
        held = dig(budget, "status", "conditions", default=())
        before = next((one for one in held if one["type"] == "DisruptionAllowed"), None)
        is_same = before is not None and before["status"] == wanted["status"]
        since = before["lastTransitionTime"] if is_same and before else self.hand.now_text()
        return [
            {
                "type": "DisruptionAllowed",
                **wanted,
                "message": "",
                "lastTransitionTime": since,
                "observedGeneration": budget["metadata"].get("generation", 1),
            }
        ]


def _count(wanted: int | str, of: int) -> int:
    """A number, or a percentage of `of`, rounded up."""
    if isinstance(wanted, int):
        return wanted
    return math.ceil(int(wanted.removesuffix("%")) * of / 100)
