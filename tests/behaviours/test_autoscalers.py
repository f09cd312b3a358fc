"""HorizontalPodAutoscalers count, wait and say what the real controller does; expectations with a
number of upstream's own tests behind them say so.
"""

from __future__ import annotations

from typing import Any

import pytest

from oneco.worlds.behaviours.faults import Load, NotReady, Window
from tests.behaviours.a_cluster import a_cluster, a_deployment

CPU = "250m"


def an_autoscaler(most: int = 10, least: int = 1, **spec: Any) -> Any:
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": least,
            "maxReplicas": most,
            "metrics": [cpu(50)],
            **spec,
        },
    }


def cpu(percent: int) -> Any:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def running(*faults: Any, replicas: int = 2, request: str | None = "1", **spec: Any):
    cluster = a_cluster(*faults)
    deployment: Any = a_deployment(replicas=replicas)
    if request is not None:
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        container["resources"] = {"requests": {"cpu": request}}
    cluster.create("deployments", deployment)
    cluster.after(60)
    cluster.create("autoscalers", an_autoscaler(**spec))
    return cluster


def size(cluster) -> int:
    return int(cluster.get("deployments", "web")["spec"]["replicas"])


def conditions(cluster) -> dict[str, tuple[str, str]]:
    found = cluster.get("autoscalers", "web")["status"]["conditions"]
    return {one["type"]: (one["status"], one["reason"]) for one in found}


def events(cluster) -> list[tuple[str, str, str]]:
    return [(one["type"], one["reason"], one["message"]) for one in cluster.all("events")]


def cores(amount: float, **more: Any) -> Load:
    return Load(milli=int(amount * 1000), **more)


def between(start: float, end: float) -> Window:
    return Window(from_seconds=start, until_seconds=end)


def test_three_pods_at_half_of_their_request_become_five_at_a_target_of_thirty_percent():
    cluster = running(cores(1.5), replicas=3, metrics=[cpu(30)]).after(1)
    assert size(cluster) == 5
    status = cluster.get("autoscalers", "web")["status"]
    assert (status["currentReplicas"], status["desiredReplicas"]) == (3, 5)
    assert status["currentMetrics"] == [
        {
            "type": "Resource",
            "resource": {
                "name": "cpu",
                "current": {"averageUtilization": 50, "averageValue": "500m"},
            },
        }
    ]
    assert conditions(cluster) == {
        "AbleToScale": ("True", "SucceededRescale"),
        "ScalingActive": ("True", "ValidMetricFound"),
        "ScalingLimited": ("False", "DesiredWithinRange"),
    }
    said = "New size: 5; reason: cpu resource utilization (percentage of request) above target"
    assert events(cluster) == [("Normal", "SuccessfulRescale", said)]


def test_a_tenth_more_than_the_target_is_near_enough():
    assert size(running(cores(1.65), replicas=3).after(60)) == 3
    assert size(running(cores(1.69), replicas=3).after(60)) == 4


def test_it_never_more_than_doubles_at_once_without_a_policy_of_its_own():
    cluster = running(cores(20), replicas=3, most=50).after(1)
    assert size(cluster) == 6
    assert conditions(cluster)["ScalingLimited"] == ("True", "ScaleUpLimit")


def test_the_bounds_hold():
    cluster = running(cores(9), replicas=4, most=5).after(60)
    assert size(cluster) == 5
    assert conditions(cluster)["ScalingLimited"] == ("True", "TooManyReplicas")
    cluster = running(cores(0.1), replicas=4, least=3).after(400)
    assert size(cluster) == 3
    assert conditions(cluster)["ScalingLimited"] == ("True", "TooFewReplicas")


@pytest.mark.parametrize(
    ("replicas", "reason"), [(1, "below Spec.MinReplicas"), (9, "above Spec.MaxReplicas")]
)
def test_a_size_outside_of_the_bounds_is_mended_without_any_metric(replicas, reason):
    cluster = running(replicas=replicas, least=3, most=6).after(1)
    assert size(cluster) == (3 if replicas < 3 else 6)
    said = f"New size: {size(cluster)}; reason: Current number of replicas {reason}"
    assert events(cluster) == [("Normal", "SuccessfulRescale", said)]


def test_it_shrinks_only_when_five_minutes_have_agreed():
    cluster = running(cores(1.4), replicas=5)
    assert size(cluster.after(290)) == 5
    assert conditions(cluster)["AbleToScale"] == ("True", "ScaleDownStabilized")
    assert size(cluster.after(30)) == 3
    said = "New size: 3; reason: All metrics below target"
    assert ("Normal", "SuccessfulRescale", said) in events(cluster)


def test_a_peak_within_the_window_keeps_the_pods():
    cluster = running(cores(1), cores(3, window=between(200, 260)), replicas=5)
    assert size(cluster.after(240)) == 8
    assert size(cluster.after(240)) == 8
    assert size(cluster.after(60)) == 2


def test_a_policy_says_how_many_pods_may_come_in_a_while():
    policy = {"type": "Pods", "value": 2, "periodSeconds": 60}
    cluster = running(cores(10), replicas=2, behavior={"scaleUp": {"policies": [policy]}})
    assert size(cluster.after(1)) == 4
    assert conditions(cluster)["ScalingLimited"] == ("True", "ScaleUpLimit")
    assert size(cluster.after(45)) == 4
    assert size(cluster.after(30)) == 6


def test_a_policy_in_percent_rounds_up():
    policy = {"type": "Percent", "value": 10, "periodSeconds": 60}
    cluster = running(cores(10), replicas=2, behavior={"scaleUp": {"policies": [policy]}})
    assert size(cluster.after(1)) == 3


def test_the_least_of_several_policies_can_be_chosen():
    policies = [
        {"type": "Pods", "value": 1, "periodSeconds": 60},
        {"type": "Percent", "value": 100, "periodSeconds": 60},
    ]
    rules = {"policies": policies, "selectPolicy": "Min"}
    assert size(running(cores(10), replicas=3, behavior={"scaleUp": rules}).after(1)) == 4
    rules = {"policies": policies, "selectPolicy": "Max"}
    assert size(running(cores(10), replicas=3, behavior={"scaleUp": rules}).after(1)) == 6


def test_scaling_down_can_be_forbidden():
    behavior = {"scaleDown": {"selectPolicy": "Disabled"}}
    assert size(running(cores(0.1), replicas=5, behavior=behavior).after(1200)) == 5


def test_scaling_up_can_be_made_to_wait():
    behavior = {"scaleUp": {"stabilizationWindowSeconds": 120}}
    cluster = running(cores(4), replicas=2, behavior=behavior)
    assert size(cluster.after(100)) == 2
    assert conditions(cluster)["AbleToScale"] == ("True", "ScaleUpStabilized")
    assert size(cluster.after(60)) > 2


def test_without_anything_that_measures_it_says_what_is_missing():
    cluster = running().after(31)
    words = (
        "the HPA was unable to compute the replica count: failed to get cpu utilization: unable "
        "to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the "
        "server could not find the requested resource (get pods.metrics.k8s.io)"
    )
    (active,) = (
        one
        for one in cluster.get("autoscalers", "web")["status"]["conditions"]
        if one["type"] == "ScalingActive"
    )
    assert (active["status"], active["reason"]) == ("False", "FailedGetResourceMetric")
    assert active["message"] == words
    assert size(cluster) == 2
    counts = {one["reason"]: one["count"] for one in cluster.all("events")}
    assert counts == {"FailedGetResourceMetric": 3, "FailedComputeMetricsReplicas": 3}


def test_a_pod_without_a_request_cannot_be_measured_in_percent():
    cluster = running(cores(1), request=None).after(1)
    assert conditions(cluster)["ScalingActive"] == ("False", "FailedGetResourceMetric")
    said = "missing request for cpu in container c of Pod "
    assert any(said in message for _, _, message in events(cluster))


def test_one_metric_that_fails_stops_shrinking_and_not_growing():
    other: Any = {
        "type": "Pods",
        "pods": {
            "metric": {"name": "requests"},
            "target": {"type": "AverageValue", "averageValue": "10"},
        },
    }
    assert size(running(cores(3), replicas=2, metrics=[cpu(50), other]).after(30)) > 2
    cluster = running(cores(0.1), replicas=4, metrics=[cpu(50), other]).after(900)
    assert size(cluster) == 4
    assert conditions(cluster)["ScalingActive"] == ("False", "FailedGetPodsMetric")


def test_pods_that_are_not_ready_count_as_idle_while_it_grows():
    cluster = running(
        cores(2), NotReady(image="shop/web:1", share=0.5), replicas=4, metrics=[cpu(50)]
    ).after(1)
    ready = cluster.get("deployments", "web")["status"].get("readyReplicas", 0)
    assert 0 < ready < 4
    assert size(cluster) == 4


def test_other_metrics_are_counted_too():
    pods: Any = {
        "type": "Pods",
        "pods": {
            "metric": {"name": "requests"},
            "target": {"type": "AverageValue", "averageValue": "10"},
        },
    }
    load = Load(metric="requests", milli=40_000)
    assert size(running(load, metrics=[pods]).after(1)) == 4
    for kind, part in (
        ("External", {}),
        ("Object", {"describedObject": {"apiVersion": "v1", "kind": "Service", "name": "web"}}),
    ):
        average = {"type": "AverageValue", "averageValue": "8"}
        metric: Any = {
            "type": kind,
            kind.lower(): {"metric": {"name": "requests"}, "target": average, **part},
        }
        assert size(running(load, metrics=[metric]).after(60)) == 5
    whole = {"type": "Value", "value": "20"}
    metric = {"type": "External", "external": {"metric": {"name": "requests"}, "target": whole}}
    assert size(running(load, metrics=[metric]).after(1)) == 4


def test_a_target_that_is_not_there_is_named():
    cluster = a_cluster()
    cluster.create("autoscalers", an_autoscaler())
    cluster.after(1)
    (able,) = cluster.get("autoscalers", "web")["status"]["conditions"]
    assert (able["type"], able["status"], able["reason"]) == (
        "AbleToScale", "False", "FailedGetScale",
    )  # fmt: skip
    assert able["message"] == (
        "the HPA controller was unable to get the target's current scale: "
        'deployments.apps "web" not found'
    )


def test_a_target_at_zero_is_left_alone():
    cluster = running(cores(2), replicas=0).after(60)
    assert size(cluster) == 0
    assert conditions(cluster)["ScalingActive"] == ("False", "ScalingDisabled")


def test_two_autoscalers_of_the_same_pods_do_nothing():
    cluster = running(cores(2))
    second = an_autoscaler()
    second["metadata"] = {"name": "second"}
    cluster.create("autoscalers", second)
    cluster.after(31)
    assert conditions(cluster)["ScalingActive"] == ("False", "AmbiguousSelector")
    assert size(cluster) == 2


def test_a_clone_set_is_scaled_as_well():
    cluster = a_cluster(cores(4)).with_kruise()
    spec = a_deployment(replicas=2)["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    container["resources"] = {"requests": {"cpu": "1"}}
    kind = {"apiVersion": "apps.kruise.io/v1alpha1", "kind": "CloneSet"}
    cluster.create("clonesets", {**kind, "metadata": {"name": "web"}, "spec": spec})
    cluster.after(60)
    cluster.create("autoscalers", an_autoscaler(scaleTargetRef={**kind, "name": "web"}))
    cluster.after(30)
    assert len(cluster.pods()) == 8


def test_an_autoscaler_that_goes_looks_no_more():
    cluster = running(cores(2)).after(31)
    cluster.delete("autoscalers", "web")
    before = len(cluster.changes)
    cluster.after(600)
    assert len(cluster.changes) == before
