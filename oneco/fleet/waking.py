"""Which clusters and placements a change concerns, in the form in which the shell asks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from oneco.decision import Reader
from oneco.fleet.clusters import LEASE_NAME
from oneco.kinds.ocm import CLUSTERS, PLACEMENT_LABEL, PLACEMENTS
from oneco.kube import objects
from oneco.kube.objects import Object, dig

Key = tuple[str, str]
"""Namespace and name."""


class Seen(Protocol):
    """A change of one object; `old` is None for a new one, `new` for a gone one."""

    @property
    def old(self) -> Object | None:
        """The object before."""
        ...

    @property
    def new(self) -> Object | None:
        """The object now."""
        ...


def itself(reader: Reader, seen: Seen) -> Iterable[Key]:
    """The changed object: a ManagedCluster, a Namespace, a Placement, a certificate request."""
    obj = _either(seen)
    return ((objects.namespace(obj), objects.name(obj)),)


def cluster_of_lease(reader: Reader, seen: Seen) -> Iterable[Key]:
    """The cluster whose agent renewed its lease."""
    obj = _either(seen)
    return (("", objects.namespace(obj)),) if objects.name(obj) == LEASE_NAME else ()


def every_cluster(reader: Reader, seen: Seen) -> Iterable[Key]:
    """All clusters: the hub began another life."""
    return [("", objects.name(cluster)) for cluster in reader.list(CLUSTERS)]


def placement_of_decision(reader: Reader, seen: Seen) -> Iterable[Key]:
    """The placement that a PlacementDecision belongs to."""
    obj = _either(seen)
    name = objects.labels(obj).get(PLACEMENT_LABEL)
    return ((objects.namespace(obj), name),) if name else ()


def placements_of_cluster(reader: Reader, seen: Seen) -> Iterable[Key]:
    """All placements, if what they choose by has changed; heartbeats and capacities have not."""
    if seen.old is not None and seen.new is not None and _looks(seen.old) == _looks(seen.new):
        return ()
    return [
        (objects.namespace(placement), objects.name(placement))
        for placement in reader.list(PLACEMENTS)
    ]


def _either(seen: Seen) -> Object:
    obj = seen.new if seen.new is not None else seen.old
    assert obj is not None, "a change of nothing"
    return obj


def _looks(cluster: Object) -> tuple[object, ...]:
    return (
        objects.labels(cluster),
        cluster.get("spec"),
        dig(cluster, "status", "clusterClaims"),
        objects.is_deleting(cluster),
    )
