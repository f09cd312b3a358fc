"""What a simulated cluster costs by itself.

No agent, no release, only store and behaviours. Each cluster has three nodes and three Deployments
of ten pods, which come up and are then rolled out in six batches behind a gate.
"""

from __future__ import annotations

import gc
import resource
import time
from pathlib import Path

from benchmarks.figures import Figure
from oneco.clock import Instant
from oneco.kube.api import Patch
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource
from oneco.worlds.clocks import StepClock, rare_collections
from oneco.worlds.sim.fleet import SimFleet

START = Instant(1_800_000_000.0)
DEPLOYMENTS = Resource("apps", "v1", "deployments")
BATCHES = (1, 1, 3, 5, 8, 10)
FOREVER = 2147483646


def a_deployment(name: str, image: str) -> Object:
    """Ten pods of one image, with the parts that a real one has."""
    container = {
        "name": name,
        "image": image,
        "ports": [{"containerPort": 8080}],
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, "initialDelaySeconds": 3},
    }
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": 10,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def roll_out(fleet: SimFleet, clock: StepClock, names: tuple[str, ...]) -> None:
    """Bring every Deployment to its second version, batch by batch."""
    for number, pods in enumerate(BATCHES):
        spec: dict[str, object] = {
            "minReadySeconds": FOREVER,
            "progressDeadlineSeconds": FOREVER + 1,
            "strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": pods}},
        }
        for cluster in fleet.values():
            for name in names:
                if number == 0:
                    container = {"name": name, "image": f"shop/{name}:2"}
                    spec["template"] = {"spec": {"containers": [container]}}
                address = Address(DEPLOYMENTS, "default", name)
                cluster.server.patch(address, Patch("strategic", {"spec": spec}))
        clock.advance(1800)


def measure(clusters: int) -> list[Figure]:
    """Processor time and memory for each of so many clusters."""
    names = ("cart", "front", "pay")
    bodies = [a_deployment(name, f"shop/{name}:1") for name in names]
    clock = StepClock(START)
    fleet = SimFleet(clock, seed=7)
    with rare_collections():
        gc.collect()
        memory, began = resident(), time.process_time()
        for number in range(clusters):
            cluster = fleet.add(f"c{number}")
            for body in bodies:
                cluster.server.create(Address(DEPLOYMENTS, "default"), body)
        clock.advance(60)
        up = time.process_time()
        roll_out(fleet, clock, names)
        done = time.process_time()
    gc.collect()
    commits = sum(cluster.store.revision() for cluster in fleet.values()) / clusters
    size = (resident() - memory) / clusters / 1024
    return [
        _figure("up", "coming up, processor time", "ms", (up - began) / clusters * 1e3),
        _figure("rollout", "rolling out, processor time", "ms", (done - up) / clusters * 1e3),
        _figure("commits", "commits", "", commits),
        _figure("size", "memory", "KiB", size),
    ]


def _figure(name: str, title: str, unit: str, value: float) -> Figure:
    return Figure(name=name, title=f"a cluster: {title}", unit=unit, samples=(value,))


def resident() -> int:
    """The bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
