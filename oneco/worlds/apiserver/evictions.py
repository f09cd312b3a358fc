"""Evictions: deletions of pods that their disruption budgets have to allow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from oneco.kube import selectors
from oneco.kube.api import DeleteOptions
from oneco.kube.errors import Cause, TooManyRequests, Unstated
from oneco.kube.objects import Object, dig
from oneco.worlds.apiserver.core import Core
from oneco.worlds.apiserver.store import Key

BUDGETS: Final = "policy/poddisruptionbudgets"
_REFUSED: Final = "Cannot evict pod as it would violate the pod's disruption budget."
_SEVERAL: Final = (
    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not "
    "support."
)
_NOT_RUNNING: Final = ("Pending", "Succeeded", "Failed")


def spend(core: Core, pod: Object, *, dry_run: bool) -> None:
    """Take the eviction of `pod` out of its budget; TooManyRequests if that has none left."""
    meta = pod["metadata"]
    if "deletionTimestamp" in meta or dig(pod, "status", "phase") in _NOT_RUNNING:
        return
    found = [one for one in core.store.scan(BUDGETS, meta["namespace"]) if _chooses(one, pod)]
    if len(found) > 1:
        raise Unstated(_SEVERAL)
    for budget in found:
        if _is_ready(pod) or not _may_lose_unready(budget):
            _spend_one(core, budget, dry_run=dry_run)


def options(body: Mapping[str, Any]) -> DeleteOptions:
    """How an Eviction wants the pod to be deleted."""
    asked = body.get("deleteOptions") or {}
    held = asked.get("preconditions") or {}
    return DeleteOptions(
        grace_seconds=asked.get("gracePeriodSeconds"),
        uid=held.get("uid") or "",
        resource_version=held.get("resourceVersion") or "",
    )


def _chooses(budget: Object, pod: Object) -> bool:
    wanted = dig(budget, "spec", "selector")
    if wanted is None:
        return False
    return selectors.from_object(wanted).matches(pod["metadata"].get("labels"))


def _is_ready(pod: Object) -> bool:
    conditions = dig(pod, "status", "conditions", default=())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _may_lose_unready(budget: Object) -> bool:
    if dig(budget, "spec", "unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status") or {}
    wanted = status.get("desiredHealthy", 0)
    return bool(wanted > 0 and status.get("currentHealthy", 0) >= wanted)


def _spend_one(core: Core, budget: Object, *, dry_run: bool) -> None:
    meta, status = budget["metadata"], budget.get("status") or {}
    name, allowed = meta["name"], status.get("disruptionsAllowed", 0)
    if status.get("observedGeneration", 0) < meta.get("generation", 0):
        raise _refusal(f"The disruption budget {name} is still being processed by the server.")
    if allowed <= 0:
        wanted, healthy = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
        raise _refusal(
            f"The disruption budget {name} needs {wanted} healthy pods and has {healthy} currently"
        )
    if not dry_run:
        # At once: the next eviction may come before anybody has counted the pods again.
        spent = {**budget, "status": {**status, "disruptionsAllowed": allowed - 1}}
        core.store.commit(Key(BUDGETS, meta["namespace"], name), spent)


def _refusal(why: str) -> TooManyRequests:
    return TooManyRequests(_REFUSED, causes=[Cause("", why, "DisruptionBudget")])
