"""How many pods of a workload run its newest revision, and what is wrong with them."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence

from oneco.decision import Follow, Reader
from oneco.kinds.release import Problem
from oneco.kube import objects
from oneco.kube.objects import Object
from oneco.kube.refs import Kind, Resource, kind_of

DEPLOYMENT = Kind("apps", "v1", "Deployment")
REPLICA_SETS = Resource("apps", "v1", "replicasets")
PODS = Resource("", "v1", "pods")
_REVISION = "deployment.kubernetes.io/revision"

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


NONE = Counts()


def count(reader: Reader, live: Object) -> Counts:
    """The pods of `live`, if it is a workload that this room knows."""
    if kind_of(live) != DEPLOYMENT:
        return NONE
    status = live.get("status") or {}
    newest = _newest(reader, live) if status.get("updatedReplicas") else None
    ready = objects.dig(newest or {}, "status", "readyReplicas", default=0)
    return Counts(
        is_current=(status.get("observedGeneration") or 0) >= objects.generation(live),
        replicas=objects.dig(live, "spec", "replicas", default=1),
        total=status.get("replicas") or 0,
        updated=status.get("updatedReplicas") or 0,
        updated_ready=min(ready, status.get("updatedReplicas") or 0),
        ready=status.get("readyReplicas") or 0,
        problems=_problems(reader, newest, ready),
    )


def follows(kind: Kind, namespace: str) -> Iterable[Follow]:
    """The collections that tell about the pods of a workload."""
    if kind == DEPLOYMENT:
        yield Follow(REPLICA_SETS, namespace)
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
    found = [trouble(pod) for pod in owned if not objects.is_deleting(pod)]
    pods = Counter(reason for reason, _ in found if reason)
    said = dict(reversed(found))
    return tuple(
        Problem(reason=reason, message=said[reason], pods=pods[reason]) for reason in sorted(pods)
    )


def _owned(candidates: Sequence[Object], owner: Object) -> Iterable[Object]:
    uid = objects.uid(owner)
    for one in candidates:
        reference = objects.controller_of(one)
        if reference is not None and reference.get("uid") == uid:
            yield one
