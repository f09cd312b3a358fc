"""What a server adds to a new object, and which it refuses."""

import pytest

from oneco.kube.api import WriteOptions
from oneco.kube.errors import (
    AlreadyExists,
    ApiError,
    BadRequest,
    Invalid,
    MethodNotAllowed,
    NotFound,
)
from oneco.kube.refs import Address, Resource
from tests.contract.given import CONFIG_MAPS, DEPLOYMENTS, NODES, SECRETS, config_map, deployment


async def test_a_new_object_gets_uid_version_and_time(api, space):
    made = await api.create(Address(CONFIG_MAPS, space), config_map("a", {"k": "v"}))
    meta = made["metadata"]
    assert made["data"] == {"k": "v"}
    assert meta["name"] == "a" and meta["namespace"] == space
    assert len(meta["uid"]) == 36
    assert int(meta["resourceVersion"]) > 0
    assert meta["creationTimestamp"].endswith("Z")


async def test_what_was_created_is_what_is_read(api, space):
    made = await api.create(Address(CONFIG_MAPS, space), config_map("a", {"k": "v"}))
    read = await api.get(Address(CONFIG_MAPS, space, "a"))
    assert read["metadata"]["uid"] == made["metadata"]["uid"]
    assert read["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    assert read["data"] == {"k": "v"}


async def test_a_taken_name_is_refused(api, space):
    await api.create(Address(CONFIG_MAPS, space), config_map("a"))
    with pytest.raises(AlreadyExists) as caught:
        await api.create(Address(CONFIG_MAPS, space), config_map("a"))
    assert caught.value.message == 'configmaps "a" already exists'
    assert caught.value.details == {"name": "a", "kind": "configmaps"}


async def test_a_generated_name_begins_with_its_prefix(api, space):
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "job-"}}
    first = await api.create(Address(CONFIG_MAPS, space), body)
    second = await api.create(Address(CONFIG_MAPS, space), body)
    names = {first["metadata"]["name"], second["metadata"]["name"]}
    assert len(names) == 2
    assert all(name.startswith("job-") and len(name) == 9 for name in names)
    assert first["metadata"]["generateName"] == "job-"


async def test_an_object_without_any_name_is_refused(api, space):
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}
    with pytest.raises(Invalid) as caught:
        await api.create(Address(CONFIG_MAPS, space), body)
    assert caught.value.message == (
        'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required'
    )


async def test_a_malformed_name_is_refused(api, space):
    with pytest.raises(Invalid) as caught:
        await api.create(Address(CONFIG_MAPS, space), config_map("A_b"))
    assert caught.value.message.startswith(
        'ConfigMap "A_b" is invalid: metadata.name: Invalid value: "A_b": a lowercase RFC 1123 '
        "subdomain must consist of"
    )
    assert [cause.field for cause in caught.value.causes] == ["metadata.name"]


async def test_a_malformed_label_is_refused(api, space):
    with pytest.raises(Invalid) as caught:
        await api.create(Address(CONFIG_MAPS, space), config_map("a", labels={"a b": "c"}))
    assert caught.value.causes[0].field == "metadata.labels"


async def test_a_namespace_that_is_not_there_is_named(api):
    with pytest.raises(NotFound) as caught:
        await api.create(Address(CONFIG_MAPS, "nowhere"), config_map("a"))
    assert caught.value.message == 'namespaces "nowhere" not found'


async def test_a_body_for_another_namespace_is_refused(api, space):
    with pytest.raises(BadRequest) as caught:
        await api.create(Address(CONFIG_MAPS, space), config_map("a", namespace="other"))
    assert caught.value.message == (
        "the namespace of the provided object does not match the namespace sent on the request"
    )


async def test_a_body_of_another_kind_is_refused(api, space):
    with pytest.raises(BadRequest) as caught:
        await api.create(Address(CONFIG_MAPS, space), {**config_map("a"), "kind": "Secret"})
    assert caught.value.message.startswith(
        'Secret in version "v1" cannot be handled as a ConfigMap'
    )


async def test_a_body_of_another_version_is_refused(api, space):
    with pytest.raises(BadRequest) as caught:
        await api.create(Address(CONFIG_MAPS, space), {**config_map("a"), "apiVersion": "v2"})
    assert caught.value.message.startswith(
        'ConfigMap in version "v2" cannot be handled as a ConfigMap: no kind "ConfigMap" is '
        'registered for version "v2"'
    )


async def test_the_kind_may_be_left_out_for_a_built_in_resource(api, space):
    made = await api.create(Address(CONFIG_MAPS, space), {"metadata": {"name": "a"}})
    assert (made["apiVersion"], made["kind"]) == ("v1", "ConfigMap")


async def test_a_version_may_not_be_given_to_a_new_object(api, space):
    with pytest.raises(ApiError) as caught:
        await api.create(Address(CONFIG_MAPS, space), config_map("a", resourceVersion="5"))
    assert caught.value.message == "resourceVersion should not be set on objects to be created"


async def test_what_belongs_to_the_server_is_not_taken_from_a_new_object(api, space):
    body = config_map("a", uid="mine", generation=7, creationTimestamp="2001-01-01T00:00:00Z")
    meta = (await api.create(Address(CONFIG_MAPS, space), body))["metadata"]
    assert meta["uid"] != "mine"
    assert not meta["creationTimestamp"].startswith("2001")


async def test_a_dry_run_answers_and_stores_nothing(api, space):
    options = WriteOptions(dry_run=True)
    made = await api.create(Address(CONFIG_MAPS, space), config_map("a"), options)
    assert made["metadata"]["uid"] and not made["metadata"].get("resourceVersion")
    with pytest.raises(NotFound):
        await api.get(Address(CONFIG_MAPS, space, "a"))


async def test_a_dry_run_still_refuses_what_is_wrong(api, space):
    with pytest.raises(Invalid):
        await api.create(Address(CONFIG_MAPS, space), config_map("A_b"), WriteOptions(dry_run=True))


async def test_a_namespaced_object_needs_a_namespace_in_its_address(api):
    with pytest.raises(MethodNotAllowed):
        await api.create(Address(CONFIG_MAPS), config_map("a"))


async def test_a_resource_that_is_not_served_is_not_found(api, space):
    with pytest.raises(NotFound) as caught:
        await api.list(Address(Resource("", "v1", "gadgets"), space))
    assert caught.value.message == "the server could not find the requested resource"


async def test_a_cluster_scoped_resource_is_not_served_in_a_namespace(api, space):
    with pytest.raises(NotFound):
        await api.list(Address(NODES, space))


async def test_a_new_workload_begins_at_generation_one_without_status(api, space):
    body = {**deployment("web"), "status": {"replicas": 9}}
    made = await api.create(Address(DEPLOYMENTS, space), body)
    assert made["metadata"]["generation"] == 1
    assert not made.get("status")


async def test_defaults_are_filled_in(api, space):
    spec = (await api.create(Address(DEPLOYMENTS, space), deployment("web")))["spec"]
    assert spec["progressDeadlineSeconds"] == 600
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
    }
    container = spec["template"]["spec"]["containers"][0]
    assert container["imagePullPolicy"] == "IfNotPresent"
    assert container["terminationMessagePath"] == "/dev/termination-log"


async def test_several_mistakes_are_said_together(api, space):
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {}}
    with pytest.raises(Invalid) as caught:
        await api.create(Address(DEPLOYMENTS, space), body)
    assert caught.value.message.startswith('Deployment.apps "web" is invalid: [spec.selector: Req')
    fields = {cause.field for cause in caught.value.causes}
    assert {"spec.selector", "spec.template.spec.containers"} <= fields


async def test_a_value_of_the_wrong_type_is_refused(api, space):
    with pytest.raises(BadRequest) as caught:
        await api.create(Address(DEPLOYMENTS, space), deployment("web", replicas="two"))
    assert caught.value.message.startswith(
        'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal '
        "string into Go struct field"
    )


async def test_an_unknown_field_is_refused_when_strict(api, space):
    options = WriteOptions(field_validation="Strict")
    with pytest.raises(BadRequest) as caught:
        await api.create(Address(DEPLOYMENTS, space), deployment("web", colour=1), options)
    assert caught.value.message == (
        'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: '
        'unknown field "spec.colour"'
    )


async def test_an_unknown_field_is_dropped_otherwise(api, space):
    options = WriteOptions(field_validation="Ignore")
    body = deployment("web", colour="blue")
    made = await api.create(Address(DEPLOYMENTS, space), body, options)
    assert "colour" not in made["spec"]


async def test_plain_text_of_a_secret_is_encoded(api, space):
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "stringData": {"password": "hunter2"},
    }
    made = await api.create(Address(SECRETS, space), body)
    assert made["data"] == {"password": "aHVudGVyMg=="}
    assert "stringData" not in made and made["type"] == "Opaque"
