"""Fleets as people write them, and what they become."""

from __future__ import annotations

import pytest

from oneco.errors import Refused
from oneco.kinds.fleet import FaultSpec, FleetSpec, Member, RehearsalSpec, managed_cluster, members
from oneco.kinds.parts import build, parse


def fleet(*clusters: dict, **defaults: object) -> tuple[Member, ...]:
    return members(parse(FleetSpec, {"clusters": list(clusters), "defaults": defaults}))


def test_a_count_makes_numbered_clusters():
    assert [one.name for one in fleet({"name": "prod", "count": 3})] == [
        "prod-001",
        "prod-002",
        "prod-003",
    ]


def test_a_cluster_has_three_nodes_unless_it_says_otherwise():
    found = fleet({"name": "a"}, {"name": "b", "nodes": 7}, {"name": "c", "nodes": {"cpu": 16}})
    assert [(one.nodes, one.cpu) for one in found] == [(3, "4"), (7, "4"), (3, "16")]


def test_shorthands_become_the_labels_that_waves_go_by():
    (one,) = fleet({"name": "a", "environment": "canary", "region": "eu", "labels": {"tier": "x"}})
    assert one.labels == {
        "tier": "x",
        "onepersoncompany.io/environment": "canary",
        "topology.kubernetes.io/region": "eu",
    }


def test_a_cluster_keeps_the_defaults_that_it_does_not_replace():
    (one,) = fleet({"name": "a", "environment": "test"}, environment="production", region="us")
    assert one.labels == {
        "onepersoncompany.io/environment": "test",
        "topology.kubernetes.io/region": "us",
    }


def test_a_label_of_the_cluster_wins_over_a_default_shorthand():
    own = {"onepersoncompany.io/environment": "staging"}
    (one,) = fleet({"name": "a", "labels": own}, environment="production")
    assert one.labels == own


def test_two_clusters_of_one_name_are_refused():
    with pytest.raises(Refused, match=r'spec\.clusters\[1\]\.name: found "a"'):
        fleet({"name": "a"}, {"name": "a"})


def test_a_member_becomes_an_accepted_managed_cluster():
    (one,) = fleet({"name": "a", "environment": "test"})
    assert managed_cluster(one) == {
        "apiVersion": "cluster.open-cluster-management.io/v1",
        "kind": "ManagedCluster",
        "metadata": {"name": "a", "labels": {"onepersoncompany.io/environment": "test"}},
        "spec": {"hubAcceptsClient": True, "leaseDurationSeconds": 60},
    }


def test_from_is_read_and_written_under_its_own_name():
    fault = parse(FaultSpec, {"type": "Unreachable", "from": "2h", "until": "3h"})
    assert (fault.from_, fault.until) == ("2h", "3h")
    assert build(fault) == {"type": "Unreachable", "from": "2h", "until": "3h"}
    assert parse(RehearsalSpec, {"from": {"file": "v1.yaml"}}).from_ is not None


def test_a_rehearsal_without_from_starts_with_nothing_and_takes_every_fault():
    rehearsal = parse(RehearsalSpec, {})
    assert (rehearsal.from_, rehearsal.faults, rehearsal.until) == (None, None, "7d")


def test_parts_are_built_as_json_without_tuples():
    assert build(parse(RehearsalSpec, {"faults": ["a"]})) == {"faults": ["a"]}
