"""Open Cluster Management's kinds, as far as the product reads and writes them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from oneco.kinds.conditions import LIST as CONDITIONS
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

RESERVED_NAMES = frozenset(
    {"default", "kube-system", "kube-public", "kube-node-lease", "oneco-system", "managed-clusters"}
)
"""No cluster is called so: the hub keeps a cluster's works, and its agent, in a namespace of its
name, and these are the hub's own; the group of a cluster called `managed-clusters` would be that
of all agents."""

ENVIRONMENT_LABEL = "onepersoncompany.io/environment"
HUB_EPOCH_ANNOTATION = "onepersoncompany.io/hub-epoch"
"""On a ManagedCluster: which life of the hub this is; a start from a copy begins a new one."""
CONFIRMED_EPOCH_ANNOTATION = "onepersoncompany.io/confirmed-epoch"
"""On a ManagedCluster: the hub's life that a person allowed to act on this cluster."""
AGENT_CLAIM = "agent.onepersoncompany.io"
"""The cluster claim that tells the version of the cluster's agent."""
NODES_CLAIM = "nodes.onepersoncompany.io"
"""The cluster claim that tells how many nodes a cluster has."""

ENVIRONMENTS = ("e2e", "test", "staging", "canary", "small-traffic", "production")
"""Least dangerous first; a cluster without an environment counts as production."""


def _choice(*values: str, default: str | None = None) -> msgspec.Meta:
    """What a CRD says about a text that is one of `values`."""
    said = {} if default is None else {"default": default}
    return msgspec.Meta(extra_json_schema={"enum": list(values), **said})


# What Open Cluster Management's own definitions say beyond a field's type.
_QUANTITIES = msgspec.Meta(
    extra_json_schema={
        "additionalProperties": {
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "pattern": r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
            r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$",
            "x-kubernetes-int-or-string": True,
        }
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


class Taint(Part, frozen=True, omit_defaults=False):
    """Why placements should not choose a cluster."""

    key: str
    value: str = ""
    effect: Annotated[str, _choice("NoSelect", "PreferNoSelect", "NoSelectIfNew")] = "NoSelect"
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

    conditions: Annotated[tuple[dict[str, Any], ...], CONDITIONS] = ()
    capacity: Annotated[dict[str, str | int], _QUANTITIES] = msgspec.field(default_factory=dict)
    allocatable: Annotated[dict[str, str | int], _QUANTITIES] = msgspec.field(default_factory=dict)
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


class FeedbackRule(Part, frozen=True, omit_defaults=False):
    """What to report of a live object."""

    type: Annotated[str, _choice("WellKnownStatus", "JSONPaths")] = "JSONPaths"
    json_paths: Annotated[tuple[FeedbackPath, ...], _BY_NAME] = ()


class UpdateStrategy(Part, frozen=True):
    """How a manifest is put into the cluster."""

    type: Annotated[
        str, _choice("Update", "CreateOnly", "ServerSideApply", "ReadOnly", default="Update")
    ] = "Update"
    server_side_apply: dict[str, Any] | None = None


class ManifestConfig(Part, frozen=True):
    """How one manifest of a work is treated."""

    resource_identifier: Annotated[WorkResource, _NAMED]
    update_strategy: Annotated[UpdateStrategy | None, _RULE] = None
    feedback_rules: tuple[Annotated[FeedbackRule, _RULE], ...] = ()


class Workload(Part, frozen=True):
    """The manifests of a work."""

    manifests: tuple[Annotated[dict[str, Any], _WHOLE_OBJECT], ...] = ()


class WorkSpec(Part, frozen=True):
    """ManifestWork.spec."""

    workload: Workload = Workload()
    manifest_configs: tuple[ManifestConfig, ...] = ()
    delete_option: dict[str, Any] | None = None
    executor: dict[str, Any] | None = None


class ManifestMeta(Part, frozen=True):
    """Which manifest of a work is meant, and what it became in the cluster."""

    ordinal: Annotated[int, _INT32]
    group: str = ""
    version: str = ""
    kind: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""


class FeedbackField(Part, frozen=True):
    """One value that was asked for; exactly the field that `type` names is set."""

    type: Literal["Integer", "String", "Boolean", "JsonRaw"]
    integer: int | None = None
    string: str | None = None
    boolean: bool | None = None
    json_raw: str | None = None


class FeedbackValue(Part, frozen=True):
    """One value that was asked for, under its name."""

    name: str
    field_value: FeedbackField


class Feedback(Part, frozen=True):
    """The values that were asked for of one manifest."""

    values: Annotated[tuple[FeedbackValue, ...], _BY_NAME] = ()


class ManifestStatus(Part, frozen=True):
    """What became of one manifest."""

    resource_meta: ManifestMeta
    conditions: Annotated[tuple[dict[str, Any], ...], CONDITIONS]
    status_feedback: Feedback = Feedback()


class ResourceStatus(Part, frozen=True):
    """What became of the manifests of a work."""

    manifests: tuple[ManifestStatus, ...] = ()


class WorkStatus(Part, frozen=True):
    """ManifestWork.status."""

    conditions: Annotated[tuple[dict[str, Any], ...], CONDITIONS] = ()
    resource_status: ResourceStatus = ResourceStatus()


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
    agent_id: str = msgspec.field(name="agentID", default="")
    manifest_work_name: str = ""


class AppliedWorkStatus(Part, frozen=True):
    """AppliedManifestWork.status."""

    applied_resources: tuple[Annotated[AppliedResource, _APPLIED], ...] = ()
