"""Words that the cases share: resources, bodies, and what to wait for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from oneco.kube.api import Api, Event, WatchOptions
from oneco.kube.errors import NotFound
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource

CONFIG_MAPS = Resource("", "v1", "configmaps")
NAMESPACES = Resource("", "v1", "namespaces")
NODES = Resource("", "v1", "nodes")
PODS = Resource("", "v1", "pods")
SECRETS = Resource("", "v1", "secrets")
SERVICES = Resource("", "v1", "services")
DEPLOYMENTS = Resource("apps", "v1", "deployments")
REPLICA_SETS = Resource("apps", "v1", "replicasets")
LEASES = Resource("coordination.k8s.io", "v1", "leases")
DEFINITIONS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions")

PATIENCE_SECONDS = 20.0


def config_map(name: str, data: dict[str, str] | None = None, **meta: Any) -> Object:
    body: dict[str, Any] = {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **meta},
    }  # fmt: skip
    return body | ({"data": data} if data is not None else {})


def pod(name: str, **spec: Any) -> Object:
    containers = [{"name": "main", "image": "registry.example/app:1"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": containers, **spec},
    }


def deployment(name: str, **spec: Any) -> Object:
    """A paused Deployment: no controller makes pods of it."""
    template = {"metadata": {"labels": {"app": name}}, "spec": pod("x")["spec"]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 2,
            "paused": True,
            "selector": {"matchLabels": {"app": name}},
            "template": template,
            **spec,
        },
    }


def service(name: str, **spec: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"ports": [{"port": 80}], **spec},
    }


def owner_reference(owner: Object, **more: Any) -> dict[str, Any]:
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        **more,
    }


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return when the condition holds: at once in memory, after a while where others work."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE_SECONDS
    while not await condition():
        assert loop.time() < end, "it did not become true"
        await asyncio.sleep(0.05)


async def is_gone(api: Api, address: Address) -> bool:
    try:
        await api.get(address)
    except NotFound:
        return True
    return False


class Watching:
    """A watch that a case reads event by event, bookmarks left out."""

    def __init__(self, api: Api, address: Address, options: WatchOptions = WatchOptions()) -> None:
        self._events: AsyncIterator[Event] = api.watch(address, options)

    async def __aenter__(self) -> Watching:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._events.aclose()  # type: ignore[attr-defined]

    async def next(self) -> Event:
        """The next event that is no bookmark."""
        while True:
            event = await self.next_of_any_type()
            if event.type != "BOOKMARK":
                return event

    async def next_of_any_type(self) -> Event:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await anext(self._events)

    async def seen(self) -> tuple[str, str]:
        """The type and the name of the next event."""
        event = await self.next()
        return event.type, event.object["metadata"]["name"]
