"""Whether a pod is ready, and since when."""

from __future__ import annotations

from oneco.clock import Instant
from oneco.kube import objects, times
from oneco.kube.objects import Object


def is_ready(pod: Object) -> bool:
    """Whether the pod says that it is ready."""
    return _condition(pod) is not None


def available_at(pod: Object, seconds: int) -> Instant | None:
    """When the pod has been ready for so many seconds; None while it is not ready at all.

    As in Kubernetes, a pod that does not say since when it is ready is not there yet.
    """
    condition = _condition(pod)
    if condition is None:
        return None
    if not seconds:
        return Instant(0.0)
    since = condition.get("lastTransitionTime")
    return Instant(times.from_text(since) + seconds) if since else None


def _condition(pod: Object) -> Object | None:
    for one in objects.dig(pod, "status", "conditions", default=()):
        if one.get("type") == "Ready":
            return one if one.get("status") == "True" else None
    return None
