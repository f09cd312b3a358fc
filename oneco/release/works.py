"""The ManifestWork that brings a variant, or a batch of it, to one unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from oneco.kinds import ocm
from oneco.kinds.naming import digest
from oneco.kinds.release import (
    APPLICATION_ANNOTATION,
    PARTITION_OF_ANNOTATION,
    REVISION_ANNOTATION,
    UNIT_LABEL,
)
from oneco.kube import objects
from oneco.kube.objects import Object
from oneco.kube.refs import Kind, kind_of
from oneco.kube.remembered import Remembered
from oneco.release.ports import Gate, Workloads
from oneco.release.variants import Identity, Variant, identity

CONTENT_ANNOTATION = "onepersoncompany.io/content"
"""On a work: the hash of its spec as it was written, to tell at a glance whether it is current."""
FIELD_MANAGER = "work-agent-oneco"


class Content(NamedTuple):
    """A work's spec and its hash."""

    spec: Object
    hash: str


_contents: Remembered[Content] = Remembered(512)
_counts: dict[tuple[tuple[Identity, Gate], ...], Mapping[Identity, Gate]] = {}


def content(variant: Variant, held: Mapping[Identity, Gate], workloads: Workloads) -> Content:
    """The spec in which each workload of `held` lets only so many pods run its template.

    It is remembered: a wave gives the same few contents to many units.
    """
    # The numbers are interned in a tuple, so that equal batches are the very same question.
    counts = _counts.setdefault(tuple(held.items()), held)
    return _contents.ask(_content, variant, counts, workloads)


def _content(variant: Variant, held: Mapping[Identity, Gate], workloads: Workloads) -> Content:
    manifests = [_gated(one, held, workloads) for one in variant.manifests]
    spec = {
        "workload": {"manifests": [*namespaces(variant), *manifests]},
        "manifestConfigs": [_config(*row) for row in zip(manifests, variant.reads, strict=True)],
    }
    return Content(spec, digest(objects.encode(spec).decode(), length=16))


def is_current(work: Object | None, wanted: Content) -> bool:
    """Whether the work already says what is wanted."""
    return work is not None and objects.annotations_of(work).get(CONTENT_ANNOTATION) == wanted.hash


class Origin(NamedTuple):
    """What a work is for; `application` is `namespace/name`."""

    cluster: str
    name: str
    application: str
    revision: str


def build(origin: Origin, wanted: Content, old: Object | None) -> Object:
    """The work to be written: a new one, or the old one with its spec replaced."""
    annotations = {
        APPLICATION_ANNOTATION: origin.application,
        REVISION_ANNOTATION: origin.revision,
        CONTENT_ANNOTATION: wanted.hash,
    }
    if old is not None:
        merged = {**objects.annotations_of(old), **annotations}
        meta: Object = {**objects.metadata(old), "annotations": merged}
        return {**old, "metadata": meta, "spec": wanted.spec}
    labels = {UNIT_LABEL: origin.name, "app.oam.dev/name": origin.application.partition("/")[2]}
    return {
        "apiVersion": ocm.WORKS.api_version,
        "kind": "ManifestWork",
        "metadata": {
            "name": origin.name,
            "namespace": origin.cluster,
            "labels": labels,
            "annotations": annotations,
        },
        "spec": wanted.spec,
    }


def _gated(manifest: Object, held: Mapping[Identity, Gate], workloads: Workloads) -> Object:
    gate = held.get(identity(manifest))
    if gate is None:
        return manifest
    driver = workloads[kind_of(manifest)]
    made = driver.gate(manifest, gate.updated)
    if driver.replicas(manifest) is not None:
        return made
    # It may have another size by now, which its agent is the first to know.
    marks = {**objects.annotations_of(made), PARTITION_OF_ANNOTATION: str(gate.pods)}
    return objects.put(made, ("metadata", "annotations"), marks)


def namespaces(variant: Variant) -> list[Object]:
    """The namespaces that the variant needs and does not make itself."""
    # A namespace of the application's own is made if missing, and never taken away again.
    given = {one.name for one in map(identity, variant.manifests) if one.kind.kind == "Namespace"}
    wanted = {objects.namespace(one) for one in variant.manifests} - given - {"", "default"}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        for name in sorted(wanted)
    ]


def config(manifest: Object) -> Object:
    """How an agent puts the manifest into its cluster."""
    kind = kind_of(manifest)
    return {
        "resourceIdentifier": {
            "group": kind.group,
            "resource": plural(kind),
            "namespace": objects.namespace(manifest),
            "name": objects.name(manifest),
        },
        "updateStrategy": {
            "type": "ServerSideApply",
            "serverSideApply": {"force": True, "fieldManager": FIELD_MANAGER},
        },
    }


def _config(manifest: Object, reads: tuple[str, ...]) -> Object:
    if not reads:
        return config(manifest)
    paths = [{"name": path.replace(".", "-").strip("-"), "path": path} for path in reads]
    return {**config(manifest), "feedbackRules": [{"type": "JSONPaths", "jsonPaths": paths}]}


def plural(kind: Kind) -> str:
    """The resource name of a kind by Kubernetes' own convention."""
    word = kind.kind.lower()
    if word.endswith(("s", "x", "ch", "sh")):
        return f"{word}es"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}s"
