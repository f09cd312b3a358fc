"""The error metric of a fleet in this process, measured on new and on old pods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from oneco.kinds.release import CheckRunSpec, ObjectRef
from oneco.kube import objects, readiness
from oneco.kube.objects import Object
from oneco.main.probing import Probe, Rates
from oneco.worlds.apiserver.store import Key, Store

_TEMPLATE_HASH = "pod-template-hash"
_REVISION_HASH = "controller-revision-hash"
_REVISION = "deployment.kubernetes.io/revision"
_METRIC = "errors"
"""The only metric that simulated pods have."""
_POD, _GROUPS = "/pods", ("apps", "apps.kruise.io")


class Metered(Protocol):
    """A cluster of this process whose error metric can be read."""

    @property
    def store(self) -> Store:
        """Its objects."""
        ...

    def error_rate(self, namespace: str, selector: str = "") -> float:
        """The share of requests that the ready pods with these labels fail now."""
        ...


class _Choice(NamedTuple):
    """Selectors of the pods of each template: of the newest, and of all before."""

    new: Sequence[str]
    old: Sequence[str]


def probe(fleet: Mapping[str, Metered]) -> Probe:
    """A probe that reads what the pods of the fleet fail."""

    def measure(asked: CheckRunSpec) -> Rates:
        cluster = fleet.get(asked.cluster)
        if cluster is None or asked.check.metric != _METRIC:
            return Rates(None, None)
        old: list[float] = []
        new: list[float] = []
        for workload in asked.workloads:
            choice = _choice(cluster.store, workload)
            for found, rates in ((choice.new, new), (choice.old, old)):
                rates += [
                    cluster.error_rate(workload.namespace or "default", selector)
                    for selector in found
                ]
        return Rates(_worst(old), _worst(new))

    return measure


def _choice(store: Store, workload: ObjectRef) -> _Choice:
    plural, namespace = f"{workload.kind.lower()}s", workload.namespace or "default"
    # A question of an older hub names kinds without their groups; two have some of the same names.
    group = workload.api_version.rpartition("/")[0]
    groups = (group,) if group else _GROUPS
    places = (Key(f"{one}/{plural}", namespace, workload.name) for one in groups)
    live = next((found for key in places if (found := store.get(key)) is not None), None)
    if live is None:
        return _Choice((), ())
    if workload.kind == "Deployment":
        return _of_sets(store, live)
    newest = _newest(store, live)
    hashes = {
        objects.labels(pod).get(_REVISION_HASH, "")
        for pod in store.scan(_POD, namespace)
        if _owns(live, pod) and readiness.is_ready(pod)
    }
    selectors = {one: f"{_REVISION_HASH}={one}" for one in sorted(hashes) if one}
    new = [selector for one, selector in selectors.items() if one == newest]
    return _Choice(new, [one for one in selectors.values() if one not in new])


def _of_sets(store: Store, deployment: Object) -> _Choice:
    newest = objects.annotations_of(deployment).get(_REVISION)
    every = store.scan("apps/replicasets", objects.namespace(deployment))
    sets = [one for one in every if _owns(deployment, one)]
    running = [one for one in sets if objects.dig(one, "status", "readyReplicas", default=0)]
    new = [one for one in running if objects.annotations_of(one).get(_REVISION) == newest]
    return _Choice(_selectors(new), _selectors([one for one in running if one not in new]))


def _newest(store: Store, live: Object) -> str:
    """What the pods of the newest template carry in their revision label."""
    told = live.get("status") or {}
    said = told.get("daemonSetHash") or told.get("updateRevision")
    if said:
        return str(said)
    every = store.scan("apps/controllerrevisions", objects.namespace(live))
    own = [one for one in every if _owns(live, one)]
    last = max(own, key=lambda one: int(one["revision"]), default=None)
    return objects.labels(last).get(_REVISION_HASH, "") if last is not None else ""


def _owns(deployment: Object, replica_set: Object) -> bool:
    owner = objects.controller_of(replica_set)
    return owner is not None and owner.get("uid") == objects.uid(deployment)


def _selectors(sets: Sequence[Object]) -> list[str]:
    return [f"{_TEMPLATE_HASH}={objects.labels(one)[_TEMPLATE_HASH]}" for one in sets]


def _worst(rates: Sequence[float]) -> float | None:
    return max(rates, default=None)
