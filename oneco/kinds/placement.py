"""Open Cluster Management's Placement and PlacementDecision: what is asked, what was chosen."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from oneco.kinds.conditions import LIST as CONDITIONS
from oneco.kinds.parts import Part

DECISION_GROUP_NAME_LABEL = "cluster.open-cluster-management.io/decision-group-name"
DECISION_GROUP_INDEX_LABEL = "cluster.open-cluster-management.io/decision-group-index"
CLUSTER_SET_LABEL = "cluster.open-cluster-management.io/clusterset"
"""On a ManagedCluster: the cluster set that it is in."""
DECISIONS_LIMIT: Final = 100
"""How many clusters one PlacementDecision holds at most."""
UNREACHABLE_TAINT = "cluster.open-cluster-management.io/unreachable"
UNAVAILABLE_TAINT = "cluster.open-cluster-management.io/unavailable"

_EFFECT = msgspec.Meta(extra_json_schema={"enum": ["NoSelect", "PreferNoSelect", "NoSelectIfNew"]})
_ATOMIC_MAP = msgspec.Meta(extra_json_schema={"x-kubernetes-map-type": "atomic"})
_ATOMIC_LIST = msgspec.Meta(extra_json_schema={"x-kubernetes-list-type": "atomic"})
_INT32 = msgspec.Meta(extra_json_schema={"format": "int32"})


class Expression(Part, frozen=True):
    """One condition of a selector."""

    key: str
    operator: str
    values: Annotated[tuple[str, ...], _ATOMIC_LIST] = ()


class ClusterLabels(Part, frozen=True):
    """A label selector over ManagedClusters; empty chooses every cluster."""

    match_labels: dict[str, str] = msgspec.field(default_factory=dict)
    match_expressions: Annotated[tuple[Expression, ...], _ATOMIC_LIST] = ()


class ClusterClaims(Part, frozen=True):
    """A selector over what clusters tell of themselves."""

    match_expressions: tuple[Expression, ...] = ()


class ClusterSelector(Part, frozen=True):
    """Which clusters: labels and claims must both fit."""

    label_selector: Annotated[ClusterLabels | None, _ATOMIC_MAP] = None
    claim_selector: ClusterClaims | None = None
    cel_selector: dict[str, Any] | None = None


class Predicate(Part, frozen=True):
    """One way to be chosen; any of a placement's predicates is enough."""

    required_cluster_selector: ClusterSelector = ClusterSelector()


class Toleration(Part, frozen=True):
    """A taint that does not keep this placement away; seconds bound how long, none means ever."""

    key: str = ""
    operator: Annotated[str, msgspec.Meta(extra_json_schema={"default": "Equal"})] = "Equal"
    value: str = ""
    effect: Annotated[str, _EFFECT] = ""
    toleration_seconds: Annotated[
        int | None, msgspec.Meta(extra_json_schema={"format": "int64"})
    ] = None


class PlacementSpec(Part, frozen=True):
    """Placement.spec. Absent `number_of_clusters` means all that fit."""

    cluster_sets: tuple[str, ...] = ()
    number_of_clusters: Annotated[int | None, _INT32] = None
    predicates: tuple[Predicate, ...] = ()
    tolerations: tuple[Toleration, ...] = ()


class DecisionGroup(Part, frozen=True):
    """Some of the chosen clusters; there is always one group here."""

    decision_group_index: Annotated[int, _INT32] = 0
    decision_group_name: str = ""
    decisions: tuple[str, ...] = ()
    cluster_count: Annotated[
        int, msgspec.Meta(extra_json_schema={"format": "int32", "default": 0})
    ] = 0


class PlacementStatus(Part, frozen=True):
    """Placement.status."""

    number_of_selected_clusters: Annotated[int, _INT32] = 0
    decision_groups: tuple[DecisionGroup, ...] = ()
    conditions: Annotated[tuple[dict[str, Any], ...], CONDITIONS] = ()


class ChosenCluster(Part, frozen=True, omit_defaults=False):
    """One chosen cluster, and why."""

    cluster_name: str
    reason: str = ""


class PlacementDecisionStatus(Part, frozen=True):
    """PlacementDecision.status."""

    decisions: tuple[
        Annotated[
            ChosenCluster,
            msgspec.Meta(extra_json_schema={"required": ["clusterName", "reason"]}),
        ],
        ...,
    ]
