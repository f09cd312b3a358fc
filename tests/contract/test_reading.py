"""Getting and listing: order, selectors, pages."""

import pytest

from oneco.kube.api import ListOptions, Match
from oneco.kube.errors import ApiError, BadRequest, NotFound, Timeout
from oneco.kube.refs import Address
from tests.contract.given import CONFIG_MAPS, DEPLOYMENTS, PODS, config_map, pod


async def created(api, space, *names, **labels):
    for name in names:
        await api.create(Address(CONFIG_MAPS, space), config_map(name, labels=labels))


async def names_of(api, space, **match):
    # A controller manager puts a map of its own into every namespace.
    page = await api.list(Address(CONFIG_MAPS, space), ListOptions(match=Match(**match)))
    return [
        one["metadata"]["name"] for one in page.items if "root-ca" not in one["metadata"]["name"]
    ]


async def test_what_is_missing_is_named(api, space):
    with pytest.raises(NotFound) as caught:
        await api.get(Address(CONFIG_MAPS, space, "none"))
    assert caught.value.message == 'configmaps "none" not found'
    assert caught.value.details == {"name": "none", "kind": "configmaps"}


async def test_what_is_missing_is_named_with_its_group(api, space):
    with pytest.raises(NotFound) as caught:
        await api.get(Address(DEPLOYMENTS, space, "none"))
    assert caught.value.message == 'deployments.apps "none" not found'
    assert caught.value.details == {"name": "none", "group": "apps", "kind": "deployments"}


async def test_a_list_is_ordered_by_name(api, space):
    await created(api, space, "b", "a", "c-1", "c")
    assert await names_of(api, space) == ["a", "b", "c", "c-1"]


async def test_a_list_of_all_namespaces_holds_each(api, space):
    await created(api, space, "only-here")
    page = await api.list(Address(CONFIG_MAPS))
    assert (space, "only-here") in {
        (one["metadata"]["namespace"], one["metadata"]["name"]) for one in page.items
    }


async def test_listed_objects_say_their_kind(api, space):
    await created(api, space, "a")
    page = await api.list(Address(CONFIG_MAPS, space))
    assert {(one["apiVersion"], one["kind"]) for one in page.items} == {("v1", "ConfigMap")}


async def test_an_empty_list_has_a_version(api, space):
    page = await api.list(Address(DEPLOYMENTS, space))
    assert list(page.items) == [] and int(page.resource_version) > 0


async def test_labels_choose(api, space):
    await created(api, space, "a", "b", tier="front")
    await created(api, space, "c", tier="back")
    assert await names_of(api, space, labels="tier=front") == ["a", "b"]
    assert await names_of(api, space, labels="tier in (back,other)") == ["c"]
    assert await names_of(api, space, labels="tier,tier!=front") == ["c"]


async def test_a_field_chooses_one_name(api, space):
    await created(api, space, "a", "b")
    assert await names_of(api, space, fields="metadata.name=b") == ["b"]
    assert await names_of(api, space, fields="metadata.name!=b") == ["a"]


async def test_pods_are_chosen_by_node(api, space):
    await api.create(Address(PODS, space), pod("a", nodeName="node-1"))
    await api.create(Address(PODS, space), pod("b"))
    match = Match(fields="spec.nodeName=node-1")
    page = await api.list(Address(PODS, space), ListOptions(match=match))
    assert [one["metadata"]["name"] for one in page.items] == ["a"]


async def test_a_field_that_is_not_indexed_is_refused(api, space):
    with pytest.raises(BadRequest) as caught:
        await names_of(api, space, fields="data.x=b")
    assert caught.value.message == (
        '"data.x" is not a known field selector: only "metadata.name", "metadata.namespace"'
    )


async def test_a_selector_that_cannot_be_read_is_refused(api, space):
    with pytest.raises(BadRequest):
        await names_of(api, space, labels="a===b")
    with pytest.raises(BadRequest) as caught:
        await names_of(api, space, fields="a")
    assert caught.value.message == "invalid selector: 'a'; can't understand 'a'"


async def test_pages_together_are_the_whole_list(api, space):
    await created(api, space, *"abcde", paged="yes")
    match = Match(labels="paged=yes")
    seen, sizes, token = [], [], ""
    while True:
        options = ListOptions(match=match, limit=2, continue_token=token)
        page = await api.list(Address(CONFIG_MAPS, space), options)
        seen += [one["metadata"]["name"] for one in page.items]
        sizes.append(len(page.items))
        token = page.continue_token
        if not token:
            break
    assert seen == list("abcde") and sizes == [2, 2, 1]


async def test_a_page_says_how_many_remain(api, space):
    for name in "abc":
        await api.create(Address(PODS, space), pod(name))
    page = await api.list(Address(PODS, space), ListOptions(limit=1))
    assert (len(page.items), page.remaining) == (1, 2)


async def test_later_pages_show_the_moment_of_the_first(api, space):
    for name in "abd":
        await api.create(Address(PODS, space), pod(name))
    first = await api.list(Address(PODS, space), ListOptions(limit=2))
    await api.create(Address(PODS, space), pod("c"))
    await api.delete(Address(PODS, space, "d"))
    options = ListOptions(limit=2, continue_token=first.continue_token)
    second = await api.list(Address(PODS, space), options)
    assert [one["metadata"]["name"] for one in second.items] == ["d"]
    assert second.resource_version == first.resource_version


async def test_a_malformed_continue_token_is_refused(api, space):
    options = ListOptions(limit=1, continue_token="abc")
    with pytest.raises(BadRequest) as caught:
        await api.list(Address(CONFIG_MAPS, space), options)
    assert caught.value.message.startswith("invalid continue token: continue key is not valid")


async def test_a_version_of_the_future_is_too_large(api, space):
    with pytest.raises(Timeout) as caught:
        await api.list(Address(CONFIG_MAPS, space), ListOptions(resource_version="99999999999"))
    assert caught.value.message.startswith("Timeout: Too large resource version: 99999999999")


async def test_a_version_that_is_no_number_is_refused(api, space):
    with pytest.raises(ApiError) as caught:
        await api.list(Address(CONFIG_MAPS, space), ListOptions(resource_version="x"))
    assert caught.value.message.startswith("invalid resource version")


async def test_discovery_tells_what_is_served(api):
    found = {one.resource: one for one in await api.discover()}
    deployments = found[DEPLOYMENTS]
    assert (deployments.kind, deployments.namespaced) == ("Deployment", True)
    assert set(deployments.subresources) == {"scale", "status"}
    assert deployments.short_names == ("deploy",)
    assert {"get", "list", "watch", "deletecollection"} <= set(deployments.verbs)
