"""The partition of a Deployment, which has no such field: a gate made of fields that it has.

Pods that never count as available hold a rolling update at `maxUnavailable` new pods. So under the
gate `minReadySeconds` is as long as the API allows and `maxUnavailable` is the number wanted; new
pods become Ready and serve, but the controller goes no further. `paused` is the gate at zero.
Putting the original fields back lets the update finish, or the old template return.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from oneco.agent import marks as applied
from oneco.agent.ports import Pod, Said
from oneco.kinds.release import PARTITION_ANNOTATION
from oneco.kube import amounts, objects
from oneco.kube.objects import Json, Object
from oneco.kube.refs import Resource

MAX_UNAVAILABLE_ANNOTATION = "onepersoncompany.io/max-unavailable"
"""On a gated workload: its own `maxUnavailable`, the most pods that one step may take down."""
MAX_SURGE_ANNOTATION = "onepersoncompany.io/max-surge"
"""On a gated Deployment: its own `maxSurge`, used where no pod may be taken down."""
MIN_READY_ANNOTATION = "onepersoncompany.io/min-ready-seconds"
"""On a gated Deployment: its own `minReadySeconds`, by which its new pods are counted."""

# The API wants minReadySeconds below progressDeadlineSeconds; the latter at this value never ends.
_NEVER_AVAILABLE_SECONDS = 2_147_483_646
_NO_DEADLINE_SECONDS = 2_147_483_647
_DEFAULT_AMOUNT = "25%"
_REVISION = "deployment.kubernetes.io/revision"
_HASH_LABEL = "pod-template-hash"


class _Opening(NamedTuple):
    """How many pods more than wanted, and how many fewer old ones, a gate lets there be."""

    surge: int
    unavailable: int


class DeploymentWorkload:
    """Kubernetes' Deployment as a workload that can be updated in part."""

    history: Resource | None = Resource("apps", "v1", "replicasets")
    is_on_nodes = False

    def replicas(self, manifest: Object) -> int | None:
        """How many pods the manifest asks for; None where it leaves that to its cluster."""
        return amounts.replicas(manifest)

    def template(self, manifest: Object) -> Json:
        """The pod template."""
        return objects.dig(manifest, "spec", "template")

    def is_divisible(self, manifest: Object) -> bool:
        """A Deployment that recreates all pods at once cannot be held in between."""
        kind = objects.dig(manifest, "spec", "strategy", "type", default="RollingUpdate")
        is_sound = objects.has_room(manifest, "spec", "strategy", "rollingUpdate")
        return is_sound and kind == "RollingUpdate" and not self.is_paused(manifest)

    def reach(self, manifest: Object, replicas: int) -> int:
        """None while its owner pauses it, else all."""
        return 0 if self.is_paused(manifest) else replicas

    def gate(self, manifest: Object, updated: int) -> Object:
        """The manifest under a gate at `updated` pods."""
        own = objects.mapping(manifest, "spec", "strategy", "rollingUpdate")
        marks = {
            PARTITION_ANNOTATION: str(updated),
            MAX_UNAVAILABLE_ANNOTATION: str(own.get("maxUnavailable", _DEFAULT_AMOUNT)),
            MAX_SURGE_ANNOTATION: str(own.get("maxSurge", _DEFAULT_AMOUNT)),
            MIN_READY_ANNOTATION: str(objects.number(manifest, "spec", "minReadySeconds")),
        }
        marked = objects.put(
            manifest, ("metadata", "annotations"), {**objects.annotations_of(manifest), **marks}
        )
        if updated == 0:
            return objects.put(marked, ("spec", "paused"), True)
        return _held(marked, _Opening(0, updated))

    def served(self, manifest: Object, version: str) -> Object | None:
        """The manifest itself: there is one version."""
        return manifest if version == "v1" else None

    def said(self, live: Object, history: Sequence[Object]) -> Said:
        """The status names no revision: the newest ReplicaSet keeps it, and counts its pods."""
        status = live.get("status") or {}
        updated = status.get("updatedReplicas") or 0
        newest = _newest(live, history) if updated else None
        ready = objects.dig(newest or {}, "status", "readyReplicas", default=0)
        return Said(
            replicas=objects.number(live, "spec", "replicas", default=1),
            total=status.get("replicas") or 0,
            updated=updated,
            ready=status.get("readyReplicas") or 0,
            newest=objects.labels(newest or {}).get(_HASH_LABEL, ""),
            updated_ready=None if updated and self.min_ready_seconds(live) else min(ready, updated),
        )

    def min_ready_seconds(self, live: Object) -> int:
        """Its owner's `minReadySeconds`: under the gate the field itself says something else."""
        own = objects.annotations_of(live).get(MIN_READY_ANNOTATION, "")
        if own.isdecimal():
            return int(own)
        return objects.number(live, "spec", "minReadySeconds")

    def is_paused(self, manifest: Object) -> bool:
        """Whether it is paused."""
        return bool(objects.dig(manifest, "spec", "paused", default=False))

    def step(self, manifest: Object, live: Object | None, updated_ready: int | None) -> Object:
        """The gated manifest, narrowed so that no more pods are down than its owner allows.

        The gate counts every new pod as unavailable; those that are ready do not really lack.
        `updated_ready` is None while they are not counted: then the gate stays as `live` has it.
        """
        marks = objects.annotations_of(manifest)
        target = marks.get(PARTITION_ANNOTATION)
        if target is None or not target.isdecimal() or int(target) == 0:
            return manifest
        held = _opening(live) if updated_ready is None else None
        if held is None:
            room = int(target) - _lacking(live, manifest)
            held = _next_opening(marks, live, room, updated_ready or 0)
        surge = min(held.surge, int(target))
        opening = _Opening(surge, min(held.unavailable, int(target) - surge))
        return _held(manifest, opening, objects.number(live, "spec", "replicas", default=1))

    def doomed(self, live: Object, pods: Sequence[Pod], replicas: int) -> Sequence[Object]:
        """None: its own controller replaces every pod."""
        del live, pods, replicas
        return ()


def opened(gated: Object, more: int, missing: int, replicas: int) -> Object:
    """The gated manifest with so many pods more than wanted, and so many old ones missing."""
    return _held(gated, _Opening(more, missing), replicas)


def _next_opening(marks: Mapping[str, str], live: Object | None, room: int, ready: int) -> _Opening:
    """The widest gate at which no more pods lack than its owner allows.

    `room` is how many new pods there may be beside the old ones that there should be.

    Where he allows none, new pods come beside the old ones, as his surge allows. Where even that
    is none at this size, Kubernetes itself takes one pod down, or nothing would ever move.
    """
    replicas = objects.number(live, "spec", "replicas", default=1)
    bound = marks.get(MAX_UNAVAILABLE_ANNOTATION, _DEFAULT_AMOUNT)
    allowed = amounts.pods(bound, replicas, is_up=False)
    if allowed:
        return _Opening(0, ready + allowed)
    bound = marks.get(MAX_SURGE_ANNOTATION, _DEFAULT_AMOUNT)
    surge = min(room, amounts.pods(bound, replicas, is_up=True))
    return _Opening(surge, ready) if surge > 0 else _Opening(0, ready + 1)


def _lacking(live: Object | None, manifest: Object) -> int:
    """How many old pods are gone already, for which new ones come without any surge."""
    if live is None or not applied.has_template(live, manifest):
        return 0
    replicas = objects.number(live, "spec", "replicas", default=1)
    total, new = (objects.number(live, "status", name) for name in ("replicas", "updatedReplicas"))
    surge = objects.number(live, "spec", "strategy", "rollingUpdate", "maxSurge")
    if total > replicas + surge:
        return replicas  # some are on their way out, and nobody knows yet which
    return max(0, replicas - max(0, total - new))


def _opening(live: Object | None) -> _Opening | None:
    """How far the gate of a live object stands open; None where it has none yet."""
    if objects.dig(live or {}, "spec", "minReadySeconds") != _NEVER_AVAILABLE_SECONDS:
        return None
    rolling = objects.mapping(live, "spec", "strategy", "rollingUpdate")
    surge, missing = rolling.get("maxSurge"), rolling.get("maxUnavailable")
    if not isinstance(surge, int) or not isinstance(missing, int | str):
        return None
    replicas = objects.number(live, "spec", "replicas", default=1)
    unavailable = amounts.pods(missing, replicas, is_up=False)
    return _Opening(surge, unavailable) if surge or unavailable else None


def _held(manifest: Object, opening: _Opening, replicas: int | None = None) -> Object:
    unavailable: int | str = opening.unavailable
    if replicas is not None and not opening.surge and amounts.replicas(manifest) is None:
        unavailable = _as_share(opening.unavailable, replicas)
    spec = {
        **objects.mapping(manifest, "spec"),
        "minReadySeconds": _NEVER_AVAILABLE_SECONDS,
        "progressDeadlineSeconds": _NO_DEADLINE_SECONDS,
        "strategy": {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": opening.surge, "maxUnavailable": unavailable},
        },
    }
    return {**manifest, "spec": spec}


def _as_share(pods: int, replicas: int) -> int | str:
    """The same number as a share, which the cluster's own controller keeps at another size.

    Only it is there in time when an autoscaler takes pods away: of fewer pods the same number may
    be all of them. Kubernetes rounds the share down. Of more than 100 pods not every number is one.
    """
    if not 0 < pods < replicas <= 100:
        return pods
    return f"{-(-100 * pods // replicas)}%"


def _newest(deployment: Object, history: Sequence[Object]) -> Object | None:
    revision = objects.annotations_of(deployment).get(_REVISION)
    for one in history:
        if objects.annotations_of(one).get(_REVISION) == revision:
            return one
    return None
