"""Clusters served by Open Cluster Management's agent: the hub raises the fields itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given as generated
from hypothesis import settings as budget
from hypothesis import strategies as st

from tests.rehearsals.given import (
    application,
    crashing,
    daemon,
    deleted,
    fleet,
    foreign_agents,
    never_ready,
    rehearse,
    service,
    settings,
    stateful,
    unreachable,
    until,
)

WAVES = [{"environments": ["test"]}, {"environments": ["production"]}]
GENTLE: dict[str, Any] = {"batches": ["25%", "50%", "100%"], "batchSilence": "2m", "waves": WAVES}


def a_fleet(*foreign: str):
    """A test cluster and two of production, of which these are served by foreign agents."""
    return (fleet(test=1, production=2), foreign_agents(*foreign))


def test_a_release_reaches_a_cluster_with_a_foreign_agent_batch_by_batch():
    told = (
        rehearse()
        .given(*a_fleet("production-1"), application(service("web", pods=10), **GENTLE))
        .ends()
    )
    assert told.outcome == "succeeded"
    assert set(told.images().values()) == {"shop/web:v2"}
    units = {one["spec"]["cluster"]: one["status"] for one in told.world.units()}
    # Ours needs three batches too, and takes the steps inside them itself.
    assert [one["batches"] for one in units.values()] == [3, 3, 3]
    steps = [one.why for one in told.happened("StepStarted")]
    assert set(told.clusters("StepStarted")) == {"production-1"}
    assert steps, "a quarter of ten pods is three, and no more than two may be missing"


def test_a_bad_version_is_stopped_and_taken_back_there_too():
    told = (
        rehearse()
        .given(*a_fleet("test-1"), application(progressDeadline="5m", **GENTLE))
        .when(crashing("v2"))
        .ends()
    )
    assert told.outcome == "rolledBack"
    assert set(told.images().values()) == {"shop/web:v1"}
    assert told.clusters("ProgressDeadlineExceeded") == ["test-1"]
    assert "why is not seen: the agent there is not oneco's" in told.message


def test_a_version_that_never_gets_ready_reaches_one_pod():
    told = (
        rehearse()
        .given(
            *a_fleet("test-1", "production-1", "production-2"),
            application(service("web", pods=4), progressDeadline="5m", **GENTLE),
        )
        .when(never_ready("v2"))
        .ends()
    )
    assert told.outcome == "rolledBack"
    assert told.report.max_exposed_clusters == 1


def test_a_version_that_mends_a_broken_one_is_not_held_up_by_the_broken_pods():
    told = (
        rehearse()
        .given(*a_fleet("test-1"), application(**GENTLE), until("6h"))
        .when(crashing("v1", after="50m"))
        .ends()
    )
    assert told.outcome == "succeeded"
    assert set(told.images().values()) == {"shop/web:v2"}


def test_a_cluster_that_cannot_be_reached_for_a_while_is_waited_for():
    told = (
        rehearse()
        .given(*a_fleet("production-1"), application(**GENTLE))
        .when(unreachable("production-1", since="5m", until="1h"))
        .ends()
    )
    assert told.outcome == "succeeded"
    assert set(told.images().values()) == {"shop/web:v2"}


def test_what_is_deleted_leaves_the_namespace_which_may_be_others():
    told = (
        rehearse()
        .given(*a_fleet("test-1", "production-1"), application(service("web"), settings(a="b")))
        .when(deleted(at="1h"))
        .ends()
    )
    assert set(told.images().values()) == {""}
    assert told.world.units() == []


@pytest.mark.parametrize(
    ("component", "obstacle"),
    [
        (daemon("logs"), "DaemonSet logs cannot be updated batch by batch"),
        (stateful("db", pods=4), "wanted podManagementPolicy: Parallel"),
    ],
)
def test_what_no_field_can_do_is_refused_by_name_before_anything_is_touched(component, obstacle):
    told = rehearse().given(*a_fleet("production-2"), application(component, **GENTLE)).ends()
    assert told.outcome == "blocked"
    assert told.message.startswith("production-2: ")
    assert obstacle in told.message
    assert 'or batches: ["100%"]' in told.message
    images = told.images("logs") | told.images("db")
    assert set(images.values()) <= {"", f"shop/{component['name']}:v1"}


def test_what_cannot_be_held_goes_out_at_once_where_that_is_asked_for():
    told = (
        rehearse()
        .given(
            *a_fleet("production-2"),
            application(daemon("logs"), stateful("db"), batches=["100%"], waves=WAVES),
        )
        .ends()
    )
    assert told.outcome == "succeeded", told.message
    assert set(told.images("logs").values()) == {"shop/logs:v2"}
    assert set(told.images("db").values()) == {"shop/db:v2"}


def test_a_parallel_set_is_held_by_its_own_field_and_comes_back():
    told = (
        rehearse()
        .given(
            *a_fleet("test-1"),
            application(
                stateful("db", pods=4, podManagementPolicy="Parallel"),
                progressDeadline="5m",
                **GENTLE,
            ),
        )
        .when(never_ready("v2"))
        .ends()
    )
    assert told.outcome == "rolledBack", told.message
    assert set(told.images("db").values()) == {"shop/db:v1"}


@pytest.mark.slow
@budget(max_examples=12, deadline=None)
@generated(
    pods=st.integers(1, 12),
    shares=st.lists(st.integers(1, 99), min_size=1, max_size=3, unique=True),
    allowed=st.one_of(st.integers(1, 4), st.sampled_from(["10%", "25%", "60%"])),
    is_bad=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_no_step_ever_takes_down_more_than_the_workload_allows(pods, shares, allowed, is_bad, seed):
    batches = [*(f"{share}%" for share in sorted(shares)), "100%"]
    strategy = {"rollingUpdate": {"maxUnavailable": allowed, "maxSurge": 0}}
    web = _a_deployment("web", pods, strategy)
    story = rehearse(seed=seed).given(
        *a_fleet("test-1", "production-1"),
        application(web, batches=batches, progressDeadline="5m", waves=WAVES),
    )
    told = (story.when(never_ready("v2")) if is_bad else story).ends()
    assert told.outcome == ("rolledBack" if is_bad else "succeeded"), told.message


def _a_deployment(name: str, pods: int, strategy):
    labels = {"app": name, "app.oam.dev/name": "shop", "app.oam.dev/component": name}
    container = {"name": "c", "image": f"shop/{name}:{{version}}"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": pods, "selector": {"matchLabels": {"app": name}}, "template": template}
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {**spec, "strategy": strategy},
    }
    return {"name": name, "type": "k8s-objects", "properties": {"objects": [body]}}
