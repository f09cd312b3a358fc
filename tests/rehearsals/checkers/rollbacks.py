"""A rolled-back unit equals its last good revision.

When a unit says that it is rolled back, every live object of the revision it returns to has all
that the revision's manifest says and no gate, and nothing of the Application is there besides.
"""

from __future__ import annotations

from typing import Any

from oneco.kube import types
from oneco.kube.covers import covers
from oneco.kube.refs import kind_of
from oneco.kube.types import ANY
from oneco.worlds.apiserver.store import Change
from tests.rehearsals.checkers.watching import UNITS, WORKLOADS, Watching, kind, name, status

GATE = "onepersoncompany.io/partition"
COLLECTIONS = {
    **WORKLOADS,
    ("autoscaling", "HorizontalPodAutoscaler"): "autoscaling/horizontalpodautoscalers",
    ("", "Service"): "/services",
    ("", "ConfigMap"): "/configmaps",
}


class Checker(Watching):
    """Compares live objects with manifests at the commit of `RolledBack`."""

    def on_hub(self, change: Change) -> None:
        """A unit may have come back."""
        before, after = change.before or {}, change.after
        if after is None or change.key.collection != UNITS:
            return
        phases = (status(before).get("phase"), status(after).get("phase"))
        if phases[1] == "RolledBack" != phases[0]:
            self._compare(change.key.namespace, after)

    def _compare(self, cluster: str, unit: Any) -> None:
        good = status(unit).get("good") or {}
        wanted = self.manifests(good.get("revision", ""), good.get("variant", ""))
        for manifest in wanted:
            live = self._live(cluster, manifest)
            if live is None:
                self.breaks(f"{cluster}: {name(manifest)} is missing after the rollback")
            elif not _says(live, manifest) or _gates(live):
                self.breaks(f"{cluster}: {name(manifest)} differs from its last good revision")
        kept = {(kind(one), name(one)) for one in wanted}
        for each, collection in COLLECTIONS.items():
            for one in self.world.member(cluster).scan(collection):
                is_ours = one["metadata"].get("labels", {}).get("app.oam.dev/name") == "shop"
                if is_ours and (each, name(one)) not in kept:
                    self.breaks(f"{cluster}: {each[1]} {name(one)} was not there before")

    def _live(self, cluster: str, manifest: Any) -> Any | None:
        collection = COLLECTIONS[kind(manifest)]
        found = self.world.member(cluster).scan(collection, manifest["metadata"]["namespace"])
        return next((one for one in found if name(one) == name(manifest)), None)


def _says(live: Any, manifest: Any) -> bool:
    """Whether the live object has all that the manifest says; labels carry the cluster's name."""
    wanted = {key: part for key, part in manifest.items() if key != "metadata"}
    return covers(live, wanted, types.of(kind_of(manifest)) or ANY)


def _gates(live: Any) -> bool:
    spec = live.get("spec") or {}
    held = spec.get("paused") or spec.get("minReadySeconds", 0) > 1_000_000
    rolling = (spec.get("updateStrategy") or {}).get("rollingUpdate") or {}
    return bool(held or rolling.get("partition") or GATE in live["metadata"].get("annotations", {}))
