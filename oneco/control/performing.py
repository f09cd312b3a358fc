"""Carries decisions out: each action as one API call, fenced by versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from oneco.control.cache import Cache
from oneco.decision import (
    Action,
    Apply,
    Change,
    Create,
    Decision,
    Delete,
    Failure,
    Replace,
    Side,
    StatusWrite,
)
from oneco.kube import objects, secrecy
from oneco.kube.api import Api
from oneco.kube.errors import AlreadyExists, ApiOutage, ApiRefusal, Conflict, NotFound
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource


class Outcome(NamedTuple):
    """How far a performance came; it stops at the first trouble."""

    writes: int = 0
    failure: Failure | None = None
    is_stale: bool = False
    """Somebody wrote in between: look again at once."""
    retry_after_seconds: float | None = None
    """The world failed: look again later."""


class Performer:
    """The hands of one process."""

    def __init__(self, apis: Mapping[Side, Api], cache: Cache) -> None:
        self._apis, self._cache = apis, cache

    async def perform(self, decision: Decision) -> Outcome:
        """Do what `decision` says, in order, until done or in trouble."""
        done = _Done()
        try:
            await self._do(decision, done)
        except _Stale:
            return Outcome(done.writes, is_stale=True)
        except _NoEffectError as kept:
            return Outcome(done.writes, failure=Failure(done.at, "NoEffect", str(kept)))
        except Conflict as conflict:
            if conflict.causes:  # another manager owns a field: looking again will not help
                return _refused(done, conflict)
            return Outcome(done.writes, is_stale=True)
        except ApiRefusal as refusal:
            return _refused(done, refusal)
        except ApiOutage as outage:
            return Outcome(done.writes, retry_after_seconds=outage.retry_after_seconds or 1.0)
        return Outcome(done.writes)

    async def _do(self, decision: Decision, done: _Done) -> None:
        # A status is about what was decided on, and about nothing that came while actions ran.
        decided_on = {id(status): self._version(status) for status in decision.statuses}
        for action in decision.actions:
            done.at, done.body = action.address, _body(action)
            done.writes += await self._act(action)
            for status in decision.statuses:
                if status.address == done.at._replace(subresource=""):
                    decided_on[id(status)] = self._version(status)
        for status in decision.statuses:
            done.at, done.body = status.address, status.status
            done.writes += await self._show(status, decided_on[id(status)])

    async def _act(self, action: Action) -> int:
        match action:
            case Create():
                return await self._create(action)
            case Delete():
                return await self._delete(action)
            case Change():
                return await self._change(action)
            case Apply():
                await self._apply(action)
            case Replace():
                await self._replace(action)
        return 1

    async def _replace(self, action: Replace) -> None:
        try:
            self._learn(action, await self._apis[action.side].replace(action.address, action.body))
        except NotFound as error:
            # Somebody deleted it in between: what is to be done now is for the next look to say.
            raise _Stale from error

    async def _apply(self, action: Apply) -> None:
        table = self._cache.table(action.side, action.address.resource)
        before = table.objects.get((action.address.namespace, action.address.name))
        api = self._apis[action.side]
        after = await api.apply(action.address, action.body, action.options)
        version = objects.resource_version(after)
        if before is not None and version and version == objects.resource_version(before):
            # No event will come of it: who asked must hear of it here, or would wait for ever.
            raise _NoEffectError("the cluster keeps it otherwise than the manifest says")
        self._learn(action, after)

    async def _create(self, action: Create) -> int:
        api = self._apis[action.side]
        try:
            self._learn(action, await api.create(action.address, action.body))
        except AlreadyExists as error:
            place = action.address._replace(name=objects.name(action.body))
            table = self._cache.table(action.side, place.resource)
            is_known = (place.namespace, place.name) in table.objects
            try:
                self._learn(action, await api.get(place))
            except NotFound as gone:
                raise _Stale from gone
            if not is_known:
                # Made before a restart, or by somebody quicker: the decider did not know of it.
                raise _Stale from error
            return 0
        return 1

    async def _delete(self, action: Delete) -> int:
        try:
            await self._apis[action.side].delete(action.address, action.options)
        except NotFound:
            return 0
        return 1

    async def _change(self, action: Change) -> int:
        try:
            changed = await self._apis[action.side].patch(action.address, action.patch)
        except NotFound:
            return 0
        self._learn(action, changed)
        return 1

    async def _show(self, status: StatusWrite, version: str) -> int:
        address = status.address
        current = self._current(status)
        if current is None or current.get("status", {}) == status.status:
            return 0
        if objects.resource_version(current) != version:
            raise _Stale
        body: Object = {**current, "status": status.status}
        place = address._replace(subresource="status")
        try:
            shown = await self._apis[status.side].replace(place, body)
        except NotFound:
            return 0
        self._cache.take(status.side, address.resource, shown)
        return 1

    def _current(self, status: StatusWrite) -> Object | None:
        address = status.address
        table = self._cache.table(status.side, address.resource)
        return table.objects.get((address.namespace, address.name))

    def _version(self, status: StatusWrite) -> str:
        return objects.resource_version(self._current(status) or {})

    def _learn(self, action: Action, obj: Object) -> None:
        self._cache.take(action.side, action.address.resource, obj)


class _NoEffectError(Exception):
    """What was applied changed nothing, though it looked as if it should."""


class _Stale(Exception):
    """What was decided rests on something that is not so any more."""


class _Done:
    """How far a performance has come: how many writes, and where the present one goes."""

    def __init__(self) -> None:
        self.writes, self.at = 0, Address(Resource("", "", ""))
        self.body: Any = None
        """What is being written, for the words of whoever refuses it."""


def _refused(done: _Done, error: ApiRefusal) -> Outcome:
    # The message goes into conditions and journals, and servers quote what they refuse.
    message = secrecy.redacted(error.message, done.body)
    return Outcome(done.writes, failure=Failure(done.at, error.reason, message))


def _body(action: Action) -> Any:
    match action:
        case Delete():
            return None
        case Change():
            return action.patch.body
    return action.body
