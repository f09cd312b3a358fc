"""What an API server refuses about workloads, and about what scales and protects them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from oneco.kube import causes, names, selectors
from oneco.kube import validation_rules as rules
from oneco.kube.errors import Cause
from oneco.kube.objects import Json, Object, dig
from oneco.kube.validation_pods import validate_template

_TEMPLATE: Final = "spec.template"
_LONGEST_CRON_NAME: Final = 52
_CRON_MACROS: Final = frozenset(
    {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}
)
_CRON_RANGES: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_MONTHS: Final = "jan feb mar apr may jun jul aug sep oct nov dec"
_DAYS: Final = "sun mon tue wed thu fri sat"
_CRON_NAMES: Final[Mapping[str, int]] = {
    **{name: number for number, name in enumerate(_MONTHS.split(), start=1)},
    **{name: number for number, name in enumerate(_DAYS.split())},
}


def validate_deployment(obj: Object) -> list[Cause]:
    """What is wrong with a Deployment."""
    spec = obj.get("spec") or {}
    found = rules.not_negative(spec, "spec", "replicas")
    found += _validate_selector(spec, "deployment")
    found += _validate_replica_template(spec)
    found += _validate_deployment_strategy(spec.get("strategy") or {})
    found += rules.not_negative(spec, "spec", "minReadySeconds", "revisionHistoryLimit")
    deadline, ready = spec.get("progressDeadlineSeconds"), spec.get("minReadySeconds") or 0
    if deadline is not None:
        found += rules.not_negative(spec, "spec", "progressDeadlineSeconds")
        if deadline <= ready:
            words = "must be greater than minReadySeconds"
            found.append(causes.invalid("spec.progressDeadlineSeconds", deadline, words))
    return found


def validate_replica_set(obj: Object) -> list[Cause]:
    """What is wrong with a ReplicaSet."""
    spec = obj.get("spec") or {}
    found = rules.not_negative(spec, "spec", "replicas", "minReadySeconds")
    # The server itself calls the kind by the other's name here.
    found += _validate_selector(spec, "deployment")
    return found + _validate_replica_template(spec)


def validate_stateful_set(obj: Object) -> list[Cause]:
    """What is wrong with a StatefulSet."""
    spec = obj.get("spec") or {}
    found = []
    policy = spec.get("podManagementPolicy")
    if policy not in (None, "OrderedReady", "Parallel"):
        words = "must be 'OrderedReady' or 'Parallel'"
        found.append(causes.invalid("spec.podManagementPolicy", policy, words))
    strategy = spec.get("updateStrategy") or {}
    rolling = strategy.get("rollingUpdate")
    where = "spec.updateStrategy"
    if strategy.get("type") not in (None, "RollingUpdate", "OnDelete"):
        found.append(causes.invalid(where, strategy, "must be 'RollingUpdate' or 'OnDelete'"))
    elif rolling is not None and strategy.get("type") == "OnDelete":
        words = "only allowed for updateStrategy 'RollingUpdate'"
        found.append(causes.invalid(f"{where}.rollingUpdate", rolling, words))
    elif rolling is not None:
        found += rules.not_negative(rolling, f"{where}.rollingUpdate", "partition")
    found += rules.not_negative(spec, "spec", "replicas", "minReadySeconds")
    if spec.get("serviceName"):
        found += rules.text(spec["serviceName"], "spec.serviceName", names.label_faults)
    found += _validate_selector(spec, "statefulset")
    return found + validate_template(spec.get("template") or {}, _TEMPLATE, spec.get("selector"))


def validate_daemon_set(obj: Object) -> list[Cause]:
    """What is wrong with a DaemonSet."""
    spec = obj.get("spec") or {}
    selector = spec.get("selector")
    found = selectors.validate(selector, "spec.selector") if selector else []
    found += validate_template(spec.get("template") or {}, _TEMPLATE, selector)
    if selector is not None and not _asks_anything(selector):
        words = "empty selector is invalid for daemonset"
        found.append(causes.invalid("spec.selector", selector, words))
    found += rules.not_negative(spec, "spec", "minReadySeconds", "revisionHistoryLimit")
    return found + _validate_daemon_strategy(spec.get("updateStrategy") or {})


def validate_job(obj: Object) -> list[Cause]:
    """What is wrong with a Job."""
    spec = obj.get("spec") or {}
    found = _validate_job_spec(spec, "spec")
    # A selector that the server makes itself always matches.
    selector = spec.get("selector")
    labels = dig(spec, "template", "metadata", "labels")
    if selector and not selectors.from_object(selector).matches(labels):
        words = "`selector` does not match template `labels`"
        found.append(causes.invalid(f"{_TEMPLATE}.metadata.labels", labels, words))
    return found


def validate_cron_job(obj: Object) -> list[Cause]:
    """What is wrong with a CronJob."""
    spec, name = obj.get("spec") or {}, dig(obj, "metadata", "name", default="")
    found = _validate_schedule(spec.get("schedule") or "")
    found += rules.not_negative(spec, "spec", "startingDeadlineSeconds")
    policy = spec.get("concurrencyPolicy")
    found += rules.one_of(policy, "spec.concurrencyPolicy", ("Allow", "Forbid", "Replace"))
    job = dig(spec, "jobTemplate", "spec", default={})
    found += _validate_job_spec(job, "spec.jobTemplate.spec")
    limits = ("successfulJobsHistoryLimit", "failedJobsHistoryLimit")
    found += rules.not_negative(spec, "spec", *limits)
    if len(name) > _LONGEST_CRON_NAME:
        words = f"must be no more than {_LONGEST_CRON_NAME} characters"
        found.append(causes.invalid("metadata.name", name, words))
    return found


def validate_autoscaler(obj: Object) -> list[Cause]:
    """What is wrong with a HorizontalPodAutoscaler."""
    spec = obj.get("spec") or {}
    least, most = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    found = []
    if least is not None and least < 1:
        words = "must be greater than or equal to 1"
        found.append(causes.invalid("spec.minReplicas", least, words))
        words = (
            "must specify at least one Object or External metric to support scaling to zero "
            "replicas"
        )
        found.append(causes.forbidden("spec.metrics", words))
    if most < 1:
        found.append(causes.required("spec.maxReplicas", "must be set and greater than 0"))
    if least is not None and most < least:
        words = "must be greater than or equal to `minReplicas`"
        found.append(causes.invalid("spec.maxReplicas", most, words))
    target, where = spec.get("scaleTargetRef") or {}, "spec.scaleTargetRef"
    for key in ("kind", "name"):
        found += rules.required_text(target, where, key, names.path_faults)
    if not target.get("apiVersion"):
        words = "apiVersion must specify API group"
        found.append(causes.invalid(f"{where}.apiVersion", "", words))
    return found


def validate_budget(obj: Object) -> list[Cause]:
    """What is wrong with a PodDisruptionBudget."""
    spec = obj.get("spec") or {}
    found = []
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        words = "minAvailable and maxUnavailable cannot be both set"
        found.append(causes.invalid("spec", spec, words))
    for key in ("minAvailable", "maxUnavailable"):
        found += rules.amount(spec.get(key), f"spec.{key}", is_share=True)
    return found + selectors.validate(spec.get("selector") or {}, "spec.selector")


def _validate_selector(spec: Object, word: str) -> list[Cause]:
    selector = spec.get("selector")
    if selector is None:
        return [causes.required("spec.selector")]
    found = selectors.validate(selector, "spec.selector")
    if found:
        # Of a StatefulSet the server only shows it.
        words = "" if word == "statefulset" else "invalid label selector"
        found.append(causes.invalid("spec.selector", selectors.shown(selector), words))
    elif not _asks_anything(selector):
        words = f"empty selector is invalid for {word}"
        found.append(causes.invalid("spec.selector", selector, words))
    return found


def _asks_anything(selector: Object) -> bool:
    return bool(selector.get("matchLabels") or selector.get("matchExpressions"))


def _validate_replica_template(spec: Object) -> list[Cause]:
    template, selector = spec.get("template") or {}, spec.get("selector")
    if selector is not None and selectors.validate(selector):
        # Nobody can say then which pods the template is to make.
        return []
    found = validate_template(template, _TEMPLATE, selector)
    if dig(template, "spec", "activeDeadlineSeconds") is not None:
        words = "activeDeadlineSeconds in ReplicaSet is not Supported"
        found.append(causes.forbidden(f"{_TEMPLATE}.spec.activeDeadlineSeconds", words))
    return found


def _validate_deployment_strategy(strategy: Object) -> list[Cause]:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    where = "spec.strategy.rollingUpdate"
    if kind == "Recreate" and rolling is not None:
        words = "may not be specified when strategy `type` is 'Recreate'"
        return [causes.forbidden(where, words)]
    if kind not in (None, "RollingUpdate", "Recreate"):
        return [causes.unsupported("spec.strategy", strategy, ["Recreate", "RollingUpdate"])]
    if not rolling:
        return []
    surge, unavailable = rolling.get("maxSurge"), rolling.get("maxUnavailable")
    found = rules.amount(unavailable, f"{where}.maxUnavailable")
    found += rules.amount(surge, f"{where}.maxSurge")
    if rules.is_zero(unavailable) and rules.is_zero(surge):
        words = "may not be 0 when `maxSurge` is 0"
        found.append(causes.invalid(f"{where}.maxUnavailable", unavailable, words))
    if not found:
        found += rules.amount(unavailable, f"{where}.maxUnavailable", is_share=True)
    return found


def _validate_daemon_strategy(strategy: Object) -> list[Cause]:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate") or {}
    if kind not in (None, "RollingUpdate", "OnDelete"):
        choices = ["RollingUpdate", "OnDelete"]
        return [causes.unsupported("spec.updateStrategy", strategy, choices)]
    if kind == "OnDelete" or not rolling:
        return []
    where = "spec.updateStrategy.rollingUpdate"
    surge, unavailable = rolling.get("maxSurge"), rolling.get("maxUnavailable")
    found = rules.amount(unavailable, f"{where}.maxUnavailable", is_share=True)
    found += rules.amount(surge, f"{where}.maxSurge", is_share=True)
    has_surge = surge is not None and not rules.is_zero(surge)
    has_unavailable = unavailable is not None and not rules.is_zero(unavailable)
    if has_surge and has_unavailable:
        words = "may not be set when maxUnavailable is non-zero"
        found.append(causes.invalid(f"{where}.maxSurge", surge, words))
    elif not has_surge and not has_unavailable:
        words = "cannot be 0 when maxSurge is 0"
        found.append(causes.required(f"{where}.maxUnavailable", words))
    return found


def _validate_job_spec(spec: Object, field: str) -> list[Cause]:
    found = rules.not_negative(
        spec,
        field,
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
    )
    mode = spec.get("completionMode")
    found += rules.one_of(mode, f"{field}.completionMode", ("NonIndexed", "Indexed"))
    if mode == "Indexed" and spec.get("completions") is None:
        words = "when completion mode is Indexed"
        found.append(causes.required(f"{field}.completions", words))
    template = spec.get("template") or {}
    return found + validate_template(template, f"{field}.template", None, is_job=True)


def _validate_schedule(schedule: str) -> list[Cause]:
    if not schedule:
        return [causes.required("spec.schedule")]
    fault = _schedule_fault(schedule)
    return [causes.invalid("spec.schedule", schedule, fault)] if fault else []


def _schedule_fault(schedule: str) -> str:
    if "TZ" in schedule:
        return "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
    if schedule.startswith("@"):
        known = schedule in _CRON_MACROS or schedule.startswith("@every ")
        return "" if known else f"unrecognized descriptor: {schedule}"
    fields = schedule.split()
    if len(fields) != len(_CRON_RANGES):
        return f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
    for text, (least, most) in zip(fields, _CRON_RANGES, strict=True):
        for part in text.split(","):
            fault = _range_fault(part, least, most)
            if fault:
                return fault
    return ""


def _range_fault(text: str, least: int, most: int) -> str:
    span, _, step = text.partition("/")
    if step and not (step.isdigit() and int(step) > 0):
        return f"step of range should be a positive number: {text}"
    if span in ("*", "?"):
        return ""
    edges = [_cron_number(edge) for edge in re.split("-", span, maxsplit=1)]
    if None in edges:
        return f"failed to parse int from {span}"
    start, end = edges[0], edges[-1]
    assert start is not None and end is not None, f"edges of {text!r}"
    if start < least:
        return f"beginning of range ({start}) below minimum ({least}): {text}"
    if end > most:
        return f"end of range ({end}) above maximum ({most}): {text}"
    if start > end:
        return f"beginning of range ({start}) beyond end of range ({end}): {text}"
    return ""


def _cron_number(text: str) -> Json:
    return int(text) if text.isdigit() else _CRON_NAMES.get(text.lower())
