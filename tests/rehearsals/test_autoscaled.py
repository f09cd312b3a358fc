"""An autoscaler grows and shrinks a workload while a release goes through it."""

from __future__ import annotations

from typing import Any

from oneco.worlds.behaviours.faults import Load, Window
from tests.rehearsals.given import (
    Draft,
    application,
    crashing,
    fleet,
    looked_at,
    plain,
    rehearse,
)

POLICY: Any = {"batches": ["25%", "50%", "100%"], "batchSilence": "10m"}


def a_rush(start: float, end: float):
    """Two cores are used by all pods together, for a while."""
    window = Window(from_seconds=start, until_seconds=end)

    def put(draft: Draft) -> None:
        draft.faults.append(Load(image="shop/web:*", milli=2000, window=window))

    return put


def an_autoscaler() -> Any:
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "minReplicas": 4,
        "maxReplicas": 20,
        "metrics": [{"type": "Resource", "resource": cpu}],
    }
    kind = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler"}
    whole = {**kind, "metadata": {"name": "web"}, "spec": spec}
    return {"name": "scaling", "type": "k8s-objects", "properties": {"objects": [whole]}}


def a_web() -> Any:
    web = plain("web", pods=None)
    (manifest,) = web["properties"]["objects"]
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    container["resources"] = {"requests": {"cpu": "500m"}}
    return web


def sizes_at(*times: str):
    seen: dict[str, int] = {}

    def look(at: str):
        def note(world: Any) -> None:
            seen[at] = world.deployment("test-1", "web")["spec"]["replicas"]

        return looked_at(note, at=at)

    return seen, [look(at) for at in times]


def test_a_release_goes_on_while_an_autoscaler_doubles_the_pods():
    seen, looks = sizes_at("30s", "12m", "40m")
    ending = (
        rehearse(seed=11)
        .given(fleet(test=1), application(a_web(), an_autoscaler(), **POLICY))
        .when(a_rush(300, 1200), *looks)
        .ends()
    )
    assert ending.outcome == "succeeded"
    assert seen == {"30s": 4, "12m": 8, "40m": 4}
    assert ending.images() == {"test-1": "shop/web:v2"}


def test_a_bad_version_is_taken_back_at_the_size_that_the_autoscaler_chose():
    seen, looks = sizes_at("30s", "5m")
    ending = (
        rehearse(seed=11)
        .given(fleet(test=1), application(a_web(), an_autoscaler(), **POLICY))
        .when(a_rush(1, 1200), crashing("v2"), *looks)
        .ends()
    )
    assert ending.outcome == "rolledBack"
    assert seen["5m"] == 8
    assert ending.images() == {"test-1": "shop/web:v1"}
