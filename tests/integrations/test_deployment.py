"""How a Deployment's gate is made of fields that it has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneco.agent import marks
from oneco.integrations.kubernetes.deployment import DeploymentWorkload
from oneco.kube import amounts
from oneco.kube.objects import dig

DRIVER = DeploymentWorkload()


def a_deployment(replicas=10, unavailable=None, surge=None, **spec):
    limits = {} if unavailable is None else {"maxUnavailable": unavailable}
    limits |= {} if surge is None else {"maxSurge": surge}
    strategy = {"strategy": {"type": "RollingUpdate", "rollingUpdate": limits}} if limits else {}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "annotations": {"theirs": "kept"}},
        "spec": {"replicas": replicas, "template": {"a": 1}, **strategy, **spec},
    }


def opening(manifest):
    return dig(manifest, "spec", "strategy", "rollingUpdate", "maxUnavailable")


def test_the_number_of_pods_is_the_manifests_or_nobodys():
    assert DRIVER.replicas(a_deployment(7)) == 7
    assert DRIVER.replicas(a_deployment(0)) == 0
    assert DRIVER.replicas({"spec": {}}) is None


def test_a_deployment_that_is_paused_or_recreates_its_pods_cannot_be_held_in_between():
    assert DRIVER.is_divisible(a_deployment())
    assert not DRIVER.is_divisible(a_deployment(paused=True))
    assert not DRIVER.is_divisible(a_deployment(strategy={"type": "Recreate"}))


def test_the_gate_holds_by_pods_that_are_never_available_and_no_pod_is_added():
    held = DRIVER.gate(a_deployment(), 3)
    assert held["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 3}
    assert held["spec"]["minReadySeconds"] < held["spec"]["progressDeadlineSeconds"]
    assert held["spec"]["minReadySeconds"] > 60 * 365 * 86400
    assert held["spec"]["template"] == {"a": 1}
    assert held["metadata"]["annotations"] == {
        "theirs": "kept",
        "onepersoncompany.io/partition": "3",
        "onepersoncompany.io/max-unavailable": "25%",
        "onepersoncompany.io/max-surge": "25%",
        "onepersoncompany.io/min-ready-seconds": "0",
    }


def test_the_gate_at_zero_is_a_pause():
    held = DRIVER.gate(a_deployment(), 0)
    assert held["spec"]["paused"] is True
    assert "minReadySeconds" not in held["spec"]


def test_the_manifest_that_is_gated_is_not_changed():
    manifest = a_deployment()
    DRIVER.gate(manifest, 3)
    assert manifest == a_deployment()


def live(replicas=10, held=None):
    """A live Deployment, under a gate that stands open by `held` (surge, unavailable)."""
    if held is None:
        return a_deployment(replicas)
    return a_deployment(replicas, held[1], held[0], minReadySeconds=2_147_483_646)


def gap(manifest):
    rolling = dig(manifest, "spec", "strategy", "rollingUpdate")
    return rolling["maxSurge"], rolling["maxUnavailable"]


@pytest.mark.parametrize(
    ("own", "ready", "expected"),
    [
        (None, 0, 2),  # a quarter of ten, rounded down
        (None, 2, 4),
        ("50%", 0, 5),
        (3, 0, 3),
        (3, 4, 7),
        (9, 9, 8),  # never more than the gate itself
    ],
)
def test_a_step_is_what_is_ready_and_what_the_owner_allows_to_be_down(own, ready, expected):
    held = DRIVER.gate(a_deployment(unavailable=own), 8)
    assert gap(DRIVER.step(held, live(), ready)) == (0, expected)


@pytest.mark.parametrize(
    ("replicas", "own", "target", "ready", "expected"),
    [
        (10, (0, 1), 1, 0, (1, 0)),
        (10, (0, 1), 4, 0, (1, 0)),
        (10, (0, 1), 4, 1, (1, 1)),
        (10, (0, 1), 4, 3, (1, 3)),
        (10, (0, "30%"), 8, 0, (3, 0)),
        (10, (0, "30%"), 8, 6, (3, 5)),  # three beside the old ones and five in their places
        (10, (0, 5), 2, 0, (2, 0)),
        (3, (None, None), 1, 0, (1, 0)),  # a quarter of three is none down, one beside
        (10, ("1%", 0), 8, 4, (0, 5)),  # as Kubernetes: one at a time, or nothing would move
    ],
)
def test_where_no_pod_may_be_down_new_ones_come_beside_the_old(
    replicas, own, target, ready, expected
):
    held = DRIVER.gate(a_deployment(replicas, *own), target)
    assert gap(DRIVER.step(held, live(replicas), ready)) == expected


@pytest.mark.parametrize(
    ("replicas", "target", "ready", "expected"),
    [(10, 8, 6, (0, "80%")), (12, 6, 6, (0, "50%")), (7, 3, 2, (0, "43%")), (200, 8, 6, (0, 8))],
)
def test_where_the_cluster_chooses_the_size_the_gate_is_a_share_of_it(
    replicas, target, ready, expected
):
    unsized = a_deployment(unavailable=5)
    unsized["spec"].pop("replicas")
    assert gap(DRIVER.step(DRIVER.gate(unsized, target), live(replicas), ready)) == expected


@given(st.integers(2, 100), st.data())
def test_kubernetes_makes_the_same_number_of_that_share(replicas, data):
    target = data.draw(st.integers(1, replicas - 1))
    unsized = a_deployment(unavailable=replicas)
    unsized["spec"].pop("replicas")
    _, share = gap(DRIVER.step(DRIVER.gate(unsized, target), live(replicas), target))
    assert amounts.pods(share, replicas, is_up=False) == target


def test_where_old_pods_lack_already_no_more_come_beside_them():
    held = DRIVER.gate(a_deployment(2, 0, 1), 1)
    there = live(2) | {"status": {"replicas": 2, "updatedReplicas": 1}}
    template = marks.marked(held, "w", "here")["metadata"]["annotations"]
    there = {**there, "metadata": {"annotations": template}}
    assert gap(DRIVER.step(held, there, 1)) == (0, 1)


def test_a_manifest_without_a_gate_is_applied_as_it_is():
    manifest = a_deployment(unavailable=3)
    assert DRIVER.step(manifest, live(), 0) is manifest


def test_a_gate_at_zero_has_no_steps():
    held = DRIVER.gate(a_deployment(), 0)
    assert DRIVER.step(held, live(), 0) is held


def test_while_nobody_has_counted_the_gate_stays_as_it_is():
    held = DRIVER.gate(a_deployment(), 8)
    assert gap(DRIVER.step(held, live(held=(0, 5)), None)) == (0, 5)
    assert gap(DRIVER.step(held, live(held=(2, 0)), None)) == (2, 0)


def test_a_gate_that_is_not_there_yet_begins_with_the_first_step():
    held = DRIVER.gate(a_deployment(), 8)
    assert gap(DRIVER.step(held, live(), None)) == (0, 2)
    assert gap(DRIVER.step(held, None, None)) == (1, 0)


def settled(replicas, opening):
    """Old and new pods when Kubernetes' controller has come to rest at a gate."""
    surge, unavailable = opening
    return replicas - unavailable, surge + unavailable


@given(
    replicas=st.integers(1, 60),
    data=st.data(),
    unavailable=st.one_of(st.integers(0, 9), st.integers(0, 99).map("{}%".format)),
    surge=st.one_of(st.integers(0, 9), st.integers(0, 99).map("{}%".format)),
)
def test_step_by_step_exactly_so_many_pods_become_new_and_no_more_lack_than_their_owner_allows(
    replicas, data, unavailable, surge
):
    target = data.draw(st.integers(1, replicas))
    held = DRIVER.gate(a_deployment(replicas, unavailable, surge), target)
    allowed = amounts.pods(unavailable, replicas, is_up=False)
    least = replicas - allowed
    if allowed == 0 and amounts.pods(surge, replicas, is_up=True) == 0:
        least = replicas - 1
    new, ready = 0, 0
    for _ in range(target + 1):
        old, new = settled(replicas, gap(DRIVER.step(held, live(replicas), ready)))
        assert new <= target
        assert old + ready >= least
        ready = new
    assert new == target


def test_the_owners_own_time_to_be_ready_counts_under_the_gate():
    held = DRIVER.gate(a_deployment(minReadySeconds=30), 3)
    assert DRIVER.min_ready_seconds(held) == 30
    assert DRIVER.min_ready_seconds(a_deployment(minReadySeconds=30)) == 30
    assert DRIVER.min_ready_seconds(DRIVER.gate(a_deployment(), 3)) == 0


def test_a_deployment_that_its_owner_pauses_owes_no_new_pod():
    assert DRIVER.reach(a_deployment(paused=True), 10) == 0
    assert DRIVER.reach(DRIVER.gate(a_deployment(), 0), 10) == 0
    assert DRIVER.reach(DRIVER.gate(a_deployment(), 3), 10) == 10
