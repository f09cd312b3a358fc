"""What the agent writes on the objects it applies, and reads off them again."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from oneco.kinds.naming import digest
from oneco.kinds.oam import CLUSTER_LABEL
from oneco.kube import objects
from oneco.kube.objects import Json, Object
from oneco.kube.remembered import Remembered

WORK_ANNOTATION = "onepersoncompany.io/work"
"""On an applied object: the work it comes from."""
MANIFEST_ANNOTATION = "onepersoncompany.io/manifest"
"""On an applied object: the hash of the manifest as it was applied."""
TEMPLATE_ANNOTATION = "onepersoncompany.io/template"
"""On an applied workload: the hash of the pod template as it was applied."""
FIELD_MANAGER = "work-agent-oneco"

_marked: Remembered[Object] = Remembered(50_000)
_templates: Remembered[str] = Remembered(50_000)


def marked(manifest: Object, work: str, cluster: str) -> Object:
    """The manifest with the agent's marks and its cluster's name; the same object each time."""
    return _marked.ask(_mark, manifest, work, cluster)


def work_of(obj: Object) -> str:
    """The work that applied `obj` last, empty where none did."""
    return objects.annotations_of(obj).get(WORK_ANNOTATION, "")


def manifest_hash(obj: Object) -> str:
    """The hash that the agent wrote on `obj`, empty where it never did."""
    return objects.annotations_of(obj).get(MANIFEST_ANNOTATION, "")


def has_template(live: Object, manifest: Object) -> bool:
    """Whether the manifest's own pod template is what was last applied to `live`."""
    applied = objects.annotations_of(live).get(TEMPLATE_ANNOTATION, "")
    return applied == _templates.ask(_template, manifest)


def keeping_size(manifest: Object, live: Object | None) -> Object:
    """The manifest with the size of `live` where it leaves that to its cluster, but we wrote it.

    Taken back, the number would be 1 until an autoscaler says another. Once somebody else has
    written it, it is not ours any more.
    """
    size = objects.dig(live or {}, "spec", "replicas")
    is_said = objects.dig(manifest, "spec", "replicas") is not None
    if size is None or is_said or not objects.has_room(manifest, "spec"):
        return manifest
    return objects.put(manifest, ("spec", "replicas"), size) if _owns_size(live) else manifest


def has_a_size(obj: Object) -> bool:
    """Whether its managedFields may tell who chose its size: all that is ever asked of them."""
    return objects.dig(obj, "spec", "replicas") is not None


def _owns_size(live: Object | None) -> bool:
    for entry in objects.metadata(live or {}).get("managedFields") or ():
        if entry.get("manager") == FIELD_MANAGER and entry.get("operation") == "Apply":
            return "f:replicas" in objects.dig(entry, "fieldsV1", "f:spec", default={})
    return False


def _template(manifest: Object) -> str:
    template = objects.dig(manifest, "spec", "template")
    return _hash(template) if template is not None else ""


def _hash(value: Json) -> str:
    return digest(objects.encode(value).decode(), length=12)


def _mark(manifest: Object, work: str, cluster: str) -> Object:
    marks = {WORK_ANNOTATION: work, MANIFEST_ANNOTATION: _hash(manifest)}
    template = _template(manifest)
    if template:
        marks[TEMPLATE_ANNOTATION] = template
    annotations = {**objects.annotations_of(manifest), **marks}
    whole = objects.put(_as_kept(manifest), ("metadata", "annotations"), annotations)
    if objects.labels(manifest).get(CLUSTER_LABEL) != "":
        return whole
    # One variant serves many clusters; only here it is known which one this is.
    return objects.put(whole, ("metadata", "labels", CLUSTER_LABEL), cluster)


def _as_kept(manifest: Object) -> Object:
    """A Secret's `stringData` is only ever written: a cluster keeps it as `data`."""
    texts = manifest.get("stringData")
    if manifest.get("kind") != "Secret" or not isinstance(texts, Mapping):
        return manifest
    if not all(isinstance(text, str) for text in texts.values()):
        return manifest  # the cluster says best what is wrong with it
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
    data = {**(manifest.get("data") or {}), **encoded}
    return {**objects.drop(manifest, ("stringData",)), "data": data}
