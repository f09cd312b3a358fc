"""What goes wrong, as data: plain values that say where, when and how, and never act."""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from oneco.clock import Instant
from oneco.kube import selectors
from oneco.kube.objects import Object
from oneco.worlds.apiserver.store import Store
from oneco.worlds.behaviours import chances, instants
from oneco.worlds.behaviours.index import PODS

_BEGINNING = Instant(0.0)
NEVER = float("inf")
BASE_ERROR_RATE = 0.01
PULL_SECONDS = 2.0
RUN_SECONDS = 5.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Which clusters a fault befalls: those named (all if none are), with matching labels."""

    clusters: tuple[str, ...] = ()
    labels: str = ""

    def includes(self, cluster: str, labels: Mapping[str, str]) -> bool:
        """Whether this cluster is among them; names may hold `*`."""
        named = not self.clusters or any(
            fnmatch.fnmatchcase(cluster, pattern) for pattern in self.clusters
        )
        return named and (not self.labels or selectors.parse(self.labels).matches(labels))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From when to when a fault can strike, in seconds since the rehearsal began."""

    from_seconds: float = 0.0
    until_seconds: float = NEVER


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _ImageFault:
    """A fault of the pods that run a matching image; `image` may hold `*`."""

    image: str
    where: Where = Where()
    window: Window = Window()
    share: float = 1.0
    """How many of the pods it strikes, from 0 to 1."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CrashLoop(_ImageFault):
    """The container exits `after_seconds` after each start."""

    after_seconds: float = 1.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NotReady(_ImageFault):
    """The pod runs and does not become ready."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SlowStart(_ImageFault):
    """The pod becomes ready `seconds` later than it would."""

    seconds: float = 60.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRate(_ImageFault):
    """The pod is ready and, `after_seconds` after its start, fails `factor` times as often."""

    factor: float = 2.0
    after_seconds: float = 0.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ImagePull(_ImageFault):
    """The image cannot be pulled."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The pods that run a matching image share `amount` of `metric` evenly, all that are ready.

    No failure: what an autoscaler measures. A metric that no load names is measured by nobody.
    """

    image: str = "*"
    metric: str = "cpu"
    milli: int = 0
    """The amount in thousandths: of a core, of a byte, of a request."""
    where: Where = Where()
    window: Window = Window()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable:
    """The cluster's API server and agent cannot be reached; the cluster itself goes on."""

    where: Where = Where()
    window: Window = Window()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NodeLoss:
    """The node stops; its pods neither run nor end until it comes back. `node` may hold `*`."""

    node: str
    where: Where = Where()
    window: Window = Window()


Fault = CrashLoop | NotReady | SlowStart | ErrorRate | ImagePull | Load | Unreachable | NodeLoss


class Fate(NamedTuple):
    """What befalls one pod; every time is an instant, or NEVER."""

    pull_ends: float
    """When its images are there."""
    pull_fails: bool
    ready_after: float
    """Seconds from its start to ready, if nothing keeps it from that."""
    unready_until: float
    """It cannot become ready before this instant."""
    crashes_at: float
    broken: frozenset[str]
    """The containers that the faults strike."""


HEALTHY = Fate(0.0, False, 0.0, 0.0, NEVER, frozenset())


@dataclasses.dataclass(frozen=True, slots=True)
class FaultBook:
    """The faults of one rehearsal, told from its start; `labels` are those of the clusters."""

    faults: tuple[Fault, ...] = ()
    start: Instant = _BEGINNING
    labels: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    seed: int = 0

    def of(self, cluster: str) -> ClusterFaults:
        """The part that concerns one cluster."""
        labels = self.labels.get(cluster, {})
        # The place in the book, not the place in the cluster, decides who is struck.
        found = [
            (place, fault)
            for place, fault in enumerate(self.faults)
            if fault.where.includes(cluster, labels)
        ]
        return ClusterFaults(cluster, self.seed, self.start, found)


NO_FAULTS = FaultBook()


class ClusterFaults:
    """The faults of one cluster, asked about pods, nodes and the way to it."""

    def __init__(
        self, cluster: str, seed: int, start: Instant, faults: Sequence[tuple[int, Fault]]
    ) -> None:
        self._cluster, self._seed, self._start = cluster, seed, start
        self._image_faults = tuple(
            (place, fault) for place, fault in faults if isinstance(fault, _ImageFault)
        )
        self._unreachable = tuple(
            self._span(fault.window) for _, fault in faults if isinstance(fault, Unreachable)
        )
        self._loads = tuple(fault for _, fault in faults if isinstance(fault, Load))
        self.node_losses = tuple(
            (fault.node, *self._span(fault.window))
            for _, fault in faults
            if isinstance(fault, NodeLoss)
        )

    def fate(self, pod: Object, began: Instant) -> Fate:
        """What befalls `pod` in the stage that began at `began`."""
        if not self._image_faults:
            return HEALTHY
        return self._fate(pod, began, self._striking(pod))

    def usage(self, pods: Sequence[Object], metric: str, now: Instant) -> dict[str, int] | None:
        """What each ready pod of `pods` uses of a metric, in thousandths; None if unmeasured."""
        loads = [one for one in self._loads if one.metric == metric]
        if not loads:
            return None
        ready = [pod for pod in pods if _is_ready(pod)]
        used = {pod["metadata"]["name"]: 0 for pod in ready}
        for load in loads:
            struck = [pod for pod in ready if _runs(pod, load.image)]
            if self._is_now(load, now):
                for pod in struck:
                    used[pod["metadata"]["name"]] += load.milli // len(struck)
        return used

    def load(self, metric: str, now: Instant) -> int | None:
        """How much there is of a metric in all, in thousandths; None if unmeasured."""
        loads = [one for one in self._loads if one.metric == metric]
        return sum(one.milli for one in loads if self._is_now(one, now)) if loads else None

    def _is_now(self, load: Load, now: Instant) -> bool:
        begin, end = self._span(load.window)
        return begin <= now < end

    def is_reachable(self, now: Instant) -> bool:
        """Whether the cluster's API server can be reached."""
        return not any(begin <= now < end for begin, end in self._unreachable)

    def outages(self) -> Sequence[tuple[Instant, Instant]]:
        """From when to when the cluster cannot be reached."""
        return self._unreachable

    def error_rate_of(self, store: Store, namespace: str, selector: str, now: Instant) -> float:
        """The error rate of the pods in `store` that have these labels."""
        chosen = selectors.parse(selector)
        pods = store.scan(PODS, namespace)
        return self.error_rate(
            [pod for pod in pods if chosen.matches(pod["metadata"].get("labels"))], now
        )

    def error_rate(self, pods: Iterable[Object], now: Instant) -> float:
        """The share of requests that fail, over the ready ones of `pods`; 0 where none is ready.

        A pod's own rate moves a little from minute to minute, by hash.
        """
        rates = [self._rate(pod, now) for pod in pods if _is_ready(pod)]
        return sum(rates) / len(rates) if rates else 0.0

    def _rate(self, pod: Object, now: Instant) -> float:
        name, minute = pod["metadata"]["name"], int(now // 60)
        jitter = 0.9 + 0.2 * chances.share(self._seed, self._cluster, name, minute, "errors")
        rate = BASE_ERROR_RATE * jitter
        for fault, _ in self._striking(pod):
            if isinstance(fault, ErrorRate):
                started = instants.parsed(pod["status"]["startTime"])
                begin, end = self._span(fault.window)
                if max(begin, started + fault.after_seconds) <= now < end:
                    rate *= fault.factor
        return min(1.0, rate)

    def _span(self, window: Window) -> tuple[Instant, Instant]:
        start = self._start
        return Instant(start + window.from_seconds), Instant(start + window.until_seconds)

    def _striking(self, pod: Object) -> list[tuple[_ImageFault, frozenset[str]]]:
        """The faults that strike `pod`, with the containers of it that are broken."""
        if not self._image_faults:
            return []
        found: list[tuple[_ImageFault, frozenset[str]]] = []
        spec = pod["spec"]
        for place, fault in self._image_faults:
            names = frozenset(
                container["name"]
                for container in spec["containers"]
                if fnmatch.fnmatchcase(container["image"], fault.image)
            )
            if names and self._is_struck(pod, place, fault):
                found.append((fault, names))
        return found

    def _is_struck(self, pod: Object, place: int, fault: _ImageFault) -> bool:
        if fault.share >= 1.0:
            return True
        metadata = pod["metadata"]
        about = (metadata.get("namespace"), metadata["name"])
        return chances.share(self._seed, self._cluster, *about, place) < fault.share

    def _fate(
        self, pod: Object, began: Instant, striking: list[tuple[_ImageFault, frozenset[str]]]
    ) -> Fate:
        pull_ends, pull_fails, ready_after, unready_until = 0.0, False, 0.0, 0.0
        crashes_at: float = NEVER
        broken: set[str] = set()
        for fault, names in striking:
            begin, end = self._span(fault.window)
            if isinstance(fault, CrashLoop):
                at = max(begin, began + fault.after_seconds)
                if at < end:
                    crashes_at = min(crashes_at, at)
                    broken |= names
            elif isinstance(fault, ImagePull):
                if begin <= began + PULL_SECONDS < end:
                    pull_ends, pull_fails = max(pull_ends, end), True
                    broken |= names
            elif begin <= began < end and isinstance(fault, SlowStart):
                ready_after = max(ready_after, fault.seconds)
            elif begin <= began < end and isinstance(fault, NotReady):
                unready_until = max(unready_until, end)
                broken |= names
        return Fate(
            pull_ends, pull_fails, ready_after, unready_until, crashes_at, frozenset(broken)
        )


def _runs(pod: Object, image: str) -> bool:
    return any(fnmatch.fnmatchcase(one["image"], image) for one in pod["spec"]["containers"])


def _is_ready(pod: Object) -> bool:
    metadata = pod["metadata"]
    if "deletionTimestamp" in metadata:
        return False
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
