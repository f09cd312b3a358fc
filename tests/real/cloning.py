"""A CloneSet as an Application of one cluster, and how far its versions reach there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from oneco.kinds import kruise
from oneco.kinds.oam import APPLICATIONS
from oneco.kinds.parts import parse
from oneco.kinds.release import FINAL_PHASES, RELEASES, UNITS, ReleaseStatus
from oneco.kube import objects
from oneco.kube.api import Api, WriteOptions
from oneco.kube.errors import AlreadyExists
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource
from tests.real import company

NAMESPACE, NAME, PODS = "clones", "clones", 4
"""A namespace of their own: the other Application's pods are counted in the default one."""
CLONE_SET = Address(kruise.CLONE_SETS, NAMESPACE, NAME)
_NAMESPACES = Address(Resource("", "v1", "namespaces"))
_PODS = Address(Resource("", "v1", "pods"), NAMESPACE)
_LOOK_SECONDS = 0.1


async def prepare(hub: Api) -> None:
    """Make the namespace of the Application."""
    with contextlib.suppress(AlreadyExists):
        await hub.create(_NAMESPACES, {"metadata": {"name": NAMESPACE}})


async def apply(hub: Api, version: str, cluster: str, **policy: Any) -> None:
    """Apply the Application at one version."""
    labels = {"app": NAME}
    pod = {"containers": [{"name": "web", "image": company.image(version)}]}
    spec = {
        "replicas": PODS,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }
    manifest = {
        "apiVersion": kruise.CLONE_SETS.api_version,
        "kind": "CloneSet",
        "metadata": {"name": NAME},
        "spec": spec,
    }
    only = {"name": "only", "type": "topology", "properties": {"clusters": [cluster]}}
    gently = {"name": "gently", "type": "release", "properties": policy}
    component = {"name": NAME, "type": "k8s-objects", "properties": {"objects": [manifest]}}
    body = {
        "apiVersion": APPLICATIONS.api_version,
        "kind": "Application",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {"components": [component], "policies": [only, gently]},
    }
    address = Address(APPLICATIONS, NAMESPACE, NAME)
    await hub.apply(address, body, WriteOptions(manager="person", force=True))


async def delete(hub: Api, member: Api) -> None:
    """Delete the Application, and wait until nothing of it is left."""
    await hub.delete(Address(APPLICATIONS, NAMESPACE, NAME))

    async def is_gone() -> bool:
        return not await company.exists(member, CLONE_SET) and not await _unit(hub)

    await company.until(is_gone, "the CloneSet never went", hub)


async def ending(hub: Api, number: int) -> ReleaseStatus:
    """How the release with this number ended."""

    async def look() -> ReleaseStatus | None:
        page = await hub.list(Address(RELEASES, NAMESPACE))
        found = [one for one in page.items if objects.name(one) == f"{NAME}-v{number}"]
        status = parse(ReleaseStatus, found[0].get("status"), "status") if found else None
        return status if status is not None and status.phase in FINAL_PHASES else None

    return await company.until(look, f"release {number} did not end", hub)


@contextlib.asynccontextmanager
async def counted(hub: Api, member: Api, version: str) -> AsyncIterator[dict[int, int]]:
    """By batch, the most pods of `version` that were there, kept up while the context lasts."""
    most: dict[int, int] = {}
    task = asyncio.create_task(_count(hub, member, version, most))
    try:
        yield most
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _count(hub: Api, member: Api, version: str, most: dict[int, int]) -> None:
    while True:
        living = [one for one in (await member.list(_PODS)).items if not objects.is_deleting(one)]
        new = sum(company.image_of(one) == company.image(version) for one in living)
        # Asked afterwards: pods are never ahead of the batch that lets them be.
        batch = objects.dig(await _unit(hub), "status", "batch", default=0)
        if new:
            most[batch] = max(most.get(batch, 0), new)
        await asyncio.sleep(_LOOK_SECONDS)


async def _unit(hub: Api) -> Object:
    page = await hub.list(Address(UNITS))
    return next((one for one in page.items if objects.name(one).startswith(f"{NAME}-")), {})
