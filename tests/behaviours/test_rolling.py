"""The arithmetic of a rolling update, and the laws that every rollout obeys."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from oneco.kube.objects import dig
from oneco.worlds.behaviours.rolling import Fence, Part, fence, new_replicas, proportions
from tests.behaviours.a_cluster import a_cluster, a_deployment, image, rolling


@pytest.mark.parametrize(
    ("surge", "unavailable", "replicas", "expected"),
    [
        ("25%", "25%", 10, Fence(3, 2)),
        ("25%", "25%", 1, Fence(1, 0)),
        ("25%", "25%", 0, Fence(0, 0)),
        (0, 3, 10, Fence(0, 3)),
        (0, 30, 10, Fence(0, 10)),
        (0, "1%", 10, Fence(0, 1)),
        ("7%", "7%", 100, Fence(7, 7)),
        ("100%", 0, 7, Fence(7, 0)),
    ],
)
def test_surge_rounds_up_and_unavailable_down_and_never_both_to_zero(
    surge, unavailable, replicas, expected
):
    assert fence(rolling(surge, unavailable), replicas) == expected


def test_a_new_set_grows_into_the_room_that_is_left():
    assert new_replicas(wanted=10, new=0, total=10, surge=3) == 3
    assert new_replicas(wanted=10, new=3, total=11, surge=3) == 5
    assert new_replicas(wanted=10, new=9, total=10, surge=3) == 10
    assert new_replicas(wanted=10, new=3, total=13, surge=3) == 3


def test_the_rest_of_rounding_goes_to_the_first():
    parts = [Part(8, 13), Part(5, 13)]
    assert proportions(parts, wanted=15, surge=3) == [11, 7]
    assert proportions([Part(11, 18), Part(7, 18)], wanted=5, surge=3) == [5, 3]


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=5), st.integers(0, 100), st.integers(0, 20)
)
@example(sizes=[1] * 5, wanted=1, surge=2)
def test_proportions_fill_what_is_allowed(sizes, wanted, surge):
    total, allowed = sum(sizes), wanted + surge if wanted else 0
    parts = [Part(size, total) for size in sorted(sizes, reverse=True)]
    found = proportions(parts, wanted, surge)
    assert min(found) >= 0
    # The first takes what rounding left over, and as Kubernetes' does, gives at most all it has.
    assert sum(found) == allowed or (found[0] == 0 and sum(found) > allowed)


@settings(max_examples=25, deadline=None)
@given(
    replicas=st.integers(1, 12),
    surge=st.integers(0, 5),
    unavailable=st.integers(0, 5),
    patience=st.integers(0, 5),
)
def test_every_rollout_completes_and_stays_inside_the_fence(replicas, surge, unavailable, patience):
    limits = {"minReadySeconds": patience}
    if surge or unavailable:
        limits |= rolling(surge, unavailable)
    allowed = fence(limits, replicas)
    cluster = a_cluster()
    cluster.create("deployments", a_deployment(replicas=replicas, **limits))
    cluster.after(60)
    cluster.changes.clear()
    cluster.patch("deployments", "web", image("shop/web:2"))
    cluster.after(600)
    assert cluster.sets()["shop/web:2"] == (replicas, replicas, replicas)
    for _, change in cluster.commits("apps/deployments"):
        status = dig(change.after, "status")
        assert status.get("replicas", 0) <= replicas + allowed.surge
        assert status.get("availableReplicas", 0) >= replicas - allowed.unavailable


@settings(max_examples=20, deadline=None)
@given(replicas=st.integers(1, 12), pods=st.integers(1, 12))
def test_the_gate_moves_exactly_as_many_pods_as_it_says(replicas, pods):
    cluster = a_cluster()
    cluster.create("deployments", a_deployment(replicas=replicas))
    cluster.after(60)
    gate = {"minReadySeconds": 2147483646, "progressDeadlineSeconds": 2147483647}
    cluster.patch("deployments", "web", {**gate, **rolling(0, pods), **image("shop/web:2")})
    cluster.after(3600)
    moved = min(pods, replicas)
    left = replicas - moved
    assert cluster.sets() == {"shop/web:1": (left, left, left), "shop/web:2": (moved, moved, 0)}
