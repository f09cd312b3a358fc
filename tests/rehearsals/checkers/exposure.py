"""Never more exposed pods than the plan allows.

In each cluster, of each workload whose template the release changes, no more pods run the new
template than the present batch of an open wave says; before its wave opens, none does.
"""

from __future__ import annotations

import math
from typing import Any

from oneco.worlds.apiserver.store import Change
from tests.rehearsals.checkers.watching import (
    DEPLOYMENTS,
    PODS,
    WORKLOADS,
    Watching,
    image,
    name,
    status,
)

SETS = frozenset(WORKLOADS.values()) - {DEPLOYMENTS}
DEFAULT_BATCHES = ("1%", "5%", "10%", "25%", "50%", "100%")


class Checker(Watching):
    """Counts pods by image at every new pod."""

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self._grown: dict[tuple[str, str], int] = {}

    def on_member(self, cluster: str, change: Change) -> None:
        """A new pod may be one too many."""
        if change.key.collection in SETS and self.is_begun:
            self._note_growth(cluster, change)
        pod = change.after
        if not self.is_begun or change.key.collection != PODS or change.before is not None:
            return
        assert pod is not None, "a pod that neither was nor is"
        component = pod["metadata"]["labels"].get("app.oam.dev/component", "")
        unit = self.unit(cluster)
        if unit is None:
            self.breaks(f"{cluster}: a pod of {component} without any unit")
            return
        spec, good = unit["spec"], status(unit).get("good") or {}
        new = self.images(spec["revision"], spec["variant"]).get(component)
        old = self.images(good.get("revision", ""), good.get("variant", "")).get(component)
        if old is None or new is None or new == old or image(pod) != new:
            return
        pods = self._pods(cluster, component)
        count = sum(1 for one in pods if image(one) == new)
        allowed = self._allowed(unit, cluster, component)
        if count > allowed:
            batch = status(unit).get("batch", 0)
            self.breaks(
                f"{cluster}: {count} of {len(pods)} pods of {component} run {new}, "
                f"batch {batch} allows {allowed}"
            )

    def _pods(self, cluster: str, component: str) -> list[Any]:
        return [
            one
            for one in self.world.member(cluster).scan(PODS)
            if one["metadata"]["labels"].get("app.oam.dev/component") == component
            and "deletionTimestamp" not in one["metadata"]
        ]

    def _allowed(self, unit: Any, cluster: str, component: str) -> int:
        release, told = self.release_of(unit), status(unit)
        if release is None or told.get("release") != name(release):
            return 0
        if unit["spec"].get("order", 0) >= status(release).get("opened", 0):
            return 0
        policy = release["spec"].get("policy")
        amounts = policy.get("batches", DEFAULT_BATCHES) if policy else ("100%",)
        changed = self._counts(unit, cluster)
        steps = rising([tuple(target(a, c) for c in changed.values()) for a in amounts])
        if not told.get("batch"):
            return 0
        if told["batch"] > 1:
            done = tuple(told["reached"])
            further = (tuple(map(max, one, done)) for one in steps)
            steps = [one for one in further if one != done] or [tuple(changed.values())]
        place = list(changed).index(component)
        workload = self.world.workload(cluster, component)
        grown = self._grown.get((cluster, component), 0)
        return share(size(workload), steps[0][place], changed[component]) + grown

    def _note_growth(self, cluster: str, change: Change) -> None:
        """No field keeps those pods old that a set or a node adds: they may be new, and stay."""
        if change.before is None or change.after is None:
            return
        place = (cluster, name(change.after))
        more = size(change.after) - size(change.before)
        self._grown[place] = self._grown.get(place, 0) + max(0, more)

    def _counts(self, unit: Any, cluster: str) -> dict[str, int]:
        """The workloads whose template changes, each with its pods when the batch was counted."""
        spec, told = unit["spec"], status(unit)
        good = told.get("before") or {}
        old = self.images(good.get("revision", ""), good.get("variant", ""))
        new = self.images(spec["revision"], spec["variant"])
        changed = [one for one in new if one in old and new[one] != old[one]]
        pods = told.get("pods") or [0] * len(changed)
        assert len(pods) == len(changed), f"{cluster}: {pods} are the sizes of {changed}"
        return dict(zip(changed, pods, strict=True))


def size(workload: Any) -> int:
    """How many pods a workload has: a DaemonSet as many as nodes."""
    nodes = status(workload).get("desiredNumberScheduled", 0)
    return int(workload["spec"].get("replicas", nodes))


def share(live: int, planned: int, counted: int) -> int:
    """How many pods may be new where `planned` of `counted` were to be: scaled, it is its share."""
    return max(1, math.ceil(live * planned / counted)) if planned else 0


def target(amount: str | int, pods: int) -> int:
    """How many pods a batch means, as the practice guide says: rounded up, at least one."""
    if isinstance(amount, int):
        return min(amount, pods)
    percent = float(amount.rstrip("%"))
    return min(pods, max(1, math.ceil(pods * percent / 100 - 1e-9))) if percent and pods else 0


def rising(steps: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Steps without repetitions, each at least as far as the one before."""
    made: list[tuple[int, ...]] = []
    for step in steps:
        here = tuple(map(max, step, made[-1])) if made else step
        if not made or here != made[-1]:
            made.append(here)
    return made
