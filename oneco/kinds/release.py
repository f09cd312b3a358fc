"""Our kinds around a release: policy, release, units, checks, and what agents observe."""

from __future__ import annotations

from typing import Any, Literal, NewType

import msgspec

from oneco.kinds.parts import GROUP, VERSION, Part
from oneco.kube import objects
from oneco.kube.objects import Object
from oneco.kube.refs import Resource

ClusterName = NewType("ClusterName", str)
UnitId = NewType("UnitId", str)
VariantHash = NewType("VariantHash", str)

RELEASES = Resource(GROUP, VERSION, "releases")
POLICIES = Resource(GROUP, VERSION, "releasepolicies")
UNITS = Resource(GROUP, VERSION, "releaseunits")
CHECK_RUNS = Resource(GROUP, VERSION, "checkruns")
OBSERVATIONS = Resource(GROUP, VERSION, "observations")

PARTITION_ANNOTATION = f"{GROUP}/partition"
"""On a workload in a work: how many of its pods should run the new template (an integer)."""
PARTITION_OF_ANNOTATION = f"{GROUP}/partition-of"
"""Beside it, where the cluster chooses the size: of how many pods that number was counted."""
RELEASE_LABEL = f"{GROUP}/release"
"""On a unit: the release that claimed it, as `names.release_key` writes it."""
WAVE_LABEL = f"{GROUP}/wave"
"""On a unit: release and wave, as `names.wave_key` writes them."""
SEQUENCE_LABEL = f"{GROUP}/sequence"
"""On a release: a number that grows with each release of its Application."""
UNIT_LABEL = f"{GROUP}/unit"
"""On a unit, its work and its observation: their common name."""
APPLICATION_ANNOTATION = f"{GROUP}/application"
"""On a unit, a work, an observation: `namespace/name` of the Application."""
REVISION_ANNOTATION = f"{GROUP}/revision"
"""On a work: the ApplicationRevision that its manifests come from."""

DEFAULT_BATCHES = ("1%", "5%", "10%", "25%", "50%", "100%")


class LabelSelector(Part, frozen=True):
    """Kubernetes' label selector."""

    match_labels: dict[str, str] = msgspec.field(default_factory=dict)
    match_expressions: tuple[dict[str, Any], ...] = ()


class WavePolicy(Part, frozen=True):
    """One wave: which of the units not yet taken it takes, in their order of danger.

    `environments` and `cluster_selector` choose; `up_to` bounds the share (`"10%"`) or number of
    what they chose that has been released when this wave ends. Durations left empty come from
    the policy.
    """

    name: str = ""
    environments: tuple[str, ...] = ()
    cluster_selector: LabelSelector | None = None
    up_to: str | int = "100%"
    max_concurrency: int = 0
    silence: str = ""


class CheckPolicy(Part, frozen=True):
    """One check of every touched cluster: the metric may not rise by more than `max_increase`.

    `max_increase` is relative to the pods still on the old revision: 0.5 allows half as much again.
    """

    name: str
    type: Literal["metric"] = "metric"
    metric: str = "errors"
    max_increase: float = 0.5


class PolicySpec(Part, frozen=True):
    """How a change spreads: a ReleasePolicy's spec, or an Application's policy of type `release`.

    Durations are written as Kubernetes does (`30s`, `10m`, `2h`).
    """

    application_selector: LabelSelector | None = None
    priority: int = 0
    waves: tuple[WavePolicy, ...] = ()
    batches: tuple[str | int, ...] = DEFAULT_BATCHES
    batch_silence: str = "0s"
    wave_silence: str = "0s"
    progress_deadline: str = "10m"
    max_failures: int = 0
    on_failure: Literal["Rollback", "Block"] = "Rollback"
    checks: tuple[CheckPolicy, ...] = ()


class Target(Part, frozen=True):
    """Clusters that get the same objects; an empty variant takes the application off them."""

    variant: str = ""
    clusters: tuple[str, ...] = ()


class ReleaseSpec(Part, frozen=True):
    """What is released where, and how; `policy` is a copy made when the release was created."""

    application: str
    revision: str
    targets: tuple[Target, ...] = ()
    policy: PolicySpec | None = None
    paused: bool = False
    request: Literal["", "Abort", "Rollback"] = ""


ReleasePhase = Literal[
    "Pending",
    "Progressing",
    "Paused",
    "Blocked",
    "RollingBack",
    "RolledBack",
    "Succeeded",
    "Aborted",
    "Superseded",
]
FINAL_PHASES = frozenset({"RolledBack", "Succeeded", "Aborted", "Superseded"})


class WaveStatus(Part, frozen=True):
    """Counters of one wave; `first` is the order number of its first unit."""

    name: str = ""
    first: int = 0
    units: int = 0
    succeeded: int = 0
    failed: int = 0
    rolled_back: int = 0
    started_at: str = ""
    finished_at: str = ""


class ReleaseStatus(Part, frozen=True):
    """How far a release came. Units whose order number is below `opened` may advance."""

    phase: ReleasePhase = "Pending"
    reason: str = ""
    message: str = ""
    wave: int = 0
    opened: int = 0
    units: int = 0
    waves: tuple[WaveStatus, ...] = ()
    started_at: str = ""
    finished_at: str = ""
    wake_at: str = ""
    observed_generation: int = 0


class UnitSpec(Part, frozen=True):
    """One unit's share of a release. Whoever sets `release` by compare-and-set has claimed it."""

    application: str
    application_namespace: str
    cluster: str
    release: str = ""
    revision: str = ""
    variant: str = ""
    wave: int = 0
    order: int = 0


class Good(Part, frozen=True):
    """What ran in a unit when a release last succeeded there."""

    release: str = ""
    revision: str = ""
    variant: str = ""


UnitPhase = Literal[
    "Waiting", "Progressing", "Silence", "Succeeded", "Failed", "RollingBack", "RolledBack"
]


class WorkloadProgress(Part, frozen=True):
    """One workload's part of a batch, in pods."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""
    replicas: int = 0
    target: int = 0
    updated: int = 0
    ready: int = 0


class UnitStatus(Part, frozen=True):
    """How far a unit came in the release that `release` names; `batch` counts from 1.

    `good` is what last succeeded here; `before` was `good` when this release claimed the unit, and
    is what a rollback returns to (None: there was nothing, so a rollback takes everything off).
    `pods` is what the batches divide: how many pods each changed workload has, as counted when the
    present batch began; `reached` is how many of them the batches before it made new.
    `steps` is how far each gate stands open where the hub raises the fields itself, in pods.
    `progress` is the most new pods that were ready in this batch, `progressed_at` since when.
    """

    release: str = ""
    phase: UnitPhase = "Waiting"
    reason: str = ""
    message: str = ""
    batch: int = 0
    batches: int = 0
    pods: tuple[int, ...] = ()
    reached: tuple[int, ...] = ()
    steps: tuple[int, ...] = ()
    is_touched: bool = False
    work_generation: int = 0
    started_at: str = ""
    batch_started_at: str = ""
    batch_reached_at: str = ""
    progress: int = 0
    progressed_at: str = ""
    finished_at: str = ""
    workloads: tuple[WorkloadProgress, ...] = ()
    good: Good | None = None
    before: Good | None = None


class ObjectRef(Part, frozen=True):
    """One object in a member."""

    api_version: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""


class Problem(Part, frozen=True):
    """Something wrong with pods of a workload's newest revision, in the words of the cluster."""

    reason: str
    message: str = ""
    pods: int = 0


class ObservedObject(Part, frozen=True):
    """One applied object; `values` are the paths its definition reads.

    The counts are there for workloads: `updated` and `updated_ready` are pods of the newest
    revision, believed only while `is_current` (the status speaks of the newest generation).
    `updated_ready` have been ready for as long as their owner asks; `is_paused` is what the live
    object says, whoever said it. `is_gone` is a workload that somebody deleted in the middle of a
    batch: it is for the hub to bring back its old pods first.
    """

    ref: ObjectRef
    is_applied: bool = False
    is_gone: bool = False
    message: str = ""
    is_refused: bool = False
    generation: int = 0
    is_current: bool = False
    is_paused: bool = False
    values: dict[str, Any] = msgspec.field(default_factory=dict)
    replicas: int = 0
    total: int = 0
    updated: int = 0
    updated_ready: int = 0
    ready: int = 0
    problems: tuple[Problem, ...] = ()


class Observed(Part, frozen=True):
    """What an agent saw after applying generation `work_generation` of the work `work_uid`.

    `hub_epoch` is the life of the hub that the agent had heard of then: what was said to another
    life is not about the works of this one.
    """

    hub_epoch: str = ""
    work_uid: str = ""
    work_generation: int = 0
    is_confirmed: bool = True
    differences: int = 0
    objects: tuple[ObservedObject, ...] = ()


class CheckRunSpec(Part, frozen=True):
    """A question to a runner: how does the new revision do in this cluster, beside the old?

    `first_asked_at` stays when a question is only repeated because nobody could answer it.
    `is_before` asks about the old pods, while there are no new ones yet.
    """

    check: CheckPolicy
    cluster: str = ""
    release: str = ""
    application: str = ""
    application_namespace: str = ""
    new_revision: str = ""
    asked_at: str = ""
    first_asked_at: str = ""
    is_before: bool = False
    workloads: tuple[ObjectRef, ...] = ()


class CheckRunStatus(Part, frozen=True):
    """The runner's answer; no data is never a pass."""

    verdict: Literal["", "Passed", "Failed", "NoData"] = ""
    message: str = ""
    answered_at: str = ""
    old_value: float | None = None
    new_value: float | None = None


def sequence_of(release: Object) -> int:
    """The place of a release among those of its Application; 0 where nobody numbered it."""
    text = objects.labels(release).get(SEQUENCE_LABEL, "")
    return int(text) if text.isdecimal() else 0
