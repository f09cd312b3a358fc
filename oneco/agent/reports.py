"""What the agent tells the hub: the work's conditions as Open Cluster Management has them, and
one Observation with everything that our own hub judges by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from oneco.agent import asked
from oneco.agent.seen import Wanted, WorkSeen
from oneco.clock import Instant
from oneco.decision import Action, Create, Decision, Replace, StatusWrite
from oneco.kinds import ocm
from oneco.kinds.parts import build
from oneco.kinds.release import (
    APPLICATION_ANNOTATION,
    OBSERVATIONS,
    UNIT_LABEL,
    ObjectRef,
    Observed,
    ObservedObject,
)
from oneco.kube import jsonpath, objects, times
from oneco.kube.objects import Json, Object
from oneco.kube.refs import Address

_GONE = "it was deleted in the middle of a batch; made anew, all of its pods would be new"


def report(seen: WorkSeen, missing: set[int], now: Instant) -> Decision:
    """Everything that changed since the last report; `missing` are the not yet applied."""
    refused = {failure.address: failure.message for failure in seen.failures}
    account = asked.executor(seen)
    if account:
        said = f"this agent has its own rights and does not act for service account {account}"
        refused = {one.address: said for one in seen.wanted if one.info is not None}
    rows = tuple(_observed(one, missing, refused, _paths(seen, one)) for one in seen.wanted)
    observed = Observed(
        hub_epoch=seen.epoch,
        work_uid=objects.uid(seen.work),
        work_generation=objects.generation(seen.work),
        objects=rows,
    )
    return Decision(
        actions=_observation(seen, observed),
        statuses=(_work_status(seen, rows, now),),
    )


def unconfirmed(seen: WorkSeen, differences: int, now: Instant) -> Decision:
    """The hub started a new life: say what would change, and change nothing."""
    del now
    observed = Observed(
        hub_epoch=seen.epoch,
        work_uid=objects.uid(seen.work),
        work_generation=objects.generation(seen.work),
        is_confirmed=False,
        differences=differences,
    )
    return Decision(actions=_observation(seen, observed))


def _observation(seen: WorkSeen, observed: Observed) -> tuple[Action, ...]:
    if not seen.is_watched:
        return ()
    body = build(observed)
    old = seen.observation
    if old is None:
        application = objects.annotations_of(seen.work).get(APPLICATION_ANNOTATION, "")
        made = {
            "apiVersion": OBSERVATIONS.api_version,
            "kind": "Observation",
            "metadata": {
                "name": seen.name,
                "namespace": seen.cluster,
                "labels": {UNIT_LABEL: seen.name},
                "annotations": {APPLICATION_ANNOTATION: application},
            },
            "observed": body,
        }
        return (Create(Address(OBSERVATIONS, seen.cluster), made),)
    if old.get("observed") == body:
        return ()
    address = Address(OBSERVATIONS, seen.cluster, seen.name)
    return (Replace(address, {**old, "observed": body}),)


def _observed(
    one: Wanted, missing: set[int], refused: Mapping[Address, str], paths: Mapping[str, str]
) -> ObservedObject:
    manifest, counts, live = one.manifest, one.counts, one.live or {}
    refusal = refused.get(one.address, "") if one.info is not None else ""
    is_applied = one.info is not None and id(one) not in missing
    unknown = _GONE if one.is_gone else ""
    if one.info is None:
        unknown = f"the cluster does not serve {one.kind.kind}"
    return ObservedObject(
        ref=ObjectRef(
            api_version=one.api_version,
            kind=one.kind.kind,
            namespace=objects.namespace(manifest),
            name=objects.name(manifest),
        ),
        is_applied=is_applied,
        is_gone=one.is_gone,
        is_refused=bool(refusal) and not is_applied,
        message="" if is_applied else refusal or unknown,
        generation=objects.generation(live),
        is_current=counts.is_current,
        is_paused=counts.is_paused,
        values={name: _value(path, live) for name, path in paths.items()},
        replicas=counts.replicas,
        total=counts.total,
        updated=counts.updated,
        updated_ready=counts.updated_ready,
        ready=counts.ready,
        problems=counts.problems,
    )


def _paths(seen: WorkSeen, one: Wanted) -> dict[str, str]:
    """The live paths that the work asks to hear about for this object."""
    return {
        row["name"]: row["path"]
        for rule in asked.config(seen, one).get("feedbackRules") or ()
        for row in rule.get("jsonPaths") or ()
    }


def _value(path: str, live: Object) -> Json:
    found = jsonpath.find(path, live)
    return found[0] if found else None


def _work_status(seen: WorkSeen, rows: Sequence[ObservedObject], now: Instant) -> StatusWrite:
    old = seen.work.get("status") or {}
    generation = objects.generation(seen.work)
    waiting = [row for row in rows if not row.is_applied]
    message = "; ".join(f"{row.ref.kind} {row.ref.name}: {row.message}" for row in waiting[:3])
    applied = _condition("Applied", not waiting, message or "Apply manifest work complete")
    there = _condition("Available", not waiting, message or "All resources are available")
    conditions = _kept(old.get("conditions") or (), (applied, there), generation, now)
    old_rows = objects.dig(old, "resourceStatus", "manifests", default=())
    manifests = [
        {**_manifest_status(number, one, row, _at(old_rows, number), now), **_feedback(seen, one)}
        for number, (one, row) in enumerate(zip(seen.wanted, rows, strict=True))
    ]
    status = {"conditions": conditions, "resourceStatus": {"manifests": manifests}}
    return StatusWrite(Address(ocm.WORKS, seen.cluster, seen.name), status)


def _manifest_status(
    number: int, one: Wanted, row: ObservedObject, old: Object, now: Instant
) -> Object:
    resource = one.address.resource.plural if one.info is not None else ""
    conditions = (
        _condition("Applied", row.is_applied, row.message or "Apply manifest complete"),
        _condition("Available", row.is_applied, row.message or "Resource is available"),
    )
    return {
        "resourceMeta": {
            "ordinal": number,
            "group": one.kind.group,
            "version": one.kind.version,
            "kind": one.kind.kind,
            "resource": resource,
            "name": row.ref.name,
            "namespace": row.ref.namespace,
        },
        "conditions": _kept(old.get("conditions") or (), conditions, 0, now),
    }


def _feedback(seen: WorkSeen, one: Wanted) -> dict[str, Any]:
    """The values that were asked for, where no observation carries them."""
    values = [] if seen.is_watched else list(asked.values(seen, one))
    return {"statusFeedback": {"values": values} if values else {}}


def _condition(kind: str, is_true: bool, message: str) -> dict[str, Any]:
    reasons = {
        ("Applied", True): "AppliedManifestWorkComplete",
        ("Applied", False): "AppliedManifestWorkFailed",
        ("Available", True): "ResourcesAvailable",
        ("Available", False): "ResourcesNotAvailable",
    }
    status = "True" if is_true else "False"
    return {"type": kind, "status": status, "reason": reasons[kind, is_true], "message": message}


def _kept(
    old: Sequence[Object], new: Sequence[dict[str, Any]], generation: int, now: Instant
) -> list[Object]:
    """The new conditions with the times of those that did not turn."""
    before = {one.get("type"): one for one in old}
    made: list[Object] = []
    for one in new:
        was = before.get(one["type"], {})
        since = was.get("lastTransitionTime") if was.get("status") == one["status"] else None
        whole = {**one, "lastTransitionTime": since or times.to_text(now)}
        made.append({**whole, "observedGeneration": generation} if generation else whole)
    return made


def _at(rows: Sequence[Object], number: int) -> Object:
    return rows[number] if number < len(rows) else {}
