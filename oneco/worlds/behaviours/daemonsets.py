"""DaemonSets: one pod on every node that fits, and how these move to a new template."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from oneco.clock import Instant
from oneco.kube import selectors
from oneco.kube.objects import Object
from oneco.worlds.apiserver.store import Change, Key
from oneco.worlds.behaviours import daemon_rollout, histories, scheduling, statuses, templates
from oneco.worlds.behaviours.controller import Controller
from oneco.worlds.behaviours.daemon_rollout import Place
from oneco.worlds.behaviours.faults import NEVER
from oneco.worlds.behaviours.hand import Hand
from oneco.worlds.behaviours.index import CONTROLLER_REVISIONS, DAEMON_SETS, NODES, PODS, Index

_GENERATION = "deprecated.daemonset.template.generation"
_TOLERATIONS: Sequence[Object] = [
    {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": effect}
    for key, effect in (
        ("not-ready", "NoExecute"), ("unreachable", "NoExecute"),
        ("disk-pressure", "NoSchedule"), ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"), ("unschedulable", "NoSchedule"),
    )
]  # fmt: skip


class _Fit(NamedTuple):
    """Whether a node gets a pod, and whether one that is there may stay."""

    runs: bool
    keeps: bool


class DaemonSets(Controller):
    """The DaemonSet controller of one cluster; another group's kind may refine it."""

    collection: ClassVar[str] = DAEMON_SETS
    collections: ClassVar[tuple[str, ...]] = (DAEMON_SETS, CONTROLLER_REVISIONS, PODS, NODES)

    def __init__(self, hand: Hand, index: Index, stir: Callable[[], None]) -> None:
        super().__init__(hand, index, stir)
        self._is_any = False

    def notice(self, change: Change) -> None:
        """Look at a DaemonSet that changed, whose pods did, or at all when a node did."""
        key, before, after = change.key, change.before, change.after
        if key.collection == self.collection:
            self._is_any = True
            if after is not None and (before is None or before["spec"] is not after["spec"]):
                self.mark(key)
        elif self._is_any and key.collection == PODS:
            for pod in (before, after):
                owner = histories.owner_key(self.collection, "DaemonSet", pod)
                if owner is not None:
                    self.mark(owner)
        elif self._is_any and key.collection == NODES and _is_other_node(before, after):
            for found in self.hand.store.scan(self.collection):
                metadata = found["metadata"]
                self.mark(Key(self.collection, metadata["namespace"], metadata["name"]))

    def reconcile(self, key: Key) -> None:
        """Make and end pods until every node has what it should, and write the status."""
        owner = self.hand.store.get(key)
        if owner is None or "deletionTimestamp" in owner["metadata"]:
            return
        histories.adopt(self.hand, self.index, owner)
        self._adopt(owner)
        status = owner.get("status") or {}
        revisions = histories.of(self.index, owner)
        update, collisions = histories.current(
            self.hand,
            owner,
            revisions,
            histories.REVISION_LABEL,
            status.get("collisionCount") or 0,
        )
        word = update["metadata"]["labels"][histories.REVISION_LABEL]
        fits = {name: _fit(owner, node) for name, node in self._nodes()}
        self._place(owner, fits, update, word)
        if self.rolls(owner):
            self._roll(owner, fits, update, word)
        self._report(key, owner, fits, word=word, collisions=collisions)
        running = {_word(pod) for pod in histories.pods(self.index, owner)} | {word}
        prefix = owner["metadata"]["name"]
        used = {f"{prefix}-{one}" for one in running}
        histories.truncate(self.hand, owner, histories.of(self.index, owner), used)

    def rolls(self, owner: Object) -> bool:
        """Whether pods of an older template are replaced without anybody deleting them."""
        return (owner["spec"].get("updateStrategy") or {}).get("type") != "OnDelete"

    def movable(self, _owner: Object, places: Sequence[Place]) -> Sequence[Place]:
        """The nodes that the update may look at now, in their order."""
        return places

    def take(self, _owner: Object, pods: Sequence[Object], _update: Object) -> None:
        """Replace these old pods."""
        for pod in pods:
            self._delete(pod)

    def prepared(self, _owner: Object, template: Object) -> Object:
        """The template as pods are made from it."""
        return template

    def _nodes(self) -> list[tuple[str, Object]]:
        return [(node["metadata"]["name"], node) for node in self.hand.store.scan(NODES)]

    def _by_node(self, owner: Object) -> dict[str, list[Object]]:
        found: dict[str, list[Object]] = {}
        for pod in sorted(histories.pods(self.index, owner), key=_age):
            found.setdefault(pod["spec"].get("nodeName") or "", []).append(pod)
        return found

    def _place(self, owner: Object, fits: Mapping[str, _Fit], update: Object, word: str) -> None:
        """A pod for every node that should have one and has none; none where none may stay."""
        there = self._by_node(owner)
        surge = daemon_rollout.fence(owner["spec"], sum(fit.runs for fit in fits.values())).surge
        for node, fit in fits.items():
            pods = there.get(node, [])
            if not fit.keeps:
                for pod in pods:
                    self._delete(pod)
                continue
            for pod in pods:
                if statuses.is_finished(pod):
                    self._delete(pod)
            active = [pod for pod in pods if statuses.is_active(pod)]
            # One on its way out still holds its node, unless surplus pods are allowed.
            if fit.runs and not active and (surge or not pods):
                self._create(owner, node, update, word)
            elif len(active) > 1 and not surge:
                for pod in active[1:]:
                    self._delete(pod)

    def _roll(self, owner: Object, fits: Mapping[str, _Fit], update: Object, word: str) -> None:
        there, patience = self._by_node(owner), owner["spec"].get("minReadySeconds") or 0
        now = self.hand.now()
        places = []
        for node, fit in fits.items():
            if not fit.runs and node not in there:
                continue
            active = [pod for pod in there.get(node, []) if statuses.is_active(pod)]
            new = next((pod for pod in active if _word(pod) == word), None)
            old = next((pod for pod in active if _word(pod) != word), None)
            places.append(
                Place(
                    node,
                    new,
                    old,
                    is_new_available=new is not None and _since(new, patience) <= now,
                    is_old_available=old is not None and _since(old, patience) <= now,
                )
            )
        fence = daemon_rollout.fence(owner["spec"], sum(fit.runs for fit in fits.values()))
        plan = daemon_rollout.plan(self.movable(owner, places), fence)
        self.take(owner, plan.deletions, update)
        for node in plan.creations:
            self._create(owner, node, update, word)

    def _create(self, owner: Object, node: str, update: Object, word: str) -> None:
        namespace, name = owner["metadata"]["namespace"], owner["metadata"]["name"]
        template = self.prepared(owner, histories.template(update))
        template = templates.with_label(template, histories.REVISION_LABEL, word)
        generation = (owner["metadata"].get("annotations") or {}).get(_GENERATION)
        if generation is not None:
            template = templates.with_label(template, "pod-template-generation", generation)
        spec = {**_daemon_spec(template["spec"], node), "nodeName": node}
        made = templates.mould(owner, {**template, "spec": spec})
        taken, salt = self.index.pods(namespace), 0
        uid = owner["metadata"]["uid"]
        while (chosen := f"{name}-{self.hand.word(5, uid, node, salt)}") in taken:
            salt += 1
        body = {"metadata": made.metadata, "spec": made.spec, "status": made.status}
        self.hand.create(Key(PODS, namespace, chosen), {"apiVersion": "v1", "kind": "Pod", **body})

    def _delete(self, pod: Object) -> None:
        metadata = pod["metadata"]
        if "deletionTimestamp" not in metadata:
            self.hand.delete(Key(PODS, metadata["namespace"], metadata["name"]))

    def _adopt(self, owner: Object) -> None:
        metadata = owner["metadata"]
        orphans = self.index.orphans(PODS, metadata["namespace"])
        if not orphans:
            return
        chosen = selectors.from_object(owner["spec"].get("selector"))
        for name, pod in sorted(orphans.items(), key=lambda entry: entry[0]):
            if statuses.is_active(pod) and chosen.matches(pod["metadata"].get("labels")):
                references = [*(pod["metadata"].get("ownerReferences") or ())]
                references.append(templates.owner_reference(owner))
                changed = {**pod["metadata"], "ownerReferences": references}
                self.hand.put(Key(PODS, metadata["namespace"], name), {**pod, "metadata": changed})

    def _report(
        self, key: Key, owner: Object, fits: Mapping[str, _Fit], *, word: str, collisions: int
    ) -> None:
        there, patience = self._by_node(owner), owner["spec"].get("minReadySeconds") or 0
        now, coming = self.hand.now(), NEVER
        wanted = current = misplaced = ready = available = updated = 0
        for node, fit in fits.items():
            pods = there.get(node, [])
            wanted += fit.runs
            current += fit.runs and bool(pods)
            misplaced += not fit.runs and bool(pods)
            serving = [pod for pod in pods if fit.runs and statuses.is_ready(pod)]
            ready += bool(serving)
            since = min((_since(pod, patience) for pod in serving), default=NEVER)
            available += since <= now
            coming = min(coming, since) if since > now else coming
            # The oldest pod of a node speaks for it, as in the real controller.
            updated += fit.runs and bool(pods) and _word(pods[0]) == word
        if coming < NEVER:
            self.mark_at(Instant(coming), key)
        status: dict[str, Any] = {
            "currentNumberScheduled": current,
            "numberMisscheduled": misplaced,
            "desiredNumberScheduled": wanted,
            "numberReady": ready,
            "observedGeneration": owner["metadata"].get("generation", 0),
        }
        more = {
            "updatedNumberScheduled": updated,
            "numberAvailable": available,
            "numberUnavailable": wanted - available,
            "collisionCount": collisions,
        }
        status.update((name, number) for name, number in more.items() if number)
        told = self.shown(status, word)
        if told != owner.get("status"):
            self.hand.report(key, owner, told)

    def shown(self, status: Object, _word: str) -> Object:
        """The status as this kind writes it."""
        return status


def _fit(owner: Object, node: Object) -> _Fit:
    template = owner["spec"]["template"]["spec"]
    name = template.get("nodeName")
    if name and name != node["metadata"]["name"]:
        return _Fit(False, False)
    if not scheduling.is_chosen({"spec": template}, node):
        return _Fit(False, False)
    tolerations = [*(template.get("tolerations") or ()), *_TOLERATIONS]
    untolerated = [
        taint["effect"]
        for taint in (node.get("spec") or {}).get("taints") or ()
        if taint["effect"] in ("NoSchedule", "NoExecute")
        and not any(scheduling.tolerates(one, taint) for one in tolerations)
    ]
    return _Fit(not untolerated, "NoExecute" not in untolerated)


def _daemon_spec(spec: Object, node: str) -> Object:
    """The template's spec, bound to this node and tolerant of what befalls nodes."""
    terms = [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}]
    affinity = spec.get("affinity") or {}
    of_nodes = {
        **(affinity.get("nodeAffinity") or {}),
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms},
    }
    return {
        **spec,
        "affinity": {**affinity, "nodeAffinity": of_nodes},
        "tolerations": [*(spec.get("tolerations") or ()), *_TOLERATIONS],
    }


def _since(pod: Object, patience: float) -> float:
    return statuses.available_at(pod, patience) if statuses.is_ready(pod) else NEVER


def _word(pod: Object) -> str:
    return str((pod["metadata"].get("labels") or {}).get(histories.REVISION_LABEL, ""))


def _age(pod: Object) -> tuple[str, str]:
    return pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]


def _is_other_node(before: Object | None, after: Object | None) -> bool:
    if before is None or after is None:
        return True
    return (
        before.get("spec") is not after.get("spec")
        or before["metadata"].get("labels") is not after["metadata"].get("labels")
    )  # fmt: skip
