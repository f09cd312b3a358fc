"""Nothing succeeds on the status of an older generation.

When a unit leaves a batch as healthy, the cluster's own state is looked at: every changed
Deployment has the new template, its controller has seen this very generation, and as many new
pods as the batch wants are ready.
"""

from __future__ import annotations

from typing import Any

from oneco.worlds.apiserver.store import Change
from tests.rehearsals.checkers.watching import PODS, UNITS, Watching, image, status


class Checker(Watching):
    """Looks into the cluster at the commit by which a batch or a unit succeeds."""

    def on_hub(self, change: Change) -> None:
        """A unit may have got further."""
        before, after = change.before or {}, change.after
        if after is None or change.key.collection != UNITS or not after["spec"].get("variant"):
            return
        was, now = status(before), status(after)
        is_same = was.get("release") == now.get("release")
        is_further = is_same and 0 < was.get("batch", 0) < now.get("batch", 0)
        is_news = was.get("phase") != "Succeeded" or not is_same
        if is_further or (now.get("phase") == "Succeeded" and is_news):
            self._look(change.key.namespace, after, now)

    def _look(self, cluster: str, unit: Any, told: Any) -> None:
        spec = unit["spec"]
        wanted = self.images(spec["revision"], spec["variant"])
        progress = {row["name"]: row.get("target", 0) for row in told.get("workloads", ())}
        for deployment, new in wanted.items():
            live = self.world.workload(cluster, deployment)
            if live is None:
                self.breaks(f"{cluster}: {deployment} is not there")
                continue
            if image(live["spec"]["template"]) != new:
                self.breaks(f"{cluster}: {deployment} does not even ask for {new}")
            if status(live).get("observedGeneration", 0) < live["metadata"]["generation"]:
                self.breaks(f"{cluster}: {deployment} was judged by an older generation")
            ready = self._ready(cluster, new)
            if deployment not in progress or ready < progress[deployment]:
                self.breaks(
                    f"{cluster}: {ready} new pods of {deployment} are ready, "
                    f"but the batch of {progress.get(deployment)} was called healthy"
                )

    def _ready(self, cluster: str, new: str) -> int:
        return sum(
            1
            for one in self.world.member(cluster).scan(PODS)
            if image(one) == new and _is_ready(one)
        )


def _is_ready(pod: Any) -> bool:
    return any(
        one["type"] == "Ready" and one["status"] == "True"
        for one in status(pod).get("conditions", ())
    )
