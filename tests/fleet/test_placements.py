"""Placements: which clusters are chosen, and that a broken link changes nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from oneco.control.cache import Cache, CacheReader
from oneco.decision import NOTHING, Create, Decision, Delete
from oneco.fleet import placements
from oneco.fleet.placements import PlacementSeen, decide, gather
from oneco.kinds.ocm import CLUSTERS, PLACEMENT_DECISIONS, PLACEMENT_LABEL, PLACEMENTS
from oneco.kube import times
from oneco.kube.objects import Object, dig

START = times.from_text("2026-11-21T08:00:00Z")
UNREACHABLE = "cluster.open-cluster-management.io/unreachable"


def a_cluster(name: str, *taints: dict, accepted: bool = True, **labels: str) -> Object:
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {"hubAcceptsClient": accepted, "taints": list(taints)},
    }


def a_taint(key: str = UNREACHABLE, effect: str = "NoSelect", **more: str) -> dict:
    return {"key": key, "effect": effect, **more}


def a_placement(**spec: Any) -> Object:
    metadata = {"name": "shop", "namespace": "default", "uid": "u1", "generation": 3}
    return {"metadata": metadata, "spec": spec}


def selecting(**labels: str) -> list[dict]:
    return [{"requiredClusterSelector": {"labelSelector": {"matchLabels": labels}}}]


def a_decision(*names: str, number: int = 1) -> Object:
    return {
        "metadata": {
            "name": f"shop-decision-{number}",
            "namespace": "default",
            "uid": f"d{number}",
            "labels": {PLACEMENT_LABEL: "shop"},
        },
        "status": {"decisions": [{"clusterName": name, "reason": ""} for name in names]},
    }


def chosen(decision: Decision) -> list[str]:
    """The clusters in all PlacementDecisions that are written."""
    return [
        one["clusterName"]
        for status in decision.statuses
        if status.address.resource == PLACEMENT_DECISIONS
        for one in status.status["decisions"]
    ]


def status(decision: Decision) -> Object:
    (found,) = [one.status for one in decision.statuses if one.address.resource == PLACEMENTS]
    return found


def reason(decision: Decision) -> tuple[str, str]:
    (condition,) = status(decision)["conditions"]
    return condition["status"], condition["reason"]


def look(placement: Object, *clusters: Object, before: tuple[Object, ...] = ()) -> Decision:
    return decide(PlacementSeen(placement, clusters, before), START)


def test_without_predicates_every_accepted_cluster_is_chosen_in_order_of_names():
    denied = a_cluster("c", accepted=False)
    assert chosen(look(a_placement(), a_cluster("b"), denied, a_cluster("a"))) == ["a", "b"]


def test_labels_choose():
    decision = look(
        a_placement(predicates=selecting(env="test")),
        a_cluster("a", env="test"),
        a_cluster("b", env="prod"),
    )
    assert chosen(decision) == ["a"]


def test_one_predicate_of_several_is_enough():
    predicates = selecting(env="test") + selecting(env="prod")
    two = a_cluster("a", env="test"), a_cluster("b", env="prod"), a_cluster("c")
    assert chosen(look(a_placement(predicates=predicates), *two)) == ["a", "b"]


def test_claims_and_labels_must_both_fit():
    claims = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["z1"]}]}
    labels = {"matchLabels": {"env": "test"}}
    selector = {"claimSelector": claims, "labelSelector": labels}
    predicates = [{"requiredClusterSelector": selector}]
    claiming = {"status": {"clusterClaims": [{"name": "zone", "value": "z1"}]}}
    decision = look(
        a_placement(predicates=predicates),
        {**a_cluster("a", env="test"), **claiming},
        {**a_cluster("b", env="prod"), **claiming},
        a_cluster("c", env="test"),
    )
    assert chosen(decision) == ["a"]


def test_a_number_keeps_those_that_were_chosen_before():
    three = a_cluster("a"), a_cluster("b"), a_cluster("c")
    decision = look(a_placement(numberOfClusters=2), *three, before=(a_decision("c"),))
    assert chosen(decision) == ["a", "c"]


def test_an_unreachable_cluster_is_not_chosen():
    decision = look(a_placement(), a_cluster("a", a_taint()), a_cluster("b"))
    assert chosen(decision) == ["b"]


def test_a_chosen_cluster_that_becomes_unreachable_stays_chosen():
    before = a_decision("a", "b")
    decision = look(a_placement(), a_cluster("a", a_taint()), a_cluster("b"), before=(before,))
    assert chosen(decision) == []
    assert decision.actions == ()
    assert status(decision)["numberOfSelectedClusters"] == 2


def test_a_chosen_cluster_that_a_person_taints_is_chosen_no_more():
    tainted = a_cluster("a", a_taint("maintenance"))
    decision = look(a_placement(), tainted, a_cluster("b"), before=(a_decision("a", "b"),))
    assert chosen(decision) == ["b"]


def test_a_taint_for_new_choices_leaves_old_ones():
    tainted = a_taint("full", "NoSelectIfNew")
    two = a_cluster("a", tainted), a_cluster("b", tainted), a_cluster("c")
    assert chosen(look(a_placement(), *two, before=(a_decision("a"),))) == ["a", "c"]


def test_an_avoided_cluster_comes_last_where_a_number_is_asked():
    two = a_cluster("a", a_taint("old", "PreferNoSelect")), a_cluster("b")
    assert chosen(look(a_placement(numberOfClusters=1), *two)) == ["b"]
    assert chosen(look(a_placement(), *two)) == ["a", "b"]


def test_a_tolerated_taint_does_not_count():
    tolerations = [{"key": "maintenance", "operator": "Exists"}]
    tainted = a_cluster("a", a_taint("maintenance"))
    assert chosen(look(a_placement(tolerations=tolerations), tainted)) == ["a"]


def test_a_toleration_of_some_seconds_ends_and_asks_to_be_woken():
    tolerations = [{"key": "maintenance", "operator": "Exists", "tolerationSeconds": 600}]
    tainted = a_cluster("a", a_taint("maintenance", timeAdded="2026-11-21T07:55:00Z"))
    decision = look(a_placement(tolerations=tolerations), tainted)
    assert (chosen(decision), decision.wake_at) == (["a"], START + 300)
    late = a_cluster("a", a_taint("maintenance", timeAdded="2026-11-21T07:50:00Z"))
    decision = look(a_placement(tolerations=tolerations), late)
    assert (chosen(decision), decision.wake_at) == ([], None)


def test_more_than_a_hundred_clusters_need_more_decisions():
    many = [a_cluster(f"c{number:03}") for number in range(250)]
    decision = look(a_placement(), *many)
    created = [action for action in decision.actions if isinstance(action, Create)]
    assert [one.body["metadata"]["name"] for one in created] == [
        "shop-decision-1",
        "shop-decision-2",
        "shop-decision-3",
    ]
    sizes = [len(one.status["decisions"]) for one in decision.statuses[:3]]
    assert sizes == [100, 100, 50]


def test_a_decision_carries_its_placement_as_label_and_owner():
    (created,) = look(a_placement(), a_cluster("a")).actions
    assert isinstance(created, Create)
    assert created.body["metadata"] == {
        "name": "shop-decision-1",
        "namespace": "default",
        "labels": {
            "cluster.open-cluster-management.io/placement": "shop",
            "cluster.open-cluster-management.io/decision-group-index": "0",
            "cluster.open-cluster-management.io/decision-group-name": "",
        },
        "ownerReferences": [
            {
                "apiVersion": "cluster.open-cluster-management.io/v1beta1",
                "kind": "Placement",
                "name": "shop",
                "uid": "u1",
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    }


def test_a_decision_that_is_not_needed_any_more_is_deleted():
    two = a_decision("a"), a_decision("b", number=2)
    decision = look(a_placement(), a_cluster("a"), before=two)
    (deleted,) = decision.actions
    assert isinstance(deleted, Delete)
    assert (deleted.address.name, deleted.options.uid) == ("shop-decision-2", "d2")


def test_the_status_tells_how_many_were_chosen():
    assert reason(look(a_placement(), a_cluster("a"))) == ("True", "AllDecisionsScheduled")
    assert reason(look(a_placement())) == ("False", "NoManagedClusterMatched")
    wanting = look(a_placement(numberOfClusters=3), a_cluster("a"))
    assert reason(wanting) == ("False", "NotAllDecisionsScheduled")
    assert [str(one) for one in wanting.reasons] == [
        "1 of the 3 clusters asked for can be chosen; 1 match."
    ]


def test_what_cannot_be_understood_is_said_and_changes_no_choice():
    cel = [{"requiredClusterSelector": {"celSelector": {"celExpressions": ["true"]}}}]
    decision = look(a_placement(predicates=cel), a_cluster("b"), before=(a_decision("a"),))
    assert (decision.actions, chosen(decision)) == ((), [])
    assert reason(decision) == ("False", "Misconfigured")
    assert "spec.predicates[0].requiredClusterSelector.celSelector" in str(decision.reasons[0])
    assert status(decision)["numberOfSelectedClusters"] == 1


def test_an_unchanged_choice_gives_nothing():
    placement, cluster = a_placement(), a_cluster("a")
    placement = {**placement, "status": status(look(placement, cluster))}
    decision = look(placement, cluster, before=(a_decision("a"),))
    assert decision == NOTHING


def test_a_placement_on_its_way_out_is_left_alone():
    leaving = {"metadata": {"name": "shop", "deletionTimestamp": "2026-11-21T08:00:00Z"}}
    assert look(leaving, a_cluster("a")) == NOTHING


names = st.sampled_from([f"c{number}" for number in range(8)])
effects = st.sampled_from(["NoSelect", "PreferNoSelect", "NoSelectIfNew"])
some_taints = st.lists(
    st.builds(a_taint, st.sampled_from([UNREACHABLE, "maintenance"]), effects), max_size=2
)


@settings(max_examples=60, deadline=None)
@given(
    taints=st.dictionaries(names, some_taints, min_size=1),
    before=st.frozensets(names),
    number=st.none() | st.integers(0, 9),
)
def test_a_choice_once_made_is_made_again(taints, before, number):
    clusters = [a_cluster(name, *found) for name, found in taints.items()]
    spec = {} if number is None else {"numberOfClusters": number}
    placement = a_placement(**spec)
    first = placements.decide(
        PlacementSeen(placement, clusters, (a_decision(*sorted(before)),)), START
    )
    once = [
        one["clusterName"]
        for written in first.statuses
        if written.address.resource == PLACEMENT_DECISIONS
        for one in dig(written.status, "decisions")
    ]
    if all(one.address.resource != PLACEMENT_DECISIONS for one in first.statuses):
        once = sorted(before)
    placement = {**placement, "status": status(first)}
    again = look(placement, *reversed(clusters), before=(a_decision(*once),))
    assert again == NOTHING


def test_gathering_takes_only_the_decisions_of_its_namespace():
    cache = Cache()
    own, other = a_decision("a"), a_decision("b")
    other = {**other, "metadata": {**other["metadata"], "namespace": "elsewhere"}}
    placement, cluster = a_placement(), a_cluster("a")
    for resource, obj in (
        (PLACEMENTS, placement),
        (CLUSTERS, cluster),
        (PLACEMENT_DECISIONS, own),
        (PLACEMENT_DECISIONS, other),
    ):
        cache.take("hub", resource, obj)
    reader = CacheReader(cache)
    assert gather(reader, ("default", "shop")) == PlacementSeen(placement, [cluster], [own])
    assert gather(reader, ("default", "gone")) is None
