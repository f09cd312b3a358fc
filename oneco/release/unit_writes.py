"""What the deciders of a unit write: its status and its work."""

from __future__ import annotations

import msgspec

from oneco.clock import Instant
from oneco.decision import Action, Create, Decision, Delete, Reason, Replace, StatusWrite
from oneco.kinds import ocm
from oneco.kinds.parts import build
from oneco.kinds.release import UNITS, UnitStatus
from oneco.kube import objects
from oneco.kube.api import DeleteOptions
from oneco.kube.objects import Object
from oneco.kube.refs import Address
from oneco.release import works
from oneco.release.seen import UnitSeen


def address(seen: UnitSeen) -> Address:
    """Where the unit stands."""
    return Address(UNITS, objects.namespace(seen.unit), seen.name)


def changed(status: UnitStatus, reason: Reason | None = None, **changes: object) -> UnitStatus:
    """The status with these changes, told as `reason` says."""
    if reason is not None:
        changes |= {"reason": reason.code, "message": reason.message}
    return msgspec.structs.replace(status, **changes)


def show(
    seen: UnitSeen,
    status: UnitStatus,
    *,
    actions: tuple[Action, ...] = (),
    wake_at: Instant | None = None,
) -> Decision:
    """Write the status as it stands: nothing new has been decided."""
    return Decision(actions=actions, statuses=(written(seen, status),), wake_at=wake_at)


def decided(
    seen: UnitSeen, status: UnitStatus, reason: Reason, *actions: Action, **changes: object
) -> Decision:
    """Do `actions`, then write the status with these changes and the reason for them."""
    status = changed(status, reason, **changes)
    return Decision(actions=actions, statuses=(written(seen, status),), reasons=(reason,))


def wait(seen: UnitSeen, reason: Reason) -> Decision:
    """Say why nothing happens."""
    return show(seen, changed(seen.status, reason))


def written(seen: UnitSeen, status: UnitStatus) -> StatusWrite:
    """The write of a status."""
    return StatusWrite(address(seen), build(status))


def with_status(seen: UnitSeen, status: UnitStatus) -> Object:
    """The unit as it was seen, with this status: for a write that others have to wait for."""
    return {**seen.unit, "status": build(status)}


def bring(seen: UnitSeen, wanted: works.Content, revision: str) -> Action:
    """Make the work, or replace what it says."""
    application = f"{seen.spec.application_namespace}/{seen.spec.application}"
    origin = works.Origin(objects.namespace(seen.unit), seen.name, application, revision)
    work = works.build(origin, wanted, seen.work)
    place = Address(ocm.WORKS, objects.namespace(seen.unit))
    if seen.work is None:
        return Create(place, work)
    return Replace(place._replace(name=seen.name), work)


def tells(action: Action) -> bool:
    """Whether this brings a cluster something new; to take away tells it nothing."""
    return isinstance(action, Create | Replace) and action.address.resource == ocm.WORKS


def take_away(seen: UnitSeen) -> Delete:
    """Delete the work; its agent takes everything off before it is gone."""
    assert seen.work is not None, "a work that is not there was to be deleted"
    place = Address(ocm.WORKS, objects.namespace(seen.unit), seen.name)
    return Delete(place, DeleteOptions(uid=objects.uid(seen.work)))
