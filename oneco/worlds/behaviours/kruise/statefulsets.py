"""Advanced StatefulSets: several pods updated at a time, in any order, with numbers left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from oneco.clock import Instant
from oneco.kube import objects
from oneco.kube.objects import Object
from oneco.worlds.apiserver.store import Key
from oneco.worlds.behaviours import histories, stateful_pods, statuses
from oneco.worlds.behaviours.faults import NEVER
from oneco.worlds.behaviours.hand import Hand
from oneco.worlds.behaviours.index import CONTROLLER_REVISIONS, PODS
from oneco.worlds.behaviours.kruise import amounts, in_place
from oneco.worlds.behaviours.numbered import NumberedStep
from oneco.worlds.behaviours.statefulsets import StatefulSets, Versions
from oneco.worlds.behaviours.templates import with_label

COLLECTION = "apps.kruise.io/statefulsets"


class AdvancedStatefulSets(StatefulSets):
    """OpenKruise's StatefulSet controller of one cluster."""

    collection: ClassVar[str] = COLLECTION
    collections: ClassVar[tuple[str, ...]] = (COLLECTION, CONTROLLER_REVISIONS, PODS)

    def step(self, owner: Object, versions: Versions) -> None:
        """Make, end and update pods as far as may be now."""
        known = histories.of(self.index, owner)
        _Step(self.hand, owner, versions, known, self.pods(owner)).take()

    def report(self, key: Key, owner: Object, versions: Versions) -> tuple[str, str]:
        """Write the status; the names of the current and of the newest revision in it."""
        pods, now, patience = self.pods(owner), self.hand.now(), _patience(owner)
        since = {pod["metadata"]["name"]: _since(pod, patience) for pod in pods}
        coming = min((one for one in since.values() if now < one < NEVER), default=NEVER)
        if coming < NEVER:
            self.mark_at(Instant(coming), key)
        current, update = versions.names
        ready = [pod for pod in pods if statuses.is_ready(pod)]
        new_ready = [pod for pod in ready if stateful_pods.revision(pod) == update]
        available = [pod for pod in ready if since[pod["metadata"]["name"]] <= now]
        running = [stateful_pods.revision(pod) for pod in pods if not objects.is_deleting(pod)]
        counts = {"currentReplicas": running.count(current)}
        counts["updatedReplicas"] = running.count(update)
        is_rolling = _strategy(owner).get("type", "RollingUpdate") == "RollingUpdate"
        if is_rolling and counts["updatedReplicas"] == len(pods) == len(ready):
            current, counts["currentReplicas"] = update, counts["updatedReplicas"]
        status: dict[str, Any] = {
            "observedGeneration": owner["metadata"].get("generation", 0),
            "replicas": len(pods),
            "readyReplicas": len(ready),
            "availableReplicas": len(available),
            **counts,
            "currentRevision": current,
            "updateRevision": update,
            "collisionCount": versions.collisions,
            "labelSelector": amounts.label_selector(owner),
        }
        optional = {
            "updatedReadyReplicas": len(new_ready),
            "updatedAvailableReplicas": sum(pod in available for pod in new_ready),
        }
        status.update((name, number) for name, number in optional.items() if number)
        if status != owner.get("status"):
            self.hand.report(key, owner, status)
        return current, update


class _Step(NumberedStep):
    """What one look at an Advanced StatefulSet changes among its pods."""

    def __init__(
        self,
        hand: Hand,
        owner: Object,
        versions: Versions,
        known: Sequence[Object],
        pods: Sequence[Object],
    ) -> None:
        super().__init__(hand, owner, pods, _numbers(owner))
        self._versions, self._known = versions, known
        self._made = 0

    def available_at(self, pod: Object) -> float:
        """Never while a container of it is still to be restarted in place."""
        return _since(pod, _patience(self._owner))

    def take(self) -> None:
        """Fill up from below, end what is too much from above, then update."""
        if self._fill() and self._shrink() and self._strategy.get("type") != "OnDelete":
            self._update()

    def _fill(self) -> bool:
        """Make missing pods; False while one of them holds up everything."""
        scale = self._owner["spec"].get("scaleStrategy") or {}
        room = _bound(scale["maxUnavailable"], self._size) if "maxUnavailable" in scale else None
        for number in self._numbers:
            pod = self._pods.get(number)
            if pod is not None and statuses.is_finished(pod):
                if not objects.is_deleting(pod):
                    self._delete(pod)
                return False
            if pod is None:
                self._create(number)
            elif self._is_available(pod) or (not self._is_ordered and room is None):
                continue
            if self._is_ordered:
                return False
            room = None if room is None else room - 1
            if room is not None and room <= 0:
                # What stands in the way of growing does not stand in the way of updating.
                break
        return True

    def _update(self) -> None:
        """Update old pods in their order, as far as the bound on losses allows."""
        if self._rolling.get("paused"):
            return
        bound = _bound(self._rolling.get("maxUnavailable", 1), self._size)
        _, update = self._versions.names
        missing = {number for number in self._numbers if number not in self._pods}
        missing |= {number for number, pod in self._pods.items() if not self._is_available(pod)}
        self._end_chosen(missing, bound)
        for number in self._waiting():
            pod = self._pods[number]
            if stateful_pods.revision(pod) == update:
                continue
            if len(missing) >= bound and number not in missing:
                return
            if (
                not objects.is_deleting(pod)
                and not amounts.is_chosen_to_go(pod)
                and not self._replace(pod)
            ):
                return
            missing.add(number)

    def _end_chosen(self, missing: set[int], bound: int) -> None:
        """End the pods that somebody marked, whatever the partition, within the bound."""
        for number, pod in sorted(self._pods.items(), reverse=True):
            is_free = number in missing or len(missing) < bound
            if is_free and amounts.is_chosen_to_go(pod) and not objects.is_deleting(pod):
                self._delete(pod)
                missing.add(number)

    def _waiting(self) -> list[int]:
        """The numbers that the partition lets go, in the order of the update."""
        kept = int(self._rolling.get("partition") or 0)
        most = self._size - kept
        there = [number for number in reversed(self._numbers) if number in self._pods]
        unordered = self._rolling.get("unorderedUpdate")
        if unordered is None:
            least = self._start + kept
            return [number for number in there if number >= least][: max(0, most)]
        _, update = self._versions.names
        begun = [number for number in there if self._has_begun(self._pods[number], update)]
        rest = [self._pods[number] for number in there if number not in begun]
        rest = amounts.by_priority(unordered.get("priorityStrategy"), rest)
        return [*begun, *map(self._number, rest)][: max(0, most)]

    def _has_begun(self, pod: Object, update: str) -> bool:
        return objects.is_deleting(pod) or stateful_pods.revision(pod) == update

    def _replace(self, pod: Object) -> bool:
        """End the pod or update it as it is; False where only the latter may be, and cannot."""
        policy = self._rolling.get("podUpdatePolicy", "ReCreate")
        if policy != "ReCreate":
            name, after = stateful_pods.revision(pod), histories.template(self._versions.update)
            old = next((one for one in self._known if one["metadata"]["name"] == name), None)
            if old is not None and in_place.is_possible(histories.template(old), after):
                labels = {histories.REVISION_LABEL: self._versions.names[1]}
                in_place.update(self._hand, pod, after, labels)
                return True
            if policy == "InPlaceOnly":
                return False
        self._delete(pod)
        return True

    def _create(self, number: int) -> None:
        version = self._versions.current if self._is_held(number) else self._versions.update
        template = amounts.complete(histories.template(version))
        name = version["metadata"]["name"]
        labels = ((histories.REVISION_LABEL, name), (amounts.STATE_LABEL, amounts.NORMAL))
        for label, value in labels:
            template = with_label(template, label, value)
        self._made += name != self._versions.names[1]
        stateful_pods.create_from(self._hand, self._owner, number, template)

    def _is_held(self, number: int) -> bool:
        """Whether a new pod with this number gets the older revision."""
        kept = int(self._rolling.get("partition") or 0)
        if self._strategy.get("type", "RollingUpdate") != "RollingUpdate":
            return False
        if self._rolling.get("unorderedUpdate") is None:
            return self._numbers.index(number) < kept
        _, update = self._versions.names
        old = sum(stateful_pods.revision(pod) != update for pod in self._pods.values())
        return old + self._made < kept

    @property
    def _size(self) -> int:
        return amounts.wanted(self._owner)

    @property
    def _start(self) -> int:
        return stateful_pods.wanted(self._owner).first

    def _number(self, pod: Object) -> int:
        number = stateful_pods.ordinal(self._owner["metadata"]["name"], pod)
        assert number is not None, f"{pod['metadata']['name']} has no number"
        return number


def _numbers(owner: Object) -> Iterator[int]:
    """The numbers of the pods: as many as wanted, those that are reserved left out."""
    reserved = _reserved(owner["spec"].get("reserveOrdinals") or ())
    number, found = stateful_pods.wanted(owner).first, 0
    while found < amounts.wanted(owner):
        if number not in reserved:
            found += 1
            yield number
        number += 1


def _reserved(given: Sequence[int | str]) -> set[int]:
    found: set[int] = set()
    for one in given:
        first, _, last = str(one).partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def _bound(value: int | str, whole: int) -> int:
    """How many pods may be missing at once: rounded down, but at least one."""
    return max(1, amounts.scaled(value, whole, is_up=False))


def _strategy(owner: Object) -> Object:
    return owner["spec"].get("updateStrategy") or {}


def _patience(owner: Object) -> float:
    return float((_strategy(owner).get("rollingUpdate") or {}).get("minReadySeconds") or 0)


def _since(pod: Object, patience: float) -> float:
    is_serving = statuses.is_ready(pod) and in_place.is_restarted(pod)
    return statuses.available_at(pod, patience) if is_serving else NEVER
