"""The events that a cluster's controllers write for people: what they did, to what, and when."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import ClassVar, Final, NamedTuple

from oneco.clock import Instant
from oneco.kube.objects import Object, dig
from oneco.worlds.apiserver.removal import NAMESPACES
from oneco.worlds.apiserver.store import Change, Key
from oneco.worlds.behaviours import instants
from oneco.worlds.behaviours.controller import Controller
from oneco.worlds.behaviours.hand import Hand
from oneco.worlds.behaviours.index import (
    CRON_JOBS,
    DAEMON_SETS,
    DEPLOYMENTS,
    JOBS,
    NODES,
    PODS,
    REPLICA_SETS,
    STATEFUL_SETS,
    Index,
    owner_of,
)

EVENTS: Final = "/events"
KEPT_SECONDS: Final = 3600.0
_ALL: Final = Key(EVENTS, "", "")
_WRITERS: Final = {
    "ReplicaSet": (REPLICA_SETS, "replicaset-controller"),
    "StatefulSet": (STATEFUL_SETS, "statefulset-controller"),
    "DaemonSet": (DAEMON_SETS, "daemonset-controller"),
    "Job": (JOBS, "job-controller"),
    "CronJob": (CRON_JOBS, "cronjob-controller"),
}


class Told(NamedTuple):
    """One thing worth telling."""

    about: Object
    reason: str
    message: str
    by: str
    type: str = "Normal"


class Narrator(Controller):
    """Writes events, counts those that say the same again, and forgets them after an hour."""

    collections: ClassVar[tuple[str, ...]] = (PODS, REPLICA_SETS, JOBS, NODES)

    def __init__(self, hand: Hand, index: Index, stir: Callable[[], None]) -> None:
        super().__init__(hand, index, stir)
        hand.on_delete = self._deleted
        self._pending: list[Told] = []
        self._said: dict[tuple[str, str, str], Key] = {}
        self._kept: deque[tuple[Instant, Key, tuple[str, str, str]]] = deque()
        for event in hand.store.scan(EVENTS):
            meta = event["metadata"]
            about = (dig(event, "involvedObject", "uid", default=""), event.get("reason", ""))
            self._keep(Key(EVENTS, meta["namespace"], meta["name"]), (*about, event["message"]))

    def notice(self, change: Change) -> None:
        """Tell what this commit shows."""
        revision, key, before, after = change
        # What is only taken up again was told when it happened.
        if after is None or not revision:
            return
        if key.collection == PODS:
            self._pod(before, after)
        elif key.collection == REPLICA_SETS:
            self._replica_set(before, after)
        elif key.collection == JOBS:
            self._job(before, after)
        elif key.collection == NODES and before is None:
            name = key.name
            message = f"Node {name} event: Registered Node {name} in Controller"
            self._tell(Told(after, "RegisteredNode", message, "node-controller"))

    def reconcile(self, key: Key) -> None:
        """Write what is pending."""
        pending, self._pending = self._pending, []
        self._forget()
        for told in pending:
            self._write(told)

    def _deleted(self, key: Key) -> None:
        pod = self.hand.store.get(key) if key.collection == PODS else None
        if pod is not None and "deletionTimestamp" not in pod["metadata"]:
            self._of_child(pod, "SuccessfulDelete", "Deleted", "Delete")

    def _pod(self, before: Object | None, after: Object) -> None:
        if before is None:
            self._of_child(after, "SuccessfulCreate", "Created", "Create")
        node = after["spec"].get("nodeName")
        if node and not (before or {"spec": {}})["spec"].get("nodeName"):
            meta = after["metadata"]
            message = f"Successfully assigned {meta['namespace']}/{meta['name']} to {node}"
            self._tell(Told(after, "Scheduled", message, "default-scheduler"))

    def _of_child(self, pod: Object, reason: str, done: str, verb: str) -> None:
        owner, found = self._owner(pod)
        if owner is None:
            return
        name, kind = pod["metadata"]["name"], owner["kind"]
        message = f"{done} pod: {name}"
        if kind == "StatefulSet":
            parent = owner["metadata"]["name"]
            message = f"{verb} Pod {name} in StatefulSet {parent} successful"
        self._tell(Told(owner, reason, message, found))

    def _owner(self, child: Object) -> tuple[Object | None, str]:
        reference = owner_of(child)
        if reference is None or reference["kind"] not in _WRITERS:
            return None, ""
        collection, writer = _WRITERS[reference["kind"]]
        place = Key(collection, child["metadata"]["namespace"], reference["name"])
        return self.hand.store.get(place), writer

    def _replica_set(self, before: Object | None, after: Object) -> None:
        reference = owner_of(after)
        was = dig(before, "spec", "replicas", default=0) if before else 0
        wanted = dig(after, "spec", "replicas", default=0)
        if reference is None or was == wanted:
            return
        meta = after["metadata"]
        deployment = self.hand.store.get(Key(DEPLOYMENTS, meta["namespace"], reference["name"]))
        if deployment is not None:
            way = "up" if wanted > was else "down"
            message = f"Scaled {way} replica set {meta['name']} from {was} to {wanted}"
            self._tell(Told(deployment, "ScalingReplicaSet", message, "deployment-controller"))

    def _job(self, before: Object | None, after: Object) -> None:
        if before is None:
            owner, writer = self._owner(after)
            if owner is not None:
                message = f"Created job {after['metadata']['name']}"
                self._tell(Told(owner, "SuccessfulCreate", message, writer))
            return
        for one in set(_conditions(after)) - set(_conditions(before)):
            if one == "Complete":
                self._tell(Told(after, "Completed", "Job completed", "job-controller"))
            elif one == "Failed":
                message = "Job has reached the specified backoff limit"
                about = (after, "BackoffLimitExceeded", message, "job-controller", "Warning")
                self._tell(Told(*about))

    def _tell(self, told: Told) -> None:
        self._pending.append(told)
        self.mark(_ALL)

    def _write(self, told: Told) -> None:
        meta = told.about["metadata"]
        space = self.hand.store.get(Key(NAMESPACES, "", meta.get("namespace") or "default"))
        if space is None or "deletionTimestamp" in space["metadata"]:
            return
        mark = (meta["uid"], told.reason, told.message)
        key = self._said.get(mark)
        live = self.hand.store.get(key) if key else None
        if key is not None and live is not None:
            again = {"count": live.get("count", 1) + 1, "lastTimestamp": self.hand.now_text()}
            self.hand.put(key, {**live, **again})
            return
        # As kube-controller-manager names them: after the moment, in hexadecimal.
        tail = format(int(self.hand.now() * 1e9) + len(self._said), "016x")
        key = Key(EVENTS, meta.get("namespace") or "default", f"{meta['name']}.{tail}")
        self.hand.give(key, self._event(told))
        self._keep(key, mark)

    def _event(self, told: Told) -> Object:
        now, meta = self.hand.now_text(), told.about["metadata"]
        about = {
            "kind": told.about["kind"],
            "namespace": meta.get("namespace"),
            "name": meta["name"],
            "uid": meta["uid"],
            "apiVersion": told.about["apiVersion"],
            "resourceVersion": meta.get("resourceVersion"),
        }
        scheduled = told.by == "default-scheduler"
        own = (
            {"eventTime": now.replace("Z", ".000000Z"), "action": "Binding", "source": {}}
            if scheduled
            else {
                "source": {"component": told.by},
                "firstTimestamp": now,
                "lastTimestamp": now,
                "count": 1,
                "eventTime": None,
            }
        )
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {},
            "involvedObject": {key: value for key, value in about.items() if value},
            "reason": told.reason,
            "message": told.message,
            **own,
            "type": told.type,
            "reportingComponent": told.by,
            "reportingInstance": "default-scheduler-oneco" if scheduled else "",
        }

    def _keep(self, key: Key, mark: tuple[str, str, str]) -> None:
        event = self.hand.store.get(key)
        if event is not None:
            self._said[mark] = key
            born = instants.parsed(event["metadata"]["creationTimestamp"])
            self._kept.append((born, key, mark))

    def _forget(self) -> None:
        limit = self.hand.now() - KEPT_SECONDS
        while self._kept and self._kept[0][0] < limit:
            _, key, mark = self._kept.popleft()
            if self._said.get(mark) == key:
                del self._said[mark]
            self.hand.remove(key)


def _conditions(job: Object) -> list[str]:
    found = dig(job, "status", "conditions", default=())
    return [one["type"] for one in found if one.get("status") == "True"]
