"""Applying what was planned: in an order in which each object finds what it needs."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from oneco.cli import changes
from oneco.cli.changes import Change, Changes, Request, Surplus
from oneco.cli.served import Served, discover
from oneco.clock import Clock, Instant
from oneco.errors import Refused, Unavailable
from oneco.kube import objects
from oneco.kube.api import Api, DeleteOptions, WriteOptions
from oneco.kube.errors import NotFound
from oneco.kube.objects import Object
from oneco.kube.refs import kind_of

Result = Literal["created", "configured", "unchanged", "pruned"]

_WORDS: Final[dict[str, Result]] = {
    "added": "created",
    "changed": "configured",
    "unchanged": "unchanged",
}
_LOOKS: Final = 40
_PAUSE_SECONDS: Final = 0.25


class Applied(NamedTuple):
    """What became of one object."""

    object: Object
    result: Result

    @property
    def title(self) -> str:
        """As a person writes it: `Application default/shop`."""
        place = "/".join(
            part for part in (objects.namespace(self.object), objects.name(self.object)) if part
        )
        return f"{self.object['kind']} {place}"


def announced(planned: Changes, *, prunes: bool) -> list[Applied]:
    """What applying would do, without doing it."""
    rows = [Applied(_whole(one.becomes, one), _WORDS[one.verdict]) for one in planned.changes]
    if prunes:
        rows += [Applied(one.object, "pruned") for one in planned.surplus]
    return rows


async def carry_out(api: Api, clock: Clock, request: Request, planned: Changes) -> list[Applied]:
    """Apply every object; the answer is in the order of application."""
    served = await discover(api)
    done: list[Applied] = []
    for change in planned.changes:
        kind = kind_of(change.wanted)
        looks = 0
        while served.find(kind) is None:
            # A definition that was just applied takes a moment until it is served.
            looks += 1
            if looks > _LOOKS:
                raise Unavailable(f"{change.document.where()}: {kind.kind} is not served yet")
            await clock.sleep_until(Instant(clock.now() + _PAUSE_SECONDS))
            served = await discover(api)
        done.append(await _apply(api, served, request, change))
    return done


async def prune(api: Api, surplus: tuple[Surplus, ...]) -> list[Applied]:
    """Delete what is in no file any more, exactly those objects that were shown."""
    done: list[Applied] = []
    for one in surplus:
        try:
            await api.delete(one.address, DeleteOptions(uid=objects.uid(one.object)))
        except NotFound:
            continue
        done.append(Applied(one.object, "pruned"))
    return done


async def _apply(api: Api, served: Served, request: Request, change: Change) -> Applied:
    address = served.address(change.wanted)
    options = WriteOptions(field_validation="Strict", force=request.force)
    try:
        after = await api.apply(address, change.wanted, options)
    except Refused as refusal:
        raise changes.placed_refusal(change.document, refusal) from refusal
    return Applied(_whole(after, change), _WORDS[change.verdict])


def _whole(after: Object, change: Change) -> Object:
    """What a server answered, with the kind that lists leave out."""
    named = {key: change.wanted[key] for key in ("apiVersion", "kind")}
    return {**named, **after}
