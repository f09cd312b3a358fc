"""The small Application that tests release to real clusters, and who releases it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from oneco.kinds import ocm
from oneco.kinds.oam import APPLICATIONS
from oneco.kinds.parts import parse
from oneco.kinds.release import FINAL_PHASES, RELEASES, ReleaseStatus
from oneco.kube import objects
from oneco.kube.api import Api, ListOptions, Match, WriteOptions
from oneco.kube.errors import ApiOutage, NotFound
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource
from oneco.main import adding
from oneco.main.connecting import Choice
from tests.real.cluster import RealCluster
from tests.real.following import PODS

NAMESPACE, NAME = "default", "shop"
APPLICATION = Address(APPLICATIONS, NAMESPACE, NAME)
DEPLOYMENT = Address(Resource("apps", "v1", "deployments"), NAMESPACE, "web")
SERVICE = Address(Resource("", "v1", "services"), NAMESPACE, "web")
OWN_PODS = "app.oam.dev/component=web"
"""Other tests share the clusters, and may have left pods of their own."""
REPLICAS = 4
BATCHES = (1, 2, 4)
SILENCE_SECONDS = 3.0
POLICY = {
    "batches": ["25%", "50%", "100%"],
    "batchSilence": f"{SILENCE_SECONDS:g}s",
    "progressDeadline": "3m",
    "onFailure": "Rollback",
    "waves": [
        {"name": "test", "environments": ["test"]},
        {"name": "production", "environments": ["production"]},
    ],
}
_PATIENCE_SECONDS = 90.0
_LOOK_SECONDS = 0.1
_OPTIONS = WriteOptions(manager="person", force=True)

Result = TypeVar("Result")


def image(version: str) -> str:
    """The image of a version; nodes crash it if the version ends in `-bad`."""
    return f"registry.example/web:{version}"


def application(version: str) -> Object:
    """The Application at one version."""
    web = {
        "name": "web",
        "type": "webservice",
        "properties": {
            "image": image(version),
            "ports": [{"port": 8080, "name": "http", "expose": True}],
        },
        "traits": [{"type": "scaler", "properties": {"replicas": REPLICAS}}],
    }
    policy = {"name": "gently", "type": "release", "properties": POLICY}
    return {
        "apiVersion": APPLICATIONS.api_version,
        "kind": "Application",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {"components": [web], "policies": [policy]},
    }


async def join(hub: Api, members: dict[str, RealCluster]) -> None:
    """Add each member by its kubeconfig; a member's name is its environment."""
    for name, cluster in members.items():
        labels = {ocm.ENVIRONMENT_LABEL: name}
        await adding.add(hub, name, Choice(kubeconfig=str(cluster.kubeconfig)), labels)


async def apply(hub: Api, version: str) -> None:
    """Apply the Application at one version."""
    await hub.apply(APPLICATION, application(version), _OPTIONS)


async def ending(hub: Api, number: int) -> ReleaseStatus:
    """How the release with this number ended."""

    async def look() -> ReleaseStatus | None:
        status = await release(hub, number)
        return status if status is not None and status.phase in FINAL_PHASES else None

    return await until(look, f"release {number} did not end", hub)


async def release(hub: Api, number: int) -> ReleaseStatus | None:
    """The status of the release with this number, if there is one."""
    page = await hub.list(Address(RELEASES, NAMESPACE))
    name = f"{NAME}-v{number}"
    found = next((one for one in page.items if objects.name(one) == name), None)
    return None if found is None else parse(ReleaseStatus, found.get("status"), "status")


async def until(
    look: Callable[[], Awaitable[Result | None]], otherwise: str, hub: Api | None = None
) -> Result:
    """The first answer of `look` that is not None or False."""
    limit = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < limit:
        found = await look()
        if found:
            return found
        await asyncio.sleep(_LOOK_SECONDS)
    raise AssertionError(f"{otherwise}\n{await _story(hub) if hub else ''}")


async def _story(hub: Api) -> str:
    """What the hub says of the Application, its releases and units."""
    told: list[Any] = []
    for resource in ("applications", "releases", "releaseunits"):
        group = APPLICATIONS.group if resource == "applications" else RELEASES.group
        version = APPLICATIONS.version if resource == "applications" else RELEASES.version
        page = await hub.list(Address(Resource(group, version, resource), ""))
        told += [(resource, objects.name(one), one.get("status")) for one in page.items]
    return "\n".join(map(str, told))


async def settled(member: Api) -> Object:
    """The Deployment, once its controller counts every pod as available."""

    async def look() -> Object | None:
        live = await member.get(DEPLOYMENT)
        count = objects.dig(live, "status", "availableReplicas", default=0)
        is_seen = objects.dig(live, "status", "observedGeneration") == objects.generation(live)
        return live if is_seen and count == REPLICAS else None

    return await until(look, "the pods never became available")


async def exists(member: Api, address: Address) -> bool:
    """Whether a member has an object there."""
    try:
        await member.get(address)
    except NotFound:
        return False
    return True


async def runs(member: Api, version: str) -> bool:
    """Whether all pods of a member are ready and of this version."""
    try:
        page = await member.list(PODS, ListOptions(match=Match(labels=OWN_PODS)))
    except (ApiOutage, NotFound):
        return False
    living = [one for one in page.items if not objects.is_deleting(one)]
    good = [one for one in living if is_ready(one) and image_of(one) == image(version)]
    return len(good) == len(living) == REPLICAS


def image_of(pod: Object) -> str:
    """The image of a pod."""
    return str(pod["spec"]["containers"][0]["image"])


def is_ready(pod: Object) -> bool:
    """Whether a pod is ready."""
    conditions = objects.dig(pod, "status", "conditions", default=())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
