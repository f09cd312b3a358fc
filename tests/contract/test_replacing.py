"""Putting a whole object in place of another."""

import pytest

from oneco.kube.api import WriteOptions
from oneco.kube.errors import BadRequest, Conflict, Invalid, NotFound
from oneco.kube.refs import Address
from tests.contract.given import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    LEASES,
    NAMESPACES,
    SECRETS,
    config_map,
    deployment,
)


async def test_a_current_version_is_replaced(api, space):
    at = Address(CONFIG_MAPS, space, "a")
    made = await api.create(Address(CONFIG_MAPS, space), config_map("a", {"k": "1"}))
    done = await api.replace(at, {**made, "data": {"k": "2"}})
    assert done["data"] == {"k": "2"}
    assert int(done["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])
    assert done["metadata"]["uid"] == made["metadata"]["uid"]


async def test_an_old_version_is_refused(api, space):
    at = Address(CONFIG_MAPS, space, "a")
    made = await api.create(Address(CONFIG_MAPS, space), config_map("a", {"k": "1"}))
    await api.replace(at, {**made, "data": {"k": "2"}})
    with pytest.raises(Conflict) as caught:
        await api.replace(at, {**made, "data": {"k": "3"}})
    assert caught.value.message == (
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please '
        "apply your changes to the latest version and try again"
    )
    assert (await api.get(at))["data"] == {"k": "2"}


async def test_without_a_version_the_last_writer_wins(api, space):
    at = Address(CONFIG_MAPS, space, "a")
    await api.create(Address(CONFIG_MAPS, space), config_map("a", {"k": "1"}))
    assert (await api.replace(at, config_map("a", {"z": "2"})))["data"] == {"z": "2"}


async def test_nothing_is_written_when_nothing_changes(api, space):
    at = Address(CONFIG_MAPS, space, "a")
    made = await api.create(Address(CONFIG_MAPS, space), config_map("a", {"k": "1"}))
    done = await api.replace(at, made)
    assert done["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


async def test_an_object_of_another_uid_is_refused(api, space):
    at = Address(CONFIG_MAPS, space, "a")
    await api.create(Address(CONFIG_MAPS, space), config_map("a"))
    with pytest.raises(Conflict) as caught:
        await api.replace(at, config_map("a", {"k": "v"}, uid="another"))
    assert "Precondition failed: UID in precondition: another" in caught.value.message


async def test_what_is_missing_is_not_replaced(api, space):
    with pytest.raises(NotFound) as caught:
        await api.replace(Address(CONFIG_MAPS, space, "none"), config_map("none"))
    assert caught.value.message == 'configmaps "none" not found'


async def test_a_lease_that_is_missing_is_created(api, space):
    body = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "a"},
        "spec": {"holderIdentity": "me"},
    }
    done = await api.replace(Address(LEASES, space, "a"), body)
    assert done["metadata"]["uid"] and done["spec"] == {"holderIdentity": "me"}


async def test_another_name_than_in_the_address_is_refused(api, space):
    await api.create(Address(CONFIG_MAPS, space), config_map("a"))
    with pytest.raises(BadRequest) as caught:
        await api.replace(Address(CONFIG_MAPS, space, "a"), config_map("b"))
    assert (
        caught.value.message == "the name of the object (b) does not match the name on the URL (a)"
    )


async def test_a_changed_spec_is_the_next_generation(api, space):
    at = Address(DEPLOYMENTS, space, "web")
    made = await api.create(Address(DEPLOYMENTS, space), deployment("web"))
    done = await api.replace(at, deployment("web", replicas=5))
    assert (made["metadata"]["generation"], done["metadata"]["generation"]) == (1, 2)


async def test_changed_labels_are_no_new_generation(api, space):
    at = Address(DEPLOYMENTS, space, "web")
    made = await api.create(Address(DEPLOYMENTS, space), deployment("web"))
    body = deployment("web")
    body = {**body, "metadata": {**body["metadata"], "labels": {"tier": "front"}}}
    done = await api.replace(at, body)
    assert done["metadata"]["labels"] == {"tier": "front"}
    assert done["metadata"]["generation"] == made["metadata"]["generation"]


async def test_the_main_resource_does_not_write_the_status(api, space):
    at = Address(DEPLOYMENTS, space, "web")
    await api.create(Address(DEPLOYMENTS, space), deployment("web"))
    done = await api.replace(at, {**deployment("web"), "status": {"replicas": 4}})
    assert not done["status"].get("replicas")


async def test_what_the_server_set_stays_as_it_was(api, space):
    at = Address(CONFIG_MAPS, space, "a")
    made = await api.create(Address(CONFIG_MAPS, space), config_map("a"))
    done = await api.replace(
        at, config_map("a", {"k": "v"}, creationTimestamp="2001-01-01T00:00:00Z", generation=9)
    )
    assert done["metadata"]["creationTimestamp"] == made["metadata"]["creationTimestamp"]
    assert "generation" not in done["metadata"]


async def test_an_immutable_map_keeps_its_data(api, space):
    at = Address(CONFIG_MAPS, space, "a")
    body = {**config_map("a", {"k": "1"}), "immutable": True}
    await api.create(Address(CONFIG_MAPS, space), body)
    with pytest.raises(Invalid) as caught:
        await api.replace(at, {**body, "data": {"k": "2"}})
    assert caught.value.message == (
        'ConfigMap "a" is invalid: data: Forbidden: field is immutable when `immutable` is set'
    )


async def test_the_type_of_a_secret_is_fixed(api, space):
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "type": "a.io/b"}
    await api.create(Address(SECRETS, space), body)
    with pytest.raises(Invalid) as caught:
        await api.replace(Address(SECRETS, space, "s"), {**body, "type": "a.io/c"})
    assert caught.value.message == (
        'Secret "s" is invalid: type: Invalid value: "a.io/c": field is immutable'
    )


async def test_the_selector_of_a_deployment_is_fixed(api, space):
    at = Address(DEPLOYMENTS, space, "web")
    await api.create(Address(DEPLOYMENTS, space), deployment("web"))
    other = deployment("other")
    with pytest.raises(Invalid) as caught:
        await api.replace(at, {**other, "metadata": {"name": "web"}})
    assert caught.value.message == (
        'Deployment.apps "web" is invalid: spec.selector: Invalid value: '
        '{"matchLabels":{"app":"other"}}: field is immutable'
    )


async def test_a_namespace_keeps_its_finalizer_and_phase(api, space):
    done = await api.replace(
        Address(NAMESPACES, name=space),
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": space, "labels": {"a": "b"}},
        },
    )
    assert done["spec"]["finalizers"] == ["kubernetes"]
    assert done["status"] == {"phase": "Active"}
    assert done["metadata"]["labels"] == {"a": "b", "kubernetes.io/metadata.name": space}


async def test_a_dry_run_replaces_nothing(api, space):
    at = Address(CONFIG_MAPS, space, "a")
    await api.create(Address(CONFIG_MAPS, space), config_map("a", {"k": "1"}))
    done = await api.replace(at, config_map("a", {"k": "2"}), WriteOptions(dry_run=True))
    assert done["data"] == {"k": "2"}
    assert (await api.get(at))["data"] == {"k": "1"}
