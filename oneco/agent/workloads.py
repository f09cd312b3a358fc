"""How many pods of a workload run its newest revision, and what is wrong with them.

What a workload's own status means is for its driver to say; here pods are counted.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence, Set

from oneco.agent.ports import Pod, Said, Workload
from oneco.clock import Instant
from oneco.decision import Follow, Reader
from oneco.kinds.release import Problem
from oneco.kube import objects, readiness
from oneco.kube.objects import Object
from oneco.kube.refs import Resource

PODS = Resource("", "v1", "pods")
NODES = Resource("", "v1", "nodes")

FATAL = frozenset(
    {
        "CrashLoopBackOff",
        "ImagePullBackOff",
        "ErrImagePull",
        "InvalidImageName",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
    }
)
"""Why a container waits although nothing but a change of the pod will help it."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Pods of one workload; believed only while `is_current`.

    `replicas` leaves out what silent nodes keep from the present template. `ripens_at` is when a
    new pod will have been ready for long enough, if any is on its way there.
    """

    is_current: bool = True
    is_paused: bool = False
    replicas: int = 0
    total: int = 0
    updated: int = 0
    updated_ready: int = 0
    ready: int = 0
    problems: tuple[Problem, ...] = ()
    ripens_at: Instant | None = None


NONE = Counts()


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """A live workload with everything that tells about its pods."""

    driver: Workload
    live: Object
    said: Said
    pods: Sequence[Object]
    """Those that it controls, if they are needed."""
    silent: Set[str]
    """The nodes that went silent, where nodes matter."""


def look(reader: Reader, live: Object, driver: Workload) -> Seen:
    """What there is to know about the pods of `live`."""
    history: Sequence[Object] = ()
    if driver.history is not None:
        history = tuple(_owned(reader, driver.history, (live,)))
    said = driver.said(live, history)
    is_told = said.updated_ready is not None and said.updated_ready >= said.updated
    if is_told:
        return Seen(driver, live, said, (), frozenset())
    pods = tuple(_owned(reader, PODS, (live, *history)))
    nodes = reader.list(NODES, "", "member") if driver.is_on_nodes else ()
    return Seen(driver, live, said, pods, frozenset(map(objects.name, filter(_is_silent, nodes))))


def count(seen: Seen, now: Instant) -> Counts:
    """The numbers that a release is judged by."""
    said = seen.said
    new = [pod for pod in _staying(seen.pods) if _is_of(pod, said.newest)]
    ripe, ripens_at = _ripe(new, seen.driver.min_ready_seconds(seen.live), now)
    updated_ready = ripe if said.updated_ready is None else said.updated_ready
    excused = _excused(seen)
    updated = said.updated - sum(_node(pod) in excused for pod in new)
    return Counts(
        is_current=said.newest is not None and _is_current(seen.live),
        is_paused=seen.driver.is_paused(seen.live),
        replicas=said.replicas - len(excused),
        total=said.total,
        updated=max(0, updated),
        updated_ready=min(updated_ready, max(0, updated)),
        ready=said.ready,
        problems=_troubles(new) if updated_ready < said.updated else (),
        ripens_at=ripens_at if said.updated_ready is None else None,
    )


def doomed(seen: Seen, counts: Counts, now: Instant) -> Sequence[Object]:
    """The pods that have to be deleted for the gate to be reached."""
    if not counts.is_current or objects.is_deleting(seen.live):
        return ()
    seconds = seen.driver.min_ready_seconds(seen.live)
    excused = _excused(seen)
    pods = [
        Pod(
            pod,
            is_new=_is_of(pod, seen.said.newest),
            is_ready=readiness.is_ready(pod),
            is_available=_is_ripe(pod, seconds, now),
        )
        for pod in _staying(seen.pods)
        if _node(pod) not in excused
    ]
    return seen.driver.doomed(seen.live, pods, counts.replicas)


def _excused(seen: Seen) -> Set[str]:
    """The silent nodes on which no pod of the present template ever started.

    They say nothing about it, and nobody can bring it there. A node that went silent *after* it
    got the new pod is another matter: the pod may be why.
    """
    if not seen.silent:
        return frozenset()
    started = {_node(pod) for pod in seen.pods if _is_of(pod, seen.said.newest) and _began(pod)}
    return {_node(pod) for pod in seen.pods} & seen.silent - started


def _ripe(pods: Iterable[Object], seconds: int, now: Instant) -> tuple[int, Instant | None]:
    """How many have been ready for so long, and when the next one will have been."""
    times = [readiness.available_at(pod, seconds) for pod in pods]
    coming = [at for at in times if at is not None and at > now]
    return sum(at is not None and at <= now for at in times), min(coming, default=None)


def _is_ripe(pod: Object, seconds: int, now: Instant) -> bool:
    at = readiness.available_at(pod, seconds)
    return at is not None and at <= now


def _is_of(pod: Object, revision: str | None) -> bool:
    """Whether the pod carries this revision, whole or as the hash at the revision's end."""
    label = _revision(pod)
    if not revision or not label:
        return False
    return revision == label or revision.endswith(f"-{label}")


def _began(pod: Object) -> bool:
    return bool(objects.dig(pod, "status", "phase", default="Pending") != "Pending")


def _node(pod: Object) -> str:
    name = objects.dig(pod, "spec", "nodeName", default="")
    return str(name)


def _is_silent(node: Object) -> bool:
    conditions = objects.dig(node, "status", "conditions", default=())
    return any(one.get("type") == "Ready" and one.get("status") == "Unknown" for one in conditions)


def _is_current(live: Object) -> bool:
    seen = objects.dig(live, "status", "observedGeneration", default=0)
    return bool(seen >= objects.generation(live))


def follows(driver: Workload, namespace: str) -> Iterable[Follow]:
    """The collections that tell about the pods of a workload."""
    if driver.history is not None:
        yield Follow(driver.history, namespace)
    if driver.is_on_nodes:
        yield Follow(NODES)
    yield Follow(PODS, namespace)


def trouble(pod: Object) -> tuple[str, str]:
    """Why a pod will not get ready by itself, or two empty strings."""
    status = pod.get("status") or {}
    for key in ("containerStatuses", "initContainerStatuses"):
        for container in status.get(key) or ():
            waiting = objects.dig(container, "state", "waiting", default={})
            if waiting.get("reason") in FATAL:
                return waiting["reason"], waiting.get("message") or ""
    if status.get("phase") == "Failed":
        return status.get("reason") or "Failed", status.get("message") or ""
    return "", ""


def _troubles(new: Iterable[Object]) -> tuple[Problem, ...]:
    found = [trouble(pod) for pod in new]
    pods = Counter(reason for reason, _ in found if reason)
    said = dict(reversed(found))
    return tuple(
        Problem(reason=reason, message=said[reason], pods=pods[reason]) for reason in sorted(pods)
    )


def _revision(pod: Object) -> str:
    labels = objects.labels(pod)
    return labels.get("controller-revision-hash") or labels.get("pod-template-hash", "")


def _staying(pods: Iterable[Object]) -> Iterable[Object]:
    return (pod for pod in pods if not objects.is_deleting(pod))


def _owned(reader: Reader, resource: Resource, owners: Iterable[Object]) -> list[Object]:
    # Never by going through a namespace: that would cost each workload of it all the others' pods.
    found = (
        one for owner in owners for one in reader.owned(resource, objects.uid(owner), "member")
    )
    return sorted(found, key=objects.name)
