"""Every kind that the product defines by a CRD: its names, its parts and what lists show of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any, Final, NamedTuple

import msgspec

from oneco.kinds import fleet, kruise, oam, ocm, placement, release
from oneco.kube.refs import Resource


class Column(NamedTuple):
    """One column of a list; those with a priority are shown by `-o wide` alone."""

    name: str
    type: str
    path: str
    priority: int = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CustomKind:
    """One kind. Fields that we do not know are kept in `open_parts` and refused elsewhere.

    `parts` are structs by field, annotated where a CRD says more about them.
    """

    resource: Resource
    kind: str
    description: str
    parts: Mapping[str, Any]
    open_parts: frozenset[str] = frozenset()
    required: tuple[str, ...] = ()
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    older_versions: tuple[str, ...] = ()
    """Versions that are served as well, with the same fields."""
    is_scaled: bool = False
    """Whether it has replicas that a scale subresource shows."""

    @property
    def has_status(self) -> bool:
        """Whether its status is written apart from the rest."""
        return "status" in self.parts


_AGE: Final = Column("Age", "date", ".metadata.creationTimestamp")
_BOTH: Final = frozenset({"spec", "status"})
_SPEC: Final = ("spec",)
_OURS: Final = ("oneco",)
# Its struct has defaults, so that a work which somebody else applied can be read as well.
_APPLIED_WORK: Final = Annotated[
    ocm.AppliedWorkSpec,
    msgspec.Meta(extra_json_schema={"required": ["hubHash", "manifestWorkName"]}),
]


def _condition(type_: str, field: str = "status") -> str:
    return f'.status.conditions[?(@.type=="{type_}")].{field}'


_RELEASES: Final = (
    CustomKind(
        resource=release.RELEASES,
        kind="Release",
        description="One change of one Application on its way through the fleet, wave by wave.",
        parts={"spec": release.ReleaseSpec, "status": release.ReleaseStatus},
        required=_SPEC,
        short_names=("rel",),
        categories=_OURS,
        columns=(
            Column("Application", "string", ".spec.application"),
            Column("Revision", "string", ".spec.revision"),
            Column("Phase", "string", ".status.phase"),
            Column("Wave", "integer", ".status.wave"),
            Column("Opened", "integer", ".status.opened"),
            Column("Units", "integer", ".status.units"),
            Column("Reason", "string", ".status.reason"),
            Column("Message", "string", ".status.message", 1),
            _AGE,
        ),
    ),
    CustomKind(
        resource=release.POLICIES,
        kind="ReleasePolicy",
        description="How changes of the Applications that it selects spread over the fleet.",
        parts={"spec": release.PolicySpec},
        required=_SPEC,
        short_names=("relpol",),
        categories=_OURS,
        columns=(
            Column("Priority", "integer", ".spec.priority"),
            Column("Batches", "string", ".spec.batches"),
            Column("On failure", "string", ".spec.onFailure"),
            _AGE,
        ),
    ),
    CustomKind(
        resource=release.UNITS,
        kind="ReleaseUnit",
        description="One Application in one cluster: which release has it and what last was good.",
        parts={"spec": release.UnitSpec, "status": release.UnitStatus},
        required=_SPEC,
        short_names=("relunit",),
        categories=_OURS,
        columns=(
            Column("Application", "string", ".spec.application"),
            Column("Cluster", "string", ".spec.cluster"),
            Column("Revision", "string", ".spec.revision"),
            Column("Wave", "integer", ".spec.wave"),
            Column("Phase", "string", ".status.phase"),
            Column("Batch", "integer", ".status.batch"),
            Column("Of", "integer", ".status.batches"),
            Column("Reason", "string", ".status.reason"),
            Column("Message", "string", ".status.message", 1),
            _AGE,
        ),
    ),
    CustomKind(
        resource=release.CHECK_RUNS,
        kind="CheckRun",
        description="A question about the new revision in one cluster, and its answer.",
        parts={"spec": release.CheckRunSpec, "status": release.CheckRunStatus},
        required=_SPEC,
        short_names=("chk",),
        categories=_OURS,
        columns=(
            Column("Release", "string", ".spec.release"),
            Column("Cluster", "string", ".spec.cluster"),
            Column("Check", "string", ".spec.check.name"),
            Column("Verdict", "string", ".status.verdict"),
            Column("Message", "string", ".status.message", 1),
            _AGE,
        ),
    ),
    CustomKind(
        resource=release.OBSERVATIONS,
        kind="Observation",
        description="What an agent saw of one work in its cluster.",
        # Written by its agent alone, so nothing is gained from a status of its own.
        parts={"observed": release.Observed},
        short_names=("obs",),
        categories=_OURS,
        columns=(
            Column("Generation", "integer", ".observed.workGeneration"),
            Column("Confirmed", "boolean", ".observed.isConfirmed"),
            Column("Differences", "integer", ".observed.differences"),
            _AGE,
        ),
    ),
)

_REHEARSALS: Final = (
    CustomKind(
        resource=fleet.FLEETS,
        kind="Fleet",
        description="Clusters to rehearse on, or to build in.",
        parts={"spec": fleet.FleetSpec},
        required=_SPEC,
        categories=_OURS,
        # Of a list, a column shows the first element alone: no names of clusters here.
        columns=(_AGE,),
    ),
    CustomKind(
        resource=fleet.FAULTS,
        kind="Fault",
        description="Something that goes wrong in a rehearsal.",
        parts={"spec": fleet.FaultSpec},
        required=_SPEC,
        categories=_OURS,
        columns=(
            Column("Type", "string", ".spec.type"),
            Column("Image", "string", ".spec.image"),
            Column("From", "string", ".spec.from"),
            Column("Until", "string", ".spec.until"),
            _AGE,
        ),
    ),
    CustomKind(
        resource=fleet.REHEARSALS,
        kind="Rehearsal",
        description="A release tried on a fleet before it is done.",
        parts={"spec": fleet.RehearsalSpec, "status": fleet.RehearsalStatus},
        required=_SPEC,
        short_names=("reh",),
        categories=_OURS,
        columns=(
            Column("Application", "string", ".spec.application"),
            Column("Fleet", "string", ".spec.fleet"),
            Column("Outcome", "string", ".status.outcome"),
            _AGE,
        ),
    ),
)

_APPLICATIONS: Final = (
    CustomKind(
        resource=oam.APPLICATIONS,
        kind="Application",
        description="What a person wants to run: components, and rules for delivering them.",
        parts={"spec": oam.ApplicationSpec, "status": oam.ApplicationStatus},
        open_parts=frozenset({"status"}),
        short_names=("app", "velaapp"),
        categories=("oam", *_OURS),
        columns=(
            Column("COMPONENT", "string", ".spec.components[*].name"),
            Column("TYPE", "string", ".spec.components[*].type"),
            Column("PHASE", "string", ".status.status"),
            Column("HEALTHY", "boolean", ".status.services[*].healthy"),
            Column("STATUS", "string", ".status.services[*].message"),
            Column("AGE", "date", ".metadata.creationTimestamp"),
        ),
    ),
    CustomKind(
        resource=oam.REVISIONS,
        kind="ApplicationRevision",
        description="One version of an Application with all that delivering it again needs.",
        parts={"spec": oam.RevisionSpec, "status": oam.RevisionStatus},
        open_parts=_BOTH,
        short_names=("apprev",),
        categories=("oam", *_OURS),
        columns=(
            Column("AGE", "date", ".metadata.creationTimestamp"),
            Column(
                "PUBLISH_VERSION",
                "string",
                r".metadata.annotations['app\.oam\.dev\/publishVersion']",
            ),
            Column("SUCCEEDED", "string", ".status.succeeded"),
        ),
    ),
)

_CLUSTERS: Final = (
    CustomKind(
        resource=ocm.CLUSTERS,
        kind="ManagedCluster",
        description="A cluster of the fleet, as its agent and the hub see it.",
        parts={"spec": ocm.ClusterSpec, "status": ocm.ClusterStatus},
        open_parts=_BOTH,
        namespaced=False,
        short_names=("mcl", "mcls"),
        categories=_OURS,
        columns=(
            Column("Hub Accepted", "boolean", ".spec.hubAcceptsClient"),
            Column("Managed Cluster URLs", "string", ".spec.managedClusterClientConfigs[*].url"),
            Column("Joined", "string", _condition("ManagedClusterJoined")),
            Column("Available", "string", _condition("ManagedClusterConditionAvailable")),
            _AGE,
        ),
    ),
    CustomKind(
        resource=ocm.PLACEMENTS,
        kind="Placement",
        description="Which clusters are asked for.",
        parts={"spec": placement.PlacementSpec, "status": placement.PlacementStatus},
        open_parts=_BOTH,
        required=_SPEC,
        categories=_OURS,
        columns=(
            Column("Succeeded", "string", _condition("PlacementSatisfied")),
            Column("Reason", "string", _condition("PlacementSatisfied", "reason")),
            Column("SelectedClusters", "integer", ".status.numberOfSelectedClusters"),
        ),
    ),
    CustomKind(
        resource=ocm.PLACEMENT_DECISIONS,
        kind="PlacementDecision",
        description="Which clusters a Placement chose, at most a hundred of them.",
        parts={"status": placement.PlacementDecisionStatus},
        open_parts=_BOTH,
        categories=_OURS,
    ),
    CustomKind(
        resource=ocm.WORKS,
        kind="ManifestWork",
        description="Objects that an agent shall apply in its cluster.",
        parts={"spec": ocm.WorkSpec, "status": ocm.WorkStatus},
        open_parts=_BOTH,
        categories=_OURS,
    ),
    CustomKind(
        resource=ocm.APPLIED_WORKS,
        kind="AppliedManifestWork",
        description="In a member: what its agent applied for one work.",
        parts={"spec": _APPLIED_WORK, "status": ocm.AppliedWorkStatus},
        open_parts=_BOTH,
        namespaced=False,
        categories=_OURS,
    ),
)

KINDS: Final = (*_APPLICATIONS, *_CLUSTERS, *_RELEASES, *_REHEARSALS)


def _shown(name: str, path: str) -> Column:
    return Column(name, "integer", f".{path}")


_WIDE: Final = (
    Column("CONTAINERS", "string", ".spec.template.spec.containers[*].name", 1),
    Column("IMAGES", "string", ".spec.template.spec.containers[*].image", 1),
)
_OLD: Final = Column("AGE", "date", ".metadata.creationTimestamp")

KRUISE: Final = (
    CustomKind(
        resource=kruise.CLONE_SETS,
        kind="CloneSet",
        description="Pods that are all alike, updated in place or anew up to a partition.",
        parts={"spec": kruise.CloneSetSpec, "status": kruise.CloneSetStatus},
        open_parts=_BOTH,
        short_names=("clone",),
        columns=(
            _shown("DESIRED", "spec.replicas"),
            _shown("UPDATED", "status.updatedReplicas"),
            _shown("UPDATED_READY", "status.updatedReadyReplicas"),
            _shown("UPDATED_AVAILABLE", "status.updatedAvailableReplicas"),
            _shown("READY", "status.readyReplicas"),
            _shown("TOTAL", "status.replicas"),
            _OLD,
            *_WIDE,
            Column("SELECTOR", "string", ".status.labelSelector", 1),
        ),
        is_scaled=True,
    ),
    CustomKind(
        resource=kruise.STATEFUL_SETS,
        kind="StatefulSet",
        description="Numbered pods, updated several at a time and in an order of one's own.",
        parts={"spec": kruise.StatefulSetSpec, "status": kruise.StatefulSetStatus},
        open_parts=_BOTH,
        short_names=("sts", "asts"),
        columns=(
            _shown("DESIRED", "spec.replicas"),
            _shown("CURRENT", "status.replicas"),
            _shown("UPDATED", "status.updatedReplicas"),
            _shown("READY", "status.readyReplicas"),
            _OLD,
            *_WIDE,
        ),
        older_versions=("v1alpha1",),
        is_scaled=True,
    ),
    CustomKind(
        resource=kruise.DAEMON_SETS,
        kind="DaemonSet",
        description="One pod on every node, updated up to a partition or on chosen nodes.",
        parts={"spec": kruise.DaemonSetSpec, "status": kruise.DaemonSetStatus},
        open_parts=_BOTH,
        short_names=("daemon", "ads"),
        columns=(
            _shown("DESIRED", "status.desiredNumberScheduled"),
            _shown("CURRENT", "status.currentNumberScheduled"),
            _shown("READY", "status.numberReady"),
            _shown("UP-TO-DATE", "status.updatedNumberScheduled"),
            _shown("AVAILABLE", "status.numberAvailable"),
            _OLD,
            *_WIDE,
        ),
    ),
)
"""OpenKruise's kinds, for clusters of this process: a real one has them from OpenKruise itself."""
