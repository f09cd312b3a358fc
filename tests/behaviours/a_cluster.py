"""A cluster under test whose time is moved by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from oneco.clock import Instant
from oneco.kinds import crds, kruise
from oneco.kube.api import DeleteOptions, Patch
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource
from oneco.worlds.apiserver.store import Change, Key
from oneco.worlds.behaviours.faults import FaultBook
from oneco.worlds.behaviours.timers import Agenda
from oneco.worlds.clocks import StepClock
from oneco.worlds.sim.cluster import NodeSpec, SimCluster

START = Instant(1_800_000_000.0)

_RESOURCES = {
    "deployments": Resource("apps", "v1", "deployments"),
    "replicasets": Resource("apps", "v1", "replicasets"),
    "statefulsets": Resource("apps", "v1", "statefulsets"),
    "daemonsets": Resource("apps", "v1", "daemonsets"),
    "controllerrevisions": Resource("apps", "v1", "controllerrevisions"),
    "jobs": Resource("batch", "v1", "jobs"),
    "cronjobs": Resource("batch", "v1", "cronjobs"),
    "persistentvolumeclaims": Resource("", "v1", "persistentvolumeclaims"),
    "persistentvolumes": Resource("", "v1", "persistentvolumes"),
    "pods": Resource("", "v1", "pods"),
    "nodes": Resource("", "v1", "nodes"),
    "services": Resource("", "v1", "services"),
    "namespaces": Resource("", "v1", "namespaces"),
    "endpoints": Resource("", "v1", "endpoints"),
    "endpointslices": Resource("discovery.k8s.io", "v1", "endpointslices"),
    "autoscalers": Resource("autoscaling", "v2", "horizontalpodautoscalers"),
    "events": Resource("", "v1", "events"),
    "clonesets": kruise.CLONE_SETS,
    "advanced statefulsets": kruise.STATEFUL_SETS,
    "advanced daemonsets": kruise.DAEMON_SETS,
}


class ACluster:
    """A simulated cluster, spoken to as kubectl would, and what happened in it."""

    def __init__(
        self,
        *faults: Any,
        nodes: Sequence[NodeSpec] | int = 3,
        seed: int = 1,
        start: Instant = START,
    ) -> None:
        self.clock = StepClock(start)
        self.agenda = Agenda(self.clock)
        book = FaultBook(faults=tuple(faults), start=start, seed=seed)
        self.sim = SimCluster("here", self.agenda, nodes=nodes, seed=seed, faults=book)
        self.changes: list[tuple[float, Change]] = []
        self.sim.store.on_commit(
            lambda change: self.changes.append((self.clock.now() - start, change))
        )
        self.agenda.turn()

    def with_kruise(self) -> ACluster:
        """The cluster, which has OpenKruise from now on."""
        for definition in crds.kruise():
            self.sim.server.inside.define(definition)
        return self

    def create(self, plural: str, body: Object) -> Object:
        return self.sim.server.create(_address(plural), body)

    def patch(self, plural: str, name: str, spec: Any, **more: Any) -> None:
        body = {"spec": spec, **more}
        self.sim.server.patch(_address(plural, name), Patch("merge", body))

    def delete(self, plural: str, name: str, **options: Any) -> None:
        self.sim.server.delete(_address(plural, name), DeleteOptions(**options))

    def get(self, plural: str, name: str) -> Any:
        return self.sim.server.get(_address(plural, name))

    def all(self, plural: str) -> Sequence[Any]:
        return self.sim.server.list(_address(plural)).items

    def after(self, seconds: float) -> ACluster:
        self.clock.advance(seconds)
        return self

    def status(self, plural: str = "deployments", name: str = "web") -> dict[str, Any]:
        """The counts of a status, without conditions."""
        found = self.get(plural, name)["status"]
        return {key: value for key, value in found.items() if isinstance(value, int)}

    def conditions(self, plural: str = "deployments", name: str = "web") -> list[tuple[str, ...]]:
        found = self.get(plural, name)["status"].get("conditions", [])
        return [(one["type"], one["status"], one["reason"]) for one in found]

    def sets(self) -> dict[str, tuple[int, int, int]]:
        """Each ReplicaSet by its image: wanted, ready, available."""
        return {
            one["spec"]["template"]["spec"]["containers"][0]["image"]: (
                one["spec"]["replicas"],
                one["status"].get("readyReplicas", 0),
                one["status"].get("availableReplicas", 0),
            )
            for one in self.all("replicasets")
        }

    def revisions(self) -> dict[str, dict[str, str]]:
        """The numbers that each ReplicaSet carries, by its image."""
        return {
            one["spec"]["template"]["spec"]["containers"][0]["image"]: {
                key.split("/")[1]: value
                for key, value in one["metadata"]["annotations"].items()
                if key.startswith("deployment.kubernetes.io/")
            }
            for one in self.all("replicasets")
        }

    def pods(self, image: str = "") -> list[Any]:
        return [
            pod
            for pod in self.all("pods")
            if not image or pod["spec"]["containers"][0]["image"] == image
        ]

    def commits(self, collection: str) -> list[tuple[float, Change]]:
        return [(at, change) for at, change in self.changes if change.key.collection == collection]


def a_cluster(*faults: Any, **options: Any) -> ACluster:
    return ACluster(*faults, **options)


def a_deployment(replicas: int = 10, image: str = "shop/web:1", **spec: Any) -> Object:
    labels = {"app": "web"}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "c", "image": image}]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": template,
            **spec,
        },
    }


def image(name: str, **pod_spec: Any) -> dict[str, Any]:
    """The part of a Deployment's spec that asks for another image."""
    return {"template": {"spec": {"containers": [{"name": "c", "image": name}], **pod_spec}}}


def rolling(surge: int | str, unavailable: int | str) -> dict[str, Any]:
    """The part of a Deployment's spec that says how far a rollout may go."""
    limits = {"maxSurge": surge, "maxUnavailable": unavailable}
    return {"strategy": {"type": "RollingUpdate", "rollingUpdate": limits}}


def _address(plural: str, name: str = "") -> Address:
    space = "" if plural in ("nodes", "namespaces", "persistentvolumes") else "default"
    return Address(_RESOURCES[plural], space, name)


__all__ = ["ACluster", "Key", "a_cluster", "a_deployment", "image", "rolling"]
