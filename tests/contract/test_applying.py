"""Server-side apply: who owns which field, and what follows from that."""

import pytest

from oneco.kube.api import Patch, WriteOptions
from oneco.kube.errors import ApiError, BadRequest, Conflict, Invalid
from oneco.kube.refs import Address
from tests.contract.given import CONFIG_MAPS, DEPLOYMENTS, config_map, deployment

ALICE, BOB = WriteOptions(manager="alice"), WriteOptions(manager="bob")


@pytest.fixture
def at(space):
    return Address(CONFIG_MAPS, space, "a")


def owners(obj):
    return {
        (one["manager"], one["operation"]): one["fieldsV1"]
        for one in obj["metadata"].get("managedFields", ())
    }


async def test_applying_creates_what_is_missing(api, at):
    made = await api.apply(at, config_map("a", {"k": "v"}), ALICE)
    assert made["data"] == {"k": "v"} and made["metadata"]["uid"]
    assert owners(made) == {("alice", "Apply"): {"f:data": {"f:k": {}}}}


async def test_a_field_left_out_is_removed(api, at):
    await api.apply(at, config_map("a", {"k": "v", "gone": "soon"}), ALICE)
    done = await api.apply(at, config_map("a", {"k": "v"}), ALICE)
    assert done["data"] == {"k": "v"}


async def test_applying_the_same_again_writes_nothing(api, at):
    made = await api.apply(at, config_map("a", {"k": "v"}), ALICE)
    done = await api.apply(at, config_map("a", {"k": "v"}), ALICE)
    assert done["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


async def test_another_manager_may_set_other_fields(api, at):
    await api.apply(at, config_map("a", {"k": "v"}), ALICE)
    done = await api.apply(at, config_map("a", {"z": "w"}), BOB)
    assert done["data"] == {"k": "v", "z": "w"}


async def test_a_field_of_another_manager_is_a_conflict(api, at):
    await api.apply(at, config_map("a", {"k": "v"}), ALICE)
    with pytest.raises(Conflict) as caught:
        await api.apply(at, config_map("a", {"k": "w"}), BOB)
    assert caught.value.message == 'Apply failed with 1 conflict: conflict with "alice": .data.k'
    cause = caught.value.causes[0]
    assert (cause.field, cause.reason) == (".data.k", "FieldManagerConflict")


async def test_force_takes_the_field(api, at):
    await api.apply(at, config_map("a", {"k": "v"}), ALICE)
    done = await api.apply(at, config_map("a", {"k": "w"}), WriteOptions(manager="bob", force=True))
    assert done["data"] == {"k": "w"}
    assert owners(done) == {("bob", "Apply"): {"f:data": {"f:k": {}}}}


async def test_the_same_value_is_shared(api, at):
    await api.apply(at, config_map("a", {"k": "v"}), ALICE)
    await api.apply(at, config_map("a", {"k": "v"}), BOB)
    done = await api.apply(at, config_map("a"), ALICE)
    assert done["data"] == {"k": "v"}
    assert owners(done) == {("bob", "Apply"): {"f:data": {"f:k": {}}}}


async def test_a_manager_must_say_its_name(api, at):
    with pytest.raises(Invalid) as caught:
        await api.apply(at, config_map("a"), WriteOptions(manager=""))
    assert caught.value.message == (
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for '
        "apply patch"
    )


async def test_an_applied_body_brings_no_managers(api, at):
    body = config_map("a", {"k": "v"}, managedFields=[{"manager": "x"}])
    with pytest.raises(BadRequest) as caught:
        await api.apply(at, body, ALICE)
    assert caught.value.message == "metadata.managedFields must be nil"


async def test_an_applied_body_must_say_its_kind(api, at):
    with pytest.raises(BadRequest) as caught:
        await api.apply(at, {"metadata": {"name": "a"}}, ALICE)
    assert caught.value.message == "invalid object type: /, Kind="


async def test_an_applied_body_of_another_name_is_refused(api, at):
    with pytest.raises(BadRequest) as caught:
        await api.apply(at, config_map("b"), ALICE)
    assert (
        caught.value.message == "the name of the object (b) does not match the name on the URL (a)"
    )


async def test_an_ordinary_update_owns_what_it_changed(api, at):
    await api.apply(at, config_map("a", {"k": "v", "x": "1"}), ALICE)
    await api.patch(at, Patch("merge", {"data": {"x": "2"}}), WriteOptions(manager="editor"))
    found = owners(await api.get(at))
    assert found[("alice", "Apply")] == {"f:data": {"f:k": {}}}
    assert found[("editor", "Update")] == {"f:data": {"f:x": {}}}
    with pytest.raises(Conflict) as caught:
        await api.apply(at, config_map("a", {"k": "v", "x": "3"}), ALICE)
    assert caught.value.message == (
        'Apply failed with 1 conflict: conflict with "editor" using v1: .data.x'
    )


async def test_a_creator_owns_what_it_created(api, at):
    options = WriteOptions(manager="maker")
    await api.create(at._replace(name=""), config_map("a", {"k": "v"}), options)
    found = owners(await api.get(at))
    assert found == {("maker", "Update"): {"f:data": {".": {}, "f:k": {}}}}


async def test_an_applied_version_must_be_current(api, at):
    await api.apply(at, config_map("a", {"k": "v"}), ALICE)
    with pytest.raises(Conflict) as caught:
        await api.apply(at, config_map("a", {"k": "w"}, resourceVersion="1"), ALICE)
    assert "the object has been modified" in caught.value.message


async def test_defaults_belong_to_nobody(api, space):
    at = Address(DEPLOYMENTS, space, "web")
    made = await api.apply(at, deployment("web"), ALICE)
    assert made["spec"]["progressDeadlineSeconds"] == 600
    assert "f:progressDeadlineSeconds" not in owners(made)[("alice", "Apply")]["f:spec"]


async def test_a_list_keyed_by_name_is_owned_item_by_item(api, space):
    at = Address(DEPLOYMENTS, space, "web")
    await api.apply(at, deployment("web"), ALICE)
    helper = {"containers": [{"name": "helper", "image": "helper:1"}]}
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"template": {"spec": helper}},
    }
    both = await api.apply(at, body, BOB)
    names = [one["name"] for one in both["spec"]["template"]["spec"]["containers"]]
    assert sorted(names) == ["helper", "main"]
    again = await api.apply(at, deployment("web"), ALICE)
    names = [one["name"] for one in again["spec"]["template"]["spec"]["containers"]]
    assert sorted(names) == ["helper", "main"]


async def test_a_changed_template_is_the_next_generation(api, space):
    at = Address(DEPLOYMENTS, space, "web")
    await api.apply(at, deployment("web"), ALICE)
    done = await api.apply(at, deployment("web", replicas=3), ALICE)
    assert done["metadata"]["generation"] == 2


async def test_an_unknown_field_is_refused_whatever_the_mode(api, space):
    at = Address(DEPLOYMENTS, space, "web")
    with pytest.raises(Exception, match=r"\.spec\.colour: field not declared in schema"):
        await api.apply(at, deployment("web", colour="blue"), ALICE)


async def test_a_dry_run_applies_nothing(api, at):
    await api.apply(at, config_map("a", {"k": "v"}), ALICE)
    options = WriteOptions(manager="alice", dry_run=True)
    assert (await api.apply(at, config_map("a", {"k": "w"}), options))["data"] == {"k": "w"}
    assert (await api.get(at))["data"] == {"k": "v"}


async def test_applying_a_value_of_the_wrong_type_is_refused_and_changes_nothing(api, at):
    await api.apply(at, config_map("a", {"a": "1"}), ALICE)
    with pytest.raises(ApiError) as refused:
        await api.apply(at, {**config_map("a"), "data": {"a": 2}}, ALICE)
    assert "data" in refused.value.message
    assert (await api.get(at))["data"] == {"a": "1"}
