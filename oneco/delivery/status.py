"""What an Application's status says, in KubeVela's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from oneco.clock import Instant
from oneco.delivery import releases
from oneco.delivery.course import Course, Progress
from oneco.delivery.revisions import content_hash
from oneco.delivery.seen import SERVICES_LIMIT, ApplicationSeen, number_of
from oneco.kinds.conditions import Condition, with_condition
from oneco.kinds.parts import parse
from oneco.kinds.release import UnitStatus
from oneco.kube import objects, times
from oneco.kube.objects import Object, dig

_FINE = "Available"
_FAULT = "ReconcileError"
_ORDER = ("Parsed", "Revision", "Policy", "Render", "Workflow", "Ready")
_PHASES: Mapping[str, str] = {
    "succeeded": "running",
    "running": "runningWorkflow",
    "pending": "runningWorkflow",
    "suspending": "workflowSuspending",
    "failed": "workflowFailed",
}


class Fault(NamedTuple):
    """What keeps an Application from being delivered: the condition that is not true, and why."""

    condition: str
    message: str


def faulty(seen: ApplicationSeen, fault: Fault, now: Instant) -> Object:
    """The status of an Application that cannot be delivered as it is written now."""
    before: Object = seen.application.get("status") or {}
    conditions: Sequence[Object] = before.get("conditions") or ()
    for name in _ORDER[: _ORDER.index(fault.condition)]:
        conditions = with_condition(conditions, Condition(name, "True", _FINE, ""), now)
    for name in (fault.condition, "Ready"):
        condition = Condition(name, "False", _FAULT, fault.message)
        conditions = with_condition(conditions, condition, now)
    # What was delivered before is still there, and its services are still shown.
    return {
        **before,
        "status": before.get("status") if before.get("latestRevision") else "rendering",
        "conditions": list(conditions),
        "observedGeneration": objects.generation(seen.application),
    }


def deleting(seen: ApplicationSeen) -> Object:
    """The status of an Application that is being taken off its clusters."""
    return {**(seen.application.get("status") or {}), "status": "deleting"}


def following(
    seen: ApplicationSeen,
    revision: Object,
    course: Course,
    problems: Sequence[str],
    now: Instant,
) -> Object:
    """The status of an Application that is being delivered, or has been."""
    before: Object = seen.application.get("status") or {}
    return {
        **before,
        "status": _phase(course),
        "conditions": _conditions(before, course, problems, now),
        "latestRevision": {
            "name": objects.name(revision),
            "revision": number_of(revision),
            "revisionHash": content_hash(seen.application),
        },
        "observedGeneration": objects.generation(seen.application),
        "services": _services(seen, revision, course),
        "workflow": _workflow(before, revision, course, now),
    }


def _phase(course: Course) -> str:
    release = next((one.release for one in course.stages if one.phase == "failed"), None)
    if release is not None:
        phase = releases.status_of(release).phase
        return {"Blocked": "unhealthy", "Aborted": "workflowTerminated"}.get(
            phase, "workflowFailed"
        )
    return _PHASES[course.phase]


def _conditions(
    before: Object, course: Course, problems: Sequence[str], now: Instant
) -> list[Object]:
    conditions: Sequence[Object] = before.get("conditions") or ()
    for name in _ORDER[:4]:
        said = problems if name == "Policy" else ()
        truth = "False" if said else "True"
        reason = _FAULT if said else _FINE
        condition = Condition(name, truth, reason, "; ".join(said))
        conditions = with_condition(conditions, condition, now)
    is_done = course.phase == "succeeded"
    stopped = next((one for one in course.stages if one.phase != "succeeded"), None)
    message = stopped.message if stopped is not None else ""
    reason = _FINE if is_done else course.phase.capitalize()
    for name in _ORDER[4:]:
        truth = "True" if is_done and not (problems and name == "Ready") else "False"
        said_ready = "; ".join(problems) if is_done and problems and name == "Ready" else message
        why = _FAULT if said_ready and is_done else reason
        conditions = with_condition(conditions, Condition(name, truth, why, said_ready), now)
    return list(conditions)


def _workflow(before: Object, revision: Object, course: Course, now: Instant) -> Object:
    stored: Object = before.get("workflow") or {}
    is_same = stored.get("appRevision") == objects.name(revision)
    old = {one["name"]: one for one in stored.get("steps") or ()} if is_same else {}
    steps = [step for stage in course.stages for step in _steps(stage, old, now)]
    phase = course.phase
    is_done = phase in ("succeeded", "failed")
    workflow: dict[str, Any] = {
        "appRevision": objects.name(revision),
        "mode": "StepByStep",
        "status": phase if phase != "running" else "executing",
        "suspend": phase == "suspending",
        "terminated": phase == "failed",
        "finished": is_done,
        "startTime": stored.get("startTime") if is_same else times.to_text(now),
        "steps": steps,
    }
    ended = stored.get("endTime") if is_same and stored.get("finished") else times.to_text(now)
    return workflow | ({"endTime": ended} if is_done else {})


def _steps(progress: Progress, old: Mapping[str, Object], now: Instant) -> list[Object]:
    if progress.phase == "pending":
        return []
    made: list[Object] = []
    for step in progress.stage.steps:
        before = old.get(step.name, {})
        fields: dict[str, Any] = {
            "id": step.name,
            "name": step.name,
            "type": step.type,
            "phase": progress.phase,
        }
        if progress.message:
            fields["message"] = progress.message
        fields["firstExecuteTime"] = before.get("firstExecuteTime") or times.to_text(now)
        is_same = before.get("phase") == progress.phase
        last = before.get("lastExecuteTime") if is_same else None
        made.append({**fields, "lastExecuteTime": last or times.to_text(now)})
    return made


def _services(seen: ApplicationSeen, revision: Object, course: Course) -> list[Object]:
    """Each component in each cluster, up to a limit."""
    found: list[Object] = []
    variants = {
        row["hash"]: _workloads(row) for row in dig(revision, "spec", "variants", default=())
    }
    for stage in course.stages:
        if stage.release is None:
            continue
        for target in releases.spec_of(stage.release).targets:
            for cluster in target.clusters:
                for component, workload in variants.get(target.variant, {}).items():
                    if len(found) == SERVICES_LIMIT:
                        return found
                    found.append(_service(seen.shown.get(cluster), cluster, component, workload))
    return found


def _workloads(variant: Object) -> dict[str, Object]:
    """The first object of each component: its workload."""
    workloads: dict[str, Object] = {}
    for one in variant.get("manifests") or ():
        workloads.setdefault(one["component"], one["manifest"])
    return workloads


def _service(unit: Object | None, cluster: str, component: str, workload: Object) -> Object:
    status = parse(UnitStatus, (unit or {}).get("status"), "status")
    name = objects.name(workload)
    message = status.message
    for one in status.workloads:
        if one.name == name and one.kind == workload.get("kind"):
            message = f"Ready:{one.ready}/{one.replicas}"
    service: dict[str, Any] = {
        "name": component,
        "namespace": objects.namespace(workload),
        "cluster": cluster,
        "healthy": status.phase == "Succeeded",
        "workloadDefinition": {
            "apiVersion": workload.get("apiVersion") or "",
            "kind": workload.get("kind") or "",
        },
    }
    return service | ({"message": message} if message else {})
