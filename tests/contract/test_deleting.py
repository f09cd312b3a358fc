"""Deleting: preconditions, finalizers, grace, many at once."""

import pytest

from oneco.kube.api import DeleteOptions, Match, Patch
from oneco.kube.errors import Conflict, Invalid, NotFound
from oneco.kube.refs import Address
from tests.contract.given import CONFIG_MAPS, PODS, SERVICES, config_map, pod, service

KEPT = ["example.io/kept"]


@pytest.fixture
def at(space):
    return Address(CONFIG_MAPS, space, "a")


async def created(api, at, **meta):
    return await api.create(at._replace(name=""), config_map("a", **meta))


async def test_a_deleted_object_is_gone(api, at):
    made = await created(api, at)
    answer = await api.delete(at)
    assert (answer["kind"], answer["status"]) == ("Status", "Success")
    assert answer["details"]["uid"] == made["metadata"]["uid"]
    with pytest.raises(NotFound):
        await api.get(at)


async def test_what_is_missing_is_not_deleted(api, at):
    with pytest.raises(NotFound) as caught:
        await api.delete(at)
    assert caught.value.message == 'configmaps "a" not found'


async def test_another_uid_is_not_deleted(api, at):
    made = await created(api, at)
    with pytest.raises(Conflict) as caught:
        await api.delete(at, DeleteOptions(uid="other"))
    assert caught.value.message == (
        'Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition (other) does '
        f"not match the UID in record ({made['metadata']['uid']}). The object might have been "
        "deleted and then recreated"
    )


async def test_another_version_is_not_deleted(api, at):
    made = await created(api, at)
    with pytest.raises(Conflict) as caught:
        await api.delete(at, DeleteOptions(resource_version="1"))
    assert caught.value.message == (
        'Operation cannot be fulfilled on ConfigMap "a": the ResourceVersion in the precondition '
        f"(1) does not match the ResourceVersion in record ({made['metadata']['resourceVersion']})."
        " The object might have been modified"
    )


async def test_a_finalizer_holds_a_deleted_object(api, at):
    await created(api, at, finalizers=KEPT)
    marked = await api.delete(at)
    assert marked["metadata"]["deletionTimestamp"].endswith("Z")
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 0
    assert (await api.get(at))["metadata"]["finalizers"] == KEPT


async def test_deleting_again_changes_nothing(api, at):
    await created(api, at, finalizers=KEPT)
    first = await api.delete(at)
    again = await api.delete(at)
    assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


async def test_the_last_finalizer_lets_it_go(api, at):
    await created(api, at, finalizers=KEPT)
    await api.delete(at)
    await api.patch(at, Patch("merge", {"metadata": {"finalizers": None}}))
    with pytest.raises(NotFound):
        await api.get(at)


async def test_no_finalizer_joins_a_deleted_object(api, at):
    await created(api, at, finalizers=KEPT)
    await api.delete(at)
    patch = Patch("merge", {"metadata": {"finalizers": [*KEPT, "example.io/late"]}})
    with pytest.raises(Invalid) as caught:
        await api.patch(at, patch)
    assert caught.value.message == (
        'ConfigMap "a" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added '
        'if the object is being deleted, found new finalizers []string{"example.io/late"}'
    )


async def test_a_deleted_object_can_still_be_changed(api, at):
    await created(api, at, finalizers=KEPT)
    await api.delete(at)
    done = await api.patch(at, Patch("merge", {"data": {"k": "v"}}))
    assert done["data"] == {"k": "v"}


async def test_the_mark_of_deletion_cannot_be_set_or_taken_away(api, at):
    made = await created(api, at, deletionTimestamp="2030-01-01T00:00:00Z", finalizers=KEPT)
    assert "deletionTimestamp" not in made["metadata"]
    await api.delete(at)
    done = await api.patch(at, Patch("merge", {"metadata": {"deletionTimestamp": None}}))
    assert "deletionTimestamp" in done["metadata"]


async def test_a_dry_run_deletes_nothing(api, at):
    await created(api, at)
    await api.delete(at, DeleteOptions(dry_run=True))
    assert (await api.get(at))["metadata"]["name"] == "a"


async def test_a_pod_on_no_node_goes_at_once(api, space):
    at = Address(PODS, space, "p")
    await api.create(Address(PODS, space), pod("p"))
    await api.delete(at)
    with pytest.raises(NotFound):
        await api.get(at)


async def test_a_pod_on_a_node_has_its_grace(api, space):
    at = Address(PODS, space, "p")
    await api.create(Address(PODS, space), pod("p", nodeName="node-1"))
    marked = await api.delete(at)
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 30
    assert marked["metadata"]["generation"] == 2
    assert (await api.get(at))["metadata"]["deletionTimestamp"]
    await api.delete(at, DeleteOptions(grace_seconds=0))
    with pytest.raises(NotFound):
        await api.get(at)


async def test_a_pod_says_its_own_grace(api, space):
    body = pod("p", nodeName="node-1", terminationGracePeriodSeconds=7)
    await api.create(Address(PODS, space), body)
    at = Address(PODS, space, "p")
    assert (await api.delete(at))["metadata"]["deletionGracePeriodSeconds"] == 7
    shorter = await api.delete(at, DeleteOptions(grace_seconds=3))
    assert shorter["metadata"]["deletionGracePeriodSeconds"] == 3
    await api.delete(at, DeleteOptions(grace_seconds=0))


async def test_many_are_deleted_by_selector(api, space):
    for name, tier in (("a", "front"), ("b", "front"), ("c", "back")):
        await api.create(Address(CONFIG_MAPS, space), config_map(name, labels={"tier": tier}))
    gone = await api.delete_many(Address(CONFIG_MAPS, space), Match(labels="tier=front"))
    assert [one["metadata"]["name"] for one in gone] == ["a", "b"]
    page = await api.list(Address(CONFIG_MAPS, space))
    assert "c" in {one["metadata"]["name"] for one in page.items}
    assert not {"a", "b"} & {one["metadata"]["name"] for one in page.items}


async def test_a_deleted_service_is_answered_with_itself(api, space):
    await api.create(Address(SERVICES, space), service("s"))
    assert (await api.delete(Address(SERVICES, space, "s")))["kind"] == "Service"


async def test_a_pod_that_goes_at_once_is_answered_as_it_went(api, space):
    made = await api.create(Address(PODS, space), pod("p", schedulerName="nobody"))
    gone = (await api.delete(Address(PODS, space, "p")))["metadata"]
    assert (gone["deletionGracePeriodSeconds"], gone["generation"]) == (0, 2)
    assert "deletionTimestamp" in gone
    assert int(gone["resourceVersion"]) > int(made["metadata"]["resourceVersion"])


async def test_what_is_answered_carries_the_version_of_its_removal(api, space):
    made = await api.create(Address(SERVICES, space), service("s"))
    gone = await api.delete(Address(SERVICES, space, "s"))
    versions = [int(one["metadata"]["resourceVersion"]) for one in (made, gone)]
    assert versions[0] < versions[1]
