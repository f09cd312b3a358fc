"""Applications and their revisions, in the fields and words that KubeVela gave them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from oneco.kinds.parts import GROUP, Part
from oneco.kube.objects import Object, metadata
from oneco.kube.refs import Resource

APPLICATIONS = Resource("core.oam.dev", "v1beta1", "applications")
REVISIONS = Resource("core.oam.dev", "v1beta1", "applicationrevisions")

NAME_LABEL = "app.oam.dev/name"
NAMESPACE_LABEL = "app.oam.dev/namespace"
COMPONENT_LABEL = "app.oam.dev/component"
CLUSTER_LABEL = "app.oam.dev/cluster"
APP_REVISION_LABEL = "app.oam.dev/appRevision"
COMPONENT_REVISION_LABEL = "app.oam.dev/revision"
RESOURCE_TYPE_LABEL = "app.oam.dev/resourceType"
WORKLOAD_TYPE_LABEL = "workload.oam.dev/type"
TRAIT_TYPE_LABEL = "trait.oam.dev/type"
TRAIT_RESOURCE_LABEL = "trait.oam.dev/resource"
REVISION_HASH_LABEL = "app.oam.dev/app-revision-hash"
PUBLISH_VERSION = "app.oam.dev/publishVersion"
"""Annotation on an Application: a new value makes a new revision of unchanged content."""

STAMPED_LABELS = frozenset({APP_REVISION_LABEL, CLUSTER_LABEL})
"""Labels of delivered objects that say where they come from: a difference is no change."""
DELIVERY_FINALIZER = f"{GROUP}/delivery"
"""On an Application: its objects are still in some cluster."""

_ANY_TEXT = msgspec.Meta(extra_json_schema={"enum": None})
"""What only validity refuses: the original CRD accepts every text there."""


class Input(Part, frozen=True, kw_only=True):
    """A value that another component or step gives, and the parameter it becomes."""

    from_: str = msgspec.field(name="from")
    parameter_key: str = ""


class Output(Part, frozen=True, kw_only=True):
    """A value that a component or step gives to others."""

    name: str
    value_from: str


class Trait(Part, frozen=True, kw_only=True):
    """One addition to a component."""

    type: str
    properties: dict[str, Any] | None = None


class Component(Part, frozen=True, kw_only=True):
    """One component of an Application."""

    name: str
    type: str
    properties: dict[str, Any] | None = None
    traits: tuple[Trait, ...] | None = None
    depends_on: tuple[str, ...] | None = None
    inputs: tuple[Input, ...] | None = None
    outputs: tuple[Output, ...] | None = None
    external_revision: str = ""
    scopes: dict[str, Any] | None = None


class Policy(Part, frozen=True, kw_only=True):
    """One rule of delivery."""

    type: str
    name: str = ""
    properties: dict[str, Any] | None = None


class WorkflowMode(Part, frozen=True, kw_only=True):
    """Whether steps run one after the other or as their dependencies allow."""

    steps: Annotated[Literal["", "StepByStep", "DAG"], _ANY_TEXT] = ""
    sub_steps: Annotated[Literal["", "StepByStep", "DAG"], _ANY_TEXT] = ""


class StepMeta(Part, frozen=True, kw_only=True):
    """What a step is called for people."""

    alias: str = ""


class Step(Part, frozen=True, kw_only=True):
    """One step of a workflow."""

    type: str
    name: str = ""
    properties: dict[str, Any] | None = None
    depends_on: tuple[str, ...] | None = None
    inputs: tuple[Input, ...] | None = None
    outputs: tuple[Output, ...] | None = None
    timeout: str = ""
    if_: str = msgspec.field(name="if", default="")
    mode: str = ""
    meta: StepMeta | None = None
    sub_steps: tuple[dict[str, Any], ...] | None = None


class Workflow(Part, frozen=True, kw_only=True):
    """The order in which an Application is delivered."""

    ref: str = ""
    mode: WorkflowMode | None = None
    steps: tuple[Step, ...] | None = None


class ApplicationSpec(Part, frozen=True, kw_only=True):
    """Application.spec."""

    components: tuple[Component, ...]
    policies: tuple[Policy, ...] | None = None
    workflow: Workflow | None = None


class Condition(Part, frozen=True, kw_only=True, omit_defaults=False):
    """One condition of an Application, in the form that KubeVela writes."""

    type: str
    status: Annotated[Literal["True", "False", "Unknown"], _ANY_TEXT]
    reason: str
    last_transition_time: str
    message: str = ""


class LatestRevision(Part, frozen=True, kw_only=True, omit_defaults=False):
    """The newest revision of an Application."""

    name: str
    revision: int
    revision_hash: str = ""


class WorkloadDefinition(Part, frozen=True, kw_only=True):
    """The kind of a component's workload."""

    api_version: str
    kind: str


class Service(Part, frozen=True, kw_only=True, omit_defaults=False):
    """One component in one cluster."""

    name: str
    healthy: bool
    namespace: str = ""
    cluster: str = ""
    message: str = ""
    workload_definition: WorkloadDefinition | None = None


class StepStatus(Part, frozen=True, kw_only=True):
    """How far one step came; `id` is its name, which a revision uses only once."""

    id: str
    name: str = ""
    type: str = ""
    phase: str = ""
    reason: str = ""
    message: str = ""
    first_execute_time: str = ""
    last_execute_time: str = ""


class WorkflowStatus(Part, frozen=True, kw_only=True, omit_defaults=False):
    """How far the workflow of one revision came."""

    mode: str
    suspend: bool
    terminated: bool
    finished: bool
    app_revision: str = ""
    status: str = ""
    message: str = ""
    start_time: str | None = None
    end_time: str | None = None
    steps: tuple[StepStatus, ...] = ()


class ApplicationStatus(Part, frozen=True, kw_only=True):
    """Application.status, as far as the product writes it."""

    status: str = ""
    conditions: tuple[Condition, ...] = ()
    latest_revision: LatestRevision | None = None
    observed_generation: int = 0
    services: tuple[Service, ...] = ()
    workflow: WorkflowStatus | None = None


class Manifest(Part, frozen=True, kw_only=True, omit_defaults=False):
    """One object of a variant; `reads` are the live paths that tell its health."""

    component: str
    trait: str = ""
    manifest: dict[str, Any]
    reads: tuple[str, ...] = ()


class Variant(Part, frozen=True, kw_only=True):
    """One distinct list of objects that clusters may get.

    `hash` is of their content without the stamped labels. `scopes` are the inputs that gave this
    list: a cluster with one of these gets this variant, whatever today's definitions would make.
    """

    hash: str
    scopes: tuple[str, ...] = ()
    manifests: tuple[Manifest, ...] = ()


class RevisionSpec(Part, frozen=True, kw_only=True):
    """ApplicationRevision.spec: everything that delivering this revision again needs."""

    application: dict[str, Any]
    component_definitions: dict[str, Any] = msgspec.field(default_factory=dict)
    trait_definitions: dict[str, Any] = msgspec.field(default_factory=dict)
    policy_definitions: dict[str, Any] = msgspec.field(default_factory=dict)
    workflow_step_definitions: dict[str, Any] = msgspec.field(default_factory=dict)
    policies: dict[str, Any] = msgspec.field(default_factory=dict)
    variants: tuple[Variant, ...] = ()


class RevisionStatus(Part, frozen=True, omit_defaults=False):
    """ApplicationRevision.status: whether its delivery came to an end."""

    succeeded: bool


def stamped(manifest: Object, labels: dict[str, str]) -> Object:
    """`manifest` with `labels` set over its own."""
    head = metadata(manifest)
    return {**manifest, "metadata": {**head, "labels": {**(head.get("labels") or {}), **labels}}}
