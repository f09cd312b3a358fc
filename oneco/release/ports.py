"""What this room wants of integrations: how a workload kind lets only some pods run a template.

Every function is pure and needs nothing but a manifest. What happens between two batches inside a
cluster is the other half, `oneco.agent.ports`: one driver implements both, and whoever closes the
loop, an agent or the hub for a cluster without ours, calls the same functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from oneco.kube.objects import Json, Object
from oneco.kube.refs import Kind


class Workload(Protocol):
    """One workload kind's partition, as plain fields of its manifest."""

    def replicas(self, manifest: Object) -> int | None:
        """How many pods the manifest asks for; None where it leaves that to its cluster."""
        ...

    def template(self, manifest: Object) -> Json:
        """The part whose change makes new pods; equal parts make none."""
        ...

    def is_divisible(self, manifest: Object) -> bool:
        """Whether its fields can hold an update between none and all pods."""
        ...

    def gate(self, manifest: Object, updated: int) -> Object:
        """The manifest with fields that let `updated` pods run its template, always a number.

        What its owner holds back himself stays held back.
        """
        ...

    def reach(self, manifest: Object, replicas: int) -> int:
        """How many of `replicas` pods its owner, gate or not, lets run the manifest's template.

        Fewer than all where he holds some back; none where only its cluster knows.
        """
        ...


Workloads = Mapping[Kind, Workload]


class Gate(NamedTuple):
    """How far a workload is open: `updated` of `pods`, of which `reached` are new already."""

    updated: int
    reached: int
    pods: int


class Counts(NamedTuple):
    """Pods of one workload as a foreign agent's feedback tells of them.

    `updated_ready` is never more than there are: what the fields leave open does not count.
    """

    replicas: int
    total: int
    updated: int
    updated_ready: int
    ready: int


class Stepped(Protocol):
    """One workload kind whose fields the hub raises itself, where the agent only applies."""

    reads: Mapping[str, str]
    """By name, the JSONPaths of the single values that `count` looks at."""

    def obstacle(self, manifest: Object) -> str:
        """What fields alone cannot do about a partial update, and what can; empty if nothing."""
        ...

    def stride(self, manifest: Object, pods: int) -> int:
        """How many of `pods` one change of the fields may take down; all, if its own controller
        goes one by one.
        """
        ...

    def hold(self, manifest: Object, gate: Gate) -> Object:
        """The manifest whose fields alone let so many of its pods run its template."""
        ...

    def count(self, manifest: Object, values: Mapping[str, Json]) -> Counts:
        """The pods, from what was read of the object that was applied as `manifest`."""
        ...


Steps = Mapping[Kind, Stepped]
