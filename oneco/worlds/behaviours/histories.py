"""ControllerRevisions: the pod templates that a StatefulSet or a DaemonSet has had, numbered."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence

from oneco.kube import selectors
from oneco.kube.objects import Object, encode
from oneco.worlds.apiserver.store import Key
from oneco.worlds.behaviours import chances, templates
from oneco.worlds.behaviours.hand import Hand
from oneco.worlds.behaviours.index import CONTROLLER_REVISIONS, Index, owner_of

REVISION_LABEL = "controller-revision-hash"
"""On a pod, and on a DaemonSet's revision: which template it is of."""
HASH_LABEL = "controller.kubernetes.io/hash"
"""On a StatefulSet's revision."""
_DEFAULT_LIMIT = 10
_TRIES = 100


def of(index: Index, owner: Object) -> list[Object]:
    """The revisions that `owner` controls, oldest first."""
    children = index.children(owner["metadata"]["uid"]).values()
    found = [child for child in children if child["kind"] == "ControllerRevision"]
    return sorted(found, key=lambda one: (one["revision"], one["metadata"]["name"]))


def pods(index: Index, owner: Object) -> list[Object]:
    """The pods that `owner` controls, in no certain order."""
    children = index.children(owner["metadata"]["uid"]).values()
    return [child for child in children if child["kind"] == "Pod"]


def template(revision: Object) -> Object:
    """The pod template that the revision keeps."""
    return revision["data"]["spec"]["template"]  # type: ignore[no-any-return]


def is_of(revision: Object, current: Object) -> bool:
    """Whether the revision keeps this very template."""
    kept = template(revision)
    if kept["spec"] is not current["spec"] and kept["spec"] != current["spec"]:
        return False
    return (kept.get("metadata") or {}) == (current.get("metadata") or {})


def adopt(hand: Hand, index: Index, owner: Object) -> None:
    """Take the revisions that nobody controls and the owner's selector chooses."""
    namespace = owner["metadata"]["namespace"]
    orphans = index.orphans(CONTROLLER_REVISIONS, namespace)
    if not orphans:
        return
    chosen = selectors.from_object(owner["spec"].get("selector"))
    for name, found in sorted(orphans.items(), key=lambda entry: entry[0]):
        metadata = found["metadata"]
        if "deletionTimestamp" in metadata or not chosen.matches(metadata.get("labels")):
            continue
        references = [
            *(metadata.get("ownerReferences") or ()), templates.owner_reference(owner),
        ]  # fmt: skip
        changed = {**found, "metadata": {**metadata, "ownerReferences": references}}
        hand.put(Key(CONTROLLER_REVISIONS, namespace, name), changed)


def current(
    hand: Hand, owner: Object, revisions: Sequence[Object], label: str, collisions: int
) -> tuple[Object, int]:
    """The revision of the owner's present template, and how many names were taken by others.

    A template that was there before gets its old revision back, under the next number.
    """
    present = owner["spec"]["template"]
    number = max((one["revision"] for one in revisions), default=0) + 1
    same = [one for one in revisions if is_of(one, present)]
    if same:
        found = same[-1]
        if found["revision"] < number - 1:
            found = hand.put(_key(found), {**found, "revision": number})
        return found, collisions
    return _create(hand, owner, number, label, collisions)


def _create(
    hand: Hand, owner: Object, number: int, label: str, collisions: int
) -> tuple[Object, int]:
    metadata, present = owner["metadata"], owner["spec"]["template"]
    text = hashlib.blake2b(encode(present), digest_size=16).hexdigest()
    for salt in range(collisions, collisions + _TRIES):
        word = chances.word(10, text, *([salt] if salt else ()))
        key = Key(CONTROLLER_REVISIONS, metadata["namespace"], f"{metadata['name']}-{word}")
        if hand.store.get(key) is None:
            break
    else:
        raise AssertionError(f"{_TRIES} names of revisions of {metadata['name']} are taken")
    labels = {**((present.get("metadata") or {}).get("labels") or {}), label: word}
    made = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "labels": labels,
            "annotations": dict(metadata.get("annotations") or {}),
            "ownerReferences": [templates.owner_reference(owner)],
        },
        "data": {"spec": {"template": {**present, "$patch": "replace"}}},
        "revision": number,
    }
    if not made["metadata"]["annotations"]:  # type: ignore[index]
        del made["metadata"]["annotations"]  # type: ignore[attr-defined]
    return hand.create(key, made), salt


def truncate(hand: Hand, owner: Object, revisions: Sequence[Object], used: Collection[str]) -> None:
    """Forget the oldest revisions that nobody uses, beyond as many as the owner wants kept.

    `used` are the names of those that are current or that pods run.
    """
    limit = owner["spec"].get("revisionHistoryLimit")
    idle = [one for one in revisions if one["metadata"]["name"] not in used]
    for one in idle[: max(0, len(idle) - (_DEFAULT_LIMIT if limit is None else limit))]:
        hand.delete(_key(one))


def owner_key(collection: str, kind: str, child: Object | None) -> Key | None:
    """Where the owner of this kind stands that controls `child`, if one does."""
    if child is None:
        return None
    owner = owner_of(child)
    if owner is None or owner["kind"] != kind:
        return None
    # OpenKruise has kinds of the same names in a group of its own.
    if owner["apiVersion"].partition("/")[0] != collection.partition("/")[0]:
        return None
    return Key(collection, child["metadata"]["namespace"], owner["name"])


def _key(revision: Object) -> Key:
    metadata = revision["metadata"]
    return Key(CONTROLLER_REVISIONS, metadata["namespace"], metadata["name"])
