"""CloneSets: pods that are all alike, updated up to a partition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from oneco.clock import Instant
from oneco.kube import selectors
from oneco.kube.objects import Object
from oneco.worlds.apiserver.store import Change, Key
from oneco.worlds.behaviours import histories, statuses
from oneco.worlds.behaviours.controller import Controller
from oneco.worlds.behaviours.faults import NEVER
from oneco.worlds.behaviours.index import CLAIMS, CONTROLLER_REVISIONS, PODS
from oneco.worlds.behaviours.kruise import amounts, clone_counts, clone_pods, in_place
from oneco.worlds.behaviours.kruise.clone_counts import Clone

COLLECTION = "apps.kruise.io/clonesets"


class _Versions(NamedTuple):
    """The revision that was complete last, the one of the present template, and all."""

    current: Object
    update: Object
    every: Sequence[Object]
    collisions: int


class CloneSets(Controller):
    """OpenKruise's CloneSet controller of one cluster."""

    collections: ClassVar[tuple[str, ...]] = (COLLECTION, CONTROLLER_REVISIONS, PODS)

    def notice(self, change: Change) -> None:
        """Look at a CloneSet that changed, or whose pods did."""
        key, before, after = change.key, change.before, change.after
        if key.collection == COLLECTION:
            if after is not None and (before is None or before["spec"] is not after["spec"]):
                self.mark(key)
        elif key.collection == PODS:
            for pod in (before, after):
                owner = histories.owner_key(COLLECTION, "CloneSet", pod)
                if owner is not None:
                    self.mark(owner)

    def reconcile(self, key: Key) -> None:
        """Take the next step and write the status."""
        owner = self.hand.store.get(key)
        if owner is None or "deletionTimestamp" in owner["metadata"]:
            return
        histories.adopt(self.hand, self.index, owner)
        self._release(owner)
        versions = self._versions(owner)
        if not self._scale(owner, versions):
            self._update(owner, versions)
        current = self._report(key, owner, versions)
        self._forget_deleted(key)
        used = {current, versions.update["metadata"]["name"]}
        used |= {clone_pods.revision(pod) for pod in self._pods(owner)}
        histories.truncate(self.hand, owner, histories.of(self.index, owner), used)

    def _pods(self, owner: Object) -> list[Object]:
        return [pod for pod in histories.pods(self.index, owner) if statuses.is_active(pod)]

    def _clones(self, owner: Object, update: Object) -> list[Clone]:
        name, patience = update["metadata"]["name"], _patience(owner)
        now = self.hand.now()
        named = (owner["spec"].get("scaleStrategy") or {}).get("podsToDelete") or ()
        return [
            Clone(
                pod,
                is_new=clone_pods.revision(pod) == name,
                is_available=_since(pod, patience) <= now,
                is_doomed=amounts.is_chosen_to_go(pod) or pod["metadata"]["name"] in named,
            )
            for pod in sorted(self._pods(owner), key=_name)
        ]

    def _release(self, owner: Object) -> None:
        """Let go of pods that the selector does not choose any more."""
        chosen, uid = selectors.from_object(owner["spec"].get("selector")), owner["metadata"]["uid"]
        for pod in self._pods(owner):
            metadata = pod["metadata"]
            if not chosen.matches(metadata.get("labels")):
                left = [one for one in metadata["ownerReferences"] if one["uid"] != uid]
                key = Key(PODS, metadata["namespace"], metadata["name"])
                self.hand.put(key, {**pod, "metadata": {**metadata, "ownerReferences": left}})

    def _versions(self, owner: Object) -> _Versions:
        status = owner.get("status") or {}
        revisions = histories.of(self.index, owner)
        collisions = status.get("collisionCount") or 0
        update, collisions = histories.current(
            self.hand, owner, revisions, histories.HASH_LABEL, collisions
        )
        name = status.get("currentRevision")
        known = [one for one in revisions if one["metadata"]["name"] == name]
        return _Versions(known[0] if known else update, update, revisions, collisions)

    def _scale(self, owner: Object, versions: _Versions) -> bool:
        """Make or end pods; True where any was, so that the update waits."""
        clones = self._clones(owner, versions.update)
        counts = clone_counts.count(clone_counts.bounds(owner["spec"]), clones)
        if counts.is_short:
            self._create(owner, versions, clones, counts)
            return counts.make > 0
        doomed = [one for one in clones if one.is_doomed]
        room = counts.ready_to_end
        if doomed:
            ended, room = self._end(owner, doomed, room)
            if ended:
                return True
        if counts.end > 0 and not doomed:
            return self._end(owner, self._surplus(clones, counts), room)[0]
        return False

    def _create(
        self,
        owner: Object,
        versions: _Versions,
        clones: Sequence[Clone],
        counts: clone_counts.Counts,
    ) -> None:
        taken = {clone_pods.instance(one.pod) for one in clones}
        claims = self._claims(owner)
        free = sorted({clone_pods.instance(one) for one in claims} - taken)
        for number in range(counts.make):
            version = versions.current if number < counts.make_old else versions.update
            if free:
                instance = free.pop(0)
            else:
                instance = self.hand.word(5, owner["metadata"]["uid"], number)
            clone_pods.create(self.hand, owner, version, instance)

    def _claims(self, owner: Object) -> list[Object]:
        if not owner["spec"].get("volumeClaimTemplates"):
            return []
        uid = owner["metadata"]["uid"]
        return [
            one
            for one in self.hand.store.scan(CLAIMS, owner["metadata"]["namespace"])
            if "deletionTimestamp" not in one["metadata"]
            and any(ref["uid"] == uid for ref in one["metadata"].get("ownerReferences") or ())
        ]

    def _surplus(self, clones: Sequence[Clone], counts: clone_counts.Counts) -> list[Clone]:
        old = [one for one in clones if not one.is_new]
        new = [one for one in clones if one.is_new]
        from_old = min(counts.end_old, counts.end)
        return [*_least(old, from_old), *_least(new, counts.end - from_old)]

    def _end(self, owner: Object, clones: Sequence[Clone], room: int) -> tuple[bool, int]:
        """End these pods, of the ready ones at most `room`; whether any went, and the room left."""
        is_any = False
        for one in clones:
            if statuses.is_ready(one.pod):
                if room <= 0:
                    continue
                room -= 1
            metadata = one.pod["metadata"]
            self.hand.delete(Key(PODS, metadata["namespace"], metadata["name"]))
            for claim in self._claims(owner):
                if clone_pods.instance(claim) == clone_pods.instance(one.pod):
                    name = claim["metadata"]["name"]
                    self.hand.delete(Key(CLAIMS, metadata["namespace"], name))
            is_any = True
        return is_any, room

    def _update(self, owner: Object, versions: _Versions) -> None:
        """Update as many old pods as the partition and the bound on losses allow."""
        strategy = owner["spec"].get("updateStrategy") or {}
        clones = self._clones(owner, versions.update)
        counts = clone_counts.count(clone_counts.bounds(owner["spec"]), clones)
        if strategy.get("paused") or counts.update <= 0:
            return
        waiting = sorted((one.pod for one in clones if not one.is_new), key=amounts.first_to_go)
        waiting = amounts.by_priority(strategy.get("priorityStrategy"), waiting)[: counts.update]
        for pod in _within(waiting, clones, counts.may_miss):
            if not self._update_one(owner, versions, pod):
                return

    def _update_one(self, owner: Object, versions: _Versions, pod: Object) -> bool:
        kind = (owner["spec"].get("updateStrategy") or {}).get("type", "ReCreate")
        update, name = versions.update, clone_pods.revision(pod)
        old = next((one for one in versions.every if one["metadata"]["name"] == name), None)
        if kind != "ReCreate" and old is not None:
            after = histories.template(update)
            if in_place.is_possible(histories.template(old), after):
                in_place.update(self.hand, pod, after, clone_pods.marks(update))
                return True
        if kind == "InPlaceOnly":
            return False
        metadata = pod["metadata"]
        if not amounts.is_chosen_to_go(pod):
            labels = {**(metadata.get("labels") or {}), amounts.DELETE_LABEL: "true"}
            key = Key(PODS, metadata["namespace"], metadata["name"])
            self.hand.put(key, {**pod, "metadata": {**metadata, "labels": labels}})
        return True

    def _report(self, key: Key, owner: Object, versions: _Versions) -> str:
        """Write the status; the name of the current revision in it."""
        clones = self._clones(owner, versions.update)
        coming = min(
            (
                since
                for one in clones
                if (since := _since(one.pod, _patience(owner))) > self.hand.now()
            ),
            default=NEVER,
        )
        if coming < NEVER:
            self.mark_at(Instant(coming), key)
        update, replicas = versions.update["metadata"]["name"], amounts.wanted(owner)
        new = [one for one in clones if one.is_new]
        # However few of them are ready: what counts is that all are of the newest revision.
        is_complete = len(new) == len(clones) == replicas
        current = update if is_complete else versions.current["metadata"]["name"]
        given = clone_counts.bounds(owner["spec"])
        status: dict[str, Any] = {
            "observedGeneration": owner["metadata"].get("generation", 0),
            "replicas": len(clones),
            "readyReplicas": sum(statuses.is_ready(one.pod) for one in clones),
            "availableReplicas": sum(one.is_available for one in clones),
            "updatedReplicas": len(new),
            "updatedReadyReplicas": sum(statuses.is_ready(one.pod) for one in new),
            "updatedAvailableReplicas": sum(one.is_available for one in new),
            "expectedUpdatedReplicas": replicas - given.kept_old,
            "currentRevision": current,
            "updateRevision": update,
            "collisionCount": versions.collisions,
            "labelSelector": amounts.label_selector(owner),
        }
        for name in ("updatedAvailableReplicas", "expectedUpdatedReplicas"):
            if not status[name]:
                del status[name]
        if status != owner.get("status"):
            self.hand.report(key, owner, status)
        return str(current)

    def _forget_deleted(self, key: Key) -> None:
        """Take names off `podsToDelete` whose pods are gone."""
        owner = self.hand.store.get(key)
        strategy = (owner or {}).get("spec", {}).get("scaleStrategy") or {}
        named = strategy.get("podsToDelete")
        if owner is None or not named:
            return
        there = {pod["metadata"]["name"] for pod in self._pods(owner)}
        left = [name for name in named if name in there]
        if left != list(named):
            scale = {**strategy, "podsToDelete": left}
            if not left:
                del scale["podsToDelete"]
            self.hand.change(key, {**owner, "spec": {**owner["spec"], "scaleStrategy": scale}})


def _least(clones: Sequence[Clone], count: int) -> list[Clone]:
    crowding = amounts.crowding([one.pod for one in clones])
    return sorted(
        clones,
        key=lambda one: amounts.spared_last(
            one.pod, is_available=one.is_available, crowding=crowding
        ),
    )[: max(0, count)]


def _within(waiting: Sequence[Object], clones: Sequence[Clone], most: int) -> list[Object]:
    """As many of `waiting`, in their order, as may be unavailable."""
    missing = sum(not one.is_available for one in clones)
    new_missing = sum(one.is_new and not one.is_available for one in clones)
    serving = {one.pod["metadata"]["name"] for one in clones if one.is_available}
    found: list[Object] = []
    for pod in waiting:
        if new_missing + len(found) >= most:
            break
        # An old pod that does not serve anyhow costs nothing.
        if pod["metadata"]["name"] in serving:
            if missing >= most:
                break
            missing += 1
        found.append(pod)
    return found


def _patience(owner: Object) -> float:
    return float(owner["spec"].get("minReadySeconds") or 0)


def _since(pod: Object, patience: float) -> float:
    is_serving = statuses.is_ready(pod) and in_place.is_restarted(pod)
    return statuses.available_at(pod, patience) if is_serving else NEVER


def _name(pod: Object) -> str:
    return str(pod["metadata"]["name"])
