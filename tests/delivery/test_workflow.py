"""Written steps: one Release each, in their order, waiting where they say so."""

from __future__ import annotations

import pytest

from oneco.clock import Instant
from oneco.kinds.oam import APPLICATIONS
from oneco.kube import objects
from oneco.kube.objects import put
from oneco.kube.refs import Address
from tests.delivery.hub import Hub, a_web, targets

TOPOLOGIES = [
    {"name": "test", "type": "topology", "properties": {"clusters": ["berlin"]}},
    {"name": "live", "type": "topology", "properties": {"clusters": ["osaka"]}},
]


def a_delivery(*steps: object) -> Hub:
    hub = Hub()
    hub.cluster("berlin")
    hub.cluster("osaka")
    hub.application(
        {"components": [a_web()], "policies": TOPOLOGIES, "workflow": {"steps": [*steps]}}
    )
    hub.settle()
    return hub


def a_deploy(name: str, **properties: object) -> object:
    return {"name": name, "type": "deploy", "properties": {"policies": [name], **properties}}


def test_a_deploy_step_waits_for_the_one_before():
    hub = a_delivery(a_deploy("test"), a_deploy("live"))
    (release,) = hub.releases()
    assert objects.name(release) == "shop-v1-test"
    assert targets(release) == [("berlin",)]
    hub.end_release("Succeeded")
    hub.settle()
    assert [objects.name(one) for one in hub.releases()] == ["shop-v1-test", "shop-v1-live"]
    assert targets(hub.releases()[1]) == [("osaka",)]
    phases = [(one["name"], one["phase"]) for one in hub.status()["workflow"]["steps"]]
    assert phases == [("test", "succeeded"), ("live", "running")]


def test_a_failed_step_ends_the_workflow():
    hub = a_delivery(a_deploy("test"), a_deploy("live"))
    hub.end_release("RolledBack")
    hub.settle()
    assert len(hub.releases()) == 1
    assert hub.status()["workflow"]["terminated"] is True


def test_a_step_that_is_not_automatic_waits_for_a_person():
    hub = a_delivery(a_deploy("test"), a_deploy("live", auto=False))
    hub.end_release("Succeeded")
    hub.settle()
    assert hub.status()["status"] == "workflowSuspending"
    assert hub.status()["workflow"]["suspend"] is True
    resume(hub)
    assert objects.name(hub.releases()[-1]) == "shop-v1-live"


def test_a_suspend_step_with_a_duration_resumes_by_itself():
    pause = {"name": "rest", "type": "suspend", "properties": {"duration": "1h"}}
    hub = a_delivery(a_deploy("test"), pause, a_deploy("live"))
    hub.end_release("Succeeded")
    assert hub.settle().wake_at == hub.now + 3600
    hub.now = Instant(hub.now + 3601)
    hub.settle()
    assert objects.name(hub.releases()[-1]) == "shop-v1-live"


def test_each_step_is_released_again_for_a_new_revision():
    hub = a_delivery(a_deploy("test"), a_deploy("live"))
    for _ in range(2):
        hub.end_release("Succeeded")
        hub.settle()
    assert hub.status()["status"] == "running"
    hub.application(
        {
            "components": [a_web("nginx:2")],
            "policies": TOPOLOGIES,
            "workflow": {"steps": [a_deploy("test"), a_deploy("live")]},
        }
    )
    hub.settle()
    assert objects.name(hub.releases()[-1]) == "shop-v2-test"
    assert targets(hub.releases()[-1]) == [("berlin",)]


def test_apply_component_steps_go_out_together():
    hub = Hub()
    hub.cluster("berlin")
    api = {**a_web(), "name": "api"}
    steps = [
        {"name": name, "type": "apply-component", "properties": {"component": name}}
        for name in ("web", "api")
    ]
    hub.application({"components": [a_web(), api], "workflow": {"steps": steps}})
    hub.settle()
    (release,) = hub.releases()
    assert objects.name(release) == "shop-v1"


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"name": "mail", "type": "notification"}, 'steps[0].type: found "notification"'),
        ({"name": "go", "type": "deploy", "if": "always"}, "steps[0].if"),
        (
            {"name": "go", "type": "deploy", "properties": {"policies": ["tset"]}},
            'steps[0].properties.policies[0]: found "tset", wanted the name of a topology or '
            'override policy: one of live, test; did you mean "test"?',
        ),
        (
            {"name": "go", "type": "apply-component", "properties": {"component": "wbe"}},
            "wanted the name of a component: web",
        ),
        (
            {"name": "go", "type": "suspend", "properties": {"duration": "10"}},
            'steps[0].properties.duration: found "10", wanted a duration such as "10m"; '
            "a bare number has no unit",
        ),
    ],
)
def test_a_step_that_cannot_be_done_is_refused(step, said):
    hub = a_delivery(step)
    assert said in hub.condition("Parsed")[1]
    assert hub.releases() == []


def resume(hub: Hub) -> None:
    """As KubeVela's own command does it: the mark is taken away."""
    at = Address(APPLICATIONS, "default", "shop")
    hub.stored[at] = put(hub.stored[at], ("status", "workflow", "suspend"), False)
    hub.settle()


def test_two_steps_never_take_turns_in_giving_a_cluster_different_things():
    changed = {"name": "big", "type": "override", "properties": {"selector": ["web"]}}
    hub = Hub()
    hub.cluster("berlin")
    first = a_deploy("test")
    second = {"name": "again", "type": "deploy", "properties": {"policies": ["test", "big"]}}
    hub.application(
        {
            "components": [a_web()],
            "policies": [TOPOLOGIES[0], changed],
            "workflow": {"steps": [first, second]},
        }
    )
    hub.settle()
    assert hub.releases() == []
    assert hub.condition("Policy")[1] == (
        "steps test and again deliver different things to berlin: "
        "one step must deliver all that a cluster gets"
    )
