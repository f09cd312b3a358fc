"""The pods of a StatefulSet: one for each ordinal, with a name, a revision and claims."""

from __future__ import annotations

from typing import Any, NamedTuple

from oneco.kube.objects import Object
from oneco.worlds.apiserver.store import Key
from oneco.worlds.behaviours import histories, statuses, templates
from oneco.worlds.behaviours.hand import Hand
from oneco.worlds.behaviours.index import CLAIMS, PODS

NAME_LABEL = "statefulset.kubernetes.io/pod-name"
INDEX_LABEL = "apps.kubernetes.io/pod-index"


class Range(NamedTuple):
    """The ordinals that a StatefulSet wants: from `first` on, so many."""

    first: int
    size: int


def wanted(owner: Object) -> Range:
    """The ordinals that the StatefulSet wants."""
    replicas = owner["spec"].get("replicas")
    first = (owner["spec"].get("ordinals") or {}).get("start") or 0
    return Range(int(first), 1 if replicas is None else int(replicas))


def ordinal(owner_name: str, pod: Object) -> int | None:
    """The pod's number in the StatefulSet of this name; None where its name has none."""
    parent, _, number = str(pod["metadata"]["name"]).rpartition("-")
    return int(number) if parent == owner_name and number.isdecimal() else None


def revision(pod: Object) -> str:
    """The name of the revision that the pod runs."""
    return str((pod["metadata"].get("labels") or {}).get(histories.REVISION_LABEL, ""))


def is_healthy(pod: Object) -> bool:
    """Whether the pod runs, is ready, and is to stay."""
    return statuses.is_active(pod) and statuses.is_ready(pod)


def create(hand: Hand, owner: Object, number: int, version: Object) -> None:
    """Make the pod with this number from this revision, and the claims that it lacks."""
    template = templates.with_label(
        histories.template(version), histories.REVISION_LABEL, version["metadata"]["name"]
    )
    create_from(hand, owner, number, template)


def create_from(hand: Hand, owner: Object, number: int, template: Object) -> None:
    """Make the pod with this number from `template`, and the claims that it lacks."""
    metadata = owner["metadata"]
    namespace, name = metadata["namespace"], f"{metadata['name']}-{number}"
    for label, value in ((INDEX_LABEL, str(number)), (NAME_LABEL, name)):
        template = templates.with_label(template, label, value)
    claims = owner["spec"].get("volumeClaimTemplates") or ()
    spec: dict[str, Any] = {**template["spec"], "hostname": name}
    if owner["spec"].get("serviceName"):
        spec["subdomain"] = owner["spec"]["serviceName"]
    if claims:
        spec["volumes"] = _volumes(template["spec"].get("volumes") or (), claims, name)
    for claim in claims:
        _claim(hand, owner, claim, Key(CLAIMS, namespace, f"{claim['metadata']['name']}-{name}"))
    made = templates.mould(owner, {**template, "spec": spec})
    body = {"metadata": made.metadata, "spec": made.spec, "status": made.status}
    hand.create(Key(PODS, namespace, name), {"apiVersion": "v1", "kind": "Pod", **body})


def _volumes(own: Any, claims: Any, pod: str) -> list[Object]:
    """The pod's volumes: its claims hide volumes of their names."""
    names = {claim["metadata"]["name"] for claim in claims}
    claimed = [
        {"name": name, "persistentVolumeClaim": {"claimName": f"{name}-{pod}"}}
        for name in sorted(names)
    ]
    return [*claimed, *(one for one in own if one["name"] not in names)]


def _claim(hand: Hand, owner: Object, template: Object, key: Key) -> None:
    # A claim outlives its pod: the next one with this number finds it again.
    if hand.store.get(key) is not None:
        return
    given = template["metadata"]
    chosen = (owner["spec"].get("selector") or {}).get("matchLabels") or {}
    metadata: dict[str, Any] = {"labels": {**(given.get("labels") or {}), **chosen}}
    if given.get("annotations"):
        metadata["annotations"] = given["annotations"]
    policy = owner["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    if policy.get("whenDeleted") == "Delete":
        reference = templates.owner_reference(owner)
        metadata["ownerReferences"] = [
            {part: value for part, value in reference.items() if part != "blockOwnerDeletion"}
        ]
    hand.create(
        key,
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": metadata,
            "spec": {"volumeMode": "Filesystem", **template["spec"]},
            "status": {"phase": "Pending"},
        },
    )
