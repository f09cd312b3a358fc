"""A service knows the ready pods behind it."""

from __future__ import annotations

from tests.behaviours.a_cluster import a_cluster, a_deployment, image

SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web"},
    "spec": {
        "selector": {"app": "web"},
        "ports": [{"name": "http", "port": 80, "targetPort": 8080}],
    },
}


def a_served_cluster(replicas: int = 3):
    cluster = a_cluster()
    cluster.create("services", SERVICE)
    cluster.create("deployments", a_deployment(replicas=replicas))
    return cluster


def slices(cluster):
    return [one for one in cluster.all("endpointslices") if "web-" in one["metadata"]["name"]]


def test_ready_pods_are_addresses_and_others_are_not_ready():
    cluster = a_served_cluster()
    cluster.after(1)
    assert cluster.get("endpoints", "web")["subsets"] == []
    cluster.after(10)
    (subset,) = cluster.get("endpoints", "web")["subsets"]
    found = {one["ip"] for one in subset["addresses"]}
    assert found == {pod["status"]["podIP"] for pod in cluster.pods()} and len(found) == 3
    assert subset["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
    assert subset["addresses"][0]["targetRef"]["kind"] == "Pod"


def test_slices_hold_at_most_a_hundred_and_shrink_again():
    cluster = a_served_cluster(replicas=230)
    cluster.after(10)
    assert [len(one["endpoints"]) for one in slices(cluster)] and sorted(
        len(one["endpoints"]) for one in slices(cluster)
    ) == [30, 100, 100]
    cluster.patch("deployments", "web", {"replicas": 5})
    cluster.after(60)
    assert [len(one["endpoints"]) for one in slices(cluster)] == [5]


def test_a_pod_that_goes_is_terminating_first():
    cluster = a_served_cluster(replicas=1)
    cluster.after(10)
    cluster.delete("pods", cluster.pods()[0]["metadata"]["name"])
    cluster.agenda.turn()
    assert not cluster.get("endpoints", "web")["subsets"]
    (found,) = slices(cluster)
    assert found["endpoints"][0]["conditions"] == {
        "ready": False,
        "serving": True,
        "terminating": True,
    }


def test_endpoints_go_with_their_service():
    cluster = a_served_cluster()
    cluster.after(10)
    cluster.delete("services", "web")
    cluster.after(10)
    assert [one["metadata"]["name"] for one in cluster.all("endpoints")] in ([], ["kubernetes"])
    assert slices(cluster) == []


def test_a_rollout_keeps_endpoints_at_the_ready_pods():
    cluster = a_served_cluster(replicas=10)
    cluster.after(60)
    cluster.patch("deployments", "web", image("shop/web:2"))
    cluster.after(60)
    (subset,) = cluster.get("endpoints", "web")["subsets"]
    named = {one["targetRef"]["name"] for one in subset["addresses"]}
    assert named == {pod["metadata"]["name"] for pod in cluster.pods("shop/web:2")}
