"""Where the hub raises the fields itself, no step takes down more than the workload allows.

In a cluster with a foreign agent, of each Deployment that ran before, never more pods are gone or
new and not ready than its own `maxUnavailable` says (25 %, rounded down, where it says nothing).
Old pods that break by themselves are not the release's doing.
"""

from __future__ import annotations

from typing import Any

from oneco.worlds.apiserver.store import Change
from tests.rehearsals.checkers.watching import PODS, Watching, image, name, status

# An update of one pod may take that one down, whatever the share comes to.
_LEAST = 1


class Checker(Watching):
    """Counts the ready pods at every change of a pod."""

    def on_member(self, cluster: str, change: Change) -> None:
        """A pod that went, or is not ready any more, may be one too many."""
        is_watched = cluster in self.world.draft.foreign and self.is_begun
        if not is_watched or change.key.collection != PODS:
            return
        pod = change.after or change.before
        assert pod is not None, "a change of nothing"
        component = pod["metadata"]["labels"].get("app.oam.dev/component", "")
        wanted = next((one for one in self._old(cluster) if name(one) == component), None)
        if wanted is None or self.world.draft.before is None:
            return
        count = wanted["spec"].get("replicas", 1)
        old = image(wanted["spec"]["template"])
        pods = self._pods(cluster, component)
        missing = count - sum(1 for one in pods if image(one) == old or _is_ready(one))
        if missing > _allowed(wanted, count):
            self.breaks(f"{cluster}: {missing} of {count} pods of {component} are missing")

    def _old(self, cluster: str) -> list[Any]:
        """The Deployments as they were before, which says what they allow."""
        unit = self.unit(cluster)
        told = status(unit) if unit is not None else {}
        good = told.get("before") or told.get("good") or {}
        found = self.manifests(good.get("revision", ""), good.get("variant", ""))
        return [one for one in found if one["kind"] == "Deployment"]

    def _pods(self, cluster: str, component: str) -> list[Any]:
        return [
            one
            for one in self.world.member(cluster).scan(PODS)
            if one["metadata"]["labels"].get("app.oam.dev/component") == component
            and "deletionTimestamp" not in one["metadata"]
        ]


def _allowed(deployment: Any, count: int) -> int:
    rolling = (deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    said = rolling.get("maxUnavailable", "25%")
    if isinstance(said, str):
        return max(_LEAST, count * int(said.rstrip("%")) // 100)
    return max(_LEAST, int(said))


def _is_ready(pod: Any) -> bool:
    conditions = status(pod).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
