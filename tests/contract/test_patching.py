"""Changing a part: JSON patch, merge patch, strategic merge patch."""

import pytest

from oneco.kube.api import Patch, WriteOptions
from oneco.kube.errors import ApiError, BadRequest, Conflict, Invalid, NotFound
from oneco.kube.refs import Address
from tests.contract.given import CONFIG_MAPS, DEPLOYMENTS, config_map, deployment


@pytest.fixture
def at(space):
    return Address(CONFIG_MAPS, space, "a")


async def created(api, at):
    body = config_map("a", {"x": "1", "y": "2"})
    return await api.create(at._replace(name=""), body)


async def test_a_merge_patch_sets_and_removes(api, at):
    await created(api, at)
    done = await api.patch(at, Patch("merge", {"data": {"x": None, "z": "3"}}))
    assert done["data"] == {"y": "2", "z": "3"}


async def test_a_json_patch_runs_its_operations_in_order(api, at):
    await created(api, at)
    operations = [
        {"op": "test", "path": "/data/x", "value": "1"},
        {"op": "move", "from": "/data/x", "path": "/data/w"},
        {"op": "replace", "path": "/data/y", "value": "9"},
    ]
    assert (await api.patch(at, Patch("json", operations)))["data"] == {"w": "1", "y": "9"}


async def test_a_json_patch_whose_test_fails_changes_nothing(api, at):
    made = await created(api, at)
    operations = [
        {"op": "replace", "path": "/data/y", "value": "9"},
        {"op": "test", "path": "/data/x", "value": "other"},
    ]
    with pytest.raises(Invalid) as caught:
        await api.patch(at, Patch("json", operations))
    assert caught.value.message == (
        "the server rejected our request due to an error in our request"
    )
    assert (await api.get(at))["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


async def test_a_strategic_patch_merges_containers_by_name(api, space):
    at = Address(DEPLOYMENTS, space, "web")
    await api.create(at._replace(name=""), deployment("web"))
    containers = [{"name": "main", "image": "app:2"}, {"name": "helper", "image": "helper:1"}]
    patch = {"spec": {"template": {"spec": {"containers": containers}}}}
    done = await api.patch(at, Patch("strategic", patch))
    found = done["spec"]["template"]["spec"]["containers"]
    images = {one["name"]: one["image"] for one in found}
    assert images == {"main": "app:2", "helper": "helper:1"}


async def test_a_strategic_patch_deletes_by_directive(api, space):
    at = Address(DEPLOYMENTS, space, "web")
    await api.create(at._replace(name=""), deployment("web"))
    await api.patch(at, Patch("strategic", _containers({"name": "helper", "image": "helper:1"})))
    done = await api.patch(
        at, Patch("strategic", _containers({"name": "helper", "$patch": "delete"}))
    )
    names = [one["name"] for one in done["spec"]["template"]["spec"]["containers"]]
    assert names == ["main"]


def _containers(*containers):
    return {"spec": {"template": {"spec": {"containers": list(containers)}}}}


async def test_a_patch_of_the_spec_is_the_next_generation(api, space):
    at = Address(DEPLOYMENTS, space, "web")
    await api.create(at._replace(name=""), deployment("web"))
    done = await api.patch(at, Patch("merge", {"spec": {"replicas": 7}}))
    assert done["metadata"]["generation"] == 2


async def test_a_patch_that_changes_nothing_writes_nothing(api, at):
    made = await created(api, at)
    done = await api.patch(at, Patch("merge", {"data": {"x": "1"}}))
    assert done["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


async def test_a_patch_of_what_is_missing_is_refused(api, at):
    with pytest.raises(NotFound) as caught:
        await api.patch(at, Patch("merge", {"data": {"x": "1"}}))
    assert caught.value.message == 'configmaps "a" not found'


async def test_a_patch_may_ask_for_a_version(api, at):
    await created(api, at)
    with pytest.raises(Conflict) as caught:
        await api.patch(at, Patch("merge", {"metadata": {"resourceVersion": "1"}, "data": {}}))
    assert "the object has been modified" in caught.value.message


async def test_a_patch_cannot_rename(api, at):
    await created(api, at)
    with pytest.raises(BadRequest) as caught:
        await api.patch(at, Patch("merge", {"metadata": {"name": "b"}}))
    assert (
        caught.value.message == "the name of the object (b) does not match the name on the URL (a)"
    )


async def test_a_patch_cannot_move_to_another_namespace(api, at):
    await created(api, at)
    with pytest.raises(BadRequest) as caught:
        await api.patch(at, Patch("merge", {"metadata": {"namespace": "b"}}))
    assert caught.value.message == (
        "the namespace of the provided object does not match the namespace sent on the request"
    )


async def test_a_patch_cannot_change_the_uid(api, at):
    await created(api, at)
    with pytest.raises(Invalid) as caught:
        await api.patch(at, Patch("merge", {"metadata": {"uid": "z"}}))
    assert caught.value.message == (
        'ConfigMap "a" is invalid: metadata.uid: Invalid value: "z": field is immutable'
    )


async def test_a_patch_cannot_change_the_kind(api, at):
    await created(api, at)
    with pytest.raises(ApiError) as caught:
        await api.patch(at, Patch("merge", {"kind": "Secret"}))
    assert caught.value.code == 422


async def test_the_time_of_creation_is_not_patched(api, at):
    made = await created(api, at)
    patch = {"metadata": {"creationTimestamp": "2001-01-01T00:00:00Z"}}
    done = await api.patch(at, Patch("merge", patch))
    assert done["metadata"]["creationTimestamp"] == made["metadata"]["creationTimestamp"]


async def test_a_patch_is_checked_like_any_write(api, space):
    at = Address(DEPLOYMENTS, space, "web")
    await api.create(at._replace(name=""), deployment("web"))
    with pytest.raises(Invalid) as caught:
        await api.patch(at, Patch("merge", {"spec": {"replicas": -1}}))
    assert caught.value.message == (
        'Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1: must be greater '
        "than or equal to 0"
    )


async def test_a_dry_run_patches_nothing(api, at):
    await created(api, at)
    options = WriteOptions(dry_run=True)
    done = await api.patch(at, Patch("merge", {"data": {"x": "9"}}), options)
    assert done["data"]["x"] == "9"
    assert (await api.get(at))["data"]["x"] == "1"


async def test_a_patch_that_brings_a_wrong_type_is_refused(api, space):
    at = Address(DEPLOYMENTS, space, "web")
    await api.create(at._replace(name=""), deployment("web"))
    with pytest.raises(Invalid) as caught:
        await api.patch(at, Patch("merge", {"spec": {"replicas": "two"}}))
    assert caught.value.message.startswith(' "" is invalid: patch: Invalid value: ')
    assert "json: cannot unmarshal string into Go struct field" in caught.value.message
    assert [cause.field for cause in caught.value.causes] == ["patch"]


async def test_a_patch_that_brings_an_unknown_field_is_refused_when_strict(api, space):
    at = Address(DEPLOYMENTS, space, "web")
    await api.create(at._replace(name=""), deployment("web"))
    options = WriteOptions(field_validation="Strict")
    with pytest.raises(Invalid) as caught:
        await api.patch(at, Patch("merge", {"spec": {"colour": "blue"}}), options)
    assert caught.value.message.endswith('strict decoding error: unknown field "spec.colour"')
    done = await api.patch(at, Patch("merge", {"spec": {"colour": "blue"}}))
    assert "colour" not in done["spec"] and done["metadata"]["generation"] == 1
