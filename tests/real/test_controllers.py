"""Controllers of workloads come to the same rest on a real cluster and in memory, step by step."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pytest

from oneco.kinds import kruise
from oneco.kube import objects
from oneco.kube.api import Api, Patch
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource
from oneco.worlds.behaviours.faults import NotReady
from oneco.worlds.cluster.client import connect
from oneco.worlds.sim.cluster import NodeSpec
from tests.behaviours.a_cluster import a_cluster

PODS = Resource("", "v1", "pods")
NAMESPACES = Resource("", "v1", "namespaces")
KINDS = {
    "StatefulSet": Resource("apps", "v1", "statefulsets"),
    "DaemonSet": Resource("apps", "v1", "daemonsets"),
    "CloneSet": kruise.CLONE_SETS,
    "AdvancedStatefulSet": kruise.STATEFUL_SETS,
    "AdvancedDaemonSet": kruise.DAEMON_SETS,
}
LABELS = {"app": "web"}
NODES = 3
BAD = "2-bad"
PATIENCE_SECONDS, REST_SECONDS, LOOK_SECONDS = 90.0, 2.0, 0.4


class Case(NamedTuple):
    """A workload, and what is changed of its spec one after the other."""

    name: str
    kind: str
    spec: dict[str, Any]
    steps: tuple[dict[str, Any], ...]
    may_heal: bool = False
    """Whether the real one sometimes ends as it began: see HEALED."""


def image(version: str) -> dict[str, Any]:
    """The part of a spec that asks for a version."""
    containers = [{"name": "web", "image": f"registry.example/web:{version}"}]
    return {"template": {"spec": {"containers": containers}}}


def rolling(**more: Any) -> dict[str, Any]:
    """The part of a spec that says how a set rolls."""
    return {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": more}}


def clone(**more: Any) -> dict[str, Any]:
    """The part of a spec that says how a CloneSet goes over."""
    return {"updateStrategy": more}


ON_DELETE = {"updateStrategy": {"type": "OnDelete", "rollingUpdate": None}}
PARALLEL = {"podManagementPolicy": "Parallel"}
FIRST_NODE = {"matchLabels": {"kubernetes.io/hostname": "node-0"}}
HEALED = True
"""An ordered set keeps its stuck pod when the old template is back (kubernetes issue 67250). On a
busy machine both real controllers were seen to replace it all the same, now and then.
"""
CASES = (
    Case("sts-partition", "StatefulSet", {"replicas": 4}, (
        {**image("2"), **rolling(partition=3)}, rolling(partition=1), rolling(partition=0),
    )),
    Case("sts-stuck", "StatefulSet", {"replicas": 3}, (image(BAD), image("1")), HEALED),
    Case("sts-parallel-stuck", "StatefulSet", {"replicas": 3, **PARALLEL}, (
        image(BAD), image("1"),
    )),
    Case("sts-scaled", "StatefulSet", {"replicas": 2}, (
        {"replicas": 4}, {"replicas": 1, **image("2")}, {"ordinals": {"start": 3}},
    )),
    Case("sts-on-delete", "StatefulSet", {"replicas": 2}, (
        {**image("2"), **ON_DELETE}, {"replicas": 3},
    )),
    Case("ds-bounds", "DaemonSet", {}, (
        {**image(BAD), **rolling(maxUnavailable=2)}, image("1"),
        {**image("2"), **rolling(maxUnavailable=0, maxSurge=1)},
    )),
    Case("ds-surge-stuck", "DaemonSet", rolling(maxUnavailable=0, maxSurge=1), (image(BAD),)),
    Case("ds-on-delete", "DaemonSet", {}, ({**image("2"), **ON_DELETE},)),
    Case("clone-partition", "CloneSet", {"replicas": 5}, (
        {**image("2"), **clone(partition="50%")}, clone(partition=1), clone(partition=0),
    )),
    Case("clone-stuck", "CloneSet", {"replicas": 5}, (
        {**image(BAD), **clone(maxUnavailable=2)}, image("1"),
    )),
    Case("clone-surge", "CloneSet", {"replicas": 4}, (
        {**image(BAD), **clone(maxSurge=2, maxUnavailable=0)}, image("2"),
    )),
    Case("clone-paused", "CloneSet", {"replicas": 3}, (
        {**image("2"), **clone(paused=True)}, {"replicas": 5}, clone(paused=False),
    )),
    Case("clone-scaled", "CloneSet", {"replicas": 4}, (
        {**image("2"), **clone(partition=4)}, {"replicas": 6},
        {"replicas": 3, **clone(partition=1)},
    )),
    Case("asts-partition", "AdvancedStatefulSet", {"replicas": 4, **PARALLEL}, (
        {**image("2"), **rolling(partition=2, maxUnavailable=2)}, rolling(partition=0),
    )),
    Case("asts-stuck", "AdvancedStatefulSet", {"replicas": 3}, (image(BAD), image("1")), HEALED),
    Case("asts-parallel-stuck", "AdvancedStatefulSet", {"replicas": 4, **PARALLEL}, (
        {**image(BAD), **rolling(maxUnavailable=2)}, image("1"),
    )),
    Case("asts-reserved", "AdvancedStatefulSet", {"replicas": 3}, (
        {"reserveOrdinals": [1]}, {"reserveOrdinals": ["0-1"]}, {"reserveOrdinals": []},
    )),
    Case("asts-paused", "AdvancedStatefulSet", {"replicas": 2}, (
        {**image("2"), **rolling(paused=True)}, {"replicas": 3}, rolling(paused=False),
    )),
    Case("ads-partition", "AdvancedDaemonSet", {}, (
        {**image("2"), **rolling(partition=2)}, rolling(partition=1), rolling(partition=0),
    )),
    Case("ads-stuck", "AdvancedDaemonSet", {}, (
        {**image(BAD), **rolling(maxUnavailable=2)}, image("1"),
    )),
    Case("ads-selector", "AdvancedDaemonSet", {}, (
        {**image("2"), **rolling(selector=FIRST_NODE)}, rolling(paused=True), image("3"),
    )),
    Case("ads-surge", "AdvancedDaemonSet", rolling(maxSurge=1, maxUnavailable=0), (
        image("2"), image(BAD),
    )),
)  # fmt: skip


@pytest.fixture(scope="module")
def real(kruise_fleet) -> Iterator[dict[str, Any]]:
    """How each case came to rest after each step on a real cluster; all run at once."""
    (cluster,) = kruise_fleet(1, nodes=NODES)
    for case in CASES:
        rehearsed(case)

    async def told() -> dict[str, Any]:
        async with connect(str(cluster.kubeconfig)) as api:
            worlds = [_Real(api, f"at-rest-{one.name}", expected(one)) for one in CASES]
            played = [_play(world, one) for world, one in zip(worlds, CASES, strict=True)]
            ends = await asyncio.gather(*played, return_exceptions=True)
            return {case.name: end for case, end in zip(CASES, ends, strict=True)}

    yield asyncio.run(told())


@pytest.mark.timeout(600)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_controller_comes_to_the_same_rest(case: Case, real):
    end = real[case.name]
    if isinstance(end, BaseException):
        raise end
    assert len(end) == len(expected(case))
    for now, wanted in zip(end, expected(case), strict=True):
        assert now in wanted, f"{now}\nis none of\n{wanted}"


@functools.cache
def _rests(name: str) -> list[Any]:
    (case,) = (one for one in CASES if one.name == name)
    world = _Rehearsed()
    with asyncio.Runner() as runner:
        return runner.run(_play(world, case))


def rehearsed(case: Case) -> list[Any]:
    """How the case comes to rest after each step in memory."""
    return _rests(case.name)


def expected(case: Case) -> list[list[Any]]:
    """After each step, how the real one may come to rest."""
    rests = [[one] for one in rehearsed(case)]
    if case.may_heal:
        rests[-1].append(rests[0][0])
    return rests


async def _play(world: _Real | _Rehearsed, case: Case) -> list[Any]:
    """What the workload and its pods are like after the first moment and after each step."""
    place = Address(KINDS[case.kind], world.namespace, "web")
    await world.begin(place, _workload(case))
    seen = [await world.rest(place)]
    for step in case.steps:
        await world.change(place, step)
        seen.append(await world.rest(place))
    return seen


def _workload(case: Case) -> Object:
    resource = KINDS[case.kind]
    template = {"metadata": {"labels": LABELS}, **image("1")["template"]}
    spec = {"selector": {"matchLabels": LABELS}, "template": template, **case.spec}
    if "StatefulSet" in case.kind:
        spec["serviceName"] = "web"
    kind = case.kind.removeprefix("Advanced")
    head = {"apiVersion": resource.api_version, "kind": kind, "metadata": {"name": "web"}}
    return {**head, "spec": spec}


class _Real:
    """A namespace of a real cluster."""

    def __init__(self, api: Api, namespace: str, wanted: Sequence[list[Any]]) -> None:
        self._api, self.namespace, self._wanted = api, namespace, list(wanted)

    async def begin(self, place: Address, body: Object) -> None:
        """Make the workload."""
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        await self._api.create(Address(NAMESPACES), space)
        await self._api.create(place._replace(name=""), body)

    async def change(self, place: Address, spec: Any) -> None:
        """Change its spec."""
        await self._api.patch(place, Patch("merge", {"spec": spec}))

    async def rest(self, place: Address) -> Any:
        """What there is once it has been as in memory for a while, or when time is up."""
        wanted, since = self._wanted.pop(0), None
        limit = time.monotonic() + PATIENCE_SECONDS
        while True:
            live = await self._api.get(place)
            pods = (await self._api.list(Address(PODS, self.namespace))).items
            now, at = _state(live, pods), time.monotonic()
            is_so = now in wanted and _is_seen(live, pods)
            since = (since or at) if is_so else None
            if at > limit or (since is not None and at - since > REST_SECONDS):
                return now
            await asyncio.sleep(LOOK_SECONDS)


class _Rehearsed:
    """A cluster in memory, alike."""

    namespace = "default"

    def __init__(self) -> None:
        nodes = [NodeSpec(name=f"node-{number}") for number in range(NODES)]
        self._cluster = a_cluster(NotReady(image="*-bad"), nodes=nodes).with_kruise()

    async def begin(self, place: Address, body: Object) -> None:
        """Make the workload."""
        self._cluster.sim.server.create(place._replace(name=""), body)

    async def change(self, place: Address, spec: Any) -> None:
        """Change its spec."""
        self._cluster.sim.server.patch(place, Patch("merge", {"spec": spec}))

    async def rest(self, place: Address) -> Any:
        """What there is after five minutes."""
        self._cluster.after(300)
        return _state(self._cluster.sim.server.get(place), list(self._cluster.all("pods")))


def _state(live: Object, pods: Sequence[Object]) -> Any:
    told: Any = live.get("status") or {}
    counts = {
        key: value
        for key, value in sorted(told.items())
        if isinstance(value, int) and value and key != "observedGeneration"
    }
    is_done = told.get("currentRevision") == told.get("updateRevision")
    # Which node gets a new pod is a matter of chance, unless the spec chooses it.
    rolling = objects.dig(live, "spec", "updateStrategy", "rollingUpdate", default={})
    is_placed = bool(rolling and (rolling.get("partition") or rolling.get("selector")))
    return {
        "counts": counts,
        "isDone": is_done,
        "pods": sorted(_pod(one, is_placed) for one in pods),
    }


def _pod(pod: Object, is_placed: bool) -> str:
    kind = (objects.controller_of(pod) or {}).get("kind")
    name = objects.name(pod) if kind == "StatefulSet" else "web"
    if kind == "DaemonSet" and is_placed:
        name = pod["spec"].get("nodeName", "nowhere")
    version = pod["spec"]["containers"][0]["image"].rpartition(":")[2]
    conditions = objects.dig(pod, "status", "conditions", default=())
    is_ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return f"{name} {version} {'ready' if is_ready else 'unready'}"


def _is_seen(live: Object, pods: Sequence[Object]) -> bool:
    observed = objects.dig(live, "status", "observedGeneration")
    return observed == objects.generation(live) and not any(map(objects.is_deleting, pods))
