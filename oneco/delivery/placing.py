"""Which clusters an Application's topologies mean, and the Placements that ask for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from oneco.delivery.plan import Layer, Plan, Scope
from oneco.delivery.seen import ApplicationSeen
from oneco.delivery.topologies import TopologyParameters
from oneco.delivery.workflow import Deploy, Stage
from oneco.kinds import naming
from oneco.kinds.oam import APPLICATIONS, NAME_LABEL
from oneco.kinds.ocm import PLACEMENT_LABEL, PLACEMENTS
from oneco.kinds.parts import build
from oneco.kinds.placement import (
    UNAVAILABLE_TAINT,
    UNREACHABLE_TAINT,
    ClusterLabels,
    ClusterSelector,
    PlacementSpec,
    Predicate,
    Toleration,
)
from oneco.kube import objects
from oneco.kube.objects import Object, dig, encode

_LONGEST = 63


class Places(NamedTuple):
    """The clusters of each topology, and what stands in the way.

    `undecided` are topologies whose Placement has no decision yet; `problems` are said to the
    person, `blocking` ones hold the delivery.
    """

    every: tuple[str, ...]
    chosen: Mapping[str, tuple[str, ...]]
    undecided: tuple[str, ...]
    problems: tuple[str, ...]
    blocking: tuple[str, ...]


def placements(plan: Plan, application: Object) -> dict[str, Object]:
    """The Placements that the topologies of `plan` need, by topology."""
    return {
        name: _placement(name, topology, application)
        for name, topology in plan.topologies.items()
        if topology.selector is not None
    }


def owner_of(application: Object) -> Object:
    """The reference by which an object goes away with `application`."""
    return {
        "apiVersion": APPLICATIONS.api_version,
        "kind": "Application",
        "name": objects.name(application),
        "uid": objects.uid(application),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _placement(name: str, topology: TopologyParameters, application: Object) -> Object:
    selector = dict(topology.selector or {})
    # A changed selector is another Placement: the old one's decisions cannot be taken for its own.
    digest = naming.digest(name, encode(selector).decode(), length=8)
    own = f"{objects.name(application)}-{name}".lower()[: _LONGEST - 9].rstrip("-.")
    spec = PlacementSpec(
        predicates=(
            Predicate(
                required_cluster_selector=ClusterSelector(
                    label_selector=ClusterLabels(match_labels=selector)
                )
            ),
        ),
        # A cluster that cannot be reached keeps what it has: it is late, not left out.
        tolerations=tuple(
            Toleration(key=key, operator="Exists") for key in (UNREACHABLE_TAINT, UNAVAILABLE_TAINT)
        ),
    )
    return {
        "apiVersion": PLACEMENTS.api_version,
        "kind": "Placement",
        "metadata": {
            "name": f"{own}-{digest}",
            "namespace": objects.namespace(application),
            "labels": {NAME_LABEL: objects.name(application)},
            "ownerReferences": [owner_of(application)],
        },
        "spec": build(spec),
    }


def places(plan: Plan, seen: ApplicationSeen, wanted: Mapping[str, Object]) -> Places:
    """The clusters of each topology, as far as they are decided."""
    every = tuple(sorted(objects.name(one) for one in seen.clusters if _is_ours(one)))
    known = frozenset(every)
    decided = _decided(seen.decisions)
    chosen: dict[str, tuple[str, ...]] = {}
    undecided: list[str] = []
    problems: list[str] = []
    blocking: list[str] = []
    for name, topology in plan.topologies.items():
        if topology.clusters is not None:
            names = tuple(dict.fromkeys(topology.clusters))
            missing = [one for one in names if one not in known]
            problems += [_missing(one, name) for one in missing]
            chosen[name] = tuple(one for one in names if one in known)
        elif topology.selector is not None:
            found = decided.get(objects.name(wanted[name]))
            if found is None:
                undecided.append(name)
                continue
            chosen[name] = tuple(one for one in found if one in known)
        else:
            chosen[name] = every
        if not chosen[name] and not topology.allow_empty:
            blocking.append(
                f"topology {name} chooses no cluster; allowEmpty: true would accept that"
            )
    return Places(every, chosen, tuple(undecided), tuple(problems), tuple(blocking))


def _is_ours(cluster: Object) -> bool:
    accepted = dig(cluster, "spec", "hubAcceptsClient", default=False)
    return bool(accepted) and not objects.is_deleting(cluster)


def _missing(cluster: str, topology: str) -> str:
    return f"topology {topology} names cluster {cluster}, which is not in the fleet"


def _decided(decisions: Sequence[Object]) -> dict[str, tuple[str, ...]]:
    """The chosen clusters of each Placement; a decision without a status is not made yet."""
    chosen: dict[str, list[str]] = {}
    open_ones: set[str] = set()
    for decision in decisions:
        placement = objects.labels(decision).get(PLACEMENT_LABEL, "")
        rows = dig(decision, "status", "decisions")
        if rows is None:
            open_ones.add(placement)
            continue
        chosen.setdefault(placement, []).extend(row["clusterName"] for row in rows)
    return {
        name: tuple(sorted(set(found))) for name, found in chosen.items() if name not in open_ones
    }


def scopes(plan: Plan, stage: Stage, where: Places) -> dict[str, Scope]:
    """What each cluster of a stage gets, by cluster."""
    found: dict[str, dict[Layer, None]] = {}
    for deploy in stage.deploys:
        for cluster, namespace in _targets(plan, deploy, where):
            layer = Layer(deploy.overrides, namespace, deploy.components)
            found.setdefault(cluster, {})[layer] = None
    return {cluster: tuple(layers) for cluster, layers in sorted(found.items())}


def _targets(plan: Plan, deploy: Deploy, where: Places) -> list[tuple[str, str]]:
    if deploy.cluster:
        return [(deploy.cluster, deploy.namespace)] if deploy.cluster in where.every else []
    if not deploy.topologies:
        return [(cluster, deploy.namespace) for cluster in where.every]
    topologies = plan.topologies
    return [
        (cluster, topologies[name].namespace)
        for name in deploy.topologies
        for cluster in where.chosen.get(name, ())
    ]
