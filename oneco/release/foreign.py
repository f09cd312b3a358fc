"""Works for an agent that applies what it is given and knows nothing of ours.

Whatever our own agent does at the member is here done by the hub, in fields: the cluster's name in
labels, the gate in steps, and a mark on each object by which feedback is known to be about it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from oneco.kinds.naming import digest
from oneco.kinds.oam import CLUSTER_LABEL
from oneco.kube import objects
from oneco.kube.objects import Object
from oneco.kube.refs import kind_of
from oneco.kube.remembered import Remembered
from oneco.release import works
from oneco.release.ports import Gate, Steps
from oneco.release.variants import Identity, Variant, identity
from oneco.release.works import Content

MARK_ANNOTATION = "onepersoncompany.io/applied"
"""On an object that a foreign agent applies: the hash of its manifest, which feedback repeats."""
MARK, GENERATION, OBSERVED = "applied", "generation", "observed-generation"
"""The names of the values that tell which version of an object the others are of."""
CONDITIONS = ("Complete", "Failed", "Suspended")
"""The conditions of a Job that are asked for, one by one: feedback is of single values."""
_ABOUT = {
    MARK: r".metadata.annotations.onepersoncompany\.io/applied",
    GENERATION: ".metadata.generation",
    OBSERVED: ".status.observedGeneration",
}
_PHASED = frozenset({"Pod", "PersistentVolumeClaim"})


class Foreign(NamedTuple):
    """The cluster whose agent is not ours, and the kinds that the hub can lead by their fields."""

    cluster: str
    steps: Steps


_contents: Remembered[Content] = Remembered(256)
_counts: dict[tuple[tuple[Identity, Gate], ...], Mapping[Identity, Gate]] = {}


def content(variant: Variant, held: Mapping[Identity, Gate], foreign: Foreign) -> Content:
    """The spec in which each workload of `held` lets only so many pods run its template."""
    counts = _counts.setdefault(tuple(held.items()), held)
    # The memory goes by identity, and a name is another text each time that it is read.
    cluster = sys.intern(foreign.cluster)
    return _contents.ask(_content, variant, counts, foreign.steps, cluster)


def _content(
    variant: Variant, held: Mapping[Identity, Gate], steps: Steps, cluster: str
) -> Content:
    manifests = [_made(one, held, steps, cluster) for one in variant.manifests]
    spaces = works.namespaces(variant)
    spec: Object = {
        "workload": {"manifests": [*spaces, *manifests]},
        "manifestConfigs": [
            *(_of_namespace(one) for one in spaces),
            *(_config(one, steps) for one in manifests),
        ],
    }
    if spaces:
        spec = {**spec, "deleteOption": _spared(spaces)}
    return Content(spec, digest(objects.encode(spec).decode(), length=16))


def rules(manifest: Object, steps: Steps) -> dict[str, str]:
    """By name, the paths of the live object that are asked for; none where existing is enough."""
    kind = kind_of(manifest)
    driver = steps.get(kind)
    if driver is not None:
        return {**_ABOUT, **driver.reads}
    if kind.kind in _PHASED and not kind.group:
        return {MARK: _ABOUT[MARK], "phase": ".status.phase"}
    if kind.kind == "Job":
        found = {one: f'.status.conditions[?(@.type=="{one}")].status' for one in CONDITIONS}
        return {MARK: _ABOUT[MARK], **found}
    return {}


def mark_of(manifest: Object) -> str:
    """The mark that the manifest was given, empty where it has none."""
    return objects.annotations_of(manifest).get(MARK_ANNOTATION, "")


def _made(manifest: Object, held: Mapping[Identity, Gate], steps: Steps, cluster: str) -> Object:
    if objects.labels(manifest).get(CLUSTER_LABEL) == "":
        manifest = objects.put(manifest, ("metadata", "labels", CLUSTER_LABEL), cluster)
    limit = held.get(identity(manifest))
    if limit is not None:
        manifest = steps[kind_of(manifest)].hold(manifest, limit)
    if not rules(manifest, steps):
        return manifest
    marks = {MARK_ANNOTATION: digest(objects.encode(manifest).decode(), length=12)}
    annotations = {**objects.annotations_of(manifest), **marks}
    return objects.put(manifest, ("metadata", "annotations"), annotations)


def _config(manifest: Object, steps: Steps) -> Object:
    config = works.config(manifest)
    found = rules(manifest, steps)
    if not found:
        return config
    paths = [{"name": name, "path": path} for name, path in found.items()]
    return {**config, "feedbackRules": [{"type": "JSONPaths", "jsonPaths": paths}]}


def _of_namespace(namespace: Object) -> Object:
    # One that is there already is somebody's: it is left as it is.
    return {**works.config(namespace), "updateStrategy": {"type": "CreateOnly"}}


def _spared(namespaces: Sequence[Object]) -> Object:
    """A foreign agent takes away what it made; a namespace may hold what is others'."""
    rows = [
        {"group": "", "resource": "namespaces", "name": objects.name(one)} for one in namespaces
    ]
    return {
        "propagationPolicy": "SelectivelyOrphan",
        "selectivelyOrphans": {"orphaningRules": rows},
    }
