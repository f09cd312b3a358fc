"""Open Cluster Management's kinds, as far as the product reads and writes them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from oneco.kinds import conditions
from oneco.kinds.parts import Part
from oneco.kube.refs import Resource

CLUSTERS = Resource("cluster.open-cluster-management.io", "v1", "managedclusters")
PLACEMENTS = Resource("cluster.open-cluster-management.io", "v1beta1", "placements")
PLACEMENT_DECISIONS = Resource(
    "cluster.open-cluster-management.io", "v1beta1", "placementdecisions"
)
WORKS = Resource("work.open-cluster-management.io", "v1", "manifestworks")
APPLIED_WORKS = Resource("work.open-cluster-management.io", "v1", "appliedmanifestworks")

WORK_FINALIZER = "cluster.open-cluster-management.io/manifest-work-cleanup"
PLACEMENT_LABEL = "cluster.open-cluster-management.io/placement"
CLUSTER_NAME_LABEL = "open-cluster-management.io/cluster-name"

ENVIRONMENT_LABEL = "onepersoncompany.io/environment"
HUB_EPOCH_ANNOTATION = "onepersoncompany.io/hub-epoch"
"""On a ManagedCluster: which life of the hub this is; a start from a copy begins a new one."""
CONFIRMED_EPOCH_ANNOTATION = "onepersoncompany.io/confirmed-epoch"
"""On a ManagedCluster: the hub's life that a person allowed to act on this cluster."""
NODES_CLAIM = "nodes.onepersoncompany.io"
"""The cluster claim that tells how many nodes a cluster has."""

ENVIRONMENTS = ("e2e", "test", "staging", "canary", "small-traffic", "production")
"""Least dangerous first; a cluster without an environment counts as production."""


# What Open Cluster Management's own definitions say beyond a field's type.
_QUANTITY = msgspec.Meta(
    extra_json_schema={
        "pattern": r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
        r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
    }
)
_CLAIM = msgspec.Meta(extra_json_schema={"required": []})
_TAINT = msgspec.Meta(extra_json_schema={"required": ["effect", "key"]})
_NAMED = msgspec.Meta(extra_json_schema={"required": ["name", "resource"]})
_RULE = msgspec.Meta(extra_json_schema={"required": ["type"]})
_APPLIED = msgspec.Meta(extra_json_schema={"required": ["name", "resource", "version"]})
_BY_NAME = msgspec.Meta(
    extra_json_schema={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
)
_WHOLE_OBJECT = msgspec.Meta(extra_json_schema={"x-kubernetes-embedded-resource": True})
_INT32 = msgspec.Meta(extra_json_schema={"format": "int32"})


class ClusterClaim(Part, frozen=True):
    """One fact that a cluster tells of itself."""

    name: str
    value: str = ""


class Taint(Part, frozen=True):
    """Why placements should not choose a cluster."""

    key: str
    value: str = ""
    effect: Annotated[
        str,
        msgspec.Meta(extra_json_schema={"enum": ["NoSelect", "PreferNoSelect", "NoSelectIfNew"]}),
    ] = "NoSelect"
    time_added: Annotated[str | None, msgspec.Meta(extra_json_schema={"format": "date-time"})] = (
        None
    )


class ClusterSpec(Part, frozen=True):
    """ManagedCluster.spec."""

    hub_accepts_client: bool = False
    lease_duration_seconds: Annotated[
        int, msgspec.Meta(extra_json_schema={"format": "int32", "default": 60})
    ] = 60
    taints: tuple[Annotated[Taint, _TAINT], ...] = ()


class ClusterStatus(Part, frozen=True):
    """ManagedCluster.status."""

    conditions: Annotated[tuple[dict[str, Any], ...], conditions.LIST] = ()
    capacity: dict[str, Annotated[str | int, _QUANTITY]] = {}
    allocatable: dict[str, Annotated[str | int, _QUANTITY]] = {}
    version: dict[str, str] = msgspec.field(default_factory=dict)
    cluster_claims: tuple[Annotated[ClusterClaim, _CLAIM], ...] = ()


class WorkResource(Part, frozen=True):
    """How a work names one of its manifests."""

    group: str = ""
    resource: str = ""
    name: str = ""
    namespace: str = ""


class FeedbackPath(Part, frozen=True):
    """One value of a live object that the hub wants to know."""

    name: str
    path: str
    version: str = ""


class FeedbackRule(Part, frozen=True):
    """What to report of a live object."""

    type: str = "JSONPaths"
    json_paths: tuple[FeedbackPath, ...] = ()


class UpdateStrategy(Part, frozen=True):
    """How a manifest is put into the cluster."""

    type: str = "Update"
    server_side_apply: dict[str, Any] | None = None


class ManifestConfig(Part, frozen=True):
    """How one manifest of a work is treated."""

    resource_identifier: WorkResource
    update_strategy: UpdateStrategy | None = None
    feedback_rules: tuple[FeedbackRule, ...] = ()


class Workload(Part, frozen=True):
    """The manifests of a work."""

    manifests: tuple[dict[str, Any], ...] = ()


class WorkSpec(Part, frozen=True):
    """ManifestWork.spec."""

    workload: Workload = Workload()
    manifest_configs: tuple[ManifestConfig, ...] = ()
    delete_option: dict[str, Any] | None = None
    executor: dict[str, Any] | None = None


class AppliedResource(Part, frozen=True):
    """One object that an agent put into its cluster."""

    group: str = ""
    version: str = ""
    resource: str = ""
    name: str = ""
    namespace: str = ""
    uid: str = ""


class AppliedWorkSpec(Part, frozen=True):
    """AppliedManifestWork.spec."""

    hub_hash: str = ""
    agent_id: str = ""
    manifest_work_name: str = ""


class AppliedWorkStatus(Part, frozen=True):
    """AppliedManifestWork.status."""

    applied_resources: tuple[AppliedResource, ...] = ()
