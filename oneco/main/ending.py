"""Whether the delivery of an Application has come to its end, and what keeps it from that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from oneco.kinds.parts import parse
from oneco.kinds.release import FINAL_PHASES, ReleaseStatus, UnitSpec, UnitStatus
from oneco.kube import objects
from oneco.kube.objects import Object

NOTHING_CHANGED = "nothing is different from what runs: there is nothing to release"
_SHOWN_UNITS = 3


def status_of(release: Object | None) -> ReleaseStatus:
    """How far a release came."""
    return parse(ReleaseStatus, (release or {}).get("status"), "status")


def is_over(application: Object | None, newest: Object | None) -> bool:
    """Whether nothing more will be released; `newest` is the last Release that came of it."""
    if application is None:
        return True
    if newest is None:
        return _is_running(application) and _is_ready(application)
    phase = status_of(newest).phase
    if phase == "Succeeded":
        # Steps of its workflow may still wait, or make the next Release.
        return _is_running(application)
    return phase == "Blocked" or phase in FINAL_PHASES


def complaint(application: Object | None, newest: Object | None, units: Sequence[Object]) -> str:
    """Why the delivery is not at its end, in words."""
    if application is None:
        return "the application was deleted"
    if newest is not None and status_of(newest).phase not in FINAL_PHASES:
        waiting = list(_waiting(newest, units))
        more = [f"and {len(waiting) - _SHOWN_UNITS} more"] if len(waiting) > _SHOWN_UNITS else []
        return "; ".join((status_of(newest).message, *waiting[:_SHOWN_UNITS], *more))
    conditions = objects.dig(application, "status", "conditions", default=())
    wrong = [one.get("message", "") for one in conditions if one.get("status") == "False"]
    return "; ".join(dict.fromkeys(one for one in wrong if one)) or "no release came of it"


def at_once(application: Object) -> Object:
    """The Application as it is when nobody has to be careful: no policy of release, no waiting."""
    policies: Sequence[Object] = objects.dig(application, "spec", "policies", default=())
    left = [one for one in policies if one.get("type") != "release"]
    application = objects.put(application, ("spec", "policies"), left)
    steps: Sequence[Any] = objects.dig(application, "spec", "workflow", "steps", default=())
    if not steps:
        return application
    going = [_going(one) for one in steps]
    return objects.put(application, ("spec", "workflow", "steps"), going)


def _is_running(application: Object) -> bool:
    status = application.get("status") or {}
    is_seen = status.get("observedGeneration", 0) >= objects.generation(application)
    return bool(is_seen and status.get("status") == "running")


def _is_ready(application: Object) -> bool:
    conditions = objects.dig(application, "status", "conditions", default=())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _waiting(release: Object, units: Sequence[Object]) -> Iterator[str]:
    for unit in units:
        spec = parse(UnitSpec, unit.get("spec"), "spec")
        status = parse(UnitStatus, unit.get("status"), "status")
        is_under_way = status.is_touched and status.phase in ("Progressing", "Silence")
        if spec.release == objects.name(release) and is_under_way and status.message:
            yield f"{spec.cluster}: {status.message}"


def _going(step: Any) -> Any:
    """The step as one that nobody has to approve."""
    if not isinstance(step, dict):
        return step
    if step.get("type") == "suspend":
        return objects.put(step, ("properties", "duration"), "0s")
    if objects.dig(step, "properties", "auto") is False:
        return objects.put(step, ("properties", "auto"), True)
    return step
