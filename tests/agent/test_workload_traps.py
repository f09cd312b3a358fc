"""What an agent does with workloads that somebody else has had his hands on."""

from __future__ import annotations

from typing import Any

from oneco.kinds.release import OBSERVATIONS, PARTITION_ANNOTATION, PARTITION_OF_ANNOTATION
from oneco.kube.api import Patch
from oneco.kube.refs import Address, Resource
from oneco.main import crds
from oneco.main.workloads import WORKLOADS
from tests.agent.place import WORK, spec_of, tell

DEPLOYMENT = Address(Resource("apps", "v1", "deployments"), "shop", "web")
CLONE_SET = Address(Resource("apps.kruise.io", "v1alpha1", "clonesets"), "shop", "web")
OBSERVATION = Address(OBSERVATIONS, "here", "shop")


def a_workload(replicas=4, kind="Deployment", api_version="apps/v1", **spec):
    labels = {"app": "web"}
    size = {} if replicas is None else {"replicas": replicas}
    pod = {"containers": [{"name": "c", "image": "web:1"}]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {**size, "selector": {"matchLabels": labels}, "template": template, **spec},
    }


def gated(manifest, updated):
    kinds = {(one.api_version, one.kind): driver for one, driver in WORKLOADS.items()}
    return kinds[manifest["apiVersion"], manifest["kind"]].gate(manifest, updated)


async def redeliver(place, *manifests):
    change = {"spec": {"workload": spec_of(*manifests)["workload"]}}
    await place.hub.patch(WORK, Patch("merge", change))
    await place.with_an_agent()


async def told(place):
    observed = (await place.hub.get(OBSERVATION))["observed"]
    return next(one for one in observed["objects"] if one["ref"]["name"] == "web")


def size(live):
    return live["spec"]["replicas"]


def test_a_size_that_the_manifest_leaves_to_an_autoscaler_is_not_first_taken_back():
    async def story(place):
        await place.deliver(a_workload(replicas=4))
        await place.with_an_agent()
        await redeliver(place, a_workload(replicas=None))
        kept = size(await place.member.get(DEPLOYMENT))
        await place.member.patch(DEPLOYMENT, Patch("merge", {"spec": {"replicas": 7}}))
        await place.with_an_agent()
        await redeliver(place, a_workload(replicas=None, minReadySeconds=1))
        return kept, size(await place.member.get(DEPLOYMENT))

    assert tell(story) == (4, 7)


def test_a_workload_that_was_deleted_in_a_batch_is_not_made_anew_as_a_whole():
    async def story(place):
        await place.deliver(a_workload())
        await place.with_an_agent()
        await redeliver(place, gated(a_workload(), 1))
        await place.member.delete(DEPLOYMENT)
        await place.with_an_agent()
        return await place.names(DEPLOYMENT._replace(name="")), await told(place)

    names, row = tell(story)
    assert names == []
    assert row["isGone"]
    assert not row.get("isApplied")
    assert row["message"].startswith("it was deleted in the middle of a batch")


def test_a_workload_is_written_in_the_version_that_its_cluster_serves():
    newer = {"type": "RollingUpdate", "rollingUpdate": {"podUpdatePolicy": "InPlaceIfPossible"}}

    async def story(place):
        clones = a_workload(
            kind="CloneSet", api_version="apps.kruise.io/v1beta1", updateStrategy=newer
        )
        await crds.install(place.member, crds.for_own_member())
        await place.deliver(clones)
        await place.with_an_agent()
        await redeliver(place, gated(clones, 1))
        return await place.member.get(CLONE_SET), await told(place)

    live, row = tell(story)
    assert live["apiVersion"] == "apps.kruise.io/v1alpha1"
    strategy = live["spec"]["updateStrategy"]
    assert (strategy["type"], strategy["partition"]) == ("InPlaceIfPossible", 3)
    assert live["metadata"]["annotations"][PARTITION_ANNOTATION] == "1"
    # The hub hears of what it wrote.
    assert row["ref"]["apiVersion"] == "apps.kruise.io/v1beta1"
    assert row["isApplied"]


def test_a_pause_that_somebody_made_in_the_cluster_is_told_and_left():
    async def story(place):
        await place.deliver(a_workload())
        await place.with_an_agent()
        await place.member.patch(DEPLOYMENT, Patch("merge", {"spec": {"paused": True}}))
        await place.with_an_agent()
        return await place.member.get(DEPLOYMENT), await told(place)

    live, row = tell(story)
    assert live["spec"]["paused"] is True
    assert row["isPaused"]


def test_a_new_pod_that_is_ready_counts_only_when_its_time_has_come():
    async def story(place):
        await place.deliver(a_workload(replicas=2, minReadySeconds=60))
        await place.with_an_agent(90)
        changed = a_workload(replicas=2, minReadySeconds=60)
        changed["spec"]["template"]["spec"]["containers"][0]["image"] = "web:2"
        await redeliver(place, gated(changed, 1))
        early = (await told(place)).get("updatedReady", 0)
        await place.with_an_agent(60)
        return early, (await told(place)).get("updatedReady", 0)

    assert tell(story) == (0, 1)


def test_a_manifest_that_is_no_workload_at_all_is_told_and_ends_nothing():
    async def story(place):
        await place.deliver(a_workload())
        await place.with_an_agent()
        rows = []
        odd: list[Any] = [[1], "none", {"replicas": "four"}, {"strategy": []}]
        for spec in odd:
            await redeliver(place, {**a_workload(), "spec": spec})
            rows.append(await told(place))
        return rows, size(await place.member.get(DEPLOYMENT))

    rows, replicas = tell(story)
    assert [bool(row.get("isRefused")) for row in rows] == [True] * 4
    assert replicas == 4


def test_a_value_of_the_wrong_type_is_told_though_its_server_calls_it_a_failure_of_its_own():
    async def story(place):
        await crds.install(place.member, crds.for_own_member())
        clones = a_workload(kind="CloneSet", api_version="apps.kruise.io/v1alpha1")
        await place.deliver(clones)
        await place.with_an_agent()
        await redeliver(place, {**clones, "spec": {**clones["spec"], "replicas": "four"}})
        return await told(place)

    row = tell(story)
    assert row["isRefused"]
    assert "spec.replicas" in row["message"]


def test_of_fewer_pods_than_the_hub_counted_an_agent_lets_the_same_share_be_new():
    async def story(place):
        clone_set = {"kind": "CloneSet", "api_version": "apps.kruise.io/v1alpha1"}
        await crds.install(place.member, crds.for_own_member())
        await place.deliver(a_workload(replicas=None, **clone_set))
        await place.with_an_agent()
        await place.member.patch(CLONE_SET, Patch("merge", {"spec": {"replicas": 5}}))
        held = gated(a_workload(replicas=None, **clone_set, minReadySeconds=1), 6)
        marks = {**held["metadata"]["annotations"], PARTITION_OF_ANNOTATION: "12"}
        held = {**held, "metadata": {**held["metadata"], "annotations": marks}}
        await redeliver(place, held)
        return (await place.member.get(CLONE_SET))["spec"]["updateStrategy"]["partition"]

    # Half of five is two, rounded down because the batch was rounded up: three stay old.
    assert tell(story) == 3
