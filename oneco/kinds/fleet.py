"""Fleet, Fault and Rehearsal: which clusters there are, what goes wrong, and what is tried on them.

All durations are written as everywhere (`30s`, `10m`, `2h`, `7d`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Final, Literal, NamedTuple

import msgspec

from oneco.errors import Refused
from oneco.kinds.ocm import ENVIRONMENT_LABEL
from oneco.kinds.parts import GROUP, VERSION, Part
from oneco.kinds.release import ClusterName, LabelSelector
from oneco.kube.objects import Object
from oneco.kube.refs import Resource

FLEETS = Resource(GROUP, VERSION, "fleets")
FAULTS = Resource(GROUP, VERSION, "faults")
REHEARSALS = Resource(GROUP, VERSION, "rehearsals")

REGION_LABEL = "topology.kubernetes.io/region"

FaultType = Literal[
    "CrashLoop", "NotReady", "SlowStart", "ErrorRate", "ImagePull", "Load", "Unreachable",
    "NodeLoss",
]  # fmt: skip
IMAGE_FAULTS: Final = frozenset(
    {"CrashLoop", "NotReady", "SlowStart", "ErrorRate", "ImagePull", "Load"}
)
"""The faults that befall pods, by the image that they run."""

DEFAULT_NODES: Final = 3
_DEFAULT_CPU: Final = "4"
_DEFAULT_MEMORY: Final = "16Gi"


def _said(text: str) -> msgspec.Meta:
    return msgspec.Meta(description=text)


class Nodes(Part, frozen=True):
    """The nodes of a cluster, all alike."""

    count: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = DEFAULT_NODES
    cpu: str | int = _DEFAULT_CPU
    memory: str | int = _DEFAULT_MEMORY


class FleetDefaults(Part, frozen=True):
    """What holds for every cluster that does not say otherwise."""

    labels: dict[str, str] = msgspec.field(default_factory=dict)
    environment: str = ""
    region: str = ""
    nodes: Annotated[
        int | Nodes | None, _said("A number of nodes, or count, cpu and memory of each.")
    ] = None


class FleetCluster(FleetDefaults, frozen=True, kw_only=True):
    """One cluster, or `count` of them named `name-001`, `name-002` and so on."""

    name: str
    count: Annotated[int, msgspec.Meta(ge=1, le=10_000)] | None = None


class FleetSpec(Part, frozen=True):
    """The clusters of a built-in or rehearsed fleet."""

    clusters: tuple[FleetCluster, ...] = ()
    defaults: FleetDefaults = FleetDefaults()


class FaultSpec(Part, frozen=True):
    """What goes wrong, where, and from when to when."""

    type: FaultType
    image: Annotated[
        str, _said("Which images are struck; `*` stands for anything. For faults of pods.")
    ] = ""
    node: Annotated[str, _said("Which nodes stop; `*` stands for anything. For NodeLoss.")] = ""
    clusters: Annotated[
        tuple[str, ...], _said("Names of clusters, with `*` for anything; none means all.")
    ] = ()
    cluster_selector: LabelSelector | None = None
    from_: Annotated[str, _said("Since the rehearsal's start; a duration.")] = msgspec.field(
        name="from", default="0s"
    )
    until: Annotated[str, _said("Since the rehearsal's start; empty means for ever.")] = ""
    after: Annotated[
        str, _said("How long a struck pod runs well first. For CrashLoop and ErrorRate.")
    ] = ""
    delay: Annotated[str, _said("How much later a pod becomes ready. For SlowStart.")] = ""
    factor: Annotated[
        float, _said("How many times as often requests fail. For ErrorRate."), msgspec.Meta(ge=0)
    ] = 2.0
    metric: Annotated[
        str, _said("What autoscalers measure: cpu, memory or a name of your own. For Load.")
    ] = "cpu"
    amount: Annotated[
        str | int, _said("How much of the metric the ready pods share evenly. For Load.")
    ] = ""
    share: Annotated[str, _said("How many of the pods are struck, in percent.")] = "100%"


class Side(Part, frozen=True):
    """One version of an Application: what a file says, with other images where `images` says so.

    `file` is relative to the rehearsal's own folder; empty means the only file that has the
    Application. `revision` names an ApplicationRevision instead. `images` is by component.
    """

    file: str = ""
    revision: str = ""
    images: dict[str, str] = msgspec.field(default_factory=dict)


class RehearsalAction(Part, frozen=True):
    """Something that a person does while the rehearsal runs."""

    at: Annotated[str, _said("Since the rehearsal's start; a duration.")]
    do: Literal["pause", "resume", "abort", "rollback", "scale"]
    component: Annotated[str, _said("What is scaled.")] = ""
    replicas: Annotated[int, msgspec.Meta(ge=0), _said("To how many pods.")] | None = None
    clusters: Annotated[tuple[str, ...], _said("Where it is scaled; none means everywhere.")] = ()


class RehearsalSpec(Part, frozen=True):
    """A release tried on a fleet: `from` runs everywhere when it starts, `to` is released.

    Without `from` nothing runs yet: the rehearsal is of the first delivery.
    """

    fleet: Annotated[str, _said("Empty means the only Fleet in the folder.")] = ""
    application: Annotated[str, _said("Empty means the only Application in the folder.")] = ""
    from_: Side | None = msgspec.field(name="from", default=None)
    to: Side = Side()
    until: Annotated[str, _said("The virtual time after which it has failed.")] = "7d"
    seed: int = 1
    faults: Annotated[
        tuple[str, ...] | None, _said("Names of Faults; absent means all in the folder.")
    ] = None
    actions: tuple[RehearsalAction, ...] = ()


class RehearsalStatus(Part, frozen=True):
    """How a rehearsal ended."""

    outcome: Literal["", "succeeded", "blocked", "rolledBack", "failed"] = ""
    message: str = ""
    virtual_seconds: float = 0.0
    writes: int = 0
    max_exposed_share: float = 0.0
    max_exposed_clusters: int = 0


class Member(NamedTuple):
    """One cluster of a fleet, with nothing left to expand or default."""

    name: ClusterName
    labels: Mapping[str, str]
    nodes: int = DEFAULT_NODES
    cpu: str = _DEFAULT_CPU
    memory: str = _DEFAULT_MEMORY


def members(spec: FleetSpec) -> tuple[Member, ...]:
    """The clusters of a fleet in the order written; Refused where two have the same name."""
    found: dict[str, Member] = {}
    for index, cluster in enumerate(spec.clusters):
        for member in _expanded(cluster, spec.defaults):
            if member.name in found:
                raise Refused(
                    f"spec.clusters[{index}].name",
                    found=member.name,
                    wanted="names that no other cluster of the fleet has",
                )
            found[member.name] = member
    return tuple(found.values())


def names_of(cluster: FleetCluster) -> Iterable[str]:
    """The names of the clusters that one entry stands for."""
    if cluster.count is None:
        return (cluster.name,)
    return (f"{cluster.name}-{number:03}" for number in range(1, cluster.count + 1))


def _expanded(cluster: FleetCluster, defaults: FleetDefaults) -> Iterable[Member]:
    labels = _labels(defaults) | _labels(cluster)
    nodes = _nodes(cluster.nodes if cluster.nodes is not None else defaults.nodes)
    for name in names_of(cluster):
        yield Member(ClusterName(name), labels, nodes.count, str(nodes.cpu), str(nodes.memory))


def _labels(said: FleetDefaults) -> dict[str, str]:
    shorthands = {ENVIRONMENT_LABEL: said.environment, REGION_LABEL: said.region}
    return {**said.labels, **{key: value for key, value in shorthands.items() if value}}


def _nodes(said: int | Nodes | None) -> Nodes:
    if said is None:
        return Nodes()
    return said if isinstance(said, Nodes) else Nodes(count=said)


def managed_cluster(member: Member) -> Object:
    """The accepted ManagedCluster that stands for `member` on the hub."""
    return {
        "apiVersion": "cluster.open-cluster-management.io/v1",
        "kind": "ManagedCluster",
        "metadata": {"name": member.name, "labels": dict(member.labels)},
        "spec": {"hubAcceptsClient": True, "leaseDurationSeconds": 60},
    }
