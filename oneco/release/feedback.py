"""What a foreign agent tells of a work, as the observation that our own agent would write.

A value counts only if it was read of the very object that the work asks for: the mark that was
applied is read together with it. What feedback cannot tell, such as why pods fail, stays unseen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oneco.kinds import ocm
from oneco.kinds.conditions import find
from oneco.kinds.parts import parse
from oneco.kinds.release import PARTITION_ANNOTATION, ObjectRef, Observed, ObservedObject
from oneco.kube import objects
from oneco.kube.objects import Json, Object
from oneco.kube.refs import kind_of
from oneco.release import foreign
from oneco.release.ports import Steps

_APPLIED = "Applied"
# What an API server says when trying again will not help.
_FINAL = (" is invalid: ", "denied the request", "error validating data", "is immutable")

Rows = Mapping[tuple[str, str, str, str], ocm.ManifestStatus]
"""By group, kind, namespace and name."""


def observed(
    work: Object | None, epoch: str, *, is_confirmed: bool, steps: Steps
) -> Observed | None:
    """What is known of the work's newest generation that was applied; None before the first."""
    status = parse(ocm.WorkStatus, (work or {}).get("status"), "status")
    applied = find(status.conditions, _APPLIED)
    if work is None or applied is None:
        return None
    rows = {
        (meta.group, meta.kind, meta.namespace, meta.name): one
        for meta, one in ((one.resource_meta, one) for one in status.resource_status.manifests)
    }
    manifests = objects.dig(work, "spec", "workload", "manifests", default=())
    return Observed(
        hub_epoch=epoch,
        work_uid=objects.uid(work),
        work_generation=applied.get("observedGeneration") or 0,
        is_confirmed=is_confirmed,
        objects=tuple(_observed(one, rows, steps) for one in manifests),
    )


def is_answered(work: Object | None) -> bool:
    """Whether some agent has said what became of the work."""
    conditions = objects.dig(work or {}, "status", "conditions", default=())
    return find(conditions, _APPLIED) is not None


def _observed(manifest: Object, rows: Rows, steps: Steps) -> ObservedObject:
    kind = kind_of(manifest)
    ref = ObjectRef(
        api_version=manifest.get("apiVersion") or "",
        kind=kind.kind,
        namespace=objects.namespace(manifest),
        name=objects.name(manifest),
    )
    row = rows.get((kind.group, ref.kind, ref.namespace, ref.name))
    if row is None:
        return ObservedObject(ref=ref)
    applied = find(row.conditions, _APPLIED) or {}
    if applied.get("status") != "True":
        message = applied.get("message") or ""
        is_refused = any(one in message for one in _FINAL)
        return ObservedObject(ref=ref, message=message, is_refused=is_refused)
    if _is_gone(row, manifest):
        return ObservedObject(ref=ref, is_gone=True, message="it is not there any more")
    values = {one.name: _value(one.field_value) for one in row.status_feedback.values}
    is_current = values.get(foreign.MARK, "") == foreign.mark_of(manifest)
    driver = steps.get(kind)
    if driver is None:
        read = _read(kind.kind, values)
        return ObservedObject(ref=ref, is_applied=True, is_current=is_current, values=read)
    generation = _number(values, foreign.GENERATION)
    counts = driver.count(manifest, values)
    return ObservedObject(
        ref=ref,
        is_applied=True,
        generation=generation,
        is_current=is_current and _number(values, foreign.OBSERVED) >= generation,
        **counts._asdict(),
    )


def _is_gone(row: ocm.ManifestStatus, manifest: Object) -> bool:
    """Whether a workload was deleted in the middle of a batch: made anew, all its pods are new."""
    is_gated = PARTITION_ANNOTATION in objects.annotations_of(manifest)
    available = find(row.conditions, "Available") or {}
    return is_gated and available.get("reason") == "ResourceNotAvailable"


def _value(field: ocm.FeedbackField) -> Json:
    return {
        "Integer": field.integer,
        "String": field.string,
        "Boolean": field.boolean,
        "JsonRaw": field.json_raw,
    }[field.type]


def _read(kind: str, values: Mapping[str, Json]) -> dict[str, Json]:
    """The values under the names and in the form in which our own agent reports them."""
    if "phase" in values:
        return {"status-phase": values["phase"]}
    if kind != "Job":
        return {}
    found: Sequence[Json] = [
        {"type": name, "status": values[name]} for name in foreign.CONDITIONS if name in values
    ]
    return {"status-conditions": found}


def _number(values: Mapping[str, Json], name: str) -> int:
    value = values.get(name)
    return value if isinstance(value, int) else 0
