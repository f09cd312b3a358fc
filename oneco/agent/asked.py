"""What a work asks about its manifests: how each is put into the cluster, what is told of it, and
what stays when the work goes. As Open Cluster Management's `manifestConfigs` and `deleteOption`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from oneco.agent.marks import FIELD_MANAGER
from oneco.agent.seen import Wanted, WorkSeen
from oneco.kube import jsonpath, objects
from oneco.kube.api import WriteOptions
from oneco.kube.objects import Json, Object

_WELL_KNOWN: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("apps", "Deployment"): {
        "ReadyReplicas": ".status.readyReplicas",
        "Replicas": ".status.replicas",
        "AvailableReplicas": ".status.availableReplicas",
    },
    ("apps", "DaemonSet"): {
        "NumberReady": ".status.numberReady",
        "DesiredNumberScheduled": ".status.desiredNumberScheduled",
        "NumberAvailable": ".status.numberAvailable",
    },
    ("batch", "Job"): {
        "JobComplete": '.status.conditions[?(@.type=="Complete")].status',
        "JobSucceeded": ".status.succeeded",
    },
    ("", "Pod"): {
        "PodReady": '.status.conditions[?(@.type=="Ready")].status',
        "PodPhase": ".status.phase",
    },
}
"""The values that Open Cluster Management's agent tells of kinds that everybody knows."""


def config(seen: WorkSeen, one: Wanted) -> Mapping[str, Any]:
    """What the work says about this manifest, empty where it says nothing."""
    for found in objects.dig(seen.work, "spec", "manifestConfigs", default=()):
        named = found.get("resourceIdentifier") or {}
        if named.get("name") == objects.name(one.manifest) and _is_same(named, one):
            return dict(found)
    return {}


def strategy(seen: WorkSeen, one: Wanted) -> str:
    """The way in which the manifest is put there; `Update` where nothing is said."""
    said = config(seen, one).get("updateStrategy") or {}
    return str(said.get("type") or "Update")


def is_settled(seen: WorkSeen, one: Wanted) -> bool:
    """Whether nothing is to be written, whatever the live object is like."""
    kind = strategy(seen, one)
    is_there = one.live is not None and not objects.is_deleting(one.live)
    return kind == "ReadOnly" or (kind == "CreateOnly" and is_there)


def options(seen: WorkSeen, one: Wanted) -> WriteOptions:
    """How it is applied. Only a work that asks for it gives way to other managers of a field."""
    said = config(seen, one).get("updateStrategy") or {}
    own = said.get("serverSideApply") or {}
    if said.get("type") != "ServerSideApply" or not own:
        return WriteOptions(manager=FIELD_MANAGER, force=True)
    manager = own.get("fieldManager") or FIELD_MANAGER
    return WriteOptions(manager=manager, force=bool(own.get("force")))


def executor(seen: WorkSeen) -> str:
    """In whose name the work wants to be applied, empty for the agent's own."""
    account = objects.dig(seen.work, "spec", "executor", "subject", "serviceAccount", default={})
    return f"{account.get('namespace')}/{account.get('name')}" if account else ""


def values(seen: WorkSeen, one: Wanted) -> Iterator[Object]:
    """The single values that the work asks for, of the live object."""
    for rule in config(seen, one).get("feedbackRules") or ():
        if rule.get("type") == "WellKnownStatus":
            paths: Mapping[str, str] = _WELL_KNOWN.get((one.kind.group, one.kind.kind), {})
        else:
            paths = {row["name"]: row["path"] for row in rule.get("jsonPaths") or ()}
        for name, path in paths.items():
            value = _value(path, one.live)
            if value is not None:
                yield {"name": name, "fieldValue": value}


def _value(path: str, live: Object | None) -> Object | None:
    try:
        found = jsonpath.find(path, live or {})
    except ValueError:
        return None
    return _typed(found[0]) if found else None


def _typed(value: Json) -> Object | None:
    if isinstance(value, bool):
        return {"type": "Boolean", "boolean": value}
    if isinstance(value, int):
        return {"type": "Integer", "integer": value}
    if isinstance(value, str):
        return {"type": "String", "string": value}
    # Lists and objects are told only where a gate is open that is shut by default.
    return None


def _is_same(named: Mapping[str, Any], one: Wanted) -> bool:
    if one.info is None:
        return False
    at = one.address
    given = (named.get("group") or "", named.get("resource") or "", named.get("namespace") or "")
    return given == (at.resource.group, at.resource.plural, objects.namespace(one.manifest))
