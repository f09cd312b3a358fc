"""The partition of a Deployment, which has no such field: a gate made of fields that it has.

Pods that never count as available hold a rolling update at `maxUnavailable` new pods. So under the
gate `minReadySeconds` is as long as the API allows and `maxUnavailable` is the number wanted; new
pods become Ready and serve, but the controller goes no further. `paused` is the gate at zero.
Putting the original fields back lets the update finish, or the old template return.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oneco.kinds.release import PARTITION_ANNOTATION
from oneco.kube import objects
from oneco.kube.objects import Json, Object

MAX_UNAVAILABLE_ANNOTATION = "onepersoncompany.io/max-unavailable"
"""On a gated Deployment: its own `maxUnavailable`, the most pods that one step may take down."""

# The API wants minReadySeconds below progressDeadlineSeconds; the latter at this value never ends.
_NEVER_AVAILABLE_SECONDS = 2_147_483_646
_NO_DEADLINE_SECONDS = 2_147_483_647
_DEFAULT_MAX_UNAVAILABLE = "25%"


class DeploymentWorkload:
    """Kubernetes' Deployment as a workload that can be updated in part."""

    def replicas(self, manifest: Object) -> int | None:
        """How many pods the manifest asks for; None where it leaves that to its cluster."""
        count = objects.dig(manifest, "spec", "replicas")
        return None if count is None else int(count)

    def template(self, manifest: Object) -> Json:
        """The pod template."""
        return objects.dig(manifest, "spec", "template")

    def is_divisible(self, manifest: Object) -> bool:
        """A Deployment that recreates all pods at once cannot be held in between."""
        kind = objects.dig(manifest, "spec", "strategy", "type", default="RollingUpdate")
        return bool(kind == "RollingUpdate") and not objects.dig(manifest, "spec", "paused")

    def gate(self, manifest: Object, updated: int) -> Object:
        """The manifest under a gate at `updated` pods."""
        own = objects.dig(
            manifest, "spec", "strategy", "rollingUpdate", "maxUnavailable",
            default=_DEFAULT_MAX_UNAVAILABLE,
        )  # fmt: skip
        marks = {PARTITION_ANNOTATION: str(updated), MAX_UNAVAILABLE_ANNOTATION: str(own)}
        marked = objects.put(
            manifest, ("metadata", "annotations"), {**objects.annotations_of(manifest), **marks}
        )
        if updated == 0:
            return objects.put(marked, ("spec", "paused"), True)
        return _held(marked, updated)

    def step(self, manifest: Object, live: Object | None, updated_ready: int | None) -> Object:
        """The gated manifest, narrowed so that no more pods are down than its owner allows.

        The gate counts every new pod as unavailable; those that are ready do not really lack.
        `updated_ready` is None while they are not counted: then the gate stays as `live` has it.
        """
        marks = objects.annotations_of(manifest)
        target = marks.get(PARTITION_ANNOTATION)
        if target is None or not target.isdecimal() or int(target) == 0:
            return manifest
        step = _opening(live) if updated_ready is None else updated_ready + _allowed(marks, live)
        return manifest if step >= int(target) else _held(manifest, step)

    def doomed(self, live: Object, pods: Sequence[Object], newest: str) -> Sequence[Object]:
        """None: its own controller replaces every pod."""
        del live, pods, newest
        return ()


def _allowed(marks: Mapping[str, str], live: Object | None) -> int:
    bound = marks.get(MAX_UNAVAILABLE_ANNOTATION, _DEFAULT_MAX_UNAVAILABLE)
    return _pods(bound, objects.dig(live or {}, "spec", "replicas", default=1))


def _opening(live: Object | None) -> int:
    """How far the gate of a live object stands open; at least one, or nothing would ever move."""
    path = ("spec", "strategy", "rollingUpdate", "maxUnavailable")
    opening = objects.dig(live or {}, *path, default=1)
    return max(1, opening) if isinstance(opening, int) else 1


def _held(manifest: Object, updated: int) -> Object:
    spec = {
        **manifest["spec"],
        "minReadySeconds": _NEVER_AVAILABLE_SECONDS,
        "progressDeadlineSeconds": _NO_DEADLINE_SECONDS,
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": 0, "maxUnavailable": updated},
        },
    }
    return {**manifest, "spec": spec}


def _pods(bound: str, replicas: int) -> int:
    """Kubernetes rounds `maxUnavailable` down; at least one, or nothing would ever move."""
    if bound.endswith("%"):
        return max(1, replicas * int(bound.rstrip("%")) // 100)
    return max(1, int(bound)) if bound.isdecimal() else 1
