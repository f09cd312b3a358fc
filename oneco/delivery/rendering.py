"""What an Application becomes, without any server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from oneco.delivery import manifests, plan
from oneco.delivery.plan import Layer, Plan
from oneco.delivery.ports import Registry
from oneco.delivery.workflow import Deploy
from oneco.kube.objects import Object

Cluster = tuple[str, Mapping[str, str]]


class Manifest(NamedTuple):
    """One object; `cluster` is None where no topology names one."""

    component: str
    cluster: str | None
    trait: str
    manifest: Object
    reads: tuple[str, ...]


def render(
    application: Object, registry: Registry, *, clusters: Sequence[Cluster] = ()
) -> tuple[Manifest, ...]:
    """Every object of `application`, cluster by cluster; Mistakes name all that is wrong.

    `clusters` are those that exist, with their labels: topologies that choose by labels choose
    among them. Without any, what such a topology delivers is shown once, for no cluster.
    """
    planned = plan.read(application, registry)
    scopes: dict[str | None, dict[Layer, None]] = {}
    for stage in planned.stages:
        for deploy in stage.deploys:
            for cluster, namespace in _places(planned, deploy, clusters):
                layer = Layer(deploy.overrides, namespace, deploy.components)
                scopes.setdefault(cluster, {})[layer] = None
    revision = f"{planned.owner.name}-v1"
    rendered: list[Manifest] = []
    for cluster, layers in scopes.items():
        made, _ = plan.pieces(planned, tuple(layers), registry)
        rendered += [
            Manifest(
                piece.component,
                cluster,
                piece.trait,
                manifests.stamp(piece, revision, cluster or ""),
                piece.reads,
            )
            for piece in made
        ]
    return tuple(rendered)


def _places(
    planned: Plan, deploy: Deploy, clusters: Sequence[Cluster]
) -> list[tuple[str | None, str]]:
    """The clusters of one step and the namespace in each."""
    if not deploy.topologies:
        return [(deploy.cluster or None, deploy.namespace)]
    places: dict[tuple[str | None, str], None] = {}
    topologies = planned.topologies
    for name in deploy.topologies:
        topology = topologies[name]
        chosen: Sequence[str | None] = (None,)
        if topology.clusters is not None:
            chosen = topology.clusters
        elif topology.selector is not None and clusters:
            chosen = [one for one, labels in clusters if topology.chooses(labels)]
        places |= {(one, topology.namespace): None for one in chosen}
    return list(places)
