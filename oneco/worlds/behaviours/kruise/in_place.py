"""Updating a pod as it is: new images in its containers, which its kubelet then restarts."""

from __future__ import annotations

from typing import Any

from oneco.kube.objects import Object
from oneco.worlds.apiserver.store import Key
from oneco.worlds.behaviours import statuses
from oneco.worlds.behaviours.hand import Hand
from oneco.worlds.behaviours.index import PODS


def is_possible(old: Object, new: Object) -> bool:
    """Whether two templates differ in nothing but images and metadata."""
    return _without_images(old["spec"]) == _without_images(new["spec"])


def update(hand: Hand, pod: Object, template: Object, labels: Object) -> None:
    """Give the pod the images of `template` and these labels; it is not ready until restarted."""
    metadata, status = pod["metadata"], pod["status"]
    images = {one["name"]: one["image"] for one in template["spec"]["containers"]}
    containers = [
        {**one, "image": images.get(one["name"], one["image"])} for one in pod["spec"]["containers"]
    ]
    now = hand.now_text()
    changed: dict[str, Any] = {
        **pod,
        "metadata": {**metadata, "labels": {**(metadata.get("labels") or {}), **labels}},
        "spec": {**pod["spec"], "containers": containers},
    }
    if statuses.is_ready(pod):
        conditions = statuses.conditions(status["startTime"], now, False, False)
        changed["status"] = {**status, "conditions": conditions}
    hand.change(Key(PODS, metadata["namespace"], metadata["name"]), changed)


def is_restarted(pod: Object) -> bool:
    """Whether the containers run the images that they shall run."""
    running = {one["name"]: one["image"] for one in pod["status"].get("containerStatuses") or ()}
    return all(running.get(one["name"]) == one["image"] for one in pod["spec"]["containers"])


def _without_images(spec: Object) -> Object:
    containers = [{**one, "image": ""} for one in spec["containers"]]
    return {**spec, "containers": containers}
