"""ReplicaSets: as many pods as they want, and a status that says how these are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from oneco.clock import Instant
from oneco.kube import selectors
from oneco.kube.objects import Object
from oneco.worlds.apiserver.store import Change, Key
from oneco.worlds.behaviours import instants, statuses, templates, victims
from oneco.worlds.behaviours.controller import Controller
from oneco.worlds.behaviours.faults import NEVER
from oneco.worlds.behaviours.hand import Hand
from oneco.worlds.behaviours.index import PODS, REPLICA_SETS, Index, owner_of
from oneco.worlds.behaviours.templates import Mould

# What the real controller makes or deletes in one go.
_BURST = 500


class ReplicaSets(Controller):
    """The ReplicaSet controller of one cluster."""

    collections: ClassVar[tuple[str, ...]] = (REPLICA_SETS, PODS)

    def __init__(self, hand: Hand, index: Index, stir: Callable[[], None]) -> None:
        super().__init__(hand, index, stir)
        self._moulds: dict[str, Mould] = {}

    def notice(self, change: Change) -> None:
        """Look at a ReplicaSet that changed, or whose pods did."""
        key, before, after = change.key, change.before, change.after
        if key.collection == REPLICA_SETS:
            if after is not None:
                if before is None or before["spec"] is not after["spec"] or _is_marked(after):
                    self.mark(key)
            elif before is not None:
                self._moulds.pop(before["metadata"]["uid"], None)
            return
        if after is None or before is None or _is_news(before, after):
            for pod in (before, after):
                if pod is not None:
                    self._mark_owner(key.namespace, pod)

    def reconcile(self, key: Key) -> None:
        """Make or delete pods until there are as many as wanted, and write the status."""
        owner = self.hand.store.get(key)
        if owner is None:
            return
        if not _is_marked(owner):
            self._adopt(owner)
            self._scale(owner)
        self._report(key, owner)

    def _mark_owner(self, namespace: str, pod: Object) -> None:
        owner = owner_of(pod)
        if owner is not None:
            if owner["kind"] == "ReplicaSet":
                self.mark(Key(REPLICA_SETS, namespace, owner["name"]))
            return
        for found in self.hand.store.scan(REPLICA_SETS, namespace):
            if _chooses(found, pod):
                self.mark(Key(REPLICA_SETS, namespace, found["metadata"]["name"]))

    def _adopt(self, owner: Object) -> None:
        """Take the orphans that the selector chooses, let go of children it no longer does."""
        metadata = owner["metadata"]
        namespace = metadata["namespace"]
        for name, pod in sorted(self.index.orphans(PODS, namespace).items(), key=_by_name):
            if statuses.is_active(pod) and _chooses(owner, pod):
                references = [*(pod["metadata"].get("ownerReferences") or ())]
                references.append(templates.owner_reference(owner))
                self._refer(Key(PODS, namespace, name), pod, references)
        for name in sorted(self._strays(owner)):
            pod = self.index.children(metadata["uid"])[name]
            references = [
                one for one in pod["metadata"]["ownerReferences"] if one["uid"] != metadata["uid"]
            ]
            self._refer(Key(PODS, namespace, name), pod, references)

    def _strays(self, owner: Object) -> list[str]:
        """The children that the selector does not choose any more."""
        own = (owner["spec"]["template"].get("metadata") or {}).get("labels")
        return [
            name
            for name, pod in self.index.children(owner["metadata"]["uid"]).items()
            # The labels of almost every pod are the template's own, one value for all.
            if pod["metadata"].get("labels") is not own and not _chooses(owner, pod)
        ]

    def _refer(self, key: Key, pod: Object, references: list[Object]) -> None:
        metadata = {**pod["metadata"], "ownerReferences": references}
        if not references:
            del metadata["ownerReferences"]
        self.hand.put(key, {**pod, "metadata": metadata})

    def _scale(self, owner: Object) -> None:
        metadata = owner["metadata"]
        children = self.index.children(metadata["uid"])
        active = [pod for pod in children.values() if statuses.is_active(pod)]
        missing = _wanted(owner) - len(active)
        if missing > 0:
            self._create(owner, min(missing, _BURST))
        elif missing < 0:
            doomed = victims.choose(
                active, min(-missing, _BURST), self.hand.now(), self._family_sizes(owner)
            )
            for pod in doomed:
                key = Key(PODS, metadata["namespace"], pod["metadata"]["name"])
                self.hand.delete(key)
        if abs(missing) > _BURST:
            self.mark(Key(REPLICA_SETS, metadata["namespace"], metadata["name"]))

    def _create(self, owner: Object, count: int) -> None:
        metadata, hand = owner["metadata"], self.hand
        namespace, uid = metadata["namespace"], metadata["uid"]
        shared = self._mould(owner)
        taken = self.index.pods(namespace)
        for _ in range(count):
            salt = 0
            while (name := f"{metadata['name']}-{hand.word(5, uid, salt)}") in taken:
                salt += 1
            hand.create(
                Key(PODS, namespace, name),
                {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "metadata": shared.metadata,
                    "spec": shared.spec,
                    "status": shared.status,
                },
            )

    def _mould(self, owner: Object) -> Mould:
        uid, template = owner["metadata"]["uid"], owner["spec"]["template"]
        found = self._moulds.get(uid)
        if found is None or found.template is not template:
            found = self._moulds[uid] = templates.mould(owner, template)
        return found

    def _family_sizes(self, owner: Object) -> dict[str, int]:
        """How many active pods of the same Deployment each node has."""
        parent = owner_of(owner)
        uids = [owner["metadata"]["uid"]]
        if parent is not None:
            sisters = self.index.children(parent["uid"]).values()
            uids = [one["metadata"]["uid"] for one in sisters]
        sizes: dict[str, int] = {}
        for uid in uids:
            for pod in self.index.children(uid).values():
                if statuses.is_active(pod):
                    node = pod["spec"].get("nodeName") or ""
                    sizes[node] = sizes.get(node, 0) + 1
        return sizes

    def _report(self, key: Key, owner: Object) -> None:
        pods = self.index.children(owner["metadata"]["uid"]).values()
        status, recheck = _status(owner, pods, self.hand.now())
        if recheck is not None:
            self.mark_at(recheck, key)
        if status != owner.get("status"):
            self.hand.report(key, owner, status)


def _status(owner: Object, pods: Iterable[Object], now: Instant) -> tuple[Object, Instant | None]:
    """The status over `pods`, and when it is to be looked at again though nothing changed."""
    total = labelled = ready = available = leaving = 0
    soonest = NEVER
    patience = owner["spec"].get("minReadySeconds") or 0
    wanted = (owner["spec"]["template"].get("metadata") or {}).get("labels") or {}
    for pod in pods:
        if not statuses.is_active(pod):
            leaving += not statuses.is_finished(pod)
            continue
        total += 1
        labels = pod["metadata"].get("labels") or {}
        labelled += labels is wanted or wanted.items() <= labels.items()
        found = statuses.condition(pod, "Ready")
        if found is not None and found["status"] == "True":
            ready += 1
            since = instants.parsed(found["lastTransitionTime"]) + patience if patience else now
            available += since <= now
            soonest = min(soonest, since) if since > now else soonest
    counts = (
        ("fullyLabeledReplicas", labelled),
        ("readyReplicas", ready),
        ("availableReplicas", available),
    )
    status: dict[str, Any] = {"replicas": total}
    status.update((name, number) for name, number in counts if number)
    status["terminatingReplicas"] = leaving
    status["observedGeneration"] = owner["metadata"].get("generation", 0)
    conditions = (owner.get("status") or {}).get("conditions")
    if conditions:
        status["conditions"] = conditions
    return status, None if soonest == NEVER else Instant(soonest)


def _by_name(entry: tuple[str, Object]) -> str:
    return entry[0]


def _wanted(owner: Object) -> int:
    replicas = owner["spec"].get("replicas")
    return 1 if replicas is None else int(replicas)


def _is_marked(obj: Object) -> bool:
    return "deletionTimestamp" in obj["metadata"]


def _is_news(before: Object, after: Object) -> bool:
    """Whether a ReplicaSet would count the pod differently now."""
    old, new = before["metadata"], after["metadata"]
    if old.get("labels") is not new.get("labels") or ("deletionTimestamp" in new) != (
        "deletionTimestamp" in old
    ):
        return True
    if old.get("ownerReferences") is not new.get("ownerReferences"):
        return True
    if before.get("status") is after.get("status"):
        return False
    return statuses.is_ready(before) != statuses.is_ready(after) or statuses.is_finished(
        before
    ) != statuses.is_finished(after)


def _chooses(owner: Object, pod: Object) -> bool:
    chosen = selectors.from_object(owner["spec"].get("selector"))
    return chosen.matches(pod["metadata"].get("labels"))
