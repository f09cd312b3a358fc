"""What an agent makes of a work, step by step, in a cluster of this process."""

from __future__ import annotations

import asyncio

from oneco.clock import Instant
from oneco.kinds import ocm
from oneco.kinds.release import OBSERVATIONS
from oneco.kube import objects
from oneco.kube.api import Patch
from oneco.kube.errors import NotFound
from oneco.kube.refs import Address, Resource
from tests.agent.place import MAPS, SERVICES, WORK, a_map, a_namespace, a_service, spec_of, tell

DEPLOYMENTS = Address(Resource("apps", "v1", "deployments"), "shop")
OBSERVATION = Address(OBSERVATIONS, "here", "shop")
RECORD = Address(ocm.APPLIED_WORKS, "", "hub-shop")


def a_deployment(name="web", image="web:1", replicas=2):
    labels = {"app": name}
    pod = {"containers": [{"name": "c", "image": image}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def wrong(name):
    """A Service that every API server refuses."""
    meta = {"name": name, "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": []}}


async def rows(place):
    """What the agent told of each object."""
    observed = (await place.hub.get(OBSERVATION))["observed"]
    return {one["ref"]["name"]: one for one in observed["objects"]}


async def conditions(place):
    work = await place.hub.get(WORK)
    return {one["type"]: one["status"] for one in work["status"]["conditions"]}


def test_nothing_is_applied_before_the_work_has_its_finalizer_and_the_object_its_record():
    order: list[str] = []

    async def story(place):
        def on_hub(change):
            is_work = change.key.collection.endswith("manifestworks")
            if is_work and change.after and change.after["metadata"].get("finalizers"):
                order.append("finalizer")

        def on_member(change):
            if change.key.collection.endswith("appliedmanifestworks"):
                order.append("record" if "status" in (change.after or {}) else "begun")
            if change.key.collection == "/services" and change.key.namespace == "shop":
                order.append("service")

        place.server.store.on_commit(on_hub)
        place.cluster.store.on_commit(on_member)
        await place.deliver(a_service("web"))
        await place.with_an_agent()
        record = await place.member.get(RECORD)
        return [one["name"] for one in record["status"]["appliedResources"]]

    assert sorted(tell(story)) == ["shop", "web"]
    assert order[:4] == ["finalizer", "begun", "record", "service"]


def test_objects_are_applied_in_the_order_in_which_they_need_each_other():
    order: list[str] = []

    async def story(place):
        def on_member(change):
            made = change.after if change.before is None else None
            if made and objects.annotations_of(made).get("onepersoncompany.io/work"):
                order.append(made["kind"])

        place.cluster.store.on_commit(on_member)
        account = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "web", "namespace": "shop"},
        }
        await place.deliver(a_deployment(), a_service("web"), a_map("settings"), account)
        await place.with_an_agent()

    tell(story)
    applied = [kind for kind in order if kind != "ReplicaSet"]
    assert applied == ["Namespace", "ServiceAccount", "ConfigMap", "Service", "Deployment"]


def test_what_somebody_changes_or_deletes_in_the_cluster_is_put_back():
    async def story(place):
        await place.deliver({**a_map("settings"), "data": {"colour": "red"}}, a_map("other"))

        async def change():
            await place.clock.sleep_until(Instant(place.clock.now() + 10))
            body = {"data": {"colour": "blue", "more": "theirs"}}
            await place.member.patch(MAPS._replace(name="settings"), Patch("merge", body))
            await place.member.delete(MAPS._replace(name="other"))

        changing = asyncio.ensure_future(change())
        await place.with_an_agent()
        await changing
        found = await place.member.get(MAPS._replace(name="settings"))
        return found["data"], "other" in await place.names(MAPS)

    # What nobody asked for stays: it may be somebody's.
    assert tell(story) == ({"colour": "red", "more": "theirs"}, True)


def test_a_refused_object_keeps_no_other_from_being_applied_and_is_told():
    async def story(place):
        await place.deliver(wrong("bad-one"), wrong("bad-two"), a_service("good"), a_deployment())
        await place.with_an_agent()
        return await rows(place), await conditions(place), await place.names(SERVICES)

    told, said, services = tell(story)
    assert services == ["good"]
    assert (told["good"]["isApplied"], told["web"]["isApplied"]) == (True, True)
    for name in ("bad-one", "bad-two"):
        assert told[name]["isRefused"]
        assert "spec.ports" in told[name]["message"]
    assert said == {"Applied": "False", "Available": "False"}


def test_a_kind_that_the_cluster_does_not_serve_is_waited_for():
    async def story(place):
        gadget = {
            "apiVersion": "example.com/v1",
            "kind": "Gadget",
            "metadata": {"name": "x", "namespace": "shop"},
        }
        await place.deliver(gadget, a_map("settings"))
        await place.with_an_agent()
        return await rows(place)

    told = tell(story)
    assert told["x"]["message"] == "the cluster does not serve Gadget"
    assert not told["x"].get("isRefused")
    assert told["settings"]["isApplied"]


def test_what_leaves_a_work_is_deleted_and_a_namespace_never_is():
    async def story(place):
        await place.deliver(a_map("kept"), a_map("dropped"))
        await place.with_an_agent()
        spec = {"workload": {"manifests": [a_map("kept")]}}
        await place.hub.patch(WORK, Patch("merge", {"spec": spec}))
        await place.with_an_agent()
        spaces = await place.names(Address(Resource("", "v1", "namespaces")))
        maps = await place.names(MAPS)
        return "shop" in spaces, "kept" in maps, "dropped" in maps

    assert tell(story) == (True, True, False)


def test_a_deleted_work_takes_its_objects_its_record_and_its_report_with_it():
    async def story(place):
        await place.deliver(a_service("web"), a_deployment())
        await place.with_an_agent()
        await place.hub.delete(WORK)
        await place.with_an_agent()
        gone = []
        for api, address in ((place.hub, OBSERVATION), (place.member, RECORD)):
            try:
                await api.get(address)
            except NotFound:
                gone.append(address.name)
        left = await place.names(SERVICES), await place.names(DEPLOYMENTS), await place.works()
        return left, gone

    assert tell(story) == (([], [], []), ["shop", "hub-shop"])


def test_a_work_that_orphans_leaves_everything_where_it_is():
    async def story(place):
        await place.deliver(a_service("web"))
        option = {"deleteOption": {"propagationPolicy": "Orphan"}}
        await place.hub.patch(WORK, Patch("merge", {"spec": option}))
        await place.with_an_agent()
        await place.hub.delete(WORK)
        await place.with_an_agent()
        return await place.names(SERVICES), await place.works()

    assert tell(story) == (["web"], [])


def test_an_object_that_went_over_to_another_work_is_not_taken_from_it():
    async def story(place):
        await place.deliver(a_service("web"))
        await place.with_an_agent()
        meta = {"name": "bank", "namespace": "here"}
        other = {"apiVersion": ocm.WORKS.api_version, "kind": "ManifestWork", "metadata": meta}
        spec = spec_of(a_service("web"))
        await place.hub.create(Address(ocm.WORKS, "here"), {**other, "spec": spec})
        await place.hub.patch(WORK, Patch("merge", {"spec": {"workload": {"manifests": [
            a_namespace("shop")]}}}))  # fmt: skip
        await place.with_an_agent()
        return await place.names(SERVICES)

    assert tell(story) == ["web"]


def test_a_report_names_the_work_and_the_generation_that_it_is_about():
    async def story(place):
        await place.deliver(a_deployment())
        await place.with_an_agent()
        work = await place.hub.get(WORK)
        observed = (await place.hub.get(OBSERVATION))["observed"]
        return work["metadata"], observed

    meta, observed = tell(story)
    assert observed["workUid"] == meta["uid"]
    assert observed["workGeneration"] == meta["generation"]
    (row,) = (one for one in observed["objects"] if one["ref"]["kind"] == "Deployment")
    assert (row["replicas"], row["updated"], row["updatedReady"], row["isCurrent"]) == (
        2, 2, 2, True,
    )  # fmt: skip


def test_an_agent_that_starts_again_writes_nothing_where_nothing_changed():
    async def story(place):
        await place.deliver(a_deployment(), a_service("web"))
        await place.with_an_agent()
        before = place.cluster.store.revision(), place.server.store.revision()
        await place.with_an_agent()
        return before, (place.cluster.store.revision(), place.server.store.revision())

    before, after = tell(story)
    assert before == after


def test_an_object_that_is_written_in_another_version_of_its_api_stays_the_same_one():
    scalers = Address(Resource("autoscaling", "v2", "horizontalpodautoscalers"), "shop", "web")

    def a_scaler(version, most):
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
        return {
            "apiVersion": f"autoscaling/{version}",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"scaleTargetRef": target, "maxReplicas": most},
        }

    async def story(place):
        await place.deliver(a_scaler("v1", 3))
        await place.with_an_agent()
        before = await place.member.get(scalers)
        change = {"spec": {"workload": spec_of(a_scaler("v2", 5))["workload"]}}
        await place.hub.patch(WORK, Patch("merge", change))
        await place.with_an_agent(60)
        return before, await place.member.get(scalers)

    before, after = tell(story)
    assert objects.uid(after) == objects.uid(before)
    assert after["spec"]["maxReplicas"] == 5
