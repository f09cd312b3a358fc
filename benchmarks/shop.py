"""The fleet and the release that rehearsals are measured with."""

from __future__ import annotations

from oneco.kinds.fleet import Member
from oneco.kinds.ocm import ENVIRONMENT_LABEL
from oneco.kinds.release import DEFAULT_BATCHES, ClusterName
from oneco.kube.objects import Object
from oneco.main.scenario import Scenario

COMPONENTS = ("cart", "front", "pay")
PODS, NODES = 10, 3
_WAVES = ("1%", "10%", "30%", "60%", "100%")


def a_release(clusters: int) -> Scenario:
    """Version 1 runs on every cluster; version 2 is released in five waves of six batches."""
    return Scenario(
        members=[_member(number) for number in range(clusters)],
        before=_application(1),
        after=_application(2),
        others=(),
        faults=(),
        actions=(),
        until_seconds=7 * 86400.0,
        seed=1,
    )


def image_of(component: str, version: int) -> str:
    """The image that `component` has in a version."""
    return f"shop/{component}:v{version}"


def _member(number: int) -> Member:
    name = ClusterName(f"cluster-{number:04}")
    return Member(name, {ENVIRONMENT_LABEL: "production"}, NODES, "16", "64Gi")


def _application(version: int) -> Object:
    return {
        "apiVersion": "core.oam.dev/v1beta1",
        "kind": "Application",
        "metadata": {"name": "shop", "namespace": "default"},
        "spec": {
            "components": [_component(name, version) for name in COMPONENTS],
            "policies": [{"name": "careful", "type": "release", "properties": _policy()}],
        },
    }


def _component(name: str, version: int) -> Object:
    return {
        "name": name,
        "type": "webservice",
        "properties": {
            "image": image_of(name, version),
            "ports": [{"port": 8080, "name": "http"}],
            "env": [{"name": "PORT", "value": "8080"}],
            "cpu": "100m",
            "memory": "64Mi",
            "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}},
        },
        "traits": [{"type": "scaler", "properties": {"replicas": PODS}}],
    }


def _policy() -> Object:
    return {
        "waves": [
            {"name": f"wave-{number}", "upTo": share}
            for number, share in enumerate(_WAVES, start=1)
        ],
        "batches": list(DEFAULT_BATCHES),
        "batchSilence": "30m",
        "waveSilence": "30m",
    }
