"""Which life of the hub this is: a start from a copy begins a new one, which people confirm."""

from __future__ import annotations

import contextlib
import secrets

from oneco.fleet import rights
from oneco.kinds import ocm
from oneco.kube import objects
from oneco.kube.api import Api, Patch, WriteOptions
from oneco.kube.errors import AlreadyExists, NotFound
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource

SYSTEM_NAMESPACE = "oneco-system"
_NAMESPACES = Resource("", "v1", "namespaces")
NAMESPACE = Address(_NAMESPACES, "", SYSTEM_NAMESPACE)
_CONFIG_MAPS = Resource("", "v1", "configmaps")
_PLACE = Address(_CONFIG_MAPS, SYSTEM_NAMESPACE, "hub-epoch")


async def begin(hub: Api, *, is_copy: bool) -> str:
    """The epoch of this start: the last one again, or a new one for a copy or a new hub."""
    await _make_namespace(hub)
    last = await _last(hub)
    if last and not is_copy:
        return last
    epoch = secrets.token_hex(8)
    # First of all: an agent must not read a work of this life under the mark of another one.
    await _mark_clusters(hub, epoch)
    body: Object = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": _PLACE.name, "namespace": SYSTEM_NAMESPACE},
        "data": {"epoch": epoch},
    }
    await hub.apply(_PLACE, body, WriteOptions(force=True))
    return epoch


async def confirm(hub: Api, cluster: str) -> None:
    """Let this life of the hub act on `cluster`, as only a person may decide."""
    address = Address(ocm.CLUSTERS, "", cluster)
    marks = objects.annotations_of(await hub.get(address))
    epoch = marks.get(ocm.HUB_EPOCH_ANNOTATION, "")
    await hub.patch(address, _annotation(ocm.CONFIRMED_EPOCH_ANNOTATION, epoch))


async def _mark_clusters(hub: Api, epoch: str) -> None:
    page = await hub.list(Address(ocm.CLUSTERS))
    for name in map(objects.name, page.items):
        marked = await hub.patch(
            Address(ocm.CLUSTERS, "", name), _annotation(ocm.HUB_EPOCH_ANNOTATION, epoch)
        )
        if rights.is_withheld(marked):
            _, works, _ = rights.addresses(name)
            with contextlib.suppress(NotFound):
                await hub.delete(works)


def _annotation(key: str, value: str) -> Patch:
    return Patch("merge", {"metadata": {"annotations": {key: value}}})


def namespace() -> Object:
    """The hub's own namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM_NAMESPACE}}


async def _make_namespace(hub: Api) -> None:
    try:
        await hub.create(Address(_NAMESPACES), namespace())
    except AlreadyExists:
        return


async def _last(hub: Api) -> str:
    try:
        found = await hub.get(_PLACE)
    except NotFound:
        return ""
    return str(objects.dig(found, "data", "epoch", default=""))
