"""Whatever the fleet, the plan and the faults: the invariants hold, and it always ends."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.rehearsals.given import (
    application,
    crashing,
    failing_more,
    fleet,
    never_ready,
    node_lost,
    rehearse,
    service,
    slow_to_start,
    somebody,
    then_applied,
    unreachable,
    until,
)

ENVIRONMENTS = ("test", "staging", "canary", "production")
CHECK = {"name": "errors", "metric": "errors", "maxIncrease": 0.5}
PATIENT = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@st.composite
def fleets(draw):
    sizes = st.dictionaries(
        st.sampled_from(ENVIRONMENTS), st.integers(1, 2), min_size=1, max_size=3
    )
    return draw(sizes)


@st.composite
def batches(draw):
    shares = draw(st.lists(st.integers(0, 99), max_size=3, unique=True))
    numbers = draw(st.lists(st.integers(1, 6), max_size=2, unique=True))
    return [*sorted(numbers), *(f"{one}%" for one in sorted(shares)), "100%"]


@st.composite
def policies(draw):
    return {
        "batches": draw(batches()),
        "batchSilence": draw(st.sampled_from(["0s", "1m", "20m"])),
        "waveSilence": draw(st.sampled_from(["0s", "30m"])),
        "progressDeadline": draw(st.sampled_from(["2m", "10m"])),
        "maxFailures": draw(st.sampled_from([0, 0, 1])),
        "onFailure": draw(st.sampled_from(["Rollback", "Rollback", "Block"])),
        "checks": draw(st.sampled_from([[], [CHECK]])),
    }


def _names(sizes):
    return [f"{name}-{number}" for name, count in sizes.items() for number in range(1, count + 1)]


@st.composite
def faults(draw, names):
    one = [draw(st.sampled_from(names))]
    at = draw(st.integers(0, 3600))
    kind = draw(st.integers(0, 6))
    return (
        crashing("v2", only=one, after=f"{at % 300}s"),
        never_ready("v2", only=one),
        slow_to_start("v2", by=f"{at % 400}s"),
        failing_more("v2", after=f"{at % 900}s"),
        unreachable(*one, since=f"{at}s", until=f"{at + 4000}s"),
        node_lost("node-1", *one, since=f"{at}s", until=f"{at + 900}s"),
        crashing("v1", only=one, after="2d"),
    )[kind]


@st.composite
def deeds(draw):
    at = draw(st.integers(0, 4000))
    kind = draw(st.integers(0, 4))
    return (
        [somebody("pause", at=f"{at}s"), somebody("resume", at=f"{at + 1800}s")],
        [somebody("abort", at=f"{at}s")],
        [somebody("rollback", at=f"{at}s")],
        [then_applied("v3", at=f"{at}s")],
        [then_applied("v1", at=f"{at}s")],
    )[kind]


@pytest.mark.slow  # A dozen whole rehearsals.
@PATIENT
@given(st.data())
def test_any_release_keeps_its_promises_and_ends(data):
    sizes = data.draw(fleets())
    pods = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=2))
    services = [service(f"web-{number}", pods=count) for number, count in enumerate(pods)]
    story = rehearse(seed=data.draw(st.integers(1, 99)))
    story.given(fleet(**sizes), application(*services, **data.draw(policies())), until("3d"))
    for fault in data.draw(st.lists(faults(_names(sizes)), max_size=2)):
        story.when(fault)
    for deed in data.draw(st.lists(deeds(), max_size=1)):
        story.when(*deed)
    ending = story.ends()
    last = ending.world.releases()[-1]["status"]["phase"]
    assert last in ("Succeeded", "RolledBack", "Blocked", "Aborted"), ending.message
