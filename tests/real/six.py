"""Six small Applications, one for each workload kind, and what becomes of their pods."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from oneco.kinds.oam import APPLICATIONS
from oneco.kinds.parts import parse
from oneco.kinds.release import FINAL_PHASES, RELEASES, UNITS, ReleaseStatus
from oneco.kube import objects, readiness
from oneco.kube.api import Api, WriteOptions
from oneco.kube.errors import ApiOutage, NotFound
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Kind, Resource
from oneco.main.up import UpOptions, running
from oneco.release.works import plural
from oneco.worlds.cluster.client import connect
from tests.real import company
from tests.real.cluster import RealCluster
from tests.real.following import following

NAMESPACE = "default"
PODS_WANTED = 4
GATES = (1, 2, 4)
SILENCE_SECONDS = 2.0
POLICY = {
    "batches": ["25%", "50%", "100%"],
    "batchSilence": f"{SILENCE_SECONDS:g}s",
    "progressDeadline": "3m",
    "onFailure": "Rollback",
}
KINDS: Mapping[str, Kind] = {
    "deployment": Kind("apps", "v1", "Deployment"),
    "stateful": Kind("apps", "v1", "StatefulSet"),
    "daemon": Kind("apps", "v1", "DaemonSet"),
    "clone": Kind("apps.kruise.io", "v1alpha1", "CloneSet"),
    "advanced-stateful": Kind("apps.kruise.io", "v1beta1", "StatefulSet"),
    "advanced-daemon": Kind("apps.kruise.io", "v1alpha1", "DaemonSet"),
}
SIZED = tuple(name for name, kind in KINDS.items() if kind.kind != "DaemonSet")
_PATIENCE_SECONDS = 100.0
_OPTIONS = WriteOptions(manager="person", force=True)

Result = TypeVar("Result")


def address(name: str) -> Address:
    """Where the workload of an Application stands in a member."""
    kind = KINDS[name]
    return Address(Resource(kind.group, kind.version, plural(kind)), NAMESPACE, name)


def image(version: str) -> str:
    """The image of a version; nodes crash it if the version ends in `-bad`."""
    return f"registry.example/app:{version}"


def workload(name: str, version: str, **spec: Any) -> Object:
    """The workload of one kind at one version."""
    kind = KINDS[name]
    size = {} if kind.kind == "DaemonSet" else {"replicas": PODS_WANTED}
    service = {"serviceName": name} if kind.kind == "StatefulSet" else {}
    containers = [{"name": "app", "image": image(version)}]
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": containers}}
    wanted = {"selector": {"matchLabels": {"app": name}}, "template": template}
    made = {**size, **service, **wanted, **spec}
    return {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "metadata": {"name": name},
        "spec": {key: part for key, part in made.items() if part is not None},
    }


def application(name: str, manifest: Object, **policy: Any) -> Object:
    """An Application that brings one workload."""
    component = {"name": name, "type": "k8s-objects", "properties": {"objects": [manifest]}}
    gently = {"name": "gently", "type": "release", "properties": {**POLICY, **policy}}
    return {
        "apiVersion": APPLICATIONS.api_version,
        "kind": "Application",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"components": [component], "policies": [gently]},
    }


@dataclasses.dataclass(slots=True)
class Pods:
    """The pods of one Application in the member, and how far one version of it has reached."""

    name: str
    version: str
    living: Mapping[str, Object] = dataclasses.field(default_factory=dict)
    reached: dict[int, float] = dataclasses.field(default_factory=dict)
    most: int = 0
    fewest_ready: int = 1_000

    def see(self, pods: Mapping[str, Object]) -> None:
        """Take in what is there now."""
        self.living = {
            name: pod
            for name, pod in pods.items()
            if objects.labels(pod).get("app") == self.name and not objects.is_deleting(pod)
        }
        new = self.new()
        for count in range(1, new + 1):
            self.reached.setdefault(count, time.monotonic())
        self.most = max(self.most, new)
        self.fewest_ready = min(self.fewest_ready, self.ready())

    def new(self) -> int:
        """How many are of the version."""
        return sum(company.image_of(pod) == image(self.version) for pod in self.living.values())

    def ready(self) -> int:
        """How many are ready."""
        return sum(map(readiness.is_ready, self.living.values()))

    def pauses(self) -> Sequence[float]:
        """The seconds from the first pod of each batch to the first of the next."""
        starts = [self.reached[before + 1] for before in (0, *GATES[:-1])]
        return [later - sooner for sooner, later in itertools.pairwise(starts)]


class Six:
    """A hub in this process, one member with OpenKruise, and six Applications that run there."""

    def __init__(self, runner: asyncio.Runner, cluster: RealCluster) -> None:
        self.run, self.cluster = runner.run, cluster
        self.api: Api
        self.member: Api
        self.good = ""
        self._number = 0
        self._releases: dict[str, int] = {}

    def next_version(self, tail: str = "") -> str:
        """A version that nothing has run yet."""
        self._number += 1
        return f"v{self._number}{tail}"

    async def apply(self, name: str, version: str, **spec: Any) -> None:
        """Apply one Application; `spec` changes its workload."""
        await self.apply_as(application(name, workload(name, version, **spec)))

    async def apply_as(self, made: Object) -> None:
        """Apply one Application as it is."""
        name = objects.name(made)
        await self.api.apply(Address(APPLICATIONS, NAMESPACE, name), made, _OPTIONS)
        self._releases[name] = self._releases.get(name, 0) + 1

    async def ends(self, name: str, phase: str) -> None:
        """Return when the last release of an Application has ended, which must be like this."""

        async def look() -> ReleaseStatus | None:
            status = await self.status(name)
            return status if status is not None and status.phase in FINAL_PHASES else None

        status = await self.until(look, f"the release of {name} did not end")
        assert status.phase == phase, f"{name}: {status.phase}: {status.message}"

    async def status(self, name: str) -> ReleaseStatus | None:
        """How far the last release of an Application is."""
        page = await self.api.list(Address(RELEASES, NAMESPACE))
        wanted = f"{name}-v{self._releases[name]}"
        found = next((one for one in page.items if objects.name(one) == wanted), None)
        return None if found is None else parse(ReleaseStatus, found.get("status"), "status")

    async def unit(self, name: str) -> Object:
        """The status of the Application's only unit."""
        page = await self.api.list(Address(UNITS, "test"))
        for one in page.items:
            if objects.dig(one, "spec", "application") == name:
                return one.get("status") or {}
        return {}

    async def at_gate(self, name: str, batch: int) -> None:
        """Return when a batch is ready and its silence has begun."""

        async def look() -> bool:
            unit = await self.unit(name)
            return unit.get("phase") == "Silence" and unit.get("batch") == batch

        await self.until(look, f"{name} did not come to rest in batch {batch}")

    async def deliver(self, names: Sequence[str] = tuple(KINDS)) -> str:
        """Release a good version of each, and return when it runs."""
        version = self.next_version()
        for name in names:
            await self.apply(name, version)
        await asyncio.gather(*(self.ends(name, "Succeeded") for name in names))
        self.good = version
        return version

    async def until(self, look: Callable[[], Awaitable[Result | None]], otherwise: str) -> Result:
        """The first answer of `look` that is not None or False."""
        limit = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < limit:
            with contextlib.suppress(ApiOutage, NotFound):
                found = await look()
                if found:
                    return found
            await asyncio.sleep(0.1)
        units = (await self.api.list(Address(UNITS, "test"))).items
        told = "\n".join(f"{objects.name(one)}: {one.get('status')}" for one in units)
        raise AssertionError(f"{otherwise}\n{told}")

    @contextlib.asynccontextmanager
    async def watched(
        self, names: Sequence[str], version: str
    ) -> AsyncIterator[Mapping[str, Pods]]:
        """The pods of these Applications, kept up while the context lasts."""
        seen = {name: Pods(name, version) for name in names}
        async with following(self.member, *(one.see for one in seen.values())):
            yield seen

    @contextlib.asynccontextmanager
    async def up(self, data: Path) -> AsyncIterator[None]:
        """The hub serves, its member has joined, and the first versions run."""
        async with contextlib.AsyncExitStack() as stack:
            state, failed = await stack.enter_async_context(running(UpOptions(data=data)))
            self.api = state.api
            self.member = await stack.enter_async_context(connect(str(self.cluster.kubeconfig)))
            await company.join(state.api, {"test": self.cluster})
            await self.deliver()
            yield
            assert not failed.done(), failed
