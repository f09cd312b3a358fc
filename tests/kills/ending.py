"""The state in which everything ends, without what depends on when and how often it was written."""

from __future__ import annotations

from collections import Counter
from typing import Any

from oneco.kinds.oam import APPLICATIONS, REVISIONS
from oneco.kinds.ocm import APPLIED_WORKS, WORKS
from oneco.kinds.release import PARTITION_ANNOTATION, RELEASES, UNITS
from oneco.kube import objects
from oneco.kube.objects import Object
from oneco.kube.refs import Resource
from oneco.worlds.embedded.sqlite import SqliteStore
from tests.kills.history import collection

_OF_THE_WRITING = ("deployment.kubernetes.io/revision",)
_MEMBER = (Resource("apps", "v1", "deployments"), Resource("", "v1", "services"))
_ADDRESSES = ("clusterIP", "clusterIPs")
_PODS = "/pods"


def of_hub(store: SqliteStore) -> dict[str, Any]:
    """What the hub holds about the Application."""
    return {
        "applications": {
            objects.name(one): (one["spec"], one["status"]["status"])
            for one in store.scan(collection(APPLICATIONS))
        },
        "revisions": [objects.name(one) for one in store.scan(collection(REVISIONS))],
        "releases": {
            objects.name(one): (one["status"]["phase"], one["spec"].get("paused", False))
            for one in store.scan(collection(RELEASES))
        },
        "units": {
            objects.name(one): (one["spec"], one["status"]["phase"], one["status"].get("good"))
            for one in store.scan(collection(UNITS))
        },
        "works": {
            objects.name(one): (one["spec"], objects.annotations_of(one))
            for one in store.scan(collection(WORKS))
        },
    }


def of_member(store: SqliteStore) -> dict[str, Any]:
    """What a member runs: the objects as specified, and its pods by image and readiness."""
    found: dict[str, Any] = {
        resource.plural: {
            objects.name(one): (_annotations(one), objects.labels(one), _spec(one))
            for one in store.scan(collection(resource), "default")
        }
        for resource in _MEMBER
    }
    found["secrets"] = [
        (objects.name(one), one["data"]) for one in store.scan("/secrets", "default")
    ]
    found["records"] = [
        one["status"]["appliedResources"] for one in store.scan(collection(APPLIED_WORKS))
    ]
    pods = store.scan(_PODS, "default")
    found["pods"] = Counter((_image(pod), _is_ready(pod)) for pod in pods)
    return found


def check_no_gate(store: SqliteStore) -> None:
    """Fail if a Deployment is still held as if a batch were under way."""
    for one in store.scan("apps/deployments", "default"):
        spec = one["spec"]
        name = objects.name(one)
        assert not spec.get("paused"), f"{name} is still paused"
        assert not spec.get("minReadySeconds"), f"{name} still has {spec['minReadySeconds']}"
        assert spec["strategy"]["rollingUpdate"]["maxSurge"] == "25%", f"{name}: {spec['strategy']}"
        assert PARTITION_ANNOTATION not in objects.annotations_of(one), f"{name} has a partition"


def _annotations(one: Object) -> Object:
    annotations = objects.annotations_of(one)
    return {key: value for key, value in annotations.items() if key not in _OF_THE_WRITING}


def _spec(one: Object) -> Object:
    return {key: value for key, value in one["spec"].items() if key not in _ADDRESSES}


def _image(pod: Object) -> str:
    return str(pod["spec"]["containers"][0]["image"])


def _is_ready(pod: Object) -> bool:
    conditions = objects.dig(pod, "status", "conditions", default=())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
