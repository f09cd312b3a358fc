"""Pods: bound to nodes by the scheduler, then carried through their stages by the kubelets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from oneco.clock import Instant
from oneco.kube.objects import Object
from oneco.worlds.apiserver.store import Change, Key
from oneco.worlds.behaviours import stages, statuses
from oneco.worlds.behaviours.controller import Controller
from oneco.worlds.behaviours.faults import HEALTHY, NEVER, Fate, FaultBook
from oneco.worlds.behaviours.hand import Hand
from oneco.worlds.behaviours.index import PODS, Index
from oneco.worlds.behaviours.nodes import Nodes
from oneco.worlds.behaviours.stages import Standing

# More than any pod can have due at one instant.
_STEPS_AT_ONCE = 16


class Pods(Controller):
    """The scheduler and all kubelets of one cluster."""

    collections: ClassVar[tuple[str, ...]] = (PODS,)

    def __init__(
        self,
        hand: Hand,
        index: Index,
        stir: Callable[[], None],
        *,
        nodes: Nodes,
        faults: FaultBook,
    ) -> None:
        super().__init__(hand, index, stir)
        self._nodes, self._faults = nodes, faults.of(hand.cluster)
        self._shared = statuses.Shared()
        self._bound_specs: dict[tuple[int, str], tuple[Object, Object]] = {}
        self._unplaced: dict[Key, None] = {}
        self._is_room_noticed = False
        self._refused: dict[int, Object] = {}
        """Specs that fit on no node in this turn: all pods of a template have the same."""
        self._writing: Key | None = None
        nodes.watchers.append(self._look_at_node)
        self._effects: dict[str, Callable[[Key, Object, Fate], None]] = {
            "pull_fails": self._fail_to_pull,
            "start": self._start,
            "become_ready": self._become_ready,
            "crash": self._crash,
            "finish": self._finish,
            "restart": self._restart,
            "go": self._go,
        }

    def notice(self, change: Change) -> None:
        """Look at a pod that came or changed; one that went leaves room for another."""
        if change.after is not None:
            # What this controller writes itself it goes on with at once.
            if change.key != self._writing:
                self.mark(change.key)
        else:
            self._unplaced.pop(change.key, None)
            self._refused.clear()
            if not self._is_room_noticed:
                # Once in a turn: thousands may wait while thousands go.
                self._is_room_noticed = True
                for key in self._unplaced:
                    self.mark(key)

    def work(self) -> None:
        """Reconcile everything that is marked."""
        self._is_room_noticed = False
        self._refused.clear()
        super().work()

    def reconcile(self, key: Key) -> None:
        """Take the steps of the pod that are due, and come back when the next one is."""
        self._writing = key
        try:
            for _ in range(_STEPS_AT_ONCE):
                if not self._step(key):
                    return
        finally:
            self._writing = None
        raise AssertionError(f"pod {key.namespace}/{key.name} takes steps without end")

    def _step(self, key: Key) -> bool:
        """Take one step that is due; False where there is none."""
        pod = self.index.pods(key.namespace).get(key.name)
        if pod is None:
            return False
        standing = stages.standing(pod)
        if standing.stage == "unbound":
            return self._bind(key, pod)
        if standing.stage == "finished" or not self._nodes.is_alive(pod["spec"]["nodeName"]):
            return False
        fate = HEALTHY
        if standing.stage != "terminating":
            fate = self._faults.fate(pod, standing.since)
        effect, due = stages.next_step(pod, standing, fate)
        if due <= self.hand.now():
            self._effects[effect](key, pod, fate)
            # Only finalizers keep a pod here whose end has come.
            return effect != "go"
        if standing.stage == "ready" and not statuses.is_ready(pod):
            # The cluster took the node for lost; its kubelet knows better.
            self._become_ready(key, pod, fate)
        if due < NEVER:
            self.mark_at(Instant(due), key)
        return False

    def _look_at_node(self, name: str) -> None:
        self._refused.clear()
        for namespace, pod in tuple(self.index.on_node(name)):
            self.mark(Key(PODS, namespace, pod))
        for key in self._unplaced:
            self.mark(key)

    def _bind(self, key: Key, pod: Object) -> bool:
        spec = pod["spec"]
        if id(spec) in self._refused and key in self._unplaced:
            return False
        node = spec.get("nodeName") or self._nodes.place(pod)
        if node is None:
            self._refused[id(spec)] = spec
            self._report_unplaced(key, pod)
            return False
        self._unplaced.pop(key, None)
        now, containers = self.hand.now_text(), pod["spec"]["containers"]
        status = {
            "phase": "Pending",
            "conditions": statuses.conditions(now, now, False, False),
            "hostIP": self._nodes.address(node),
            "startTime": now,
            "containerStatuses": self._shared.get(
                containers, "creating", lambda all_: statuses.waiting(all_, "ContainerCreating")
            ),
            "qosClass": (pod.get("status") or {}).get("qosClass", "BestEffort"),
        }
        self.hand.put(key, {**pod, "spec": self._bound(pod["spec"], node), "status": status})
        return True

    def _bound(self, spec: Object, node: str) -> Object:
        """`spec` on this node, one value for all pods of one template on one node."""
        found = self._bound_specs.get((id(spec), node))
        if found is None:
            if len(self._bound_specs) >= 256:
                self._bound_specs.clear()
            found = self._bound_specs[id(spec), node] = (spec, {**spec, "nodeName": node})
        return found[1]

    def _report_unplaced(self, key: Key, pod: Object) -> None:
        self._unplaced[key] = None
        count = self._nodes.count()
        message = f"0/{count} nodes are available: the pod fits on none of them."
        found = statuses.condition(pod, "PodScheduled")
        if found is None or found.get("message") != message:
            conditions = statuses.unschedulable(self.hand.now_text(), message)
            status = {**(pod.get("status") or {}), "phase": "Pending", "conditions": conditions}
            self.hand.report(key, pod, status)

    def _start(self, key: Key, pod: Object, fate: Fate) -> None:
        status, now = pod["status"], self.hand.now_text()
        ended = any(one["lastState"] for one in status["containerStatuses"])
        if ended and stages.standing(pod).stage in ("crashed", "creating", "unpulled"):
            containers = statuses.restarted(status["containerStatuses"], now)
            is_ready = False
        else:
            later = stages.Standing("running", self.hand.now())
            is_ready = self._is_ready_at_once(pod, later)
            broken = fate.broken
            containers = self._shared.get(
                pod["spec"]["containers"],
                (now, is_ready, broken),
                lambda all_: statuses.running(all_, now, is_ready, broken),
            )
        address = status.get("podIP") or self._next_address()
        self._report(key, pod, containers, is_ready=is_ready, podIP=address)

    def _is_ready_at_once(self, pod: Object, running: Standing) -> bool:
        # Asked of the whole second that the status will say, as after a restart of this process.
        since = Instant(float(int(running.since)))
        effect, due = stages.next_step(
            pod, Standing("running", since), self._faults.fate(pod, since)
        )
        return effect == "become_ready" and due <= running.since

    def _become_ready(self, key: Key, pod: Object, _fate: Fate) -> None:
        found = pod["status"]["containerStatuses"]
        containers = self._shared.get(found, "ready", statuses.readied)
        self._report(key, pod, containers, is_ready=True)

    def _fail_to_pull(self, key: Key, pod: Object, fate: Fate) -> None:
        containers = statuses.unpulled(pod["spec"]["containers"], fate.broken)
        self._report(key, pod, containers, is_ready=False)

    def _crash(self, key: Key, pod: Object, fate: Fate) -> None:
        now, status = self.hand.now_text(), pod["status"]
        if pod["spec"].get("restartPolicy", "Always") == "Never":
            self._end(key, pod, "Failed", fate.broken)
            return
        containers = statuses.crashed(status["containerStatuses"], fate.broken, now)
        self._report(key, pod, containers, is_ready=False)

    def _restart(self, key: Key, pod: Object, _fate: Fate) -> None:
        found, now = pod["status"]["containerStatuses"], self.hand.now_text()
        containers = statuses.replaced(found, pod["spec"]["containers"], now)
        self._report(key, pod, containers, is_ready=False)

    def _finish(self, key: Key, pod: Object, _fate: Fate) -> None:
        self._end(key, pod, "Succeeded", frozenset())

    def _go(self, key: Key, pod: Object, _fate: Fate) -> None:
        self.hand.end(key, pod)

    def _end(self, key: Key, pod: Object, phase: str, broken: frozenset[str]) -> None:
        now, status = self.hand.now_text(), pod["status"]
        self.hand.report(
            key,
            pod,
            {
                **status,
                "phase": phase,
                "conditions": statuses.conditions(status["startTime"], now, False, True),
                "containerStatuses": statuses.finished(status["containerStatuses"], now, broken),
            },
        )

    def _report(
        self, key: Key, pod: Object, containers: list[Object], *, is_ready: bool, **more: Any
    ) -> None:
        status = pod["status"]
        before = statuses.condition(pod, "Ready")
        changed = self.hand.now_text()
        if before is not None and (before["status"] == "True") == is_ready:
            changed = before["lastTransitionTime"]
        is_running = any("waiting" not in one["state"] for one in containers)
        if "podIP" in more:
            more["podIPs"] = [{"ip": more["podIP"]}]
        self.hand.report(
            key,
            pod,
            {
                **status,
                **more,
                "phase": "Running" if is_running or status["phase"] == "Running" else "Pending",
                "conditions": statuses.conditions(status["startTime"], changed, is_ready, False),
                "containerStatuses": containers,
            },
        )

    def _next_address(self) -> str:
        """An address that no other pod has: it counts as the store's revisions do."""
        number = self.hand.store.revision() + 1
        return f"10.{64 + (number >> 16) % 64}.{number >> 8 & 255}.{number & 255}"
