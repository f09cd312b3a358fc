"""Patches that mean little, and what a server makes of them: cases that differed."""

from typing import Any

import pytest

from oneco.kube.api import Patch
from oneco.kube.errors import BadRequest, InternalError, Invalid
from oneco.kube.refs import Address
from tests.contract.given import CONFIG_MAPS, PODS, config_map, pod


@pytest.fixture
def at(api, space, runner):
    """A ConfigMap that is there."""
    body = config_map("a", {"x": "1"})
    runner.run(api.create(Address(CONFIG_MAPS, space), body))
    return Address(CONFIG_MAPS, space, "a")


async def test_a_strategic_patch_of_nothing_changes_nothing(api, at):
    before = await api.get(at)
    done = await api.patch(at, Patch("strategic", None))
    assert done["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


async def test_a_strategic_patch_cannot_take_the_kind_away(api, at):
    done = await api.patch(at, Patch("strategic", {"$retainKeys": ["metadata"], "metadata": {}}))
    assert done["kind"] == "ConfigMap" and "data" not in done


async def test_keys_to_retain_must_be_a_list_of_what_the_patch_sets(api, at):
    with pytest.raises(BadRequest, match="invalid patch format of retainKeys"):
        await api.patch(at, Patch("strategic", {"data": {"a": "b"}, "$retainKeys": []}))


async def test_a_directive_for_something_that_is_not_there_is_a_value_of_the_wrong_type(api, at):
    patch = Patch("strategic", {"metadata": {"labels": {"$retainKeys": []}}})
    with pytest.raises(Invalid) as refused:
        await api.patch(at, patch)
    assert refused.value.causes[0].field == "patch"


async def test_an_order_for_a_list_that_the_patch_removes_is_no_order(api, at):
    patch: Any = {"metadata": {"finalizers": None, "$setElementOrder/finalizers": []}}
    with pytest.raises(InternalError, match="expected a "):
        await api.patch(at, Patch("strategic", patch))


@pytest.mark.parametrize("kind", ["merge", "strategic"])
async def test_a_patch_cannot_take_the_name_away(api, at, kind):
    with pytest.raises(BadRequest, match="was undeterminable: name must be provided"):
        await api.patch(at, Patch(kind, {"metadata": None}))


async def test_a_json_patch_without_an_operation_is_refused(api, at):
    with pytest.raises(Invalid):
        await api.patch(at, Patch("json", [None]))


@pytest.mark.parametrize(
    ("body", "words"),
    [(None, "Invalid JSON Patch"), ([], "json: cannot unmarshal array into Go value")],
)
async def test_a_merge_patch_must_be_an_object(api, at, body, words):
    with pytest.raises(BadRequest, match=words):
        await api.patch(at, Patch("merge", body))


async def test_a_patch_is_read_as_a_whole_before_any_of_it_is_done(api, at):
    operations = [{"op": "remove", "path": "/nothing/at/all"}, 1]
    with pytest.raises(BadRequest, match="cannot unmarshal number"):
        await api.patch(at, Patch("json", operations))


async def test_a_null_in_a_list_of_structures_is_an_empty_one(api, space):
    body = {**pod("a")}
    body["spec"] = {**body["spec"], "volumes": [None]}
    with pytest.raises(Invalid) as refused:
        await api.create(Address(PODS, space), body)
    assert "spec.volumes[0].name" in [one.field for one in refused.value.causes]
