"""What every namespace has from its first moment on: an account, and whom to trust."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from oneco.kube.objects import Object
from oneco.worlds.apiserver.removal import NAMESPACES
from oneco.worlds.apiserver.store import Change, Key
from oneco.worlds.behaviours.controller import Controller
from oneco.worlds.behaviours.hand import Hand
from oneco.worlds.behaviours.index import Index

ACCOUNTS = "/serviceaccounts"
CONFIG_MAPS = "/configmaps"
_ROOT = "kube-root-ca.crt"
_DESCRIPTION = {
    "kubernetes.io/description": (
        "Contains a CA bundle that can be used to verify the kube-apiserver when using internal "
        "endpoints such as the internal service IP or kubernetes.default.svc. No other usage is "
        "guaranteed across distributions of Kubernetes clusters."
    )
}
_PRIORITIES = (
    (
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another "
        "node if necessary.",
    ),
    (
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
)


class Upkeep(Controller):
    """The account controller and the publisher of the root certificate of one cluster."""

    collections: ClassVar[tuple[str, ...]] = (NAMESPACES, ACCOUNTS, CONFIG_MAPS)

    def __init__(self, hand: Hand, index: Index, stir: Callable[[], None], root: str) -> None:
        super().__init__(hand, index, stir)
        self._root = root

    def notice(self, change: Change) -> None:
        """Look at a namespace that came, and at one that lost what it should have."""
        key, _, after = change.key, change.before, change.after
        if key.collection == NAMESPACES:
            if after is not None:
                self.mark(key)
        elif key.name in ("default", _ROOT) and (
            after is None or after.get("data") != self._wanted(key.collection).get("data")
        ):
            self.mark(Key(NAMESPACES, "", key.namespace))

    def reconcile(self, key: Key) -> None:
        """Give the namespace what it lacks."""
        namespace = self.hand.store.get(key)
        if namespace is None or "deletionTimestamp" in namespace["metadata"]:
            return
        if key.name == "kube-system":
            self._add_priorities()
        for collection, name in ((ACCOUNTS, "default"), (CONFIG_MAPS, _ROOT)):
            place, wanted = Key(collection, key.name, name), self._wanted(collection)
            live = self.hand.store.get(place)
            if live is None:
                # Neither kind counts generations.
                self.hand.give(place, wanted)
            elif live.get("data") != wanted.get("data"):
                self.hand.put(place, {**live, "data": wanted["data"]})

    def _add_priorities(self) -> None:
        for name, value, description in _PRIORITIES:
            place = Key("scheduling.k8s.io/priorityclasses", "", name)
            if self.hand.store.get(place) is None:
                body: Object = {
                    "apiVersion": "scheduling.k8s.io/v1",
                    "kind": "PriorityClass",
                    "metadata": {},
                    "value": value,
                    "description": description,
                    "preemptionPolicy": "PreemptLowerPriority",
                }
                self.hand.create(place, body)

    def _wanted(self, collection: str) -> Object:
        if collection == ACCOUNTS:
            return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {}}
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"annotations": _DESCRIPTION},
            "data": {"ca.crt": self._root},
        }
