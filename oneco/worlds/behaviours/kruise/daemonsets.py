"""Advanced DaemonSets: updated up to a partition, on chosen nodes, in place where that is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from oneco.kube import selectors
from oneco.kube.objects import Object
from oneco.worlds.apiserver.store import Key
from oneco.worlds.behaviours import histories
from oneco.worlds.behaviours.daemon_rollout import Place
from oneco.worlds.behaviours.daemonsets import DaemonSets
from oneco.worlds.behaviours.index import CONTROLLER_REVISIONS, NODES, PODS
from oneco.worlds.behaviours.kruise import amounts, in_place

COLLECTION = "apps.kruise.io/daemonsets"


class AdvancedDaemonSets(DaemonSets):
    """OpenKruise's DaemonSet controller of one cluster."""

    collection: ClassVar[str] = COLLECTION
    collections: ClassVar[tuple[str, ...]] = (COLLECTION, CONTROLLER_REVISIONS, PODS, NODES)

    def rolls(self, owner: Object) -> bool:
        """Whether pods of an older template are replaced without anybody deleting them."""
        return super().rolls(owner) and not _rolling(owner).get("paused")

    def movable(self, owner: Object, places: Sequence[Place]) -> Sequence[Place]:
        """Nodes from the last name down, those done or under way first, up to the partition."""
        rolling = _rolling(owner)
        ordered = sorted(places, key=lambda place: place.node, reverse=True)
        begun = [place for place in ordered if place.new is not None]
        empty = [place for place in ordered if place.new is None and place.old is None]
        rest = [place for place in ordered if place.new is None and place.old is not None]
        if rolling.get("selector"):
            chosen = selectors.from_object(rolling["selector"])
            rest = [place for place in rest if chosen.matches(self._labels(place.node))]
        most = max(0, len(places) - int(rolling.get("partition") or 0))
        return [*begun, *empty, *rest][:most]

    def take(self, owner: Object, pods: Sequence[Object], update: Object) -> None:
        """Replace these old pods, or give them new images where that is enough."""
        if _rolling(owner).get("rollingUpdateType") != "InPlaceIfPossible":
            super().take(owner, pods, update)
            return
        word = update["metadata"]["labels"][histories.REVISION_LABEL]
        templates = {
            one["metadata"]["labels"].get(histories.REVISION_LABEL): histories.template(one)
            for one in histories.of(self.index, owner)
        }
        for pod in pods:
            before = templates.get(pod["metadata"]["labels"].get(histories.REVISION_LABEL))
            after = histories.template(update)
            if before is not None and in_place.is_possible(before, after):
                in_place.update(self.hand, pod, after, {histories.REVISION_LABEL: word})
            else:
                super().take(owner, [pod], update)

    def prepared(self, _owner: Object, template: Object) -> Object:
        """The template as an API server would complete it."""
        return amounts.complete(template)

    def shown(self, status: Object, word: str) -> Object:
        """The status with the revision that nodes are updated to."""
        always = {name: status.get(name, 0) for name in ("updatedNumberScheduled",)}
        return {**status, **always, "daemonSetHash": word}

    def _labels(self, node: str) -> Object:
        found = self.hand.store.get(Key(NODES, "", node))
        return ((found or {}).get("metadata") or {}).get("labels") or {}


def _rolling(owner: Object) -> Object:
    return (owner["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
