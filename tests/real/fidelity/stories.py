"""Stories: one release, told once, for the rehearsed fleet and for the real one."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from oneco.kinds.oam import APPLICATIONS
from oneco.kinds.release import RELEASES
from oneco.kube import objects
from oneco.kube.api import Api, Patch
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource

APPLICATION, COMPONENT = "shop", "web"
TEST, PRODUCTION = "test", "production"
MEMBERS = (TEST, PRODUCTION)
PODS, NODES = 4, 3
BATCHES = ["25%", "50%", "100%"]
_NODES = Resource("", "v1", "nodes")
_LABELS = {"app": COMPONENT}
_ANY_POOL = {"key": "pool", "operator": "Exists", "effect": "NoSchedule"}
KINDS = {
    "Deployment": Resource("apps", "v1", "deployments"),
    "StatefulSet": Resource("apps", "v1", "statefulsets"),
    "DaemonSet": Resource("apps", "v1", "daemonsets"),
    "CloneSet": Resource("apps.kruise.io", "v1alpha1", "clonesets"),
    "AdvancedStatefulSet": Resource("apps.kruise.io", "v1beta1", "statefulsets"),
    "AdvancedDaemonSet": Resource("apps.kruise.io", "v1alpha1", "daemonsets"),
}
"""The workload kinds; OpenKruise's have an adjective where Kubernetes has the name."""


class Stage(Protocol):
    """Where a story is played."""

    hub: Api
    members: dict[str, Api]

    @property
    def namespace(self) -> str:
        """Where this story's objects are."""
        ...

    def newest(self) -> Any:
        """The newest release of the story; one without a name before there is any."""
        ...

    def unit(self, cluster: str) -> Any:
        """The unit of a cluster; an empty object before there is any."""
        ...

    def lost(self, cluster: str, node: str) -> None:
        """Note that a node is gone."""
        ...


Condition = Callable[[Stage], bool]
Act = Callable[[Stage], Awaitable[None]]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What somebody does when something is so, or `after` so many seconds."""

    act: Act
    when: Condition | None = None
    after: float = 0.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One release. With `is_loose` only invariants and the end must agree, not each write."""

    name: str
    kind: str
    ends: str
    """The phase of the last release."""
    after: str = "v2"
    spec: dict[str, Any] = dataclasses.field(default_factory=dict)
    """What the workload's spec says besides."""
    policy: dict[str, Any] = dataclasses.field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    pods: int | None = PODS
    """None: the Application says nothing, and somebody scales it to as many in each member."""
    is_loose: bool = False
    has_own_nodes: bool = False

    @property
    def batches(self) -> list[int]:
        """The batches, in percent."""
        shares = self.policy.get("batches", BATCHES)
        return [int(share.rstrip("%")) for share in shares]

    def application(self, version: str, namespace: str) -> Object:
        """The Application at one version."""
        policy = {
            "batches": BATCHES,
            "batchSilence": "1s",
            "waveSilence": "1s",
            "progressDeadline": "90s",
            "onFailure": "Rollback",
            "waves": [{"name": one, "environments": [one]} for one in MEMBERS],
            **self.policy,
        }
        return {
            "apiVersion": APPLICATIONS.api_version,
            "kind": "Application",
            "metadata": {"name": APPLICATION, "namespace": namespace},
            "spec": {
                "components": [_component(self, version, namespace)],
                "policies": [{"name": "gently", "type": "release", "properties": policy}],
            },
        }


def _component(story: Story, version: str, namespace: str) -> Object:
    resource = KINDS[story.kind]
    labels = {**_LABELS, "app.oam.dev/name": APPLICATION, "app.oam.dev/component": COMPONENT}
    container = {"name": "web", "image": f"registry.example/web:{version}"}
    pod: dict[str, Any] = {"containers": [container]}
    if story.has_own_nodes:
        pod |= {"nodeSelector": {"pool": namespace}, "tolerations": [_ANY_POOL]}
    spec: dict[str, Any] = {
        "selector": {"matchLabels": _LABELS},
        "template": {"metadata": {"labels": labels}, "spec": pod},
        **story.spec,
    }
    if "DaemonSet" not in story.kind and story.pods is not None:
        spec["replicas"] = story.pods
    if "StatefulSet" in story.kind:
        spec["serviceName"] = COMPONENT
    workload = {
        "apiVersion": resource.api_version,
        "kind": story.kind.removeprefix("Advanced"),
        "metadata": {"name": COMPONENT},
        "spec": spec,
    }
    return {"name": COMPONENT, "type": "k8s-objects", "properties": {"objects": [workload]}}


# When


def reached(cluster: str, batch: int) -> Condition:
    """The cluster's pods have got to this batch of the newest release."""

    def look(stage: Stage) -> bool:
        told = stage.unit(cluster).get("status") or {}
        is_ours = told.get("release") == objects.name(stage.newest())
        return bool(is_ours and told.get("batch", 0) == batch and told.get("batchReachedAt"))

    return look


# What somebody does


def asks(**spec: Any) -> Act:
    """Somebody changes the newest release: `paused=True`, `request="Abort"`."""

    async def act(stage: Stage) -> None:
        address = Address(RELEASES, stage.namespace, objects.name(stage.newest()))
        await stage.hub.patch(address, Patch("merge", {"spec": spec}))

    return act


def scales(cluster: str, kind: str, pods: int) -> Act:
    """Somebody changes the number of pods in a member, past the hub."""

    async def act(stage: Stage) -> None:
        address = Address(KINDS[kind], stage.namespace, COMPONENT)
        await stage.members[cluster].patch(address, Patch("merge", {"spec": {"replicas": pods}}))

    return act


def loses_a_node(cluster: str) -> Act:
    """One of the story's own nodes is gone for ever."""

    async def act(stage: Stage) -> None:
        name = f"{stage.namespace}-0"
        await stage.members[cluster].delete(Address(_NODES, "", name))
        stage.lost(cluster, name)

    return act
