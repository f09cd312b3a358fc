"""Teaches a cluster our kinds, never over a newer definition that is somebody else's."""

from __future__ import annotations

from collections.abc import Iterable

from oneco.kinds import crds
from oneco.kube import objects
from oneco.kube.api import Api, WriteOptions
from oneco.kube.errors import NotFound
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource

DEFINITIONS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions")
_OWNER_ANNOTATION = "onepersoncompany.io/generated"
_MEMBER_KINDS = frozenset({"AppliedManifestWork"})


def for_hub() -> tuple[Object, ...]:
    """What a hub must know."""
    return crds.all()


def for_member() -> tuple[Object, ...]:
    """What a member must know."""
    found = crds.all()
    return tuple(one for one in found if one["spec"]["names"]["kind"] in _MEMBER_KINDS)


async def install(api: Api, wanted: Iterable[Object]) -> None:
    """Put the definitions in place; one that somebody else put there stays as it is."""
    for definition in wanted:
        address = Address(DEFINITIONS, "", objects.name(definition))
        try:
            there = await api.get(address)
        except NotFound:
            there = None
        marked = objects.put(definition, ("metadata", "annotations", _OWNER_ANNOTATION), "true")
        if there is None or _OWNER_ANNOTATION in objects.annotations_of(there):
            await api.apply(address, marked, WriteOptions(manager="oneco", force=True))
