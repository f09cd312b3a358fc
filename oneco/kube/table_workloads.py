"""The rows of workloads, of what scales them and of what protects them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from oneco.clock import Instant
from oneco.kube import ages, times
from oneco.kube.objects import Json, Object, dig, is_deleting, metadata
from oneco.kube.table_columns import (
    NONE,
    UNKNOWN,
    UNSET,
    Printer,
    age,
    columns,
    containers,
    few,
    labels,
    pod_spec,
    selector,
)


def _deployment(obj: Object, now: Instant) -> Sequence[Json]:
    status = obj.get("status") or {}
    return [
        metadata(obj).get("name"),
        f"{status.get('readyReplicas') or 0}/{_replicas(obj)}",
        status.get("updatedReplicas") or 0,
        status.get("availableReplicas") or 0,
        age(obj, now),
        *containers(pod_spec(obj)),
        selector(dig(obj, "spec", "selector")),
    ]


def _replica_set(obj: Object, now: Instant) -> Sequence[Json]:
    return [*_replicated(obj, now), selector(dig(obj, "spec", "selector"))]


def _replication_controller(obj: Object, now: Instant) -> Sequence[Json]:
    return [*_replicated(obj, now), labels(dig(obj, "spec", "selector"))]


def _replicated(obj: Object, now: Instant) -> Sequence[Json]:
    status = obj.get("status") or {}
    return [
        metadata(obj).get("name"),
        _replicas(obj),
        status.get("replicas") or 0,
        status.get("readyReplicas") or 0,
        age(obj, now),
        *containers(pod_spec(obj)),
    ]


def _stateful_set(obj: Object, now: Instant) -> Sequence[Json]:
    ready = dig(obj, "status", "readyReplicas", default=0)
    return [
        metadata(obj).get("name"),
        f"{ready}/{_replicas(obj)}",
        age(obj, now),
        *containers(pod_spec(obj)),
    ]


def _daemon_set(obj: Object, now: Instant) -> Sequence[Json]:
    status = obj.get("status") or {}
    counts = (
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    )
    return [
        metadata(obj).get("name"),
        *(status.get(count) or 0 for count in counts),
        labels(pod_spec(obj).get("nodeSelector")),
        age(obj, now),
        *containers(pod_spec(obj)),
        selector(dig(obj, "spec", "selector")),
    ]


def _job(obj: Object, now: Instant) -> Sequence[Json]:
    return [
        metadata(obj).get("name"),
        _job_status(obj),
        _completions(obj),
        _duration(obj, now),
        age(obj, now),
        *containers(pod_spec(obj)),
        selector(dig(obj, "spec", "selector")),
    ]


def _job_status(obj: Object) -> str:
    held = {
        one.get("type")
        for one in dig(obj, "status", "conditions", default=())
        if one.get("status") == "True"
    }
    for condition in ("Complete", "Failed"):
        if condition in held:
            return condition
    if is_deleting(obj):
        return "Terminating"
    for condition, word in (
        ("Suspended", "Suspended"),
        ("FailureTarget", "FailureTarget"),
        ("SuccessCriteriaMet", "SuccessCriteriaMet"),
    ):
        if condition in held:
            return word
    return "Running"


def _completions(obj: Object) -> str:
    done = dig(obj, "status", "succeeded", default=0)
    wanted = dig(obj, "spec", "completions")
    if wanted is not None:
        return f"{done}/{wanted}"
    workers = dig(obj, "spec", "parallelism", default=0)
    return f"{done}/1 of {workers}" if workers > 1 else f"{done}/1"


def _duration(obj: Object, now: Instant) -> str:
    start = dig(obj, "status", "startTime")
    if not start:
        return ""
    end = dig(obj, "status", "completionTime")
    return ages.of_seconds((times.from_text(end) if end else now) - times.from_text(start))


def _cron_job(obj: Object, now: Instant) -> Sequence[Json]:
    spec = obj.get("spec") or {}
    last = dig(obj, "status", "lastScheduleTime")
    template = dig(spec, "jobTemplate", "spec", default={})
    return [
        metadata(obj).get("name"),
        spec.get("schedule") or "",
        spec.get("timeZone") or NONE,
        "True" if spec.get("suspend") else "False",
        len(dig(obj, "status", "active", default=())),
        ages.since(last, now) if last else NONE,
        age(obj, now),
        *containers(dig(template, "template", "spec", default={})),
        selector(template.get("selector")),
    ]


def _autoscaler(obj: Object, now: Instant) -> Sequence[Json]:
    spec = obj.get("spec") or {}
    target = spec.get("scaleTargetRef") or {}
    least = spec.get("minReplicas")
    return [
        metadata(obj).get("name"),
        f"{target.get('kind')}/{target.get('name')}",
        _targets(obj),
        UNSET if least is None else str(least),
        spec.get("maxReplicas") or 0,
        dig(obj, "status", "currentReplicas", default=0),
        age(obj, now),
    ]


def _targets(obj: Object) -> str:
    metrics = dig(obj, "spec", "metrics", default=())
    current = dig(obj, "status", "currentMetrics", default=())
    texts = [
        _metric(metric, current[index] if index < len(current) else {})
        for index, metric in enumerate(metrics)
    ]
    # Two metrics fit beside the count of the others.
    return few(texts, 2, ", ") if texts else NONE


def _metric(metric: Object, current: Object) -> str:
    kind = metric.get("type") or ""
    field = kind[:1].lower() + kind[1:]
    wanted, seen = metric.get(field) or {}, dig(current, field, "current", default={})
    target = wanted.get("target") or {}
    name = wanted.get("name") if kind in ("Resource", "ContainerResource") else ""
    if target.get("averageUtilization") is not None:
        used = seen.get("averageUtilization")
        text = f"{UNKNOWN if used is None else f'{used}%'}/{target['averageUtilization']}%"
    elif target.get("averageValue") is not None:
        suffix = " (avg)" if kind in ("External", "Object") else ""
        text = f"{seen.get('averageValue') or UNKNOWN}/{target['averageValue']}{suffix}"
    else:
        text = f"{seen.get('value') or UNKNOWN}/{target.get('value')}"
    return f"{name}: {text}" if name else text


def _budget(obj: Object, now: Instant) -> Sequence[Json]:
    least, most = dig(obj, "spec", "minAvailable"), dig(obj, "spec", "maxUnavailable")
    return [
        metadata(obj).get("name"),
        "N/A" if least is None else str(least),
        "N/A" if most is None else str(most),
        dig(obj, "status", "disruptionsAllowed", default=0),
        age(obj, now),
    ]


def _revision(obj: Object, now: Instant) -> Sequence[Json]:
    owner = next(
        (one for one in metadata(obj).get("ownerReferences") or () if one.get("controller")), None
    )
    group, _, _ = (owner or {}).get("apiVersion", "").rpartition("/")
    kind = (owner or {}).get("kind", "").lower()
    controller = f"{kind}.{group}/{owner['name']}" if owner and group else NONE
    return [metadata(obj).get("name"), controller, obj.get("revision") or 0, age(obj, now)]


def _replicas(obj: Object) -> int:
    return dig(obj, "spec", "replicas", default=0)  # type: ignore[no-any-return]


_REPLICATED: Final = columns(
    "Name|Desired:integer|Current:integer|Ready:integer|Age|+Containers|+Images|+Selector"
)


def _scale(obj: Object, now: Instant) -> Sequence[Json]:
    wanted = dig(obj, "spec", "replicas", default=0)
    return [
        metadata(obj).get("name"),
        wanted,
        dig(obj, "status", "replicas", default=0),
        age(obj, now),
    ]


PRINTERS: Final = {
    ("autoscaling", "Scale"): Printer(
        columns("Name|Desired:integer|Available:integer|Age"), _scale
    ),
    ("apps", "Deployment"): Printer(
        columns("Name|Ready|Up-to-date|Available|Age|+Containers|+Images|+Selector"), _deployment
    ),
    ("apps", "ReplicaSet"): Printer(_REPLICATED, _replica_set),
    ("", "ReplicationController"): Printer(_REPLICATED, _replication_controller),
    ("apps", "StatefulSet"): Printer(columns("Name|Ready|Age|+Containers|+Images"), _stateful_set),
    ("apps", "DaemonSet"): Printer(
        columns(
            "Name|Desired:integer|Current:integer|Ready:integer|Up-to-date:integer"
            "|Available:integer|Node Selector|Age|+Containers|+Images|+Selector"
        ),
        _daemon_set,
    ),
    ("apps", "ControllerRevision"): Printer(columns("Name|Controller|Revision|Age"), _revision),
    ("batch", "Job"): Printer(
        columns("Name|Status|Completions|Duration|Age|+Containers|+Images|+Selector"), _job
    ),
    ("batch", "CronJob"): Printer(
        columns(
            "Name|Schedule|Timezone|Suspend:boolean|Active:integer|Last Schedule|Age"
            "|+Containers|+Images|+Selector"
        ),
        _cron_job,
    ),
    ("autoscaling", "HorizontalPodAutoscaler"): Printer(
        columns("Name|Reference|Targets|MinPods|MaxPods|Replicas|Age"), _autoscaler
    ),
    ("policy", "PodDisruptionBudget"): Printer(
        columns("Name|Min Available|Max Unavailable|Allowed Disruptions:integer|Age"), _budget
    ),
}
