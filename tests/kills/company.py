"""The small company whose hub is killed: three clusters and one Application with two components."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oneco.kinds.oam import APPLICATIONS
from oneco.kube.refs import Address

NAMESPACE, NAME = "default", "shop"
APPLICATION = Address(APPLICATIONS, NAMESPACE, NAME)
CLUSTERS = ("first", "second", "third")
REPLICAS: Mapping[str, int] = {"web": 4, "worker": 3}
FLEET = """
apiVersion: onepersoncompany.io/v1alpha1
kind: Fleet
metadata: {name: small}
spec:
  defaults: {nodes: {count: 2, cpu: 4, memory: 8Gi}}
  clusters:
    - {name: first, environment: test}
    - {name: second, environment: production}
    - {name: third, environment: production}
---
apiVersion: onepersoncompany.io/v1alpha1
kind: Fault
metadata: {name: bad-web}
spec: {type: CrashLoop, image: "*/web:*-bad", after: 3s, clusters: [second, third]}
"""
# The deadline is far off: these tests are about kills, and a busy machine is no failed release.
POLICY = {
    "batches": ["25%", "50%", "100%"],
    "batchSilence": "5s",
    "waveSilence": "10s",
    "progressDeadline": "12h",
    "onFailure": "Rollback",
    "waves": [
        {"name": "test", "environments": ["test"]},
        {"name": "production", "environments": ["production"], "maxConcurrency": 1},
    ],
}


def is_bad(version: int) -> bool:
    """Whether this version crashes wherever people would notice."""
    return version % 3 == 0


def image(component: str, version: int) -> str:
    """The image of a component; only the web servers of a bad version are bad."""
    tail = "-bad" if component == "web" and is_bad(version) else ""
    return f"registry.example/{component}:v{version}{tail}"


def application(version: int) -> dict[str, Any]:
    """The Application at one version: images, a setting and a Service change."""
    return {
        "apiVersion": APPLICATIONS.api_version,
        "kind": "Application",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {
            "components": [
                _component("web", "webservice", version, ports=_ports(version)),
                _component("worker", "worker", version),
                *([_note(version)] if version % 2 else []),
            ],
            "policies": [{"name": "gently", "type": "release", "properties": POLICY}],
        },
    }


def _ports(version: int) -> list[dict[str, Any]]:
    return [{"port": 8000 + version, "name": "http", "expose": True}]


def _note(version: int) -> dict[str, Any]:
    """A component that comes and goes from version to version."""
    data = {"version": str(version)}
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "note"}, "stringData": data}
    return {"name": "note", "type": "k8s-objects", "properties": {"objects": [body]}}


def _component(name: str, kind: str, version: int, **more: Any) -> dict[str, Any]:
    env = [{"name": "VERSION", "value": str(version)}]
    return {
        "name": name,
        "type": kind,
        "properties": {"image": image(name, version), "env": env, **more},
        "traits": [{"type": "scaler", "properties": {"replicas": REPLICAS[name]}}],
    }
