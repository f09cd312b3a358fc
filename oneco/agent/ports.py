"""What this room wants of integrations: how a workload's gate opens step by step.

Together with `oneco.release.ports` this is all that is known of a workload kind. Every function is
pure, and one driver implements both. Our agent calls these for its member. Behind a foreign agent
the hub may do so itself, with a `live` made of what that agent feeds back: `said` reads nothing but
`metadata.generation`, `spec` and `status`, and `step` needs the size that `said` tells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from oneco.kube.objects import Object
from oneco.kube.refs import Kind, Resource, ResourceInfo


class Said(NamedTuple):
    """What a workload's status says of its pods, believed once it speaks of the newest generation.

    `newest` is the revision that pods of the present template carry; None while nobody knows it.
    `updated_ready` counts new pods that are ready for as long as their owner asks; None where the
    status does not tell, so that pods have to be looked at.
    """

    replicas: int
    total: int
    updated: int
    ready: int
    newest: str | None
    updated_ready: int | None = None


class Pod(NamedTuple):
    """One pod of a workload that is not on its way out, on a node that can be reached.

    `is_available` means ready for as long as its owner asks.
    """

    body: Object
    is_new: bool
    is_ready: bool
    is_available: bool


class Workload(Protocol):
    """One workload kind's partition, as the cluster's own side closes it."""

    history: Resource | None
    """The objects that name a workload's revisions, where its own status does not."""
    is_on_nodes: bool
    """Whether its nodes say how many pods there are."""

    def served(self, manifest: Object, version: str) -> Object | None:
        """The manifest in another version of its API; None where that cannot say the same."""
        ...

    def said(self, live: Object, history: Sequence[Object]) -> Said:
        """What the live object, with its own part of `history`, says of its pods."""
        ...

    def min_ready_seconds(self, live: Object) -> int:
        """How long a new pod has to be ready before it counts: what its owner wrote."""
        ...

    def is_paused(self, manifest: Object) -> bool:
        """Whether a field of it keeps every pod as it is."""
        ...

    def step(self, manifest: Object, live: Object | None, updated_ready: int | None) -> Object:
        """The gated manifest, narrowed to what may be taken down beside the new pods ready now.

        `updated_ready` is None while they are not counted: then the gate stays as `live` has it.
        """
        ...

    def doomed(self, live: Object, pods: Sequence[Pod], replicas: int) -> Sequence[Object]:
        """Of the pods, of which there should be `replicas`, those to delete for new ones now."""
        ...


Workloads = Mapping[Kind, Workload]
Kinds = Callable[..., ResourceInfo | None]
"""How the member serves the first of some kinds that it does; None where it serves none yet."""
