"""What OpenKruise's workloads with a size have in common: a gate that holds so many pods old."""

from __future__ import annotations

import abc

from oneco.integrations.kruise import gates
from oneco.kube import amounts, objects
from oneco.kube.objects import Json, Object
from oneco.kube.refs import Resource


class SizedWorkload(abc.ABC):
    """A workload whose manifest, or whose cluster, says how many pods it has."""

    history: Resource | None = None
    is_on_nodes = False

    def replicas(self, manifest: Object) -> int | None:
        """How many pods the manifest asks for; None where it leaves that to its cluster."""
        return amounts.replicas(manifest)

    def template(self, manifest: Object) -> Json:
        """The pod template."""
        return objects.dig(manifest, "spec", "template")

    @abc.abstractmethod
    def is_paused(self, manifest: Object) -> bool:
        """Whether it is paused."""

    def is_divisible(self, manifest: Object) -> bool:
        """A set that its owner pauses, or whose pods somebody deletes, cannot be held too."""
        is_held = gates.is_on_delete(manifest) or self.is_paused(manifest)
        return gates.is_sound(manifest) and not is_held

    @abc.abstractmethod
    def held(self, manifest: Object, replicas: int | None) -> Object:
        """The manifest with the partition that its marks mean at this size."""

    def step(self, manifest: Object, live: Object | None, updated_ready: int | None) -> Object:
        """The gated manifest at the size that the set has; its controller takes small steps."""
        del updated_ready
        if gates.target(manifest) is None or self.replicas(manifest) is not None:
            return manifest
        return self.held(manifest, objects.number(live, "spec", "replicas", default=1))
