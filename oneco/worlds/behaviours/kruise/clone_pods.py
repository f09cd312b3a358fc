"""The pods of a CloneSet and their claims, told apart by an instance id."""

from __future__ import annotations

from typing import Any

from oneco.kube.objects import Object
from oneco.worlds.apiserver.store import Key
from oneco.worlds.behaviours import histories, templates
from oneco.worlds.behaviours.hand import Hand
from oneco.worlds.behaviours.index import CLAIMS, PODS
from oneco.worlds.behaviours.kruise import amounts

INSTANCE_LABEL = "apps.kruise.io/cloneset-instance-id"


def instance(obj: Object) -> str:
    """The instance id of a pod or a claim."""
    return str((obj["metadata"].get("labels") or {}).get(INSTANCE_LABEL, ""))


def revision(pod: Object) -> str:
    """The name of the revision that the pod runs."""
    return str((pod["metadata"].get("labels") or {}).get(histories.REVISION_LABEL, ""))


def marks(version: Object) -> Object:
    """The labels that say which revision a pod runs."""
    name = version["metadata"]["name"]
    word = version["metadata"]["labels"][histories.HASH_LABEL]
    return {histories.REVISION_LABEL: name, templates.HASH_LABEL: word}


def create(hand: Hand, owner: Object, version: Object, word: str) -> None:
    """Make the pod with this instance id from this revision, and the claims that it lacks."""
    metadata = owner["metadata"]
    namespace, name = metadata["namespace"], f"{metadata['name']}-{word}"
    template = amounts.complete(histories.template(version))
    labels = {**marks(version), INSTANCE_LABEL: word, amounts.STATE_LABEL: amounts.NORMAL}
    for label, value in labels.items():
        template = templates.with_label(template, label, value)
    claims = owner["spec"].get("volumeClaimTemplates") or ()
    if claims:
        template = {**template, "spec": _with_claims(template["spec"], claims, name)}
    for claim in claims:
        _claim(hand, owner, claim, name=f"{claim['metadata']['name']}-{name}", word=word)
    made = templates.mould(owner, template)
    body = {"metadata": made.metadata, "spec": made.spec, "status": made.status}
    hand.create(Key(PODS, namespace, name), {"apiVersion": "v1", "kind": "Pod", **body})


def _with_claims(spec: Object, claims: Any, pod: str) -> Object:
    names = [claim["metadata"]["name"] for claim in claims]
    own = [one for one in spec.get("volumes") or () if one["name"] not in names]
    claimed = [
        {"name": name, "persistentVolumeClaim": {"claimName": f"{name}-{pod}"}} for name in names
    ]
    return {**spec, "volumes": [*own, *claimed]}


def _claim(hand: Hand, owner: Object, template: Object, *, name: str, word: str) -> None:
    key = Key(CLAIMS, owner["metadata"]["namespace"], name)
    if hand.store.get(key) is not None:
        return
    chosen = (owner["spec"].get("selector") or {}).get("matchLabels") or {}
    labels = {**(template["metadata"].get("labels") or {}), **chosen, INSTANCE_LABEL: word}
    metadata = {"labels": labels, "ownerReferences": [templates.owner_reference(owner)]}
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
