"""Teaches a cluster our kinds, never over a newer definition nor over one of somebody else."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterable, Sequence
from typing import Final

import oneco
from oneco.clock import Clock, Instant
from oneco.errors import Refused, Unavailable
from oneco.kinds import crds
from oneco.kinds.catalogue import KINDS
from oneco.kinds.naming import digest
from oneco.kube import objects
from oneco.kube.api import Api, ListOptions, WriteOptions
from oneco.kube.errors import ApiOutage, Forbidden, NotFound
from oneco.kube.objects import Object, dig
from oneco.kube.refs import Address, Resource

DEFINITIONS: Final = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions")
GENERATED_ANNOTATION: Final = "onepersoncompany.io/generated"
"""On a definition that is ours: the hash of what we wrote."""
VERSION_ANNOTATION: Final = "onepersoncompany.io/version"
"""The version of oneco that wrote it."""
_MEMBER_KINDS: Final = frozenset({"AppliedManifestWork"})
_LOOKS, _PAUSE_SECONDS = 300, 0.1


def for_hub() -> tuple[Object, ...]:
    """What a hub must know."""
    return crds.all()


def for_member() -> tuple[Object, ...]:
    """What a member must know."""
    # Those of the others are not even made: an agent would hold them all its life.
    return tuple(map(crds.definition, (one for one in KINDS if one.kind in _MEMBER_KINDS)))


def marked(definition: Object) -> Object:
    """The definition as we install it, with the marks by which we know it again."""
    own = {
        GENERATED_ANNOTATION: digest(objects.encode(definition).decode()),
        VERSION_ANNOTATION: oneco.__version__,
    }
    return objects.put(definition, ("metadata", "annotations"), own)


@functools.cache
def for_own_member() -> tuple[Object, ...]:
    """What a member of this process must know: OpenKruise's kinds too, which it plays itself."""
    return (*for_member(), *crds.kruise())


async def install(api: Api, wanted: Iterable[Object]) -> None:
    """Put the definitions in place; one of somebody else or of a newer oneco stays as it is.

    Refused where what stays does not serve what we need.
    """
    await asyncio.gather(*(_install(api, one) for one in wanted))


async def served(api: Api, wanted: Sequence[Object], clock: Clock) -> None:
    """Return when the server serves all of the definitions."""
    for definition in wanted:
        address = Address(DEFINITIONS, "", objects.name(definition))
        for _ in range(_LOOKS):
            there = await api.get(address)
            if _is_established(there) and await _answers(api, definition):
                break
            await clock.sleep_until(Instant(clock.now() + _PAUSE_SECONDS))
        else:
            raise Unavailable(f"{objects.name(definition)} is not served yet: {_conditions(there)}")


async def _answers(api: Api, definition: Object) -> bool:
    """Whether its objects can be read: a real server says so a little before they can."""
    spec = definition["spec"]
    resource = Resource(spec["group"], spec["versions"][0]["name"], spec["names"]["plural"])
    try:
        await api.list(Address(resource), ListOptions(limit=1))
    except (ApiOutage, NotFound):
        return False
    except Forbidden:
        pass
    return True


async def _install(api: Api, definition: Object) -> None:
    address = Address(DEFINITIONS, "", objects.name(definition))
    try:
        there = await api.get(address)
    except NotFound:
        there = None
    wanted = marked(definition)
    if there is not None and not is_replaceable(there, wanted):
        return check(there, definition)
    try:
        await api.apply(address, wanted, WriteOptions(manager="oneco", force=True))
    except Forbidden as refusal:
        found = "none" if there is None else "that of another version"
        how = "it there: `oneco install` as an administrator writes what a hub needs"
        raise Refused(str(address), found=f"{found} ({refusal})", wanted=how) from refusal


def is_outdated(there: Object, definition: Object) -> bool:
    """Whether what is there is an older one of ours."""
    return is_replaceable(there, marked(definition))


def is_same(there: Object, wanted: Object) -> bool:
    """Whether what is there is what we would write."""
    marks, own = objects.annotations_of(there), objects.annotations_of(wanted)
    return marks.get(GENERATED_ANNOTATION) == own[GENERATED_ANNOTATION]


def is_replaceable(there: Object, wanted: Object) -> bool:
    """Whether what is there is ours, not newer, and would change."""
    marks, own = objects.annotations_of(there), objects.annotations_of(wanted)
    if GENERATED_ANNOTATION not in marks or is_same(there, wanted):
        return False
    return _version(marks.get(VERSION_ANNOTATION, "")) <= _version(own[VERSION_ANNOTATION])


def check(there: Object, definition: Object) -> None:
    """Refused where the definition that stays does not serve what we need."""
    needed = dig(definition, "spec", "versions", 0)
    where = f"customresourcedefinition {objects.name(there)}"
    if dig(there, "spec", "scope") != definition["spec"]["scope"]:
        wanted = f"one with the scope {definition['spec']['scope']}"
        raise Refused(where, found=f"the scope {dig(there, 'spec', 'scope')}", wanted=wanted)
    versions = {one["name"]: one for one in dig(there, "spec", "versions", default=())}
    one = versions.get(needed["name"])
    if one is None or not one.get("served"):
        names = ", ".join(name for name, each in versions.items() if each.get("served"))
        wanted = f"one that serves {needed['name']}; it is somebody else's and stays as it is"
        raise Refused(where, found=f"one that serves {names or 'nothing'}", wanted=wanted)
    if "subresources" in needed and "status" not in (one.get("subresources") or {}):
        wanted = "one with the subresource status; it is somebody else's and stays as it is"
        raise Refused(where, found=f"{needed['name']} without status", wanted=wanted)


def _is_established(there: Object) -> bool:
    conditions = dig(there, "status", "conditions", default=())
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)


def _conditions(there: Object) -> str:
    bad = [
        f"{one['type']}: {one.get('message') or one.get('reason')}"
        for one in dig(there, "status", "conditions", default=())
        if one["status"] != "True"
    ]
    return "; ".join(bad) or "its server has not looked at it"


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdecimal() else 0 for part in text.split("."))
