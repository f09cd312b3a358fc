"""The agent's next step for one work: finalizer, record, objects, leftovers, report, end."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable

from oneco.agent import asked, marks, reports, workloads
from oneco.agent.seen import Wanted, WorkSeen, address_of, record_name
from oneco.clock import Instant
from oneco.decision import (
    Action,
    Apply,
    Change,
    Create,
    Decision,
    Delete,
    Follow,
    Reason,
    Replace,
    StatusWrite,
)
from oneco.kinds import ocm
from oneco.kinds.parts import build
from oneco.kinds.release import OBSERVATIONS
from oneco.kube import objects
from oneco.kube.api import DeleteOptions, Patch
from oneco.kube.covers import covers
from oneco.kube.refs import Address, Kind
from oneco.kube.remembered import Remembered
from oneco.kube.types import ANY, Type

Types = Callable[[Kind], Type | None]

_RANKS = (
    frozenset({"Namespace", "CustomResourceDefinition", "StorageClass", "PriorityClass"}),
    frozenset({"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}),
    frozenset({"Secret", "ConfigMap", "PersistentVolume", "PersistentVolumeClaim"}),
    frozenset({"LimitRange", "ResourceQuota", "NetworkPolicy"}),
    frozenset({"Service", "EndpointSlice"}),
)
_LAST = frozenset({"ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"})
_NEVER = Instant(math.inf)
_covered: Remembered[bool] = Remembered(100_000)


def decide(seen: WorkSeen, now: Instant, types: Types) -> Decision:
    """The next step for one work, or why there is none."""
    seen = dataclasses.replace(seen, wanted=tuple(one.at(now) for one in seen.wanted))
    follows = tuple(dict.fromkeys(_follows(seen)))
    if not seen.is_confirmed:
        differing = [one for one in seen.wanted if not _is_applied(one, seen, types)]
        told = reports.unconfirmed(seen, len(differing) + len(seen.leftovers), now)
        return dataclasses.replace(told, follows=follows)
    if objects.is_deleting(seen.work):
        return dataclasses.replace(_take_off(seen), follows=follows)
    if asked.executor(seen):
        # With the agent's own rights it would do what that account may not.
        told = reports.report(seen, {id(one) for one in seen.wanted}, now)
        return dataclasses.replace(told, follows=follows)
    missing = [
        one
        for one in sorted(seen.wanted, key=_rank)
        if one.info is not None and not _is_applied(one, seen, types)
    ]
    before = tuple(_before_anything(seen))
    if before:
        return Decision(actions=(*before, *_at_once(seen, missing)), follows=follows)
    due = [one for one in missing if not one.is_gone]
    if not _is_recorded(seen):
        recorded = (_recorded(seen), *(() if seen.failures else _applies(seen, due)))
        reasons = (_reason(due, seen),) if due else ()
        return Decision(actions=recorded, follows=follows, reasons=reasons)
    actions = (*_applies(seen, due), *_replacements(seen, missing), *_deletes(seen))
    if actions and not seen.failures:
        return Decision(actions=actions, follows=follows, reasons=(_reason(due, seen),))
    report = reports.report(seen, {id(one) for one in missing}, now)
    wake_at = min((one.counts.ripens_at or _NEVER for one in seen.wanted), default=_NEVER)
    report = dataclasses.replace(report, wake_at=None if wake_at == _NEVER else wake_at)
    if not actions:
        return dataclasses.replace(report, follows=follows)
    # Trouble is told before it is tried again: a write that is refused ends the performance.
    telling = [_tell(one) for one in report.statuses if _is_news(one, seen)]
    return Decision(actions=(*report.actions, *telling, *actions), follows=follows)


def _is_news(status: StatusWrite, seen: WorkSeen) -> bool:
    return status.status != seen.work.get("status")


def _tell(status: StatusWrite) -> Change:
    address = status.address._replace(subresource="status")
    return Change(address, Patch("merge", {"status": status.status}))


def _at_once(seen: WorkSeen, missing: list[Wanted]) -> Iterable[Action]:
    """Record and objects of a new work, right behind what comes before them: each waits for none
    but the one before, and a look at a work costs more than what it finds.
    """
    if seen.record is not None or seen.failures:
        return
    yield _recorded(seen)
    yield from _applies(seen, missing)


def _before_anything(seen: WorkSeen) -> Iterable[Action]:
    """Nothing is applied before the work can be ended properly and the record exists."""
    meta = objects.metadata(seen.work)
    finalizers = meta.get("finalizers") or []
    if ocm.WORK_FINALIZER not in finalizers:
        # Of this very version: a work that is gone meanwhile must bring nothing any more.
        kept = {**meta, "finalizers": [*finalizers, ocm.WORK_FINALIZER]}
        yield Replace(Address(ocm.WORKS, seen.cluster, seen.name), {**seen.work, "metadata": kept})
    if seen.record is None:
        body = {
            "apiVersion": ocm.APPLIED_WORKS.api_version,
            "kind": "AppliedManifestWork",
            "metadata": {
                "name": record_name(seen.name),
                "annotations": {ocm.HUB_EPOCH_ANNOTATION: seen.epoch},
            },
            "spec": build(ocm.AppliedWorkSpec(hub_hash="hub", manifest_work_name=seen.name)),
        }
        yield Create(Address(ocm.APPLIED_WORKS), body, "member")
    elif objects.annotations_of(seen.record).get(ocm.HUB_EPOCH_ANNOTATION) != seen.epoch:
        change = {"metadata": {"annotations": {ocm.HUB_EPOCH_ANNOTATION: seen.epoch}}}
        address = Address(ocm.APPLIED_WORKS, "", record_name(seen.name))
        yield Change(address, Patch("merge", change), "member")


def _take_off(seen: WorkSeen) -> Decision:
    if seen.leftovers:
        actions = tuple(_deletes(seen))
        reason = Reason("Removing", f"removes {_objects(len(seen.leftovers))}")
        return Decision(actions=actions, reasons=(reason,) if actions else ())
    finalizers = objects.metadata(seen.work).get("finalizers") or []
    left = [one for one in finalizers if one != ocm.WORK_FINALIZER]
    record = Address(ocm.APPLIED_WORKS, "", record_name(seen.name))
    ended: tuple[Action, ...] = ()
    if seen.record is not None:
        ended = (Delete(record, side="member"),)
    if seen.observation is not None:
        # What is told of a work goes with it: one made later under its name is another.
        ended = (*ended, Delete(Address(OBSERVATIONS, seen.cluster, seen.name)))
    if len(left) == len(finalizers):
        return Decision(actions=ended)
    patch = Patch("merge", {"metadata": {"finalizers": left or None}})
    return Decision(actions=(*ended, Change(Address(ocm.WORKS, seen.cluster, seen.name), patch)))


def _is_recorded(seen: WorkSeen) -> bool:
    known = {(one.group, one.resource, one.namespace, one.name) for one in seen.applied}
    return all(_reference(one) in known for one in _owned(seen))


def _owned(seen: WorkSeen) -> list[Wanted]:
    """The objects that go with the work: not those that it only looks at."""
    served = (one for one in seen.wanted if one.info is not None)
    return [one for one in served if asked.strategy(seen, one) != "ReadOnly"]


def _recorded(seen: WorkSeen) -> Change:
    """The record names every object before the object exists, so that none is ever lost."""
    uids = {(one.group, one.resource, one.namespace, one.name): one.uid for one in seen.applied}
    wanted = {_reference(one): _version(one) for one in _owned(seen)}
    still_there = {
        (at.resource.group, at.resource.plural, at.namespace, at.name): at.resource.version
        for at in seen.leftovers
    }
    resources = tuple(
        ocm.AppliedResource(
            group=key[0], version=version, resource=key[1], namespace=key[2], name=key[3],
            uid=uids.get(key, ""),
        )
        for key, version in {**still_there, **wanted}.items()
    )  # fmt: skip
    place = Address(ocm.APPLIED_WORKS, "", record_name(seen.name), "status")
    status = build(ocm.AppliedWorkStatus(applied_resources=resources))
    return Change(place, Patch("merge", {"status": status}), "member")


def _applies(seen: WorkSeen, missing: list[Wanted]) -> Iterable[Action]:
    failed = {failure.address for failure in seen.failures}
    # What was refused before goes last, so that it keeps nothing else from being applied.
    for one in sorted(missing, key=lambda each: each.address in failed):
        body = marks.marked(one.manifest, seen.name, seen.cluster)
        yield Apply(one.address, body, asked.options(seen, one), "member")


def _replacements(seen: WorkSeen, missing: list[Wanted]) -> Iterable[Action]:
    """Pods go only for what is applied as it is wanted: another template may be on its way."""
    waiting = {id(one) for one in missing}
    for one in seen.wanted:
        for pod in one.doomed if id(one) not in waiting else ():
            address = Address(workloads.PODS, objects.namespace(pod), objects.name(pod))
            yield Delete(address, DeleteOptions(uid=objects.uid(pod)), "member")


def _deletes(seen: WorkSeen) -> Iterable[Action]:
    for address, live in reversed(tuple(seen.leftovers.items())):
        if not objects.is_deleting(live):
            yield Delete(address, DeleteOptions(uid=objects.uid(live)), "member")


def _is_applied(one: Wanted, seen: WorkSeen, types: Types) -> bool:
    if one.info is not None and asked.is_settled(seen, one):
        return True
    if one.info is None or one.live is None or objects.is_deleting(one.live):
        return False
    if one.kind.kind == "Namespace":
        return True
    wanted = marks.marked(one.manifest, seen.name, seen.cluster)
    if marks.manifest_hash(one.live) != marks.manifest_hash(wanted):
        return False
    return _covered.ask(covers, one.live, wanted, types(one.kind) or ANY)


def _follows(seen: WorkSeen) -> Iterable[Follow]:
    for one in seen.wanted:
        if one.info is not None:
            yield Follow(one.address.resource, one.address.namespace)
            if one.driver is not None:
                yield from workloads.follows(one.driver, one.address.namespace)
    # What was applied once may still be there, though no manifest tells of it any more.
    for address in map(address_of, seen.applied):
        yield Follow(address.resource, address.namespace)


def _rank(one: Wanted) -> int:
    kind = one.kind.kind
    if kind in _LAST:
        return len(_RANKS) + 1
    return next((rank for rank, kinds in enumerate(_RANKS) if kind in kinds), len(_RANKS))


def _reason(missing: list[Wanted], seen: WorkSeen) -> Reason:
    names = ", ".join(f"{one.kind.kind} {objects.name(one.manifest)}" for one in missing[:3])
    more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
    if missing and any(_is_drift(one) for one in missing):
        return Reason("DriftRepaired", f"puts back {names}{more}")
    if missing:
        return Reason("Applied", f"applies {names}{more}")
    if any(one.doomed for one in seen.wanted):
        pods = sum(len(one.doomed) for one in seen.wanted)
        return Reason("PodsReplaced", f"deletes {pods} pods that new ones replace")
    return Reason("Removed", f"removes {_objects(len(seen.leftovers))} that the work no longer has")


def _is_drift(one: Wanted) -> bool:
    if one.live is None:
        return False
    unchanged = marks.manifest_hash(one.live)
    return bool(unchanged) and unchanged == marks.manifest_hash(marks.marked(one.manifest, "", ""))


def _reference(one: Wanted) -> tuple[str, str, str, str]:
    at = one.address
    return at.resource.group, at.resource.plural, at.namespace, at.name


def _version(one: Wanted) -> str:
    return one.address.resource.version


def _objects(count: int) -> str:
    return "1 object" if count == 1 else f"{count} objects"
