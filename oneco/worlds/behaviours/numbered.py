"""What the steps of all numbered sets have in common: their pods by number, and how they shrink."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from oneco.kube import objects
from oneco.kube.objects import Object
from oneco.worlds.apiserver.store import Key
from oneco.worlds.behaviours import stateful_pods, statuses
from oneco.worlds.behaviours.hand import Hand
from oneco.worlds.behaviours.index import PODS


class NumberedStep:
    """One look at a set: its pods at the `numbers` that it wants, and those that are too many."""

    def __init__(
        self, hand: Hand, owner: Object, pods: Sequence[Object], numbers: Iterable[int]
    ) -> None:
        self._hand, self._owner = hand, owner
        self._is_ordered = owner["spec"].get("podManagementPolicy") != "Parallel"
        self._strategy: Object = owner["spec"].get("updateStrategy") or {}
        self._rolling: Object = self._strategy.get("rollingUpdate") or {}
        self._numbers = list(numbers)
        found = {
            number: pod
            for pod in pods
            if (number := stateful_pods.ordinal(owner["metadata"]["name"], pod)) is not None
        }
        self._pods = {number: found[number] for number in self._numbers if number in found}
        surplus = sorted(set(found) - set(self._numbers), reverse=True)
        self._surplus = [found[number] for number in surplus]

    def available_at(self, pod: Object) -> float:
        """Since when, or from when on, the pod counts as available."""
        return statuses.available_at(pod, self._owner["spec"].get("minReadySeconds") or 0)

    def _is_available(self, pod: Object) -> bool:
        return stateful_pods.is_healthy(pod) and self.available_at(pod) <= self._hand.now()

    def _shrink(self) -> bool:
        """End pods that are too many; False while an ordered set waits for one of them."""
        everyone = [*self._pods.values(), *reversed(self._surplus)]
        sick = next((pod for pod in everyone if not stateful_pods.is_healthy(pod)), None)
        for pod in self._surplus:
            if objects.is_deleting(pod):
                if self._is_ordered:
                    return False
                continue
            if self._is_ordered and pod is not sick and not self._is_available(pod):
                return False
            self._delete(pod)
            if self._is_ordered:
                return False
        return True

    def _delete(self, pod: Object) -> None:
        metadata = pod["metadata"]
        self._hand.delete(Key(PODS, metadata["namespace"], metadata["name"]))
