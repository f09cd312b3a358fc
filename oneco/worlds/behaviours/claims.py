"""PersistentVolumeClaims: each gets a volume at once, as from a provisioner that never fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from oneco.kube.objects import Object
from oneco.worlds.apiserver.store import Change, Key
from oneco.worlds.behaviours.controller import Controller
from oneco.worlds.behaviours.hand import Hand
from oneco.worlds.behaviours.index import CLAIMS, VOLUMES, Index

_BY_CONTROLLER = {
    "pv.kubernetes.io/bind-completed": "yes",
    "pv.kubernetes.io/bound-by-controller": "yes",
}
_PROVISIONER = "onepersoncompany.io/memory"


class Claims(Controller):
    """The volume binder and the provisioner of one cluster."""

    collections: ClassVar[tuple[str, ...]] = (CLAIMS, VOLUMES)

    def __init__(self, hand: Hand, index: Index, stir: Callable[[], None]) -> None:
        super().__init__(hand, index, stir)
        # By volume name: the claims that wait for a volume that is not there.
        self._waiting: dict[str, Key] = {}

    def notice(self, change: Change) -> None:
        """Look at a claim that came, changed or went, and at one whose volume has come."""
        key, before, after = change.key, change.before, change.after
        if key.collection == VOLUMES:
            if before is None and key.name in self._waiting:
                self.mark(self._waiting.pop(key.name))
        elif after is None:
            self._release(before)
        elif before is None or before["spec"] is not after["spec"]:
            self.mark(key)

    def reconcile(self, key: Key) -> None:
        """Bind the claim, or let its size follow what is asked for."""
        claim = self.hand.store.get(key)
        if claim is None or "deletionTimestamp" in claim["metadata"]:
            return
        volume = self._volume(key, claim)
        if volume is None:
            return
        asked = (claim["spec"].get("resources") or {}).get("requests") or {}
        capacity = volume["spec"].get("capacity") or {}
        if volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete" and asked:
            capacity = {"storage": asked["storage"]} if "storage" in asked else capacity
        status = {
            **(claim.get("status") or {}),
            "phase": "Bound",
            "accessModes": claim["spec"].get("accessModes") or [],
            "capacity": capacity,
        }
        name = volume["metadata"]["name"]
        if claim["spec"].get("volumeName") == name and claim.get("status") == status:
            return
        metadata = claim["metadata"]
        annotations = {**(metadata.get("annotations") or {}), **_BY_CONTROLLER}
        bound = {
            **claim,
            "metadata": {**metadata, "annotations": annotations},
            "spec": {**claim["spec"], "volumeName": name},
            "status": status,
        }
        self.hand.put(key, bound)

    def _volume(self, key: Key, claim: Object) -> Object | None:
        """The claim's volume, made if it may be; None while it has to wait for one by name."""
        named = claim["spec"].get("volumeName")
        if not named and claim["spec"].get("storageClassName") == "":
            return None
        name = named or f"pvc-{claim['metadata']['uid']}"
        found = self.hand.store.get(Key(VOLUMES, "", name))
        if found is None:
            if named:
                self._waiting[named] = key
                return None
            return self.hand.create(Key(VOLUMES, "", name), _made(claim, name))
        reference = found["spec"].get("claimRef") or {}
        if reference.get("uid") not in (None, claim["metadata"]["uid"]):
            return None
        if (found.get("status") or {}).get("phase") != "Bound":
            spec = {**found["spec"], "claimRef": _reference(claim)}
            found = self.hand.put(
                Key(VOLUMES, "", name), {**found, "spec": spec, "status": {"phase": "Bound"}}
            )
        return found

    def _release(self, claim: Object | None) -> None:
        name = (claim or {}).get("spec", {}).get("volumeName")
        key = Key(VOLUMES, "", name or "")
        volume = self.hand.store.get(key) if name else None
        if volume is None or claim is None:
            return
        if (volume["spec"].get("claimRef") or {}).get("uid") != claim["metadata"]["uid"]:
            return
        if volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
            self.hand.delete(key)
        else:
            self.hand.report(key, volume, {"phase": "Released"})


def _reference(claim: Object) -> Object:
    metadata = claim["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }


def _made(claim: Object, name: str) -> Object:
    spec = claim["spec"]
    storage = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    body: dict[str, Any] = {
        "capacity": {"storage": storage} if storage else {},
        "csi": {"driver": _PROVISIONER, "volumeHandle": name},
        "accessModes": spec.get("accessModes") or [],
        "claimRef": _reference(claim),
        "persistentVolumeReclaimPolicy": "Delete",
        "volumeMode": spec.get("volumeMode") or "Filesystem",
    }
    if spec.get("storageClassName"):
        body["storageClassName"] = spec["storageClassName"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"annotations": {"pv.kubernetes.io/provisioned-by": _PROVISIONER}},
        "spec": body,
        "status": {"phase": "Bound"},
    }
