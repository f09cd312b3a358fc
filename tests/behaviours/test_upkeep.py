"""What a cluster does for people who look into it: accounts, certificates, events."""

from __future__ import annotations

from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource
from oneco.worlds.behaviours import Behaviours
from oneco.worlds.behaviours.faults import NO_FAULTS
from oneco.worlds.behaviours.narrator import KEPT_SECONDS
from tests.behaviours.a_cluster import ACluster, a_cluster, a_deployment

EVENTS = Resource("", "v1", "events")
ACCOUNTS = Resource("", "v1", "serviceaccounts")
MAPS = Resource("", "v1", "configmaps")


def looked_into(cluster: ACluster) -> ACluster:
    """The cluster, whose controllers now write for people too."""
    cluster.sim.behaviours.stop()
    cluster.sim.behaviours = Behaviours(
        cluster.sim.server,
        cluster.agenda,
        cluster="here",
        seed=1,
        faults=NO_FAULTS,
        root_certificate="PEM",
    )
    cluster.sim.behaviours.resume()
    return cluster.after(1)


def told(cluster: ACluster) -> list[tuple[str, str, str]]:
    """Who was told what, in the order of the objects' names; generated parts are left out."""
    events = cluster.sim.server.list(Address(EVENTS, "default")).items
    return [(one["involvedObject"]["kind"], one["reason"], one["message"]) for one in events]


def count(cluster: ACluster, reason: str) -> int:
    return sum(one[1] == reason for one in told(cluster))


def names(cluster: ACluster, resource: Resource, space: str) -> list[str]:
    found = cluster.sim.server.list(Address(resource, space)).items
    return [one["metadata"]["name"] for one in found]


def a_space(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def test_every_namespace_gets_an_account_and_the_root_certificate():
    cluster = looked_into(a_cluster())
    cluster.create("namespaces", a_space("shop"))
    cluster.after(1)
    for space in ("default", "kube-system", "shop"):
        assert names(cluster, ACCOUNTS, space) == ["default"]
        assert names(cluster, MAPS, space) == ["kube-root-ca.crt"]
    live = cluster.sim.server.get(Address(MAPS, "shop", "kube-root-ca.crt"))
    assert live["data"] == {"ca.crt": "PEM"}


def test_the_priorities_of_the_system_are_there():
    cluster = looked_into(a_cluster())
    resource = Resource("scheduling.k8s.io", "v1", "priorityclasses")
    found = cluster.sim.server.list(Address(resource)).items
    assert {one["metadata"]["name"]: one["value"] for one in found} == {
        "system-cluster-critical": 2_000_000_000,
        "system-node-critical": 2_000_001_000,
    }


def test_what_somebody_takes_away_or_changes_comes_back():
    cluster = looked_into(a_cluster())
    server = cluster.sim.server
    server.delete(Address(ACCOUNTS, "default", "default"))
    at = Address(MAPS, "default", "kube-root-ca.crt")
    server.replace(at, {**server.get(at), "data": {"ca.crt": "somebody's"}})
    cluster.after(1)
    assert names(cluster, ACCOUNTS, "default") == ["default"]
    assert server.get(at)["data"] == {"ca.crt": "PEM"}


def test_a_namespace_that_goes_takes_them_along_and_gets_no_others():
    cluster = looked_into(a_cluster())
    cluster.create("namespaces", a_space("shop"))
    cluster.after(1)
    cluster.delete("namespaces", "shop")
    cluster.after(1)
    assert "shop" not in [one["metadata"]["name"] for one in cluster.all("namespaces")]
    assert names(cluster, ACCOUNTS, "shop") == []


def test_controllers_tell_what_they_did():
    cluster = looked_into(a_cluster())
    cluster.create("deployments", a_deployment(replicas=2))
    cluster.after(10)
    cluster.patch("deployments", "web", {"replicas": 1})
    cluster.after(10)
    (made,) = cluster.all("replicasets")
    name = made["metadata"]["name"]
    scaled = [message for kind, _, message in told(cluster) if kind == "Deployment"]
    assert scaled == [
        f"Scaled up replica set {name} from 0 to 2",
        f"Scaled down replica set {name} from 2 to 1",
    ]
    assert count(cluster, "SuccessfulCreate") == count(cluster, "Scheduled") == 2
    assert count(cluster, "SuccessfulDelete") == 1


def test_a_pod_that_a_person_deletes_is_not_told_as_its_controllers_deed():
    cluster = looked_into(a_cluster())
    cluster.create("deployments", a_deployment(replicas=1))
    cluster.after(10)
    cluster.delete("pods", cluster.pods()[0]["metadata"]["name"])
    cluster.after(60)
    assert count(cluster, "SuccessfulDelete") == 0
    assert count(cluster, "SuccessfulCreate") == 2


def test_what_happens_again_is_counted():
    cluster = looked_into(a_cluster())
    cluster.create("deployments", a_deployment(replicas=1))
    for replicas in (2, 1, 2, 1):
        cluster.after(10)
        cluster.patch("deployments", "web", {"replicas": replicas})
    cluster.after(10)
    events = cluster.sim.server.list(Address(EVENTS, "default")).items
    counts = {
        one["message"].split(" from ")[-1]: one["count"]
        for one in events
        if "from" in one["message"]
    }
    assert counts == {"0 to 1": 1, "1 to 2": 2, "2 to 1": 2}


def test_a_restart_tells_nothing_again_and_what_is_old_is_forgotten():
    cluster = looked_into(a_cluster())
    cluster.create("deployments", a_deployment(replicas=2))
    cluster.after(10)
    before = told(cluster)
    looked_into(cluster)
    assert told(cluster) == before
    cluster.after(KEPT_SECONDS)
    cluster.patch("deployments", "web", {"replicas": 3})
    cluster.after(10)
    assert count(cluster, "ScalingReplicaSet") == 1
    assert count(cluster, "SuccessfulCreate") == 1


def test_a_node_that_takes_no_pods_says_so_by_a_taint():
    cluster = a_cluster()
    cluster.patch("nodes", "node-1", {"unschedulable": True})
    cluster.after(1)
    (taint,) = cluster.get("nodes", "node-1")["spec"]["taints"]
    assert (taint["key"], taint["effect"]) == ("node.kubernetes.io/unschedulable", "NoSchedule")
    cluster.patch("nodes", "node-1", {"unschedulable": None})
    cluster.after(1)
    assert "taints" not in cluster.get("nodes", "node-1")["spec"]


def test_the_server_counts_the_templates_of_a_daemonset():
    cluster = a_cluster()
    labels = {"app": "agent"}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "c", "image": "shop/agent:1"}]},
    }
    body = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "agent"},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }
    cluster.create("daemonsets", body)
    number = "deprecated.daemonset.template.generation"

    def counted() -> str:
        return cluster.get("daemonsets", "agent")["metadata"]["annotations"][number]

    assert counted() == "1"
    cluster.patch("daemonsets", "agent", {"minReadySeconds": 3}, metadata={"annotations": None})
    assert counted() == "1"
    change = {"template": {"metadata": {"labels": {"version": "2"}}}}
    cluster.patch("daemonsets", "agent", change)
    assert counted() == "2"
