"""OpenKruise's workloads, as far as clusters of this process play them: CloneSet, DaemonSet and
StatefulSet of `apps.kruise.io`. Pod templates and claims are kept as they are.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from oneco.kinds.parts import Part
from oneco.kube.refs import Resource

GROUP: Final = "apps.kruise.io"
CLONE_SETS: Final = Resource(GROUP, "v1alpha1", "clonesets")
STATEFUL_SETS: Final = Resource(GROUP, "v1beta1", "statefulsets")
DAEMON_SETS: Final = Resource(GROUP, "v1alpha1", "daemonsets")

Free = Annotated[Any, msgspec.Meta(extra_json_schema={"description": None})]
"""Kept as it is."""


class Requirement(Part, frozen=True):
    """One expression of a label selector."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


class _Selector(Part, frozen=True):
    """A label selector, changed as a whole."""

    match_labels: dict[str, str] = msgspec.field(default_factory=dict)
    match_expressions: tuple[Requirement, ...] = ()


Selector = Annotated[_Selector, msgspec.Meta(extra_json_schema={"x-kubernetes-map-type": "atomic"})]


class Hook(Part, frozen=True):
    """What holds up one step of a pod's life."""

    finalizers_handler: tuple[str, ...] = ()
    labels_handler: dict[str, str] = msgspec.field(default_factory=dict)
    mark_pod_not_ready: bool = False


class Lifecycle(Part, frozen=True):
    """Hooks of a pod's life."""

    in_place_update: Hook = Hook()
    pre_delete: Hook = Hook()
    pre_normal: Hook = Hook()


class InPlace(Part, frozen=True):
    """How a pod is updated without being made anew."""

    grace_period_seconds: int = 0


class OrderTerm(Part, frozen=True):
    """A label by whose number pods are ordered."""

    ordered_key: str


class WeightTerm(Part, frozen=True):
    """Pods that are worth so much more."""

    match_selector: Selector
    weight: int


class Priority(Part, frozen=True):
    """Which pods are updated first."""

    order_priority: tuple[OrderTerm, ...] = ()
    weight_priority: tuple[WeightTerm, ...] = ()


class ScatterTerm(Part, frozen=True):
    """Pods with this label are updated far from each other."""

    key: str
    value: str


class Condition(Part, frozen=True):
    """A condition; only its type and status are certain."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: Annotated[
        str, msgspec.Meta(extra_json_schema={"format": "date-time"})
    ] = ""


class CloneScale(Part, frozen=True):
    """How a CloneSet changes its size."""

    disable_pvc_reuse: bool = msgspec.field(name="disablePVCReuse", default=False)
    max_unavailable: int | str = ""
    pods_to_delete: tuple[str, ...] = ()


class CloneUpdate(Part, frozen=True):
    """How a CloneSet goes over to a new template."""

    type: str = ""
    partition: int | str = 0
    max_unavailable: int | str = ""
    max_surge: int | str = 0
    paused: bool = False
    in_place_update_strategy: InPlace = InPlace()
    priority_strategy: Priority = Priority()
    scatter_strategy: tuple[ScatterTerm, ...] = ()


class CloneSetSpec(Part, frozen=True):
    """What a CloneSet shall be."""

    selector: Selector
    template: Free
    replicas: int = 1
    min_ready_seconds: int = 0
    revision_history_limit: int = 10
    volume_claim_templates: Free = None
    scale_strategy: CloneScale = CloneScale()
    update_strategy: CloneUpdate = CloneUpdate()
    lifecycle: Lifecycle = Lifecycle()


class CloneSetStatus(Part, frozen=True):
    """What a CloneSet is."""

    replicas: int
    ready_replicas: int
    available_replicas: int
    updated_replicas: int
    updated_ready_replicas: int
    updated_available_replicas: int = 0
    expected_updated_replicas: int = 0
    observed_generation: int = 0
    current_revision: str = ""
    update_revision: str = ""
    collision_count: int = 0
    label_selector: str = ""
    conditions: tuple[Condition, ...] = ()


class Ordinals(Part, frozen=True):
    """Where the numbers of the pods begin."""

    start: int = 0


class ClaimRetention(Part, frozen=True):
    """What becomes of the claims."""

    when_deleted: str = ""
    when_scaled: str = ""


class ClaimUpdate(Part, frozen=True):
    """How changed claims are taken over."""

    type: str = ""


class SetScale(Part, frozen=True):
    """How many pods may be missing while a StatefulSet grows."""

    max_unavailable: int | str = ""


class Unordered(Part, frozen=True):
    """Updates in another order than from above."""

    priority_strategy: Priority = Priority()


class SetRolling(Part, frozen=True):
    """The rolling update of a StatefulSet."""

    partition: int = 0
    max_unavailable: int | str = 1
    min_ready_seconds: int = 0
    paused: bool = False
    pod_update_policy: str = ""
    in_place_update_strategy: InPlace = InPlace()
    unordered_update: Unordered = Unordered()


class SetUpdate(Part, frozen=True):
    """How a StatefulSet goes over to a new template."""

    type: str = ""
    rolling_update: SetRolling = SetRolling()


class StatefulSetSpec(Part, frozen=True):
    """What an Advanced StatefulSet shall be."""

    selector: Selector
    template: Free
    replicas: int = 1
    service_name: str = ""
    pod_management_policy: str = ""
    ordinals: Ordinals = Ordinals()
    reserve_ordinals: tuple[int | str, ...] = ()
    revision_history_limit: int = 10
    volume_claim_templates: Free = None
    volume_claim_update_strategy: ClaimUpdate = ClaimUpdate()
    persistent_volume_claim_retention_policy: ClaimRetention = ClaimRetention()
    scale_strategy: SetScale = SetScale()
    update_strategy: SetUpdate = SetUpdate()
    lifecycle: Lifecycle = Lifecycle()


class ClaimStatus(Part, frozen=True):
    """How many claims are as their template says."""

    volume_claim_name: str
    compatible_replicas: int
    compatible_ready_replicas: int


class StatefulSetStatus(Part, frozen=True):
    """What an Advanced StatefulSet is."""

    replicas: int
    ready_replicas: int
    available_replicas: int
    current_replicas: int
    updated_replicas: int
    updated_ready_replicas: int = 0
    updated_available_replicas: int = 0
    observed_generation: int = 0
    current_revision: str = ""
    update_revision: str = ""
    collision_count: int = 0
    label_selector: str = ""
    conditions: tuple[Condition, ...] = ()
    volume_claims: tuple[ClaimStatus, ...] = ()


class DaemonRolling(Part, frozen=True):
    """The rolling update of a DaemonSet."""

    rolling_update_type: str = ""
    partition: int = 0
    max_unavailable: int | str = 1
    max_surge: int | str = 0
    paused: bool = False
    selector: Selector = _Selector()


class DaemonUpdate(Part, frozen=True):
    """How a DaemonSet goes over to a new template."""

    type: str = ""
    rolling_update: DaemonRolling = DaemonRolling()


class DaemonSetSpec(Part, frozen=True):
    """What an Advanced DaemonSet shall be."""

    selector: Selector
    template: Free
    burst_replicas: int | str = 250
    min_ready_seconds: int = 0
    revision_history_limit: int = 10
    update_strategy: DaemonUpdate = DaemonUpdate()
    lifecycle: Lifecycle = Lifecycle()


class DaemonSetStatus(Part, frozen=True):
    """What an Advanced DaemonSet is."""

    current_number_scheduled: int
    desired_number_scheduled: int
    number_misscheduled: int
    number_ready: int
    updated_number_scheduled: int
    daemon_set_hash: str
    number_available: int = 0
    number_unavailable: int = 0
    observed_generation: int = 0
    collision_count: int = 0
    conditions: tuple[Condition, ...] = ()
