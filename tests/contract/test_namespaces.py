"""Namespaces: which are there from the start, and how one goes."""

import pytest

from oneco.kube.api import Patch
from oneco.kube.errors import AlreadyExists, Forbidden
from oneco.kube.refs import Address
from tests.contract.given import CONFIG_MAPS, NAMESPACES, SERVICES, config_map, eventually, is_gone


async def test_four_namespaces_are_there_from_the_start(api):
    page = await api.list(Address(NAMESPACES))
    names = {one["metadata"]["name"] for one in page.items}
    assert {"default", "kube-system", "kube-public", "kube-node-lease"} <= names


async def test_the_server_has_its_own_service(api):
    found = await api.get(Address(SERVICES, "default", "kubernetes"))
    assert found["spec"]["clusterIP"] == "10.0.0.1"
    assert found["spec"]["ports"][0]["port"] == 443


async def test_a_new_namespace_is_active_and_labelled(api, space):
    found = await api.get(Address(NAMESPACES, name=space))
    assert found["status"] == {"phase": "Active"}
    assert found["spec"] == {"finalizers": ["kubernetes"]}
    assert found["metadata"]["labels"] == {"kubernetes.io/metadata.name": space}


async def test_a_namespace_is_made_once(api):
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}
    with pytest.raises(AlreadyExists):
        await api.create(Address(NAMESPACES), body)


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
async def test_a_built_in_namespace_is_not_deleted(api, name):
    with pytest.raises(Forbidden) as caught:
        await api.delete(Address(NAMESPACES, name=name))
    assert caught.value.message == (
        f'namespaces "{name}" is forbidden: this namespace may not be deleted'
    )


async def a_namespace(api):
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"generateName": "going-"}}
    return (await api.create(Address(NAMESPACES), body))["metadata"]["name"]


async def test_a_deleted_namespace_takes_its_contents_along(api):
    name = await a_namespace(api)
    await api.create(Address(CONFIG_MAPS, name), config_map("a"))
    await api.delete(Address(NAMESPACES, name=name))
    await eventually(lambda: is_gone(api, Address(CONFIG_MAPS, name, "a")))
    await eventually(lambda: is_gone(api, Address(NAMESPACES, name=name)))


async def test_a_namespace_waits_for_what_is_held_in_it(api):
    name = await a_namespace(api)
    at = Address(CONFIG_MAPS, name, "a")
    await api.create(Address(CONFIG_MAPS, name), config_map("a", finalizers=["example.io/kept"]))
    marked = await api.delete(Address(NAMESPACES, name=name))
    assert marked["status"]["phase"] == "Terminating"
    assert marked["metadata"]["deletionTimestamp"]

    async def is_deleting():
        return "deletionTimestamp" in (await api.get(at))["metadata"]

    await eventually(is_deleting)
    with pytest.raises(Forbidden) as caught:
        await api.create(Address(CONFIG_MAPS, name), config_map("late"))
    assert caught.value.message == (
        f'configmaps "late" is forbidden: unable to create new content in namespace {name} '
        "because it is being terminated"
    )
    assert caught.value.causes[0].reason == "NamespaceTerminating"
    await api.patch(at, Patch("merge", {"metadata": {"finalizers": None}}))
    await eventually(lambda: is_gone(api, Address(NAMESPACES, name=name)))
