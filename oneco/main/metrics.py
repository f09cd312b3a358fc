"""The error metric of a fleet in this process, measured on new and on old pods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from oneco.kinds.release import CheckRunSpec
from oneco.kube import objects
from oneco.kube.objects import Object
from oneco.main.probing import Probe, Rates
from oneco.worlds.apiserver.store import Key, Store

_HASH = "pod-template-hash"
_REVISION = "deployment.kubernetes.io/revision"
_METRIC = "errors"
"""The only metric that simulated pods have."""


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
            choice = _templates(cluster.store, workload.namespace or "default", workload.name)
            for found, rates in ((choice.new, new), (choice.old, old)):
                rates += [
                    cluster.error_rate(workload.namespace or "default", f"{_HASH}={template}")
                    for template in found
                ]
        return Rates(_worst(old), _worst(new))

    return measure


def _templates(store: Store, namespace: str, name: str) -> _Choice:
    deployment = store.get(Key("apps/deployments", namespace, name))
    if deployment is None:
        return _Choice((), ())
    newest = objects.annotations_of(deployment).get(_REVISION)
    sets = [one for one in store.scan("apps/replicasets", namespace) if _owns(deployment, one)]
    running = [one for one in sets if objects.dig(one, "status", "readyReplicas", default=0)]
    new = [one for one in running if objects.annotations_of(one).get(_REVISION) == newest]
    return _Choice(_hashes(new), _hashes([one for one in running if one not in new]))


def _owns(deployment: Object, replica_set: Object) -> bool:
    owner = objects.controller_of(replica_set)
    return owner is not None and owner.get("uid") == objects.uid(deployment)


def _hashes(sets: Sequence[Object]) -> list[str]:
    return [objects.labels(one)[_HASH] for one in sets]


def _worst(rates: Sequence[float]) -> float | None:
    return max(rates, default=None)
