"""Nodes: their conditions, the loss of one, and what the cluster does about it."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from oneco.clock import Instant
from oneco.kube.objects import Object
from oneco.worlds.apiserver.store import Change, Key
from oneco.worlds.behaviours import instants, scheduling, statuses
from oneco.worlds.behaviours.controller import FAR_SECONDS, Controller
from oneco.worlds.behaviours.faults import FaultBook
from oneco.worlds.behaviours.hand import Hand
from oneco.worlds.behaviours.index import NODES, PODS, Index

UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
# How long the node may be silent before the cluster believes that it is lost.
GRACE_SECONDS = 50.0
# A pod says itself how long it stays on a lost node; this is what it says by default.
DEFAULT_TOLERATION_SECONDS = 300


class Nodes(Controller):
    """The node lifecycle of one cluster. A healthy node writes nothing."""

    collections: ClassVar[tuple[str, ...]] = (NODES,)

    def __init__(
        self, hand: Hand, index: Index, stir: Callable[[], None], faults: FaultBook
    ) -> None:
        super().__init__(hand, index, stir)
        self._nodes: dict[str, Object] = {}
        self._open: list[Object] | None = None
        self._losses = faults.of(hand.cluster).node_losses
        self.watchers: list[Callable[[str], None]] = []
        """Called with the name of a node that changed or came back."""
        self._expected: set[str] = set()

    def is_alive(self, name: str) -> bool:
        """Whether the node's kubelet works; the cluster learns of its death only later."""
        if not self._losses:
            return True
        now = self.hand.now()
        return not any(begin <= now < end for begin, end in self._losses_of(name))

    def place(self, pod: Object) -> str | None:
        """The node for this pod, or None while it fits on none."""
        if self._open is None:
            self._open = [
                node for _, node in sorted(self._nodes.items()) if scheduling.is_open(node)
            ]
        on_node = self.index.on_node
        return scheduling.choose(
            pod, [(node, len(on_node(node["metadata"]["name"]))) for node in self._open]
        )

    def count(self) -> int:
        """How many nodes there are."""
        return len(self._nodes)

    def address(self, name: str) -> str:
        """The node's own address."""
        node = self._nodes.get(name)
        for one in ((node or {}).get("status") or {}).get("addresses") or ():
            if one["type"] == "InternalIP":
                return str(one["address"])
        return ""

    def notice(self, change: Change) -> None:
        """Follow a node that came, changed or went."""
        name = change.key.name
        if change.after is None:
            self._nodes.pop(name, None)
        else:
            self._nodes[name] = change.after
            self._expect(name)
        self._open = None
        self.mark(change.key)

    def reconcile(self, key: Key) -> None:
        """Write what the cluster believes of the node, and drive pods from one that is lost."""
        node = self._nodes.get(key.name)
        if node is None:
            # Pods of a node that is gone have nobody who could end them.
            for (namespace, name), pod in sorted(
                self.index.on_node(key.name).items(), key=_by_place
            ):
                self.hand.end(Key(PODS, namespace, name), pod)
        elif self._is_lost(key.name):
            self._lose(key, node)
        elif self.is_alive(key.name):
            self._heal(key, node)
            self._mark_closed(key)
        for watcher in self.watchers:
            watcher(key.name)

    def _is_lost(self, name: str) -> bool:
        now = self.hand.now()
        return any(begin + GRACE_SECONDS <= now < end for begin, end in self._losses_of(name))

    def _losses_of(self, name: str) -> Iterator[tuple[Instant, Instant]]:
        return (
            (begin, end)
            for pattern, begin, end in self._losses
            if fnmatch.fnmatchcase(name, pattern)
        )

    def _expect(self, name: str) -> None:
        """Look at a node when it is lost and when it returns."""
        if name not in self._expected:
            self._expected.add(name)
            for begin, end in self._losses_of(name):
                for instant in (begin, Instant(begin + GRACE_SECONDS), end):
                    self._look_at(name, instant)

    def _lose(self, key: Key, node: Object) -> None:
        if _ready_status(node) != "Unknown":
            now = self.hand.now_text()
            taints = [
                {"key": UNREACHABLE, "effect": effect, "timeAdded": now}
                for effect in ("NoSchedule", "NoExecute")
            ]
            status = {**(node.get("status") or {}), "conditions": _unknown(node, now)}
            spec = {**(node.get("spec") or {}), "taints": taints + _other_taints(node)}
            node = self.hand.put(key, {**node, "spec": spec, "status": status})
            for namespace, name in sorted(self.index.on_node(key.name)):
                self._unready(Key(PODS, namespace, name), now)
        self._evict(key, instants.parsed(_lost_since(node)))

    def _unready(self, key: Key, now: str) -> None:
        pod = self.hand.store.get(key)
        if pod is None or not statuses.is_ready(pod):
            return
        changed = [
            {**one, "status": "False", "lastTransitionTime": now, "reason": "NodeNotReady"}
            if one["type"] == "Ready"
            else one
            for one in pod["status"]["conditions"]
        ]
        self.hand.report(key, pod, {**pod["status"], "conditions": changed})

    def _evict(self, key: Key, since: Instant) -> None:
        now = self.hand.now()
        for (namespace, name), pod in sorted(self.index.on_node(key.name).items(), key=_by_place):
            end = Instant(since + _toleration_seconds(pod))
            if end <= now:
                self.hand.delete(Key(PODS, namespace, name), is_decided=False)
            else:
                self._look_at(key.name, end)

    def _heal(self, key: Key, node: Object) -> None:
        if _ready_status(node) == "True":
            return
        now = self.hand.now_text()
        status = {**_body(), **(node.get("status") or {}), "conditions": _healthy(now)}
        status["addresses"] = status.get("addresses") or [
            {"type": "InternalIP", "address": self._free_address()},
            {"type": "Hostname", "address": key.name},
        ]
        spec = {name: part for name, part in (node.get("spec") or {}).items() if name != "taints"}
        taints = _other_taints(node)
        if taints:
            spec["taints"] = taints
        self.hand.put(key, {**node, "spec": spec, "status": status})

    def _mark_closed(self, key: Key) -> None:
        """A node that takes no new pods says so by a taint too, which some pods tolerate."""
        node = self._nodes[key.name]
        spec = node.get("spec") or {}
        taints = list(spec.get("taints") or ())
        is_marked = any(one["key"] == UNSCHEDULABLE for one in taints)
        if is_marked is bool(spec.get("unschedulable")):
            return
        kept = [one for one in taints if one["key"] != UNSCHEDULABLE]
        if not is_marked:
            now = self.hand.now_text()
            kept.append({"key": UNSCHEDULABLE, "effect": "NoSchedule", "timeAdded": now})
        spec = {name: part for name, part in spec.items() if name != "taints"}
        self.hand.put(key, {**node, "spec": {**spec, "taints": kept} if kept else spec})

    def _free_address(self) -> str:
        taken = {self.address(name) for name in self._nodes}
        for number in range(1, 65536):
            address = f"172.18.{number >> 8}.{number & 255}"
            if address not in taken:
                return address
        raise AssertionError("more nodes than addresses")

    def _look_at(self, node: str, instant: Instant) -> None:
        if instant - self.hand.now() < FAR_SECONDS:
            self.mark_at(instant, Key(NODES, "", node))


def _by_place(entry: tuple[tuple[str, str], Object]) -> tuple[str, str]:
    return entry[0]


def _ready_status(node: Object) -> str:
    for condition in (node.get("status") or {}).get("conditions") or ():
        if condition["type"] == "Ready":
            return str(condition["status"])
    return ""


def _lost_since(node: Object) -> str:
    for condition in node["status"]["conditions"]:
        if condition["type"] == "Ready":
            return str(condition["lastTransitionTime"])
    raise AssertionError("a lost node has a condition that says so")


def _other_taints(node: Object) -> list[Object]:
    taints = (node.get("spec") or {}).get("taints") or ()
    return [taint for taint in taints if taint["key"] != UNREACHABLE]


def _toleration_seconds(pod: Object) -> float:
    taint = {"key": UNREACHABLE, "effect": "NoExecute"}
    for toleration in pod["spec"].get("tolerations") or ():
        if scheduling.tolerates(toleration, taint):
            seconds = toleration.get("tolerationSeconds")
            return FAR_SECONDS if seconds is None else float(seconds)
    return DEFAULT_TOLERATION_SECONDS


def _body() -> dict[str, Any]:
    room = {"cpu": "16", "memory": "64Gi", "pods": "110", "ephemeral-storage": "100Gi"}
    return {
        "capacity": room,
        "allocatable": room,
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": "",
            "containerRuntimeVersion": "containerd://2.1.0",
            "kernelVersion": "6.12.0",
            "kubeProxyVersion": "",
            "kubeletVersion": "v1.36.3",
            "machineID": "",
            "operatingSystem": "linux",
            "osImage": "Linux",
            "systemUUID": "",
        },
    }


_KINDS = (
    (
        "MemoryPressure", "False", "KubeletHasSufficientMemory",
        "kubelet has sufficient memory available",
    ),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)  # fmt: skip


def _healthy(now: str) -> list[Object]:
    return [
        {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": message,
            "lastHeartbeatTime": now,
            "lastTransitionTime": now,
        }
        for kind, status, reason, message in _KINDS
    ]


def _unknown(node: Object, now: str) -> list[Object]:
    why = {
        "status": "Unknown",
        "reason": "NodeStatusUnknown",
        "message": "Kubelet stopped posting node status.",
        "lastTransitionTime": now,
    }
    return [{**condition, **why} for condition in node["status"].get("conditions") or ()]
