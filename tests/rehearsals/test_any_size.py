"""Whenever a workload is scaled in its cluster: never more new pods than its batch allows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from oneco.kube.refs import Resource
from tests.rehearsals.given import (
    advanced_stateful,
    application,
    changed_by_hand,
    clones,
    crashing,
    fleet,
    foreign_agents,
    looked_at,
    nothing_but_time,
    plain,
    rehearse,
    stateful,
    until,
)

CLONES = Resource("apps.kruise.io", "v1alpha1", "clonesets")
ADVANCED = Resource("apps.kruise.io", "v1beta1", "statefulsets")
POLICY: Any = {"batches": ["25%", "50%", "75%", "100%"], "batchSilence": "10m"}
KINDS: Any = {
    "Deployment": (lambda: plain("web", pods=None), "deployments"),
    "StatefulSet": (lambda: stateful("web", pods=None), "statefulsets"),
    "CloneSet": (lambda: clones("web", pods=None), CLONES),
    "Advanced StatefulSet": (lambda: advanced_stateful("web", pods=None), ADVANCED),
}
MANY = settings(
    max_examples=15,
    deadline=None,
    # A whole rehearsal each time: making a failing one smaller takes minutes.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def scaled(kind: str, to: int, *, at: str):
    """Somebody, or an autoscaler, gives it another size."""
    return changed_by_hand("test-1", "web", {"replicas": to}, at=at, kind=KINDS[kind][1])


def told_at(*times: str):
    """The unit's status at these times."""
    seen: dict[str, Any] = {}

    def look(at: str):
        def note(world: Any) -> None:
            (unit,) = world.units()
            live = world.workload("test-1", "web")
            seen[at] = {**unit.get("status", {}), "live": live["spec"]["replicas"]}

        return looked_at(note, at=at)

    return seen, [look(at) for at in times]


@pytest.mark.parametrize("kind", KINDS)
def test_scaled_just_before_a_release_it_gets_the_batches_of_the_size_it_has(kind):
    """The agent's last word is of one pod; the release begins before it says anything else."""
    seen, looks = told_at("1m", "2h")
    story = rehearse(seed=3).given(fleet(test=1), application(KINDS[kind][0](), **POLICY))
    ending = story.when(scaled(kind, 8, at="0s"), nothing_but_time(at="3h"), *looks).ends()
    assert ending.outcome == "succeeded"
    assert (seen["1m"]["batch"], seen["1m"]["live"]) == (1, 8)
    assert seen["1m"]["workloads"][0]["updated"] < 8
    assert seen["2h"]["phase"] == "Succeeded"
    assert seen["2h"]["batches"] >= 4


@pytest.mark.parametrize("kind", KINDS)
def test_a_workload_that_shrinks_in_a_batch_keeps_its_share(kind):
    seen, looks = told_at("14m", "16m", "2h")
    story = rehearse(seed=3).given(fleet(test=1), application(KINDS[kind][0](), **POLICY))
    steps = [scaled(kind, 12, at="0s"), scaled(kind, 4, at="15m"), nothing_but_time(at="3h")]
    ending = story.when(*steps, *looks).ends()
    assert ending.outcome == "succeeded"
    assert (seen["14m"]["batch"], seen["14m"]["pods"]) == (2, [12])
    assert (seen["16m"]["batch"], seen["16m"]["pods"]) == (2, [4])
    assert seen["16m"]["workloads"][0]["target"] < 4
    assert seen["2h"]["phase"] == "Succeeded"


@pytest.mark.slow  # Some dozens of whole rehearsals.
@MANY
@given(st.data())
def test_whatever_the_sizes_and_times_no_batch_exposes_more_than_it_allows(data):
    kind = data.draw(st.sampled_from(sorted(KINDS)))
    times = data.draw(st.lists(st.integers(0, 1500), min_size=1, max_size=5, unique=True))
    steps = [scaled(kind, data.draw(st.integers(1, 24)), at=f"{at}s") for at in sorted(times)]
    shares = data.draw(st.lists(st.integers(0, 99), max_size=4, unique=True))
    numbers = data.draw(st.lists(st.integers(1, 6), max_size=2, unique=True))
    is_bad = data.draw(st.booleans())
    policy: Any = {
        "batches": [*sorted(numbers), *(f"{one}%" for one in sorted(shares)), "100%"],
        "batchSilence": "1m" if is_bad else data.draw(st.sampled_from(["0s", "1m", "5m"])),
        "progressDeadline": "10m",
    }
    story = rehearse(seed=data.draw(st.integers(1, 99)))
    story.given(fleet(test=1), application(KINDS[kind][0](), **policy), until("1d"))
    story.when(*steps, nothing_but_time(at="2h"))
    if kind in ("Deployment", "CloneSet") and data.draw(st.booleans()):
        story.given(foreign_agents("test-1"))
    if is_bad:
        story.when(crashing("v2"))
    ending = story.ends()
    assert ending.outcome == ("rolledBack" if is_bad else "succeeded"), ending.message
