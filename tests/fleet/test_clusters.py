"""One cluster of the fleet: accepted, silent, back again."""

from __future__ import annotations

from typing import Any

from oneco.clock import Instant
from oneco.control.cache import Cache, CacheReader
from oneco.decision import NOTHING, Apply, Change, Create, Decision, Delete
from oneco.fleet import clusters, rights
from oneco.fleet.clusters import ClusterSeen, decide, gather
from oneco.kinds import ocm
from oneco.kinds.ocm import CLUSTERS
from oneco.kube import times
from oneco.kube.objects import Object, dig, put

START = times.from_text("2026-11-21T08:00:00Z")
NAMESPACE = {
    "metadata": {"name": "c1", "labels": {"open-cluster-management.io/cluster-name": "c1"}}
}
UNREACHABLE = "cluster.open-cluster-management.io/unreachable"

HUB, CONFIRMED = ocm.HUB_EPOCH_ANNOTATION, ocm.CONFIRMED_EPOCH_ANNOTATION


def a_cluster(*, accepted: bool = True, **metadata: Any) -> Object:
    return {
        "apiVersion": "cluster.open-cluster-management.io/v1",
        "kind": "ManagedCluster",
        "metadata": {"name": "c1", "resourceVersion": "7", **metadata},
        "spec": {"hubAcceptsClient": accepted, "leaseDurationSeconds": 60},
    }


def with_condition(cluster: Object, type_: str, status: str, reason: str = "Said") -> Object:
    said = {
        "type": type_,
        "status": status,
        "reason": reason,
        "message": "m",
        "lastTransitionTime": "2026-11-21T07:00:00Z",
    }
    present = dig(cluster, "status", "conditions", default=[])
    return put(cluster, ("status", "conditions"), [*present, said])


def a_joined_cluster(available: str = "True", reason: str = "Said", **metadata: Any) -> Object:
    cluster = settled(decide_of(a_cluster(**metadata)), a_cluster(**metadata))
    return with_condition(cluster, "ManagedClusterConditionAvailable", available, reason)


def a_lease(renewed_seconds_ago: float = 0) -> Object:
    renewed = times.to_micro_text(Instant(START - renewed_seconds_ago))
    return {"metadata": {"name": "managed-cluster-lease"}, "spec": {"renewTime": renewed}}


def decide_of(
    cluster: Object, *, lease: Object | None = None, now: Instant = START, epoch: str = ""
) -> Decision:
    given = rights.of_cluster(cluster) if cluster["spec"]["hubAcceptsClient"] else {}
    return decide(ClusterSeen(cluster, NAMESPACE, lease or a_lease(), epoch, given), now)


def settled(decision: Decision, cluster: Object) -> Object:
    """The cluster after the changes of its status and taints were made."""
    for action in decision.actions:
        assert isinstance(action, Change)
        body = action.patch.body
        if "status" in body:
            cluster = put(cluster, ("status", "conditions"), body["status"]["conditions"])
        if "spec" in body:
            cluster = put(cluster, ("spec", "taints"), body["spec"]["taints"])
        if "annotations" in body["metadata"]:
            cluster = put(cluster, ("metadata", "annotations"), body["metadata"]["annotations"])
    return cluster


def conditions(decision: Decision) -> dict[str, tuple[str, str]]:
    (change,) = [a for a in decision.actions if isinstance(a, Change) and a.address.subresource]
    return {
        one["type"]: (one["status"], one["reason"])
        for one in change.patch.body["status"]["conditions"]
    }


def taints(decision: Decision) -> list[str] | None:
    found = [a.patch.body.get("spec") for a in decision.actions if isinstance(a, Change)]
    return [taint["key"] for spec in found if spec for taint in spec["taints"]] if found else None


def test_an_accepted_cluster_gets_a_namespace_and_a_lease():
    decision = decide(ClusterSeen(a_cluster()), START)
    namespace, lease = [a for a in decision.actions if isinstance(a, Create)]
    assert namespace.body == {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "c1", "labels": {"open-cluster-management.io/cluster-name": "c1"}},
    }
    assert str(lease.address) == "leases.coordination.k8s.io c1"
    assert lease.body["metadata"]["name"] == "managed-cluster-lease"
    assert lease.body["spec"]["renewTime"] == "2026-11-21T08:00:00.000000Z"


def test_a_namespace_that_was_there_before_gets_the_label():
    bare = {"metadata": {"name": "c1"}}
    given = rights.of_cluster(a_cluster())
    decision = decide(ClusterSeen(a_cluster(), bare, a_lease(), rights=given), START)
    (change, _) = decision.actions
    assert isinstance(change, Change)
    assert change.patch.body == {
        "metadata": {"labels": {"open-cluster-management.io/cluster-name": "c1"}}
    }


def test_an_accepted_clusters_agent_gets_its_role_and_bindings():
    cluster = a_cluster(uid="u-1")
    applied = [
        action
        for action in decide(ClusterSeen(cluster, NAMESPACE, a_lease()), START).actions
        if isinstance(action, Apply)
    ]
    assert [str(action.address) for action in applied] == [
        "clusterroles.rbac.authorization.k8s.io onepersoncompany.io:agent:c1",
        "clusterrolebindings.rbac.authorization.k8s.io onepersoncompany.io:agent:c1",
        "rolebindings.rbac.authorization.k8s.io c1/onepersoncompany.io:agent",
    ]
    for action in applied:
        (owner,) = action.body["metadata"]["ownerReferences"]
        assert (owner["name"], owner["uid"]) == ("c1", "u-1")
    assert applied[2].body["subjects"] == [
        {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "Group",
            "name": "system:open-cluster-management:c1",
        }
    ]


def test_rights_that_somebody_widened_are_put_back():
    cluster = a_cluster()
    own, local, _ = rights.addresses("c1")
    given = rights.of_cluster(cluster)
    everything = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    given[own] = {**given[own], "rules": everything}
    given[local] = put(given[local], ("roleRef", "name"), "cluster-admin")
    actions = decide(ClusterSeen(cluster, NAMESPACE, a_lease(), rights=given), START).actions
    done = [(type(one), one.address) for one in actions if isinstance(one, Apply | Delete)]
    # What a binding binds cannot be changed: it is made anew.
    assert done == [(Apply, own), (Delete, local), (Apply, local)]


def test_a_denied_clusters_agent_loses_its_role_and_bindings():
    given = rights.of_cluster(a_cluster())
    cluster = a_cluster(accepted=False)
    actions = decide(ClusterSeen(cluster, NAMESPACE, a_lease(), rights=given), START).actions
    assert actions == tuple(Delete(address) for address in given)


def test_a_cluster_that_nobody_accepted_is_left_alone():
    assert decide(ClusterSeen(a_cluster(accepted=False)), START) == NOTHING


def test_accepting_is_told_in_a_condition():
    assert conditions(decide_of(a_cluster())) == {
        "HubAcceptedManagedCluster": ("True", "HubClusterAdminAccepted")
    }


def test_denying_an_accepted_cluster_is_told_in_the_condition():
    accepted = with_condition(a_cluster(accepted=False), "HubAcceptedManagedCluster", "True")
    assert conditions(decide_of(accepted)) == {
        "HubAcceptedManagedCluster": ("False", "HubClusterAdminDenied")
    }


def test_a_change_of_the_status_is_held_to_the_version_that_was_seen():
    (change,) = decide_of(a_cluster()).actions
    assert isinstance(change, Change)
    assert str(change.address) == "managedclusters.cluster.open-cluster-management.io c1"
    assert change.address.subresource == "status"
    assert change.patch.body["metadata"] == {"resourceVersion": "7"}


def test_a_cluster_that_has_not_joined_yet_is_tainted():
    cluster = settled(decide_of(a_cluster()), a_cluster())
    assert taints(decide_of(cluster)) == [UNREACHABLE]


def test_a_healthy_cluster_is_looked_at_again_when_five_renewals_are_missed():
    decision = decide_of(a_joined_cluster(), lease=a_lease(renewed_seconds_ago=60))
    assert decision.actions == ()
    assert decision.wake_at == START + 240


def test_a_silent_agent_makes_the_cluster_unknown_and_then_tainted():
    cluster, lease = a_joined_cluster(), a_lease(renewed_seconds_ago=300)
    silent = decide_of(cluster, lease=lease)
    assert conditions(silent)["ManagedClusterConditionAvailable"] == (
        "Unknown",
        "ManagedClusterLeaseUpdateStopped",
    )
    assert silent.wake_at is None
    assert [reason.code for reason in silent.reasons] == ["ManagedClusterLeaseUpdateStopped"]
    cluster = settled(silent, cluster)
    tainting = decide_of(cluster, lease=lease)
    assert taints(tainting) == [UNREACHABLE]
    assert decide_of(settled(tainting, cluster), lease=lease).actions == ()


def test_an_agent_that_renews_again_is_available_and_untainted():
    cluster, lease = a_joined_cluster(), a_lease(renewed_seconds_ago=300)
    for _ in range(2):
        cluster = settled(decide_of(cluster, lease=lease), cluster)
    back = decide_of(cluster)
    assert conditions(back)["ManagedClusterConditionAvailable"] == (
        "True",
        "ManagedClusterAvailable",
    )
    cluster = settled(back, cluster)
    assert taints(decide_of(cluster)) == []
    cluster = settled(decide_of(cluster), cluster)
    assert decide_of(cluster).actions == ()


def test_what_an_agent_says_of_itself_is_not_overruled_while_it_renews():
    decision = decide_of(a_joined_cluster("False", "ApiServerUnavailable"))
    assert taints(decision) == ["cluster.open-cluster-management.io/unavailable"]


def test_the_taints_of_a_person_stay():
    own = {"key": "maintenance", "effect": "NoSelect"}
    cluster = put(a_joined_cluster("Unknown"), ("spec", "taints"), [own])
    assert taints(decide_of(cluster)) == ["maintenance", UNREACHABLE]
    (change,) = decide_of(cluster).actions
    assert isinstance(change, Change)
    assert change.patch.body["spec"]["taints"][0] is own


def test_where_liveness_is_an_event_silence_means_health():
    annotations = {"onepersoncompany.io/liveness": "events"}
    cluster = a_joined_cluster(annotations=annotations)
    decision = decide_of(cluster, lease=a_lease(renewed_seconds_ago=90_000))
    assert (decision.actions, decision.wake_at) == ((), None)


def test_accepting_a_cluster_confirms_this_life_of_the_hub():
    (change,) = decide_of(a_joined_cluster(), epoch="one").actions
    assert isinstance(change, Change)
    assert change.patch.body["metadata"]["annotations"] == {
        "onepersoncompany.io/hub-epoch": "one",
        "onepersoncompany.io/confirmed-epoch": "one",
    }


def test_a_later_life_of_the_hub_is_told_and_not_confirmed():
    annotations = {
        "onepersoncompany.io/hub-epoch": "one",
        "onepersoncompany.io/confirmed-epoch": "one",
    }
    (change,) = decide_of(a_joined_cluster(annotations=annotations), epoch="two").actions
    assert isinstance(change, Change)
    assert change.patch.body["metadata"]["annotations"] == {"onepersoncompany.io/hub-epoch": "two"}


def a_foreign_cluster(hub: str, confirmed: str) -> Object:
    marks = {HUB: hub, CONFIRMED: confirmed}
    return with_condition(a_joined_cluster(annotations=marks), "ManagedClusterJoined", "True")


def test_a_foreign_agent_gets_no_works_of_a_later_life_until_a_person_confirms_it():
    first = a_foreign_cluster("b", "a")
    _, works, _ = rights.addresses("c1")
    given = rights.of_cluster(a_cluster())
    seen = ClusterSeen(first, NAMESPACE, a_lease(), "b", rights=given)
    assert Delete(works) in decide(seen, START).actions
    left = {key: obj for key, obj in given.items() if key != works}
    confirmed = a_foreign_cluster("b", "b")
    again = decide(ClusterSeen(confirmed, NAMESPACE, a_lease(), "b", rights=left), START)
    assert works in [one.address for one in again.actions if isinstance(one, Apply)]


def test_our_own_agent_may_read_the_works_of_a_later_life_and_asks_by_itself():
    claims = [{"name": ocm.AGENT_CLAIM, "value": "1.0"}]
    joined = a_foreign_cluster("b", "a")
    cluster = put(joined, ("status", "clusterClaims"), claims)
    assert not rights.is_withheld(cluster)
    assert rights.is_withheld(joined)


def test_every_cluster_learns_the_life_of_the_hub():
    (change,) = decide_of(a_cluster(accepted=False), epoch="one").actions
    assert isinstance(change, Change)
    assert change.patch.body["metadata"]["annotations"] == {"onepersoncompany.io/hub-epoch": "one"}


def test_a_cluster_on_its_way_out_is_left_alone():
    leaving = a_cluster(deletionTimestamp="2026-11-21T08:00:00Z")
    assert decide(ClusterSeen(leaving), START) == NOTHING


def test_gathering_finds_the_namespace_the_lease_and_the_epoch():
    cache = Cache()
    lease = {"metadata": {"name": "managed-cluster-lease", "namespace": "c1"}, "spec": {}}
    epoch = {"metadata": {"name": "hub-epoch", "namespace": "oneco-system"}, "data": {"epoch": "x"}}
    cluster = a_cluster()
    cache.take("hub", CLUSTERS, cluster)
    cache.take("hub", clusters.NAMESPACES, NAMESPACE)
    cache.take("hub", clusters.LEASES, lease)
    cache.take("hub", clusters.CONFIG_MAPS, epoch)
    reader = CacheReader(cache)
    assert gather(reader, ("", "c1")) == ClusterSeen(cluster, NAMESPACE, lease, "x")
    assert gather(reader, ("", "gone")) is None


def test_a_cluster_called_like_a_place_of_the_hubs_own_gets_no_place_and_no_rights():
    decision = decide_of(a_cluster(name="kube-system"))
    made = [action for action in decision.actions if isinstance(action, Create | Apply)]
    assert made == []
    assert conditions(decision)["HubAcceptedManagedCluster"] == ("False", "Invalid")
