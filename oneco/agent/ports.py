"""What this room wants of integrations: how a workload's gate opens step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from oneco.kube.objects import Object
from oneco.kube.refs import Kind, ResourceInfo


class Workload(Protocol):
    """One workload kind's partition, as the cluster's own side closes it."""

    def step(self, manifest: Object, live: Object | None, updated_ready: int | None) -> Object:
        """The gated manifest, narrowed to what may be taken down beside the new pods ready now.

        `updated_ready` is None while they are not counted: then the gate stays as `live` has it.
        """
        ...

    def doomed(self, live: Object, pods: Sequence[Object], newest: str) -> Sequence[Object]:
        """Of the pods that are to stay, those to delete now, so that new ones take their places.

        `newest` is what pods of the live object's present template carry as their revision.
        """
        ...


Workloads = Mapping[Kind, Workload]
Kinds = Callable[[Kind], ResourceInfo | None]
"""How the member serves a kind; None where it does not, or not yet."""
