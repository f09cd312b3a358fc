"""An autoscaler says the same on a real cluster and in memory, where nobody measures anything."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from oneco.kube import objects
from oneco.kube.api import Api
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource
from oneco.worlds.cluster.client import connect
from tests.behaviours.a_cluster import a_cluster, a_deployment

AUTOSCALERS = Resource("autoscaling", "v2", "horizontalpodautoscalers")
DEPLOYMENTS = Resource("apps", "v1", "deployments")
EVENTS = Resource("", "v1", "events")
NAMESPACES = Resource("", "v1", "namespaces")
PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 15


def an_autoscaler(name: str = "web", least: int = 1) -> Object:
    target = {"type": "Utilization", "averageUtilization": 50}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": least,
            "maxReplicas": 6,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    }


# By name: the objects that are made.
CASES: Mapping[str, list[tuple[Resource, Object]]] = {
    "no-target": [(AUTOSCALERS, an_autoscaler())],
    "no-metrics": [(DEPLOYMENTS, a_deployment(2)), (AUTOSCALERS, an_autoscaler())],
    "too-few": [(DEPLOYMENTS, a_deployment(1)), (AUTOSCALERS, an_autoscaler(least=3))],
    "too-many": [(DEPLOYMENTS, a_deployment(8)), (AUTOSCALERS, an_autoscaler())],
    "at-zero": [(DEPLOYMENTS, a_deployment(0)), (AUTOSCALERS, an_autoscaler())],
}


def test_an_autoscaler_says_the_same_in_both_worlds(real_cluster):
    async def told() -> dict[str, Any]:
        async with connect(str(real_cluster.kubeconfig)) as api:
            for case, made in CASES.items():
                await make(api, f"scaled-{case}", made)
            return {case: await settled(api, f"scaled-{case}", rehearsed(case)) for case in CASES}

    found = asyncio.run(told())
    for case in CASES:
        assert found[case] == rehearsed(case), case


async def make(api: Api, namespace: str, made: list[tuple[Resource, Object]]) -> None:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    await api.create(Address(NAMESPACES), body)
    for resource, obj in made:
        await api.create(Address(resource, namespace), obj)


async def settled(api: Api, namespace: str, wanted: Any) -> Any:
    """What the autoscaler and its events say, once it is what is wanted or time is up."""
    limit = time.monotonic() + PATIENCE_SECONDS
    while True:
        live = await api.get(Address(AUTOSCALERS, namespace, "web"))
        events = (await api.list(Address(EVENTS, namespace))).items
        found = said(live, [one for one in events if is_ours(one)])
        if found == wanted or time.monotonic() > limit:
            return found
        await asyncio.sleep(0.5)


def rehearsed(case: str) -> Any:
    cluster = a_cluster(nodes=0)
    for resource, obj in CASES[case]:
        cluster.sim.server.create(Address(resource, "default"), obj)
    cluster.after(1)
    live = cluster.get("autoscalers", "web")
    # A size that was mended is looked at again, and then there is nothing to measure.
    if case in ("too-few", "too-many"):
        cluster.after(LOOK_SECONDS)
        live = cluster.get("autoscalers", "web")
    return said(live, list(cluster.all("events")))


def said(live: Object, events: list[Object]) -> Any:
    """Conditions, sizes and events, without times and counts."""
    status: Any = live.get("status") or {}
    conditions = {
        one["type"]: (one["status"], one["reason"], one["message"])
        for one in status.get("conditions") or ()
    }
    sizes = {name: status.get(name, 0) for name in ("currentReplicas", "desiredReplicas")}
    told = sorted({(one["type"], one["reason"], one["message"]) for one in events})
    return conditions, sizes, told


def is_ours(event: Object) -> bool:
    return bool(objects.dig(event, "involvedObject", "kind") == "HorizontalPodAutoscaler")
