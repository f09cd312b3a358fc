"""StatefulSets: numbered pods, made, ended and updated one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from oneco.clock import Instant
from oneco.kube import objects, selectors
from oneco.kube.objects import Object
from oneco.worlds.apiserver.store import Change, Key
from oneco.worlds.behaviours import histories, stateful_pods, statuses, templates
from oneco.worlds.behaviours.controller import Controller
from oneco.worlds.behaviours.faults import NEVER
from oneco.worlds.behaviours.hand import Hand
from oneco.worlds.behaviours.index import CONTROLLER_REVISIONS, PODS, STATEFUL_SETS, Index
from oneco.worlds.behaviours.numbered import NumberedStep


class Versions(NamedTuple):
    """The revision that was complete last, and the one of the present template."""

    current: Object
    update: Object
    collisions: int

    @property
    def names(self) -> tuple[str, str]:
        return self.current["metadata"]["name"], self.update["metadata"]["name"]


class StatefulSets(Controller):
    """The StatefulSet controller of one cluster; another group's kind may refine it."""

    collection: ClassVar[str] = STATEFUL_SETS
    collections: ClassVar[tuple[str, ...]] = (STATEFUL_SETS, CONTROLLER_REVISIONS, PODS)

    def __init__(self, hand: Hand, index: Index, stir: Callable[[], None]) -> None:
        super().__init__(hand, index, stir)
        self._is_any = False

    def notice(self, change: Change) -> None:
        """Look at a StatefulSet that changed, or whose pods did."""
        key, before, after = change.key, change.before, change.after
        if key.collection == self.collection:
            self._is_any = True
            if after is not None and (before is None or before["spec"] is not after["spec"]):
                self.mark(key)
        elif self._is_any and key.collection == PODS:
            # A pod's every change may be the one that the next step waits for.
            for pod in (before, after):
                owner = histories.owner_key(self.collection, "StatefulSet", pod)
                if owner is not None:
                    self.mark(owner)

    def reconcile(self, key: Key) -> None:
        """Take the next step and write the status."""
        owner = self.hand.store.get(key)
        if owner is None or "deletionTimestamp" in owner["metadata"]:
            return
        histories.adopt(self.hand, self.index, owner)
        self._adopt(owner)
        versions = self._versions(owner)
        self.step(owner, versions)
        names = self.report(key, owner, versions)
        used = {*names, *(stateful_pods.revision(pod) for pod in self.pods(owner))}
        histories.truncate(self.hand, owner, histories.of(self.index, owner), used)

    def step(self, owner: Object, versions: Versions) -> None:
        """Make, end and update pods as far as may be now."""
        _Step(self.hand, owner, versions, self.pods(owner)).take()

    def pods(self, owner: Object) -> list[Object]:
        """The pods of the set, in no certain order."""
        return histories.pods(self.index, owner)

    def _adopt(self, owner: Object) -> None:
        metadata = owner["metadata"]
        orphans = self.index.orphans(PODS, metadata["namespace"])
        if not orphans:
            return
        chosen = selectors.from_object(owner["spec"].get("selector"))
        for name, pod in sorted(orphans.items(), key=lambda entry: entry[0]):
            is_ours = stateful_pods.ordinal(metadata["name"], pod) is not None
            if (
                is_ours
                and statuses.is_active(pod)
                and chosen.matches(pod["metadata"].get("labels"))
            ):
                references = [*(pod["metadata"].get("ownerReferences") or ())]
                references.append(templates.owner_reference(owner))
                changed = {**pod["metadata"], "ownerReferences": references}
                self.hand.put(Key(PODS, metadata["namespace"], name), {**pod, "metadata": changed})

    def _versions(self, owner: Object) -> Versions:
        status = owner.get("status") or {}
        revisions = histories.of(self.index, owner)
        update, collisions = histories.current(
            self.hand, owner, revisions, histories.HASH_LABEL, status.get("collisionCount", 0)
        )
        name = status.get("currentRevision")
        known = [one for one in revisions if one["metadata"]["name"] == name]
        return Versions(known[0] if known else update, update, collisions)

    def report(self, key: Key, owner: Object, versions: Versions) -> tuple[str, str]:
        """Write the status; the names of the current and of the newest revision in it."""
        pods, patience = self.pods(owner), owner["spec"].get("minReadySeconds") or 0
        ready = [pod for pod in pods if _is_running_and_ready(pod)]
        since = [statuses.available_at(pod, patience) for pod in ready]
        now = self.hand.now()
        coming = min((instant for instant in since if instant > now), default=NEVER)
        if coming < NEVER:
            self.mark_at(Instant(coming), key)
        running = [stateful_pods.revision(pod) for pod in pods if not objects.is_deleting(pod)]
        current, update = versions.names
        counts = {
            "replicas": len(pods),
            "readyReplicas": len(ready),
            "currentReplicas": running.count(current),
            "updatedReplicas": running.count(update),
        }
        if _is_complete(owner, counts):
            current, counts["currentReplicas"] = update, counts["updatedReplicas"]
        status: dict[str, Any] = {"observedGeneration": owner["metadata"].get("generation", 0)}
        status["replicas"] = counts.pop("replicas")
        status.update((name, number) for name, number in counts.items() if number)
        status.update(
            currentRevision=current,
            updateRevision=update,
            collisionCount=versions.collisions,
            availableReplicas=sum(instant <= now for instant in since),
        )
        conditions = (owner.get("status") or {}).get("conditions")
        if conditions:
            status["conditions"] = conditions
        if status != owner.get("status"):
            self.hand.report(key, owner, status)
        return current, update


class _Step(NumberedStep):
    """What one look at a StatefulSet changes among its pods."""

    def __init__(self, hand: Hand, owner: Object, versions: Versions, pods: list[Object]) -> None:
        self._first, self._size = stateful_pods.wanted(owner)
        super().__init__(hand, owner, pods, range(self._first, self._first + self._size))
        self._versions = versions

    def take(self) -> None:
        """Fill up from below, end what is too much from above, then update from above."""
        if self._fill() and self._shrink() and self._strategy.get("type") != "OnDelete":
            self._update()

    def _fill(self) -> bool:
        """Make missing pods; False while an ordered set waits for one of them."""
        for number in self._numbers:
            pod = self._pods.get(number)
            if pod is None:
                stateful_pods.create(self._hand, self._owner, number, self._version_for(number))
                if self._is_ordered:
                    return False
            elif statuses.is_finished(pod) and not objects.is_deleting(pod):
                self._delete(pod)
                return False
            elif self._is_ordered and not self._is_available(pod):
                # Kubernetes issue 67250: a pod that never gets ready holds up even the rollback
                # that would replace it.
                return False
        return all(number in self._pods for number in self._numbers)

    def _update(self) -> None:
        """End old pods from above, as far as the partition and the bound on losses allow."""
        bound = _bound(self._rolling.get("maxUnavailable", 1), self._size)
        room = bound - sum(not self._is_available(pod) for pod in self._pods.values())
        _, update = self._versions.names
        for number in reversed(self._numbers):
            pod = self._pods[number]
            is_available = self._is_available(pod)
            if self._is_held(number) or (bound == 1 and objects.is_deleting(pod)):
                return
            if stateful_pods.revision(pod) == update:
                if bound == 1 and not is_available:
                    return
            elif not is_available or room > 0:
                # An old pod that does not serve anyhow costs nothing.
                self._delete(pod)
                room -= is_available
                if bound == 1:
                    return

    def _version_for(self, number: int) -> Object:
        """The revision of a new pod: below the partition the old one comes back."""
        is_rolling = self._strategy.get("type", "RollingUpdate") == "RollingUpdate"
        is_old = is_rolling and self._is_held(number)
        return self._versions.current if is_old else self._versions.update

    def _is_held(self, number: int) -> bool:
        return number < self._first + int(self._rolling.get("partition") or 0)


def _is_running_and_ready(pod: Object) -> bool:
    is_running = (pod.get("status") or {}).get("phase") == "Running"
    return is_running and statuses.is_ready(pod)


def _is_complete(owner: Object, counts: dict[str, int]) -> bool:
    """Whether the rolling update is over, so that its revision becomes the current one."""
    strategy = owner["spec"].get("updateStrategy") or {}
    whole = stateful_pods.wanted(owner).size
    return strategy.get("type", "RollingUpdate") == "RollingUpdate" and (
        counts["updatedReplicas"] == counts["replicas"] == counts["readyReplicas"] == whole
    )


def _bound(value: int | str, whole: int) -> int:
    """How many pods may be missing at once: rounded down, but at least one."""
    if isinstance(value, int):
        return max(1, value)
    return max(1, int(value.rstrip("%")) * whole // 100)
