"""Whatever a manifest or a live object says, no driver fails: its cluster says what is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oneco.agent.ports import Pod
from oneco.main.workloads import STEPS, WORKLOADS
from oneco.release.ports import Gate

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 40),
    st.sampled_from(["", "four", "50%", "x%", "-3", "OnDelete", "RollingUpdate", "Parallel"]),
    st.just([]),
    st.just({}),
    st.just([1]),
)
ROLLING = st.one_of(
    ODD,
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ("partition", "maxUnavailable", "maxSurge", "paused", "selector"), ODD
        )
        | {"minReadySeconds": ODD, "podUpdatePolicy": ODD},
    ),
)
STRATEGY = st.one_of(
    ODD,
    st.fixed_dictionaries(
        {}, optional={"type": ODD, "rollingUpdate": ROLLING, "partition": ODD, "paused": ODD}
    ),
)
SPEC = st.one_of(
    ODD,
    st.fixed_dictionaries(
        {},
        optional={
            "replicas": ODD,
            "template": ODD,
            "paused": ODD,
            "minReadySeconds": ODD,
            "podManagementPolicy": ODD,
            "lifecycle": ODD,
            "ordinals": ODD,
            "strategy": STRATEGY,
            "updateStrategy": STRATEGY,
        },
    ),
)


def manifest(kind: Any, spec: Any) -> Any:
    made = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": "web"}}
    return {**made, "spec": spec}


@pytest.mark.parametrize("kind", WORKLOADS, ids=lambda kind: f"{kind.api_version} {kind.kind}")
@given(spec=SPEC, live=SPEC, updated=st.integers(0, 9))
@example(spec={"replicas": "four"}, live={}, updated=1)
def test_no_driver_fails_at_what_a_person_may_have_written(kind, spec, live, updated):
    driver: Any = WORKLOADS[kind]
    wanted, there = manifest(kind, spec), manifest(kind, live)
    there["status"] = {"desiredNumberScheduled": 3, "currentRevision": "web-1"}
    for one in (wanted, there):
        driver.template(one)
        driver.is_paused(one)
        assert driver.replicas(one) is None or driver.replicas(one) >= 0
        assert 0 <= driver.reach(one, 9) <= 9
        assert driver.min_ready_seconds(one) >= 0
        driver.said(one, ())
        driver.served(one, "v1beta1")
        pod = {"metadata": {"name": "web-x", "labels": {}}}
        driver.doomed(one, [Pod(pod, is_new=False, is_ready=False, is_available=False)], 3)
    if driver.is_divisible(wanted):
        held = driver.gate(wanted, updated)
        for seen in (None, there):
            driver.step(held, seen, None)
            driver.step(held, seen, 2)
        assert 0 <= driver.reach(held, 9) <= 9
        STEPS[kind].obstacle(wanted)
        STEPS[kind].stride(wanted, 9)
        STEPS[kind].hold(wanted, Gate(updated, 0, 9))
