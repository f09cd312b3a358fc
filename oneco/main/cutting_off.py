"""Ending what agents of denied clusters watch on a hub that is another's API server.

Roles end the next request there, not a watch that is open, and how long that lasts is for whoever
opened it to say. When the definition of a kind changes, an API server ends all watches of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from oneco.clock import Clock, Instant
from oneco.errors import Refused
from oneco.fleet import rights
from oneco.kinds import ocm
from oneco.kinds.release import OBSERVATIONS
from oneco.kube.api import Api, Patch
from oneco.kube.errors import Forbidden, NotFound
from oneco.kube.objects import dig
from oneco.kube.refs import Address, Resource
from oneco.main import authority_change
from oneco.main.crds import DEFINITIONS

_ADDONS: Final = Resource("addon.open-cluster-management.io", "v1alpha1", "managedclusteraddons")
_WATCHED: Final = (ocm.WORKS, ocm.CLUSTERS, OBSERVATIONS, _ADDONS)
_PATIENCE_SECONDS, _LOOK_SECONDS = 10.0, 0.1


async def cut_off(hub: Api, clusters: Sequence[str], clock: Clock) -> None:
    """End the open watches of these denied clusters' agents; Refused where that is not possible.

    A hub that `oneco up` is does it by itself, with every denial. Everybody else's watches of these
    kinds end too, and go on where they were.
    """
    if await authority_change.is_kept_by(hub):
        return
    until = clock.now() + _PATIENCE_SECONDS
    while held := [name for name in clusters if await _has_rights(hub, name)]:
        if clock.now() > until:
            found = f"the rights of the agent of {', '.join(held)} still there, after the denial"
            wanted = "a process that works for this hub: `oneco up --kubeconfig` takes them away"
            raise Refused("the hub", found=found, wanted=wanted)
        await clock.sleep_until(Instant(clock.now() + _LOOK_SECONDS))
    try:
        for resource in _WATCHED:
            await _end_watches(hub, resource)
    except Forbidden as refusal:
        found = f"one of somebody who may not end watches ({refusal})"
        wanted = (
            "that of an administrator: what agents of denied clusters ask is refused, but what they"
            " watch already goes on until then"
        )
        raise Refused("kubeconfig", found=found, wanted=wanted) from refusal


async def _has_rights(hub: Api, cluster: str) -> bool:
    for address in rights.addresses(cluster):
        try:
            await hub.get(address)
        except NotFound:
            continue
        return True
    return False


async def _end_watches(hub: Api, resource: Resource) -> None:
    """Change the definition as little as can be: what it says of itself gains or loses a blank."""
    address = Address(DEFINITIONS, "", f"{resource.plural}.{resource.group}")
    try:
        definition = await hub.get(address)
    except NotFound:
        return
    versions = dig(definition, "spec", "versions", default=())
    said = dig(versions[0], "schema", "openAPIV3Schema", "description", default="")
    path = "/spec/versions/0/schema/openAPIV3Schema/description"
    text = said[:-1] if said.endswith(" ") else f"{said} "
    await hub.patch(address, Patch("json", [{"op": "add", "path": path, "value": text}]))
