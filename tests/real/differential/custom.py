"""Custom kinds that are served in both worlds before cases use them."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from oneco.kube.api import Api, ListOptions, Patch
from oneco.kube.errors import ApiError, NotFound
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource
from tests.real.differential.comparing import Pair

DEFINITIONS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions")
_PATIENCE_SECONDS = 30.0


def definition(schema: Mapping[str, Any], *, group: str = "", status: bool = True) -> Object:
    """A definition of `Thing` in a group of its own, with this schema."""
    group = group or f"g{uuid.uuid4().hex[:8]}.example.io"
    version: dict[str, Any] = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
    }
    if status:
        version["subresources"] = {"status": {}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "things", "kind": "Thing"},
            "versions": [version],
        },
    }


def resource_of(crd: Object) -> Resource:
    """Where objects of the storage version are."""
    spec = crd["spec"]
    version = next(one["name"] for one in spec["versions"] if one["storage"])
    return Resource(spec["group"], version, spec["names"]["plural"])


@contextlib.contextmanager
def served(pair: Pair, *crds: Object) -> Iterator[None]:
    """The definitions, served in both worlds until the context ends."""
    pair.runner.run(_serve(pair, crds))
    try:
        yield
    finally:
        pair.runner.run(_withdraw(pair.theirs, crds))


async def _serve(pair: Pair, crds: tuple[Object, ...]) -> None:
    for api in (pair.ours, pair.theirs):
        await asyncio.gather(*(api.create(Address(DEFINITIONS), crd) for crd in crds))
    for crd in crds:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not await _is_served(pair.theirs, resource_of(crd)):
                await asyncio.sleep(0.05)


async def _is_served(api: Api, resource: Resource) -> bool:
    try:
        await api.list(Address(resource), ListOptions(limit=1))
    except ApiError:
        return False
    return True


async def _withdraw(api: Api, crds: tuple[Object, ...]) -> None:
    places = [Address(DEFINITIONS, name=crd["metadata"]["name"]) for crd in crds]
    for crd, place in zip(crds, places, strict=True):
        await _free(api, Address(resource_of(crd)))
        await api.delete(place)
    async with asyncio.timeout(_PATIENCE_SECONDS):
        for place in places:
            while await _is_there(api, place):
                await asyncio.sleep(0.05)


async def _free(api: Api, collection: Address) -> None:
    """Take the finalizers away that would keep the objects, and so their definition."""
    for obj in (await api.list(collection)).items:
        meta = obj["metadata"]
        if meta.get("finalizers"):
            at = collection._replace(name=meta["name"], namespace=meta.get("namespace") or "")
            await api.patch(at, Patch("merge", {"metadata": {"finalizers": None}}))


async def _is_there(api: Api, place: Address) -> bool:
    try:
        await api.get(place)
    except NotFound:
        return False
    return True
