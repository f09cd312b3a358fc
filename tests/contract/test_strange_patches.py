"""Patches that mean little, and what a server makes of them: cases that differed."""

from typing import Any

import pytest

from oneco.kube.api import Patch
from oneco.kube.errors import BadRequest, InternalError, Invalid, ServiceUnavailable
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


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([["a"]], "list element types are not identical"),
        ([None], "list element types are not identical"),
        ([1, True], "list element types are not identical"),
        ([{"a": "b"}], "list element types are not identical"),
    ],
)
@pytest.mark.parametrize("key", ["finalizers", "$deleteFromPrimitiveList/finalizers"])
async def test_a_list_of_several_types_is_not_merged(api, at, key, items, words):
    await api.patch(at, Patch("merge", {"metadata": {"finalizers": ["example.io/a"]}}))
    with pytest.raises(InternalError, match=words):
        await api.patch(at, Patch("strategic", {"metadata": {key: items}}))
    await api.patch(at, Patch("merge", {"metadata": {"finalizers": None}}))


@pytest.mark.parametrize("name", [[], {}, ["x"]])
async def test_a_merge_key_that_is_no_scalar_is_refused(api, space, name):
    body = pod("a", imagePullSecrets=[{"name": "x"}])
    await api.create(Address(PODS, space), body)
    patch = Patch("strategic", {"spec": {"imagePullSecrets": [{"name": name}]}})
    # A kube-apiserver panics there and hangs up.
    with pytest.raises((InternalError, ServiceUnavailable)):
        await api.patch(Address(PODS, space, "a"), patch)


async def test_what_is_no_list_deletes_nothing_from_one(api, at):
    patch: Any = {"metadata": {"$deleteFromPrimitiveList/finalizers": 1, "labels": {"a": "b"}}}
    await api.patch(at, Patch("merge", {"metadata": {"finalizers": ["example.io/a"]}}))
    done = await api.patch(at, Patch("strategic", patch))
    assert done["metadata"]["finalizers"] == ["example.io/a"]
    await api.patch(at, Patch("merge", {"metadata": {"finalizers": None}}))


async def test_the_kind_may_be_patched_away_but_not_changed(api, at):
    move = [{"op": "move", "from": "/kind", "path": "/data/kind"}]
    done = await api.patch(at, Patch("json", move))
    assert (done["kind"], done["data"]["kind"]) == ("ConfigMap", "ConfigMap")
    with pytest.raises(Invalid, match='no kind "Map" is registered for version "v1"'):
        await api.patch(at, Patch("merge", {"kind": "Map"}))


async def test_the_ports_of_a_container_are_told_before_its_probes(api, space):
    container = {"name": "c", "image": "i", "ports": [{}], "readinessProbe": {}}
    with pytest.raises(Invalid) as refused:
        await api.create(Address(PODS, space), pod("a", containers=[container]))
    told = [one.field.rpartition("containers[0].")[2] for one in refused.value.causes]
    assert told == ["ports[0].containerPort", "readinessProbe"]


async def test_the_spread_of_a_pod_is_told_before_what_it_tolerates(api, space):
    spread = [{"maxSkew": 1, "topologyKey": "k"}]
    body = pod("a", topologySpreadConstraints=spread, tolerations=[{}])
    with pytest.raises(Invalid) as refused:
        await api.create(Address(PODS, space), body)
    told = [one.field for one in refused.value.causes]
    assert told == [
        "spec.topologySpreadConstraints[0].whenUnsatisfiable", "spec.tolerations[0].operator",
    ]  # fmt: skip
