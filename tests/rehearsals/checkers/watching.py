"""What every checker has: the world, the commits of all stores, and a list of what was broken."""

from __future__ import annotations

from typing import Any

from oneco.kube.objects import Object
from oneco.worlds.apiserver.store import Change, Store

RELEASES = "onepersoncompany.io/releases"
UNITS = "onepersoncompany.io/releaseunits"
WORKS = "work.open-cluster-management.io/manifestworks"
REVISIONS = "core.oam.dev/applicationrevisions"
DEPLOYMENTS = "apps/deployments"
WORKLOADS = {
    ("apps", "Deployment"): DEPLOYMENTS,
    ("apps", "StatefulSet"): "apps/statefulsets",
    ("apps", "DaemonSet"): "apps/daemonsets",
    ("apps.kruise.io", "CloneSet"): "apps.kruise.io/clonesets",
    ("apps.kruise.io", "StatefulSet"): "apps.kruise.io/statefulsets",
    ("apps.kruise.io", "DaemonSet"): "apps.kruise.io/daemonsets",
}
PODS = "/pods"


class Watching:
    """A checker that sees every commit; it knows nothing of how the product decides."""

    def __init__(self, world: Any) -> None:
        self.world, self.broken = world, list[str]()

    def watch(self, cluster: str, store: Store) -> None:
        """See the commits of a member too."""
        store.on_commit(lambda change: self.on_member(cluster, change))

    def on_hub(self, change: Change) -> None:
        """See a commit of the hub."""

    def on_member(self, cluster: str, change: Change) -> None:
        """See a commit of a member."""

    def breaks(self, sentence: str) -> None:
        """Note a broken promise, with its time."""
        at = self.world.clock.now() - self.world.start
        self.broken.append(f"{at:.1f} s: {sentence}")

    @property
    def is_begun(self) -> bool:
        """Whether the rehearsal's own time has begun."""
        return bool(self.world.is_measuring)

    def hub(self, collection: str) -> list[Any]:
        """What the hub holds of a kind."""
        return list(self.world.server.store.scan(collection))

    def unit(self, cluster: str) -> Any | None:
        """The unit of a cluster."""
        found = self.world.server.store.scan(UNITS, cluster)
        return found[0] if found else None

    def release_of(self, unit: Object) -> Any | None:
        """The release that holds a unit."""
        named = [one for one in self.hub(RELEASES) if name(one) == unit["spec"].get("release")]
        return named[0] if named else None

    def manifests(self, revision: str, variant: str) -> list[Any]:
        """The objects of a variant of a revision."""
        for one in self.hub(REVISIONS):
            if name(one) == revision:
                for row in one["spec"].get("variants", ()):
                    if row["hash"] == variant:
                        return [entry["manifest"] for entry in row["manifests"]]
        return []

    def images(self, revision: str, variant: str) -> dict[str, str]:
        """The image of each workload of a variant of a revision."""
        return {
            name(one): image(one["spec"]["template"])
            for one in self.manifests(revision, variant)
            if kind(one) in WORKLOADS
        }


def kind(obj: Object) -> tuple[str, str]:
    """The group and the kind of an object."""
    return str(obj["apiVersion"]).rpartition("/")[0], str(obj["kind"])


def name(obj: Object) -> str:
    """The name of an object."""
    return str(obj["metadata"]["name"])


def image(template: Object) -> str:
    """The image of the first container of a pod or template."""
    return str(template["spec"]["containers"][0]["image"])


def status(obj: Object) -> Any:
    """The status of an object, empty before it has one."""
    return obj.get("status") or {}
