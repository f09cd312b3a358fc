"""Puts what a hub needs into a cluster, and takes away what runs there."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Literal, NamedTuple

from oneco.errors import Refused
from oneco.fleet import rights
from oneco.kube import objects
from oneco.kube.api import Api, WriteOptions
from oneco.kube.errors import Forbidden, NotFound, Unauthorized
from oneco.kube.objects import Object
from oneco.kube.refs import Address
from oneco.main import crds, epoch, manifests
from oneco.main.manifests import Placed

Result = Literal["created", "configured", "unchanged", "kept", "removed", "absent"]


class Done(NamedTuple):
    """What became of one object; `kept` is somebody else's or of a newer oneco."""

    object: Object
    result: Result

    @property
    def title(self) -> str:
        """As a person writes it: `Deployment oneco-system/oneco-hub`."""
        place = "/".join(
            part for part in (objects.namespace(self.object), objects.name(self.object)) if part
        )
        return f"{self.object['kind']} {place}"


async def install(api: Api, wanted: Sequence[Placed], *, is_dry: bool = False) -> list[Done]:
    """Apply everything in this order; with `is_dry`, only say what would come of it."""
    return [await _told(_put(api, address, body, is_dry=is_dry)) for address, body in wanted]


async def uninstall(api: Api, *, is_dry: bool = False) -> list[Done]:
    """Take away the process, its webhook and its rights; kinds, objects and clusters stay.

    The rights of agents stay too: agents keep their clusters as they are while nobody decides.
    """
    kept = {epoch.NAMESPACE, *(address for address, _ in rights.for_hub())}
    found = (*manifests.account(), *manifests.process(manifests.IMAGE, 0))
    gone = [one for one in reversed(found) if one[0] not in kept]
    return [await _told(_remove(api, address, body, is_dry=is_dry)) for address, body in gone]


async def _told(work: Awaitable[Done]) -> Done:
    try:
        return await work
    except (Forbidden, Unauthorized) as refusal:
        wanted = "an administrator's kubeconfig: rights can only be given by who has them"
        raise Refused("the cluster", found=refusal.message, wanted=wanted) from refusal


async def _put(api: Api, address: Address, body: Object, *, is_dry: bool) -> Done:
    before = await _found(api, address)
    is_kind = address.resource == crds.DEFINITIONS
    if is_kind and before is not None and not crds.is_replaceable(before, body):
        crds.check(before, body)
        return Done(body, "unchanged" if crds.is_same(before, body) else "kept")
    if before is None and is_dry:
        # Its namespace may not be there yet, so that the server cannot be asked.
        return Done(body, "created")
    options = WriteOptions(manager="oneco-install", force=True, dry_run=is_dry)
    after = await api.apply(address, body, options)
    if before is None:
        return Done(body, "created")
    is_same = _said(before) == _said(after)
    return Done(body, "unchanged" if is_same else "configured")


async def _remove(api: Api, address: Address, body: Object, *, is_dry: bool) -> Done:
    if await _found(api, address) is None:
        return Done(body, "absent")
    if not is_dry:
        await api.delete(address)
    return Done(body, "removed")


async def _found(api: Api, address: Address) -> Object | None:
    try:
        return await api.get(address)
    except NotFound:
        return None


def _said(obj: Object) -> Object:
    """The object without what every write changes."""
    for field in ("managedFields", "resourceVersion", "generation"):
        obj = objects.drop(obj, ("metadata", field))
    return objects.drop(obj, ("status",))
