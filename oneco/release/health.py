"""What the values that an agent read say of objects that are no workloads."""

from __future__ import annotations

from oneco.decision import Reason
from oneco.kinds.release import ObservedObject
from oneco.kube import objects

_CONDITIONS = "status-conditions"
"""The name under which a work asks for `status.conditions`."""


def failure(one: ObservedObject) -> Reason | None:
    """Why the object will not get well by itself, or None."""
    match one.ref.kind:
        case "Job":
            failed = _condition(one, "Failed")
            if failed is not None:
                detail = objects.dig(failed, "message", default="its pods failed too often")
                return Reason("JobFailed", f"Job {one.ref.name} failed: {detail}")
        case "Pod":
            if one.values.get("status-phase") == "Failed":
                return Reason("PodFailed", f"Pod {one.ref.name} failed")
        case "PersistentVolumeClaim":
            if one.values.get("status-phase") == "Lost":
                return Reason("VolumeLost", f"claim {one.ref.name} lost its volume")
    return None


def unfinished(one: ObservedObject) -> Reason | None:
    """What the object still has to do, or None.

    A claim that waits for its first pod is well: if it keeps that pod waiting, the pod tells.
    """
    if one.ref.kind != "Job" or _CONDITIONS not in one.values:
        return None
    if _condition(one, "Complete") or _condition(one, "Suspended"):
        return None
    return Reason("JobRunning", f"Job {one.ref.name} has not completed yet")


def _condition(one: ObservedObject, kind: str) -> objects.Object | None:
    for condition in one.values.get(_CONDITIONS) or ():
        if condition.get("type") == kind and condition.get("status") == "True":
            return condition  # type: ignore[no-any-return]
    return None
