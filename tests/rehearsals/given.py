"""Rehearsals as sentences: what is given, what happens when, and how it ends.

`rehearse(seed=11).given(fleet(production=6), release(...)).when(crashing("v2")).ends()`
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from oneco.clock import Instant
from oneco.kinds import durations
from oneco.kinds.fleet import Member, RehearsalAction
from oneco.kinds.oam import APPLICATIONS
from oneco.kinds.ocm import ENVIRONMENT_LABEL
from oneco.kinds.release import RELEASES, UNITS
from oneco.kube import objects
from oneco.kube.api import Api, Patch, WriteOptions
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource
from oneco.main.rehearsal import BEGINNING, Rehearsal
from oneco.main.report import Event, Report
from oneco.main.scenario import Scenario
from oneco.worlds import clocks
from oneco.worlds.apiserver.store import Store
from oneco.worlds.behaviours import faults
from oneco.worlds.behaviours.faults import Where, Window
from oneco.worlds.clocks import VirtualClock
from tests.rehearsals.checkers import exposure, generations, missing, pauses, rollbacks
from tests.rehearsals.checkers.watching import WORKLOADS
from tests.rehearsals.foreign_agent import ForeignAgent

DEPLOYMENTS = Resource("apps", "v1", "deployments")
CHECKERS = (
    exposure.Checker,
    pauses.Checker,
    rollbacks.Checker,
    generations.Checker,
    missing.Checker,
)

Step = tuple[float, Callable[["World"], Awaitable[None]]]


@dataclasses.dataclass(kw_only=True)
class Draft:
    """What a rehearsal is being made of."""

    members: list[Member] = dataclasses.field(default_factory=list)
    application: Object | None = None
    """The Application with `{version}` in its images."""
    before: str | None = "v1"
    after: str = "v2"
    others: list[Object] = dataclasses.field(default_factory=list)
    faults: list[faults.Fault] = dataclasses.field(default_factory=list)
    actions: list[RehearsalAction] = dataclasses.field(default_factory=list)
    steps: list[Step] = dataclasses.field(default_factory=list)
    until: str = "7d"
    seed: int = 1
    foreign: set[str] = dataclasses.field(default_factory=set)
    """Clusters whose agent is Open Cluster Management's."""
    mistakes: dict[str, Callable[[Any], object]] = dataclasses.field(default_factory=dict)
    """By version, what is changed in the Application besides."""


Part = Callable[[Draft], object]


class Story:
    """One rehearsal in the making."""

    def __init__(self, seed: int) -> None:
        self._draft = Draft(seed=seed)

    def given(self, *parts: Part) -> Story:
        """With this to begin with."""
        for part in parts:
            part(self._draft)
        return self

    when = given

    def ends(self) -> Ending:
        """Run it; AssertionError tells which invariant was broken."""
        draft = self._draft
        with clocks.rare_collections():
            world = clocks.run(lambda clock: _told(draft, clock), BEGINNING)
        return Ending(world)


def rehearse(*, seed: int = 1) -> Story:
    """A rehearsal, the same for the same seed."""
    return Story(seed)


# Given


def fleet(*, nodes: int = 3, **environments: int) -> Part:
    """So many clusters in each environment, named `production-1` and so on."""
    members = [
        Member(f"{name}-{number}", {ENVIRONMENT_LABEL: name}, nodes)  # type: ignore[arg-type]
        for name, count in environments.items()
        for number in range(1, count + 1)
    ]
    return lambda draft: draft.members.extend(members)


def foreign_agents(*clusters: str) -> Part:
    """These clusters are served by Open Cluster Management's agent in place of ours."""
    return lambda draft: draft.foreign.update(clusters)


def application(*components: Object, policies: Sequence[Object] = (), **policy: Any) -> Part:
    """The Application `shop` of these components; `policy` is its release policy."""
    inline = [{"name": "gray", "type": "release", "properties": policy}] if policy else []

    def put(draft: Draft) -> None:
        draft.application = {
            "apiVersion": "core.oam.dev/v1beta1",
            "kind": "Application",
            "metadata": {"name": "shop", "namespace": "default"},
            "spec": {
                "components": list(components or (service("web"),)),
                "policies": [*inline, *policies],
            },
        }

    return put


def service(name: str, *, pods: int | None = 4, **properties: Any) -> Object:
    """A component whose image carries the version; without `pods` its clusters choose."""
    traits = [{"type": "scaler", "properties": {"replicas": pods}}] if pods is not None else []
    image = f"shop/{name}:{{version}}"
    return {
        "name": name,
        "type": "webservice",
        "properties": {"image": image, "ports": [{"port": 80, "expose": True}], **properties},
        "traits": traits,
    }


def settings(**data: str) -> Object:
    """A component that is a ConfigMap; values may carry the version too."""
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
    return {
        "name": "settings",
        "type": "k8s-objects",
        "properties": {"objects": [{**config, "data": dict(data)}]},
    }


def stateful(name: str, *, pods: int | None = 3, **spec: Any) -> Object:
    """A component that is a StatefulSet whose image carries the version."""
    size = {} if pods is None else {"replicas": pods}
    return _plain("StatefulSet", name, {**size, "serviceName": name, **spec})


def daemon(name: str, **spec: Any) -> Object:
    """A component that is a DaemonSet whose image carries the version."""
    return _plain("DaemonSet", name, spec)


def clones(name: str, *, pods: int | None = 4, **spec: Any) -> Object:
    """A component that is a CloneSet whose image carries the version."""
    size = {} if pods is None else {"replicas": pods}
    return _plain("CloneSet", name, {**size, **spec}, "apps.kruise.io/v1alpha1")


def advanced_stateful(name: str, *, pods: int | None = 4, **spec: Any) -> Object:
    """A component that is an Advanced StatefulSet whose image carries the version."""
    size = {} if pods is None else {"replicas": pods}
    sized = {**size, "serviceName": name, **spec}
    return _plain("StatefulSet", name, sized, "apps.kruise.io/v1beta1")


def advanced_daemon(name: str, **spec: Any) -> Object:
    """A component that is an Advanced DaemonSet whose image carries the version."""
    return _plain("DaemonSet", name, spec, "apps.kruise.io/v1alpha1")


def plain(name: str, *, pods: int | None = 4, **spec: Any) -> Object:
    """A component that is a Deployment as a person writes it."""
    return _plain("Deployment", name, {**({} if pods is None else {"replicas": pods}), **spec})


def _plain(kind: str, name: str, spec: Any, api_version: str = "apps/v1") -> Object:
    labels = {"app": name, "app.oam.dev/name": "shop", "app.oam.dev/component": name}
    pod = {"containers": [{"name": "c", "image": f"shop/{name}:{{version}}"}]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    body = {"selector": {"matchLabels": {"app": name}}, "template": template, **spec}
    whole = {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, "spec": body}
    return {"name": name, "type": "k8s-objects", "properties": {"objects": [whole]}}


def versions(before: str | None, after: str) -> Part:
    """What runs already (None: nothing does), and what is released."""

    def put(draft: Draft) -> None:
        draft.before, draft.after = before, after

    return put


def until(text: str) -> Part:
    """How long the rehearsal may take."""
    return lambda draft: setattr(draft, "until", text)


# When


def crashing(version: str, *, only: Iterable[str] = (), after: str = "1s") -> Part:
    """The version's pods crash, in all clusters or only in some."""
    return _image_fault(faults.CrashLoop, version, only, after_seconds=_seconds(after))


def never_ready(version: str, *, only: Iterable[str] = ()) -> Part:
    """The version's pods run and never get ready."""
    return _image_fault(faults.NotReady, version, only)


def slow_to_start(version: str, by: str, *, only: Iterable[str] = ()) -> Part:
    """The version's pods get ready so much later."""
    return _image_fault(faults.SlowStart, version, only, seconds=_seconds(by))


def failing_more(version: str, *, after: str, factor: float = 4.0) -> Part:
    """So long after its start, a pod of the version fails more requests."""
    return _image_fault(faults.ErrorRate, version, (), after_seconds=_seconds(after), factor=factor)


def unreachable(*clusters: str, since: str, until: str) -> Part:
    """These clusters cannot be reached for a while."""
    return _fault(faults.Unreachable(where=Where(clusters=clusters), window=_window(since, until)))


def node_lost(node: str, *clusters: str, since: str, until: str) -> Part:
    """A node stops for a while."""
    where = Where(clusters=clusters)
    return _fault(faults.NodeLoss(node=node, where=where, window=_window(since, until)))


def somebody(does: str, *, at: str, **more: Any) -> Part:
    """A person pauses, resumes, aborts, rolls back or scales."""
    action = RehearsalAction(at=at, do=does, **more)  # type: ignore[arg-type]
    return lambda draft: draft.actions.append(action)


def then_applied(version: str, *, at: str) -> Part:
    """A person applies yet another version."""

    async def apply(world: World) -> None:
        await world.apply(_version_of(world.draft, version))

    return _step(at, apply)


def deleted(*, at: str) -> Part:
    """A person deletes the Application."""

    async def delete(world: World) -> None:
        await world.hub.delete(Address(APPLICATIONS, "default", "shop"))

    return _step(at, delete)


def joined(name: str, environment: str, *, at: str) -> Part:
    """A cluster is added."""

    async def join(world: World) -> None:
        await world.join(Member(name, {ENVIRONMENT_LABEL: environment}))  # type: ignore[arg-type]

    return _step(at, join)


def changed_by_hand(
    cluster: str, workload: str, spec: Any, *, at: str, kind: str | Resource = "deployments"
) -> Part:
    """A person changes a workload in a cluster, past the hub."""
    resource = Resource("apps", "v1", kind) if isinstance(kind, str) else kind

    async def change(world: World) -> None:
        address = Address(resource, "default", workload)
        await world.fleet[cluster].api.patch(address, Patch("merge", {"spec": spec}))

    return _step(at, change)


def deleted_by_hand(cluster: str, workload: str, *, at: str, kind: Resource) -> Part:
    """A person deletes a workload in a cluster, past the hub."""

    async def delete(world: World) -> None:
        await world.fleet[cluster].api.delete(Address(kind, "default", workload))

    return _step(at, delete)


def looked_at(look: Callable[[World], object], *, at: str) -> Part:
    """The test looks at the world at this time."""

    async def call(world: World) -> None:
        look(world)

    return _step(at, call)


def nothing_but_time(*, at: str) -> Part:
    """The rehearsal goes on until then even if the release has ended."""
    return looked_at(lambda world: None, at=at)


# Then


class World(Rehearsal):
    """A rehearsal whose every commit the checkers watch."""

    told: Report

    def __init__(self, draft: Draft, clock: VirtualClock) -> None:
        self.draft = draft
        super().__init__(_scenario(draft), clock)
        self.checkers = [kind(self) for kind in CHECKERS]
        for checker in self.checkers:
            self.server.store.on_commit(checker.on_hub)

    async def join(self, member: Member) -> None:
        """Add a cluster while the rehearsal runs."""
        await self._add(member)

    async def apply(self, obj: Object) -> None:
        """Apply an object at the hub as a person does."""
        address = Address(APPLICATIONS, "default", objects.name(obj))
        await self.hub.apply(address, obj, WriteOptions(manager="kubectl", force=True))

    def member(self, cluster: str) -> Store:
        """What a cluster holds."""
        return self.fleet[cluster].store

    def deployment(self, cluster: str, name: str) -> Any:
        """A Deployment as it is in a cluster now."""
        return self.fleet[cluster].server.get(Address(DEPLOYMENTS, "default", name))

    def workload(self, cluster: str, name: str) -> Any:
        """The workload of this name in a cluster, whatever its kind; None where there is none."""
        found = _workloads(self, cluster, name)
        return found[0] if found else None

    def units(self) -> list[Any]:
        """All units as they are on the hub now."""
        return list(self.server.list(Address(UNITS)).items)

    def releases(self) -> list[Any]:
        """All releases, oldest first."""
        found = self.server.list(Address(RELEASES)).items
        return sorted(found, key=lambda one: int(one["metadata"]["labels"][_SEQUENCE]))

    async def _add(self, member: Member) -> None:
        await super()._add(member)
        for checker in self.checkers:
            checker.watch(member.name, self.member(member.name))

    async def _serve(self, cluster: str, hub: Api, member: Api) -> None:
        if cluster in self.draft.foreign:
            await ForeignAgent(cluster, hub, member, self.clock).run()
        else:
            await super()._serve(cluster, hub, member)

    async def _act(self) -> None:
        steps = [(_seconds(one.at), self._doing(one)) for one in self.asked.actions]
        for at, step in sorted((*steps, *self.draft.steps), key=lambda row: row[0]):
            await self.clock.sleep_until(Instant(self.start + at))
            await step(self)
        await self.clock.sleep_until(Instant(self.clock.now() + 10.0))

    def _doing(self, action: RehearsalAction) -> Callable[[World], Awaitable[None]]:
        return lambda world: world._do(action)


class Ending:
    """How a rehearsal ended, and what the world looked like then."""

    def __init__(self, world: World) -> None:
        self.world, self.report = world, world.told
        broken = [line for checker in world.checkers for line in checker.broken]
        assert not broken, "\n".join(broken[:5])

    @property
    def outcome(self) -> str:
        """The outcome in one word."""
        return self.report.outcome

    @property
    def message(self) -> str:
        """The last word of the release."""
        return self.report.message

    def happened(self, what: str) -> list[Event]:
        """The events of this name, in order."""
        return [one for one in self.report.events if one.what == what]

    def clusters(self, what: str) -> list[str]:
        """Where something happened, in order."""
        return [one.cluster or "everywhere" for one in self.happened(what)]

    def images(self, deployment: str = "web") -> dict[str, str]:
        """The image that every cluster's workload asks for; empty where there is none."""
        return {name: _image(self.world, name, deployment) for name in self.world.fleet}


async def _told(draft: Draft, clock: VirtualClock) -> World:
    world = World(draft, clock)
    world.told = await world.run()
    # What is cancelled at the end of a run may need a turn to let go.
    await asyncio.sleep(0)
    return world


def _scenario(draft: Draft) -> Scenario:
    assert draft.application is not None, "given no application(...)"
    return Scenario(
        members=tuple(draft.members),
        before=None if draft.before is None else _version_of(draft, draft.before),
        after=_version_of(draft, draft.after),
        others=tuple(draft.others),
        faults=tuple(draft.faults),
        actions=tuple(sorted(draft.actions, key=lambda one: _seconds(one.at))),
        until_seconds=_seconds(draft.until),
        seed=draft.seed,
    )


def _version_of(draft: Draft, version: str) -> Object:
    made: Object = _filled(draft.application, version)
    if version in draft.mistakes:
        draft.mistakes[version](made)
    return made


def _filled(value: Any, version: str) -> Any:
    if isinstance(value, str):
        return value.replace("{version}", version)
    if isinstance(value, dict):
        return {key: _filled(part, version) for key, part in value.items()}
    return [_filled(part, version) for part in value] if isinstance(value, list | tuple) else value


def _image_fault(kind: Any, version: str, only: Iterable[str], **more: Any) -> Part:
    return _fault(kind(image=f"shop/*:{version}", where=Where(clusters=tuple(only)), **more))


def _fault(fault: faults.Fault) -> Part:
    return lambda draft: draft.faults.append(fault)


def _step(at: str, step: Callable[[World], Awaitable[None]]) -> Part:
    return lambda draft: draft.steps.append((_seconds(at), step))


def _window(since: str, end: str) -> Window:
    return Window(from_seconds=_seconds(since), until_seconds=_seconds(end))


def _seconds(text: str) -> float:
    return durations.parse(text, "the test")


def _image(world: World, cluster: str, workload: str) -> str:
    for one in _workloads(world, cluster, workload):
        return str(one["spec"]["template"]["spec"]["containers"][0]["image"])
    return ""


def _workloads(world: World, cluster: str, name: str) -> list[Any]:
    return [
        one
        for collection in WORKLOADS.values()
        for one in world.member(cluster).scan(collection)
        if objects.name(one) == name
    ]


_SEQUENCE = "onepersoncompany.io/sequence"
