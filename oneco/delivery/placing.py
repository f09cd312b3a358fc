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
from oneco.kube.remembered import Remembered

_LONGEST = 63


class Places(NamedTuple):
    """The clusters of each topology, and what stands in the way.

    `undecided` are topologies whose Placement has no decision yet; `problems` are said to the
    person, `blocking` ones hold the delivery.
    """

    every: frozenset[str]
    chosen: Mapping[str, tuple[str, ...]]
    undecided: tuple[str, ...]
    problems: tuple[str, ...]
    blocking: tuple[str, ...]


class Group(NamedTuple):
    """Clusters that get the same."""

    scope: Scope
    clusters: tuple[str, ...]


class Situation(NamedTuple):
    """Who gets what: for each stage its groups of clusters, and all clusters of any stage."""

    places: Places
    stages: tuple[tuple[Group, ...], ...]
    everywhere: frozenset[str]


_names: Remembered[tuple[str, ...]] = Remembered(256)
_choices: Remembered[Mapping[str, tuple[str, ...]]] = Remembered(1024)
_situations: Remembered[Situation] = Remembered(1024)


def situate(plan: Plan, seen: ApplicationSeen) -> Situation:
    """Who gets what now; answered from memory while neither plan, clusters nor choices change."""
    every = _names.ask(_ours, *seen.clusters)
    choices = _choices.ask(_decided, *seen.decisions)
    return _situations.ask(_situate, plan, every, choices)


def _situate(
    plan: Plan, every: tuple[str, ...], choices: Mapping[str, tuple[str, ...]]
) -> Situation:
    where = _places(plan, every, choices)
    stages = tuple(_groups(plan, stage, where, every) for stage in plan.stages)
    where = where._replace(blocking=(*where.blocking, *_contradictions(plan, stages)))
    everywhere = (name for groups in stages for group in groups for name in group.clusters)
    return Situation(where, stages, frozenset(everywhere))


def _contradictions(plan: Plan, stages: Sequence[Sequence[Group]]) -> list[str]:
    """Steps that would take turns in giving a cluster different things."""
    first: dict[str, tuple[str, Scope]] = {}
    found: dict[str, None] = {}
    for stage, groups in zip(plan.stages, stages, strict=True):
        for group in groups:
            for cluster in group.clusters:
                step, scope = first.setdefault(cluster, (stage.name, group.scope))
                if scope != group.scope:
                    found[
                        f"steps {step} and {stage.name} deliver different things to {cluster}: "
                        "one step must deliver all that a cluster gets"
                    ] = None
    return list(found)


def placements(plan: Plan, application: Object) -> dict[str, Object]:
    """The Placements that the topologies of `plan` need, by topology."""
    return {
        name: _placement(plan, name, topology, application)
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


def _placement_name(plan: Plan, name: str, topology: TopologyParameters) -> str:
    # A changed selector is another Placement: the old one's decisions cannot be taken for its own.
    selector = encode(dict(topology.selector or {})).decode()
    own = f"{plan.owner.name}-{name}".lower()[: _LONGEST - 9].rstrip("-.")
    return f"{own}-{naming.digest(name, selector, length=8)}"


def _placement(plan: Plan, name: str, topology: TopologyParameters, application: Object) -> Object:
    selector = dict(topology.selector or {})
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
            "name": _placement_name(plan, name, topology),
            "namespace": objects.namespace(application),
            "labels": {NAME_LABEL: objects.name(application)},
            "ownerReferences": [owner_of(application)],
        },
        "spec": build(spec),
    }


def _places(plan: Plan, every: tuple[str, ...], choices: Mapping[str, tuple[str, ...]]) -> Places:
    known = frozenset(every)
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
            found = choices.get(_placement_name(plan, name, topology))
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
    return Places(known, chosen, tuple(undecided), tuple(problems), tuple(blocking))


def _ours(*clusters: Object) -> tuple[str, ...]:
    """The names of the clusters that this hub accepted and keeps."""
    return tuple(sorted(objects.name(one) for one in clusters if _is_ours(one)))


def _is_ours(cluster: Object) -> bool:
    accepted = dig(cluster, "spec", "hubAcceptsClient", default=False)
    return bool(accepted) and not objects.is_deleting(cluster)


def _missing(cluster: str, topology: str) -> str:
    return f"topology {topology} names cluster {cluster}, which is not in the fleet"


def _decided(*decisions: Object) -> dict[str, tuple[str, ...]]:
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


def _groups(plan: Plan, stage: Stage, where: Places, every: tuple[str, ...]) -> tuple[Group, ...]:
    """The clusters of a stage, grouped by what they get."""
    layers: dict[str, dict[Layer, None]] = {}
    for deploy in stage.deploys:
        for namespace, clusters in _targets(plan, deploy, where, every):
            layer = Layer(deploy.overrides, namespace, deploy.components)
            for cluster in clusters:
                layers.setdefault(cluster, {})[layer] = None
    groups: dict[Scope, list[str]] = {}
    for cluster, found in sorted(layers.items()):
        groups.setdefault(tuple(found), []).append(cluster)
    return tuple(Group(scope, tuple(clusters)) for scope, clusters in groups.items())


def _targets(
    plan: Plan, deploy: Deploy, where: Places, every: tuple[str, ...]
) -> list[tuple[str, tuple[str, ...]]]:
    """The clusters of one step, with the namespace in them."""
    if deploy.cluster:
        return [(deploy.namespace, (deploy.cluster,))] if deploy.cluster in where.every else []
    if not deploy.topologies:
        return [(deploy.namespace, every)]
    topologies = plan.topologies
    return [(topologies[name].namespace, where.chosen.get(name, ())) for name in deploy.topologies]
