"""What a work of Open Cluster Management asks for, on a hub that knows nothing of ours."""

from __future__ import annotations

from typing import Any

from oneco.kinds import ocm
from oneco.kube import objects
from oneco.kube.api import Patch, WriteOptions
from oneco.kube.refs import Address
from oneco.main.agent_controllers import Duties
from tests.agent.place import MAPS, NAMESPACES, WORK, a_map, a_namespace, spec_of, tell
from tests.agent.test_works import DEPLOYMENTS, RECORD, a_deployment

GONE: list[str] = []
NAMESPACES_AT = Address(NAMESPACES)


async def deliver(place, *manifests, configs=(), **spec: Any):
    """Have the agent bring a work as somebody wrote it with kubectl."""
    place.duties = Duties(has_heartbeat=False, is_watched=False)
    work = {
        "apiVersion": ocm.WORKS.api_version,
        "kind": "ManifestWork",
        "metadata": {"name": "shop", "namespace": "here"},
        "spec": {**spec_of(*manifests), "manifestConfigs": list(configs), **spec},
    }
    await place.hub.create(Address(ocm.WORKS, "here"), work)
    await place.with_an_agent()


def a_config(name: str, resource: str = "configmaps", group: str = "", **says: Any):
    named = {"group": group, "resource": resource, "namespace": "shop", "name": name}
    return {"resourceIdentifier": named, **says}


async def status_of(place, kind: str):
    """The work's conditions, and what is told of the first object of a kind."""
    work = await place.hub.get(WORK)
    conditions = {one["type"]: one["status"] for one in work["status"]["conditions"]}
    rows = work["status"]["resourceStatus"]["manifests"]
    return conditions, next(one for one in rows if one["resourceMeta"]["kind"] == kind)


def test_values_are_told_in_their_types_by_path_and_by_what_everybody_knows():
    async def story(place):
        paths = [
            {"name": "seen", "path": ".status.observedGeneration"},
            {"name": "image", "path": ".spec.template.spec.containers[0].image"},
            {"name": "labels", "path": ".metadata.labels"},
        ]
        rules = [{"type": "JSONPaths", "jsonPaths": paths}, {"type": "WellKnownStatus"}]
        config = a_config("web", "deployments", "apps", feedbackRules=rules)
        await deliver(place, a_deployment(), configs=[config])
        return await status_of(place, "Deployment")

    conditions, row = tell(story)
    assert conditions == {"Applied": "True", "Available": "True"}
    values = {one["name"]: one["fieldValue"] for one in row["statusFeedback"]["values"]}
    assert values["seen"] == {"type": "Integer", "integer": 1}
    assert values["image"] == {"type": "String", "string": "web:1"}
    assert values["ReadyReplicas"] == {"type": "Integer", "integer": 2}
    # A list or object is no single value.
    assert "labels" not in values


def test_what_is_only_to_be_created_is_left_as_somebody_has_it():
    async def story(place):
        await place.member.create(NAMESPACES_AT, a_namespace("shop"))
        mine = {**a_map("settings"), "data": {"whose": "somebody's"}}
        await place.member.create(MAPS, mine)
        wanted = {**a_map("settings"), "data": {"whose": "the work's"}}
        config = a_config("settings", updateStrategy={"type": "CreateOnly"})
        await deliver(place, wanted, a_map("other"), configs=[config])
        return await place.member.get(MAPS._replace(name="settings")), await place.names(MAPS)

    found, names = tell(story)
    assert found["data"] == {"whose": "somebody's"}
    assert names == ["other", "settings"]


def test_what_is_only_read_is_told_of_and_stays_when_the_work_goes():
    async def story(place):
        await place.member.create(NAMESPACES_AT, a_namespace("shop"))
        await place.member.create(MAPS, {**a_map("theirs"), "data": {"size": "7"}})
        rules = [{"type": "JSONPaths", "jsonPaths": [{"name": "size", "path": ".data.size"}]}]
        config = a_config("theirs", updateStrategy={"type": "ReadOnly"}, feedbackRules=rules)
        await deliver(place, a_map("theirs"), configs=[config])
        _, row = await status_of(place, "ConfigMap")
        recorded = (await place.member.get(RECORD)).get("status", {})
        await place.hub.delete(WORK)
        await place.with_an_agent()
        return row, recorded, await place.names(MAPS), await place.works()

    row, recorded, names, works = tell(story)
    assert row["statusFeedback"]["values"][0]["fieldValue"] == {"type": "String", "string": "7"}
    assert "theirs" not in {one["name"] for one in recorded.get("appliedResources", ())}
    assert (names, works) == (["theirs"], GONE)


def test_what_is_to_outlive_the_work_stays():
    async def story(place):
        rule = {"resource": "configmaps", "namespace": "shop", "name": "kept"}
        option = {
            "propagationPolicy": "SelectivelyOrphan",
            "selectivelyOrphans": {"orphaningRules": [rule]},
        }
        await deliver(place, a_map("kept"), a_map("goes"), deleteOption=option)
        await place.hub.delete(WORK)
        await place.with_an_agent()
        return await place.names(MAPS), await place.works()

    assert tell(story) == (["kept"], GONE)


def test_a_field_of_another_manager_is_taken_only_where_the_work_says_so():
    async def story(place, force: bool):
        await deliver(place, a_deployment(replicas=2), configs=[_applied(force)])
        theirs = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"replicas": 5},
        }
        address = DEPLOYMENTS._replace(name="web")
        await place.member.apply(address, theirs, WriteOptions(manager="scaler", force=True))
        await place.with_an_agent()
        live = await place.member.get(address)
        conditions, row = await status_of(place, "Deployment")
        return live["spec"]["replicas"], conditions["Applied"], row["conditions"][0]["message"]

    size, applied, message = tell(lambda place: story(place, force=False))
    assert (size, applied) == (5, "False")
    assert "scaler" in message
    assert tell(lambda place: story(place, force=True))[:2] == (2, "True")


def _applied(force: bool):
    said = {"type": "ServerSideApply", "serverSideApply": {"force": force}}
    return a_config("web", "deployments", "apps", updateStrategy=said)


def test_a_work_in_somebody_elses_name_is_not_applied_in_the_agents():
    async def story(place):
        account = {"type": "ServiceAccount", "serviceAccount": {"namespace": "shop", "name": "ci"}}
        await deliver(place, a_map("settings"), executor={"subject": account})
        conditions, row = await status_of(place, "ConfigMap")
        return conditions["Applied"], row["conditions"][0]["message"], await place.names(MAPS)

    applied, message, names = tell(story)
    assert (applied, names) == ("False", GONE)
    assert "does not act for service account shop/ci" in message


def test_an_executor_that_is_taken_back_lets_the_work_be_applied():
    async def story(place):
        account = {"type": "ServiceAccount", "serviceAccount": {"namespace": "shop", "name": "ci"}}
        await deliver(place, a_map("settings"), executor={"subject": account})
        await place.hub.patch(WORK, Patch("merge", {"spec": {"executor": None}}))
        await place.with_an_agent()
        return await place.names(MAPS), objects.dig(
            await place.hub.get(WORK), "metadata", "finalizers"
        )

    names, finalizers = tell(story)
    assert names == ["settings"]
    assert finalizers == [ocm.WORK_FINALIZER]
