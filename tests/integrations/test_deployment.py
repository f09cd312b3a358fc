"""How a Deployment's gate is made of fields that it has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneco.integrations.kubernetes.deployment import DeploymentWorkload
from oneco.kube.objects import dig

DRIVER = DeploymentWorkload()


def a_deployment(replicas=10, unavailable=None, **spec):
    limits = {} if unavailable is None else {"maxUnavailable": unavailable}
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
    }


def test_the_gate_at_zero_is_a_pause():
    held = DRIVER.gate(a_deployment(), 0)
    assert held["spec"]["paused"] is True
    assert "minReadySeconds" not in held["spec"]


def test_the_manifest_that_is_gated_is_not_changed():
    manifest = a_deployment()
    DRIVER.gate(manifest, 3)
    assert manifest == a_deployment()


def live(replicas=10, unavailable=1):
    return a_deployment(replicas, unavailable)


@pytest.mark.parametrize(
    ("own", "ready", "expected"),
    [
        (None, 0, 2),  # a quarter of ten, rounded down
        (None, 2, 4),
        ("50%", 0, 5),
        (3, 0, 3),
        (3, 4, 7),
        (0, 4, 5),  # with no pod to spare, still one at a time
        ("1%", 0, 1),
        (9, 9, 8),  # never more than the gate itself
    ],
)
def test_a_step_is_what_is_ready_and_what_the_owner_allows_to_be_down(own, ready, expected):
    held = DRIVER.gate(a_deployment(unavailable=own), 8)
    assert opening(DRIVER.step(held, live(), ready)) == expected


def test_a_manifest_without_a_gate_is_applied_as_it_is():
    manifest = a_deployment(unavailable=3)
    assert DRIVER.step(manifest, live(), 0) is manifest


def test_a_gate_at_zero_has_no_steps():
    held = DRIVER.gate(a_deployment(), 0)
    assert DRIVER.step(held, live(), 0) is held


def test_while_nobody_has_counted_the_gate_stays_as_it_is():
    held = DRIVER.gate(a_deployment(), 8)
    assert opening(DRIVER.step(held, live(unavailable=5), None)) == 5
    assert opening(DRIVER.step(held, live(unavailable="25%"), None)) == 1
    assert opening(DRIVER.step(held, None, None)) == 1


@given(
    st.integers(1, 200),
    st.integers(1, 200),
    st.one_of(st.none(), st.integers(0, 50), st.integers(0, 100).map("{}%".format)),
    st.integers(0, 200),
)
def test_no_step_goes_beyond_the_gate_or_beyond_what_its_owner_allows(pods, target, own, ready):
    held = DRIVER.gate(a_deployment(pods, own), target)
    step = opening(DRIVER.step(held, live(pods), ready))
    bound = "25%" if own is None else str(own)
    allowed = pods * int(bound[:-1]) // 100 if bound.endswith("%") else int(bound)
    assert 1 <= step <= target
    assert step <= ready + max(1, allowed)
