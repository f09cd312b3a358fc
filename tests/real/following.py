"""The pods of a member's default namespace, as anybody can see them from outside."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from oneco.kube import objects
from oneco.kube.api import Api, WatchOptions
from oneco.kube.errors import ApiOutage
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource

PODS = Address(Resource("", "v1", "pods"), "default")
See = Callable[[dict[str, Object]], None]
_PAUSE_SECONDS = 0.1


@contextlib.asynccontextmanager
async def following(member: Api, *watching: See) -> AsyncIterator[None]:
    """While the context lasts, each is shown the pods by name, now and at every change."""
    task = asyncio.create_task(_follow(member, watching))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _follow(member: Api, watching: tuple[See, ...]) -> None:
    while True:
        with contextlib.suppress(ApiOutage):
            page = await member.list(PODS)
            pods = {objects.name(one): one for one in page.items}
            _show(pods, watching)
            options = WatchOptions(from_version=page.resource_version, bookmarks=False)
            async for event in member.watch(PODS, options):
                pods[objects.name(event.object)] = event.object
                if event.type == "DELETED":
                    del pods[objects.name(event.object)]
                _show(pods, watching)
        await asyncio.sleep(_PAUSE_SECONDS)


def _show(pods: dict[str, Object], watching: tuple[See, ...]) -> None:
    for see in watching:
        see(pods)
