"""How many pods of a workload run its newest revision, and what is wrong with them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from oneco.decision import Follow, Reader
from oneco.kinds.release import Problem
from oneco.kube import objects
from oneco.kube.objects import Object
from oneco.kube.refs import Kind, Resource, kind_of

DEPLOYMENT = Kind("apps", "v1", "Deployment")
STATEFUL_SET = Kind("apps", "v1", "StatefulSet")
DAEMON_SET = Kind("apps", "v1", "DaemonSet")
REPLICA_SETS = Resource("apps", "v1", "replicasets")
CONTROLLER_REVISIONS = Resource("apps", "v1", "controllerrevisions")
PODS = Resource("", "v1", "pods")
_REVISION = "deployment.kubernetes.io/revision"
_REVISION_LABEL = "controller-revision-hash"

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
    """Pods of one workload; believed only while `is_current`."""

    is_current: bool = True
    replicas: int = 0
    total: int = 0
    updated: int = 0
    updated_ready: int = 0
    ready: int = 0
    problems: tuple[Problem, ...] = ()
    newest: str = ""
    """What pods of the present template carry as `controller-revision-hash`, once known."""


NONE = Counts()


def count(reader: Reader, live: Object) -> Counts:
    """The pods of `live`, if it is a workload that this room knows."""
    counted = _COUNTED.get(kind_of(live))
    return counted(reader, live) if counted is not None else NONE


def staying(reader: Reader, live: Object) -> tuple[Object, ...]:
    """The pods that `live` controls and that are not on their way out."""
    owned = _owned(reader.list(PODS, objects.namespace(live), "member"), live)
    return tuple(pod for pod in owned if not objects.is_deleting(pod))


def _deployment(reader: Reader, live: Object) -> Counts:
    status = live.get("status") or {}
    newest = _newest(reader, live) if status.get("updatedReplicas") else None
    ready = objects.dig(newest or {}, "status", "readyReplicas", default=0)
    return Counts(
        is_current=_is_current(live),
        replicas=objects.dig(live, "spec", "replicas", default=1),
        total=status.get("replicas") or 0,
        updated=status.get("updatedReplicas") or 0,
        updated_ready=min(ready, status.get("updatedReplicas") or 0),
        ready=status.get("readyReplicas") or 0,
        problems=_problems(reader, newest, ready),
    )


def _stateful_set(reader: Reader, live: Object) -> Counts:
    status = live.get("status") or {}
    return _by_revision(
        reader,
        live,
        status.get("updateRevision") or "",
        replicas=objects.dig(live, "spec", "replicas", default=1),
        total=status.get("replicas") or 0,
        updated=status.get("updatedReplicas") or 0,
        ready=status.get("readyReplicas") or 0,
    )


def _daemon_set(reader: Reader, live: Object) -> Counts:
    status = live.get("status") or {}
    return _by_revision(
        reader,
        live,
        _revision_of_template(reader, live),
        replicas=status.get("desiredNumberScheduled") or 0,
        total=status.get("currentNumberScheduled") or 0,
        updated=status.get("updatedNumberScheduled") or 0,
        ready=status.get("numberReady") or 0,
    )


def _by_revision(reader: Reader, live: Object, newest: str, **numbers: int) -> Counts:
    """Only pods tell which of them are new *and* ready; the status says neither of the two."""
    pods = [pod for pod in staying(reader, live) if newest and _revision(pod) == newest]
    ready = sum(map(is_ready, pods))
    return Counts(
        is_current=_is_current(live) and bool(newest),
        updated_ready=min(ready, numbers["updated"]),
        problems=_troubles(pods) if ready < len(pods) else (),
        newest=newest,
        **numbers,
    )


def _revision_of_template(reader: Reader, live: Object) -> str:
    """A DaemonSet's status names no revision: it is the one that keeps the present template."""
    wanted = {**objects.dig(live, "spec", "template", default={}), "$patch": "replace"}
    candidates = reader.list(CONTROLLER_REVISIONS, objects.namespace(live), "member")
    for one in _owned(candidates, live):
        if objects.dig(one, "data", "spec", "template") == wanted:
            return _revision(one)
    return ""


_COUNTED: Mapping[Kind, Callable[[Reader, Object], Counts]] = {
    DEPLOYMENT: _deployment,
    STATEFUL_SET: _stateful_set,
    DAEMON_SET: _daemon_set,
}


def _is_current(live: Object) -> bool:
    seen = objects.dig(live, "status", "observedGeneration", default=0)
    return bool(seen >= objects.generation(live))


def follows(kind: Kind, namespace: str) -> Iterable[Follow]:
    """The collections that tell about the pods of a workload."""
    if kind == DEPLOYMENT:
        yield Follow(REPLICA_SETS, namespace)
    if kind == DAEMON_SET:
        yield Follow(CONTROLLER_REVISIONS, namespace)
    if kind in _COUNTED:
        yield Follow(PODS, namespace)


def is_ready(pod: Object) -> bool:
    """Whether the pod says that it is ready."""
    return any(
        one.get("type") == "Ready" and one.get("status") == "True"
        for one in objects.dig(pod, "status", "conditions", default=())
    )


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


def _newest(reader: Reader, deployment: Object) -> Object | None:
    revision = objects.annotations_of(deployment).get(_REVISION)
    for one in _owned(
        reader.list(REPLICA_SETS, objects.namespace(deployment), "member"), deployment
    ):
        if objects.annotations_of(one).get(_REVISION) == revision:
            return one
    return None


def _problems(reader: Reader, newest: Object | None, ready: int) -> tuple[Problem, ...]:
    if newest is None or ready >= objects.dig(newest, "spec", "replicas", default=0):
        return ()
    owned = _owned(reader.list(PODS, objects.namespace(newest), "member"), newest)
    return _troubles([pod for pod in owned if not objects.is_deleting(pod)])


def _troubles(new: Iterable[Object]) -> tuple[Problem, ...]:
    found = [trouble(pod) for pod in new]
    pods = Counter(reason for reason, _ in found if reason)
    said = dict(reversed(found))
    return tuple(
        Problem(reason=reason, message=said[reason], pods=pods[reason]) for reason in sorted(pods)
    )


def _revision(obj: Object) -> str:
    return objects.labels(obj).get(_REVISION_LABEL, "")


def _owned(candidates: Sequence[Object], owner: Object) -> Iterable[Object]:
    uid = objects.uid(owner)
    for one in candidates:
        reference = objects.controller_of(one)
        if reference is not None and reference.get("uid") == uid:
            yield one
