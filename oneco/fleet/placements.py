"""One Placement: its PlacementDecisions and what its status says about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from oneco.clock import Instant
from oneco.decision import NOTHING, Action, Create, Decision, Delete, Reader, Reason, StatusWrite
from oneco.errors import Refused
from oneco.fleet.selection import Choice, choose
from oneco.kinds.conditions import Condition, with_condition
from oneco.kinds.ocm import CLUSTERS, PLACEMENT_DECISIONS, PLACEMENT_LABEL, PLACEMENTS
from oneco.kinds.parts import parse
from oneco.kinds.placement import (
    DECISION_GROUP_INDEX_LABEL,
    DECISION_GROUP_NAME_LABEL,
    DECISIONS_LIMIT,
    PlacementSpec,
)
from oneco.kube import objects
from oneco.kube.api import DeleteOptions
from oneco.kube.objects import Object, dig
from oneco.kube.refs import Address

SATISFIED: Final = "PlacementSatisfied"


class PlacementSeen(NamedTuple):
    """A placement, all clusters, and the decisions that stand now."""

    placement: Object
    clusters: Sequence[Object] = ()
    decisions: Sequence[Object] = ()


def gather(reader: Reader, key: tuple[str, str]) -> PlacementSeen | None:
    """Everything about the placement that `key` names, or None where it is gone."""
    namespace, name = key
    placement = reader.get(Address(PLACEMENTS, namespace, name))
    if placement is None:
        return None
    decisions = reader.list(PLACEMENT_DECISIONS, namespace)
    own = [one for one in decisions if objects.labels(one).get(PLACEMENT_LABEL) == name]
    return PlacementSeen(placement, reader.list(CLUSTERS), own)


def decide(seen: PlacementSeen, now: Instant) -> Decision:
    """Make the decisions say which clusters are chosen now."""
    placement = seen.placement
    if objects.is_deleting(placement):
        return NOTHING
    before = _chosen_before(seen.decisions)
    try:
        spec = parse(PlacementSpec, placement.get("spec"), "spec")
        choice = choose(spec, seen.clusters, before, now)
    except Refused as mistake:
        # Until a person has mended it, what was chosen stays.
        condition = Condition(SATISFIED, "False", "Misconfigured", str(mistake))
        return _said(seen, sorted(before), condition, now)
    actions, statuses = _decisions(seen, choice.clusters)
    said = _said(seen, choice.clusters, _verdict(spec, choice), now)
    return Decision(
        actions=tuple(actions),
        statuses=(*statuses, *said.statuses),
        wake_at=choice.until,
        reasons=said.reasons,
    )


def chosen(decisions: Sequence[Object]) -> tuple[str, ...]:
    """The clusters that these PlacementDecisions name, by name."""
    return tuple(sorted(_chosen_before(decisions)))


def _chosen_before(decisions: Sequence[Object]) -> frozenset[str]:
    return frozenset(
        one["clusterName"]
        for decision in decisions
        for one in dig(decision, "status", "decisions", default=())
    )


def _verdict(spec: PlacementSpec, choice: Choice) -> Condition:
    found, wanted = len(choice.clusters), spec.number_of_clusters
    if wanted is not None and found < wanted:
        message = (
            f"{found} of the {wanted} clusters asked for can be chosen; {choice.matched} match."
        )
        return Condition(SATISFIED, "False", "NotAllDecisionsScheduled", message)
    if not found:
        why = (
            "No cluster matches."
            if not choice.matched
            else "Every cluster that matches is tainted."
        )
        return Condition(SATISFIED, "False", "NoManagedClusterMatched", why)
    return Condition(SATISFIED, "True", "AllDecisionsScheduled", f"{found} clusters are chosen.")


def _decisions(
    seen: PlacementSeen, clusters: Sequence[str]
) -> tuple[list[Action], list[StatusWrite]]:
    placement = seen.placement
    namespace = objects.namespace(placement)
    present = {objects.name(one): one for one in seen.decisions}
    actions: list[Action] = []
    statuses: list[StatusWrite] = []
    for index, name in enumerate(_decision_names(objects.name(placement), len(clusters))):
        place = Address(PLACEMENT_DECISIONS, namespace, name)
        some = clusters[index * DECISIONS_LIMIT : (index + 1) * DECISIONS_LIMIT]
        status = {"decisions": [{"clusterName": one, "reason": ""} for one in some]}
        found = present.pop(name, None)
        if found is None:
            actions.append(Create(place._replace(name=""), _decision(placement, name)))
        if found is None or found.get("status") != status:
            statuses.append(StatusWrite(place, status))
    for surplus in present.values():
        address = Address(PLACEMENT_DECISIONS, namespace, objects.name(surplus))
        actions.append(Delete(address, DeleteOptions(uid=objects.uid(surplus))))
    return actions, statuses


def _decision_names(placement: str, clusters: int) -> list[str]:
    # No cluster at all is a decision as well: readers wait for the first one.
    count = max(1, -(-clusters // DECISIONS_LIMIT))
    return [f"{placement}-decision-{number}" for number in range(1, count + 1)]


def _decision(placement: Object, name: str) -> Object:
    owner = {
        "apiVersion": PLACEMENTS.api_version,
        "kind": "Placement",
        "name": objects.name(placement),
        "uid": objects.uid(placement),
        "controller": True,
        "blockOwnerDeletion": True,
    }
    labels = {
        PLACEMENT_LABEL: objects.name(placement),
        DECISION_GROUP_INDEX_LABEL: "0",
        DECISION_GROUP_NAME_LABEL: "",
    }
    return {
        "apiVersion": PLACEMENT_DECISIONS.api_version,
        "kind": "PlacementDecision",
        "metadata": {
            "name": name,
            "namespace": objects.namespace(placement),
            "labels": labels,
            "ownerReferences": [owner],
        },
    }


def _said(
    seen: PlacementSeen, clusters: Sequence[str], condition: Condition, now: Instant
) -> Decision:
    """The placement's status, where it is not what it should be."""
    placement = seen.placement
    old: Object = placement.get("status") or {}
    condition = condition._replace(observed_generation=objects.generation(placement))
    group = {
        "decisionGroupIndex": 0,
        "decisionGroupName": "",
        "decisions": _decision_names(objects.name(placement), len(clusters)),
        "clusterCount": len(clusters),
    }
    status = {
        **old,
        "numberOfSelectedClusters": len(clusters),
        "decisionGroups": [group],
        "conditions": with_condition(old.get("conditions") or [], condition, now),
    }
    if status == old:
        return NOTHING
    address = Address(PLACEMENTS, objects.namespace(placement), objects.name(placement))
    return Decision(
        statuses=(StatusWrite(address, status),),
        reasons=(Reason(condition.reason, condition.message),),
    )
