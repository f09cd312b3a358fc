"""The decider of one Application: from what it says to a revision, Placements and a Release."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from oneco.clock import Instant
from oneco.decision import (
    Action,
    Change,
    Create,
    Decision,
    Delete,
    Reason,
    Replace,
    StatusWrite,
)
from oneco.delivery import placing, plan, releases, revisions, status
from oneco.delivery.course import Course, Wanted, follow
from oneco.delivery.placing import Places, Situation
from oneco.delivery.plan import Layer, Plan, Scope
from oneco.delivery.ports import Registry
from oneco.delivery.revisions import Revised
from oneco.delivery.seen import ApplicationSeen, gather
from oneco.delivery.status import Fault
from oneco.errors import Refused
from oneco.kinds import validity
from oneco.kinds.oam import DELIVERY_FINALIZER, REVISIONS
from oneco.kinds.ocm import PLACEMENTS
from oneco.kinds.release import RELEASES, UNITS
from oneco.kube import causes, objects, secrecy
from oneco.kube.api import DeleteOptions, Patch
from oneco.kube.objects import Object, dig
from oneco.kube.refs import Address, Resource

__all__ = ["decide", "gather"]


class _Delivery(NamedTuple):
    """A delivery that nothing keeps from going on."""

    planned: Plan
    where: Places
    revised: Revised
    course: Course


def decide(seen: ApplicationSeen, now: Instant, registry: Registry) -> Decision:
    """The next step of one Application's delivery; `registry` are the definitions there are."""
    if objects.is_deleting(seen.application):
        return _take_off(seen)
    begin = _finalizer(seen)
    try:
        planned = plan.read(seen.application, registry)
    except Refused as error:
        return _stop(seen, Fault("Parsed", str(error)), begin, now)
    mistakes = validity.validate(seen.application)
    if mistakes:
        # Where the server asked nobody before it kept the object, this is where it is said.
        return _stop(seen, Fault("Parsed", causes.text(mistakes)), begin, now)
    wanted = placing.placements(planned, seen.application)
    actions = [*begin, *_placements(seen, wanted)]
    try:
        situation = placing.situate(planned, seen)
        revised = revisions.revise(planned, seen, _scopes(planned, situation), registry)
    except Refused as error:
        return _stop(seen, Fault("Render", str(error)), actions, now)
    actions += _revision(seen, revised.revision)
    where = situation.places
    held = _held(where)
    if held is not None:
        return _stop(seen, held, actions, now)
    try:
        policy = releases.policy(planned, seen)
    except Refused as error:
        return _stop(seen, Fault("Policy", str(error)), actions, now)
    name = objects.name(revised.revision)
    course = follow(planned, seen, Wanted(name, revised.variants, situation, policy), now)
    if course.release is not None:
        actions.append(Create(_collection(seen, RELEASES), course.release))
    actions += _prune(seen)
    return _decided(seen, _Delivery(planned, where, revised, course), actions, now)


def _decided(
    seen: ApplicationSeen, delivery: _Delivery, actions: Sequence[Action], now: Instant
) -> Decision:
    planned, where, revised, course = delivery
    shown = status.following(seen, revised.revision, course, where.problems, now)
    reasons = [Reason("Problem", text) for text in (*where.problems, *planned.warnings)]
    stopped = next((one for one in course.stages if one.phase != "succeeded"), None)
    if stopped is not None and stopped.message:
        reasons.append(Reason(stopped.phase.capitalize(), stopped.message))
    return Decision(
        actions=actions,
        statuses=(StatusWrite(seen.address, shown), *_succeeded(seen, revised, course)),
        wake_at=course.wake_at,
        reasons=reasons,
    )


def _stop(seen: ApplicationSeen, fault: Fault, actions: Sequence[Action], now: Instant) -> Decision:
    """Say what is wrong and leave everything that was delivered as it is."""
    # What is wrong may quote a value, and the status is read by more people than the spec.
    fault = fault._replace(message=secrecy.redacted(fault.message, seen.application))
    return Decision(
        actions=actions,
        statuses=(StatusWrite(seen.address, status.faulty(seen, fault, now)),),
        reasons=(Reason(f"{fault.condition}Failed", fault.message),),
    )


def _held(where: Places) -> Fault | None:
    """Why nothing may be released yet, though the Application itself is right."""
    if where.blocking:
        return Fault("Policy", "; ".join((*where.blocking, *where.problems)))
    if where.undecided:
        names = ", ".join(where.undecided)
        return Fault("Policy", f"waits for the clusters of topology {names} to be chosen")
    return None


def _scopes(planned: Plan, situation: Situation) -> Iterable[Scope]:
    """All inputs that some cluster has, or would have if it were there."""
    found: dict[Scope, None] = {}
    for stage, groups in zip(planned.stages, situation.stages, strict=True):
        found |= dict.fromkeys(group.scope for group in groups)
        if not groups:
            # Without a cluster, mistakes are still found and the revision is still complete.
            for deploy in stage.deploys:
                topologies = [planned.topologies[name] for name in deploy.topologies]
                namespaces = {one.namespace: None for one in topologies} or {deploy.namespace: None}
                for namespace in namespaces:
                    found[(Layer(deploy.overrides, namespace, deploy.components),)] = None
    return found


def _finalizer(seen: ApplicationSeen) -> list[Action]:
    present = objects.metadata(seen.application).get("finalizers") or []
    if DELIVERY_FINALIZER in present:
        return []
    return [_with_finalizers(seen, [*present, DELIVERY_FINALIZER])]


def _with_finalizers(seen: ApplicationSeen, finalizers: list[str]) -> Change:
    # The version keeps another writer's finalizers from being lost.
    head = {
        "finalizers": finalizers or None,
        "resourceVersion": objects.resource_version(seen.application),
    }
    return Change(seen.address, Patch("merge", {"metadata": head}))


def _placements(seen: ApplicationSeen, wanted: dict[str, Object]) -> list[Action]:
    """Make the Placements that are missing, remove those that no topology needs any more."""
    present = {objects.name(one): one for one in seen.placements}
    names = {objects.name(one) for one in wanted.values()}
    collection = _collection(seen, PLACEMENTS)
    missing = [one for one in wanted.values() if objects.name(one) not in present]
    surplus = [one for name, one in present.items() if name not in names]
    return [
        *(Create(collection, one) for one in missing),
        *(_delete(PLACEMENTS, one) for one in surplus if not objects.is_deleting(one)),
    ]


def _revision(seen: ApplicationSeen, revision: Object) -> list[Action]:
    found = revisions.current(seen)
    if found is None:
        return [Create(_collection(seen, REVISIONS), revision)]
    if found is revision:
        return []
    address = _collection(seen, REVISIONS)._replace(name=objects.name(found))
    return [Replace(address, revision)]


def _succeeded(seen: ApplicationSeen, revised: Revised, course: Course) -> list[StatusWrite]:
    """Mark the revision once its delivery came to a good end."""
    is_known = dig(revised.revision, "status", "succeeded", default=False)
    if course.phase != "succeeded" or is_known:
        return []
    name = objects.name(revised.revision)
    address = _collection(seen, REVISIONS)._replace(name=name)
    return [StatusWrite(address, {"succeeded": True})]


def _prune(seen: ApplicationSeen) -> list[Action]:
    old = itertools.chain(
        ((RELEASES, one) for one in releases.surplus(seen)),
        ((REVISIONS, one) for one in revisions.surplus(seen)),
    )
    return [_delete(resource, one) for resource, one in old if not objects.is_deleting(one)]


def _take_off(seen: ApplicationSeen) -> Decision:
    """Take the Application off every cluster, then let it go."""
    present = objects.metadata(seen.application).get("finalizers") or []
    if DELIVERY_FINALIZER not in present:
        return Decision()
    units = seen.units or ()
    # Releases first: a running one would make units again.
    left = [(RELEASES, one) for one in seen.releases] + [(UNITS, one) for one in units]
    actions: list[Action] = [
        _delete(resource, one) for resource, one in left if not objects.is_deleting(one)
    ]
    if not left:
        rest = [one for one in present if one != DELIVERY_FINALIZER]
        return Decision(
            actions=(_with_finalizers(seen, rest),),
            reasons=(Reason("TakenOff", "no cluster has anything of it any more"),),
        )
    count = len(units)
    clusters = "1 cluster" if count == 1 else f"{count} clusters"
    return Decision(
        actions=actions,
        statuses=(StatusWrite(seen.address, status.deleting(seen)),),
        reasons=(Reason("TakingOff", f"is being taken off {clusters}"),),
    )


def _delete(resource: Resource, obj: Object) -> Delete:
    address = Address(resource, objects.namespace(obj), objects.name(obj))
    return Delete(address, DeleteOptions(uid=objects.uid(obj)))


def _collection(seen: ApplicationSeen, resource: Resource) -> Address:
    return Address(resource, seen.address.namespace)
