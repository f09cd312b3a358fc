"""Pod templates: their hash, when two are the same, and the pods made from one."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

from oneco.kube.objects import Object, encode
from oneco.worlds.behaviours import chances

HASH_LABEL = "pod-template-hash"

_TOLERATIONS = [
    {
        "key": f"node.kubernetes.io/{key}", "operator": "Exists",
        "effect": "NoExecute", "tolerationSeconds": 300,
    }
    for key in ("not-ready", "unreachable")
]  # fmt: skip


class Mould(NamedTuple):
    """What all pods made from one template share."""

    template: Object
    metadata: Object
    spec: Object
    status: Object


def hash_of(template: Object) -> str:
    """The name's part that stands for this template."""
    return chances.word(10, hashlib.blake2b(encode(template), digest_size=16).hexdigest())


def is_same(template: Object, hashed: Object) -> bool:
    """Whether `hashed` is `template` with a hash label."""
    if template["spec"] is not hashed["spec"] and template["spec"] != hashed["spec"]:
        return False
    one, other = template.get("metadata") or {}, hashed.get("metadata") or {}
    labels, marked = one.get("labels") or {}, other.get("labels") or {}
    if len(marked) - (HASH_LABEL in marked) != len(labels) - (HASH_LABEL in labels):
        return False
    if any(marked.get(key) != value for key, value in labels.items() if key != HASH_LABEL):
        return False
    return (one.get("annotations") or {}) == (other.get("annotations") or {})


class Comparisons:
    """`is_same`, remembered: a rollout asks the same question at each of its steps."""

    _REMEMBERED = 64

    def __init__(self) -> None:
        self._answers: dict[tuple[int, int], tuple[Object, Object, bool]] = {}

    def is_same(self, template: Object, hashed: Object) -> bool:
        """Whether `hashed` is `template` with a hash label."""
        found = self._answers.get((id(template), id(hashed)))
        if found is None:
            if len(self._answers) >= self._REMEMBERED:
                self._answers.clear()
            # Both are kept with the answer: an id says nothing once its object is gone.
            found = template, hashed, is_same(template, hashed)
            self._answers[id(template), id(hashed)] = found
        return found[2]


def with_label(template: Object, key: str, value: str) -> Object:
    """`template` with one more label."""
    metadata = template.get("metadata") or {}
    labels = {**(metadata.get("labels") or {}), key: value}
    return {**template, "metadata": {**metadata, "labels": labels}}


def mould(owner: Object, template: Object) -> Mould:
    """What the pods that `owner` makes from `template` share."""
    given, spec = template.get("metadata") or {}, template["spec"]
    metadata: dict[str, Any] = {
        "generateName": f"{owner['metadata']['name']}-",
        "ownerReferences": [owner_reference(owner)],
    }
    for part in ("labels", "annotations"):
        if given.get(part):
            metadata[part] = given[part]
    added = {"enableServiceLinks": True, "priority": 0, "preemptionPolicy": "PreemptLowerPriority"}
    tolerations = spec.get("tolerations") or []
    keys = {toleration.get("key") for toleration in tolerations}
    missing = [one for one in _TOLERATIONS if one["key"] not in keys]
    whole = {**added, **spec, "tolerations": [*tolerations, *missing]}
    return Mould(template, metadata, whole, {"phase": "Pending", "qosClass": quality(spec)})


def owner_reference(owner: Object) -> Object:
    """The reference by which `owner` controls what it makes."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def quality(spec: Object) -> str:
    """The quality-of-service class of a pod with this spec."""
    resources = [
        container.get("resources") or {}
        for container in (*spec["containers"], *(spec.get("initContainers") or ()))
    ]
    if not any(one.get("requests") or one.get("limits") for one in resources):
        return "BestEffort"
    if all(_is_guaranteed(one) for one in resources):
        return "Guaranteed"
    return "Burstable"


def _is_guaranteed(resources: Object) -> bool:
    limits = resources.get("limits") or {}
    requests = {**limits, **(resources.get("requests") or {})}
    return all(limits.get(kind) and limits[kind] == requests[kind] for kind in ("cpu", "memory"))
