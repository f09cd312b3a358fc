"""The annotations by which a Deployment numbers its ReplicaSets and remembers its size in them."""

from __future__ import annotations

from collections.abc import Sequence

from oneco.kube.objects import Object

_PREFIX = "deployment.kubernetes.io/"
REVISION = _PREFIX + "revision"
HISTORY = _PREFIX + "revision-history"
DESIRED = _PREFIX + "desired-replicas"
MOST = _PREFIX + "max-replicas"

# What a ReplicaSet does not take over from its Deployment.
_OWN = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        "deprecated.deployment.rollback.to", REVISION, HISTORY, DESIRED, MOST,
    }
)  # fmt: skip


def number(obj: Object) -> int:
    """The revision that `obj` carries, 0 if none."""
    return _integer(_annotations(obj).get(REVISION))


def desired(replica_set: Object) -> int | None:
    """How many pods its Deployment wanted when the ReplicaSet was last scaled."""
    text = _annotations(replica_set).get(DESIRED)
    return int(text) if text is not None and text.isdigit() else None


def most(replica_set: Object) -> int:
    """How many pods its Deployment could have had then, 0 if it does not say."""
    return _integer(_annotations(replica_set).get(MOST))


def sizes(replicas: int, surge: int) -> Object:
    """The annotations that remember this size."""
    return {DESIRED: str(replicas), MOST: str(replicas + surge)}


def is_current(deployment: Object, replica_set: Object, olds: Sequence[Object]) -> bool:
    """Whether the newest ReplicaSet's annotations are what `renewed` would make them."""
    own = _annotations(replica_set)
    if _integer(own.get(REVISION)) <= max((number(old) for old in olds), default=0):
        return False
    return all(
        key in _OWN or own.get(key) == value for key, value in _annotations(deployment).items()
    )


def renewed(deployment: Object, replica_set: Object | None, olds: Sequence[Object]) -> Object:
    """The annotations of the newest ReplicaSet: its Deployment's and the next revision."""
    taken = {key: value for key, value in _annotations(deployment).items() if key not in _OWN}
    own = {} if replica_set is None else dict(_annotations(replica_set))
    following = max((number(old) for old in olds), default=0) + 1
    found = {**own, **taken}
    previous = _integer(own.get(REVISION))
    if previous < following:
        if previous:
            history = own.get(HISTORY)
            found[HISTORY] = f"{history},{previous}" if history else str(previous)
        found[REVISION] = str(following)
    return found


def _annotations(obj: Object) -> Object:
    return obj["metadata"].get("annotations") or {}


def _integer(text: str | None) -> int:
    return int(text) if text is not None and text.isdigit() else 0
