"""Custom kinds: from their definition to their last object."""

import contextlib
import uuid
from typing import Any

import pytest

from oneco.kube.api import DeleteOptions, ListOptions, Match, Patch, WriteOptions
from oneco.kube.errors import (
    AlreadyExists,
    ApiError,
    BadRequest,
    Invalid,
    NotFound,
    ServiceUnavailable,
    TooManyRequests,
    UnsupportedMediaType,
)
from oneco.kube.refs import Address, Resource
from tests.contract.given import DEFINITIONS, eventually, is_gone

SPEC: dict[str, Any] = {
    "type": "object",
    "properties": {
        "replicas": {"type": "integer", "default": 1, "minimum": 0},
        "colour": {"type": "string", "enum": ["red", "blue"]},
        "notes": {"type": "object", "additionalProperties": {"type": "string"}},
        "amount": {"x-kubernetes-int-or-string": True},
        "parts": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}, "size": {"type": "integer"}},
            },
        },
    },
}
ALICE = WriteOptions(manager="alice")
STATUS = {
    "type": "object",
    "properties": {"replicas": {"type": "integer"}, "selector": {"type": "string"}},
}
SCALE = {
    "specReplicasPath": ".spec.replicas",
    "statusReplicasPath": ".status.replicas",
    "labelSelectorPath": ".status.selector",
}


def version(name="v1", *, storage=True, spec=SPEC):
    schema = {"type": "object", "properties": {"spec": spec, "status": STATUS}}
    return {
        "name": name,
        "served": True,
        "storage": storage,
        "subresources": {"status": {}, "scale": SCALE},
        "schema": {"openAPIV3Schema": schema},
    }


def definition(group, *versions):
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"]},
            "versions": list(versions) or [version()],
        },
    }


def widget(group, name, spec=None, **more):
    body = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": name}, **more}
    return body | ({"spec": spec} if spec is not None else {})


async def established(api, crd):
    await api.create(Address(DEFINITIONS), crd)
    at = Address(DEFINITIONS, name=crd["metadata"]["name"])

    async def is_established():
        found = await api.get(at)
        conditions = (found.get("status") or {}).get("conditions") or ()
        return ("Established", "True") in {(one["type"], one["status"]) for one in conditions}

    await eventually(is_established)
    plural = Address(Resource(crd["spec"]["group"], "v1", "widgets"))

    async def is_served():
        # A real server says for a moment that it is not ready, in either of two ways.
        try:
            await api.list(plural)
        except (NotFound, TooManyRequests):
            return False
        return True

    await eventually(is_served)
    return at


@pytest.fixture
def group(api, runner):
    """A group of its own, in which `widgets` are defined."""
    name = f"g{uuid.uuid4().hex[:8]}.example.io"
    at = runner.run(established(api, definition(name)))
    yield name
    with contextlib.suppress(NotFound):
        runner.run(api.delete(at))


@pytest.fixture
def widgets(group, space):
    return Address(Resource(group, "v1", "widgets"), space)


async def test_a_definition_is_completed_and_established(api, group):
    found = await api.get(Address(DEFINITIONS, name=f"widgets.{group}"))
    names = {"kind": "Widget", "listKind": "WidgetList", "plural": "widgets", "singular": "widget"}
    assert found["spec"]["names"] == {**names, "shortNames": ["wd"]}
    assert found["spec"]["conversion"] == {"strategy": "None"}
    assert found["status"]["storedVersions"] == ["v1"]
    assert found["status"]["acceptedNames"]["plural"] == "widgets"
    reasons = {one["type"]: one["reason"] for one in found["status"]["conditions"]}
    assert reasons == {
        "NamesAccepted": "NoConflicts",
        "Established": "InitialNamesAccepted",
    }


async def test_a_definition_must_be_named_after_its_kind(api):
    body = definition("other.example.io")
    body["metadata"]["name"] = "gadgets.other.example.io"
    with pytest.raises(Invalid) as caught:
        await api.create(Address(DEFINITIONS), body)
    assert caught.value.message == (
        'CustomResourceDefinition.apiextensions.k8s.io "gadgets.other.example.io" is invalid: '
        'metadata.name: Invalid value: "gadgets.other.example.io": must be '
        'spec.names.plural+"."+spec.group'
    )


async def test_discovery_tells_of_a_custom_kind(api, group):
    async def is_told():
        return Resource(group, "v1", "widgets") in {one.resource for one in await api.discover()}

    await eventually(is_told)
    found = {one.resource: one for one in await api.discover()}[Resource(group, "v1", "widgets")]
    assert (found.kind, found.singular, found.short_names) == ("Widget", "widget", ("wd",))
    assert set(found.subresources) == {"status", "scale"}


async def test_defaults_come_from_the_schema(api, widgets, group):
    made = await api.create(widgets, widget(group, "a", {"colour": "red"}))
    assert made["spec"] == {"colour": "red", "replicas": 1}
    assert made["metadata"]["generation"] == 1


async def test_a_field_that_the_schema_lacks_is_dropped(api, widgets, group):
    body = widget(group, "a", {"colour": "red", "weight": 3})
    made = await api.create(widgets, body, WriteOptions(field_validation="Ignore"))
    assert "weight" not in made["spec"]


async def test_a_field_that_the_schema_lacks_is_refused_when_strict(api, widgets, group):
    body = widget(group, "a", {"weight": 3})
    with pytest.raises(BadRequest) as caught:
        await api.create(widgets, body, WriteOptions(field_validation="Strict"))
    assert caught.value.message == (
        'Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown '
        'field "spec.weight"'
    )


async def test_a_value_of_the_wrong_type_is_refused(api, widgets, group):
    with pytest.raises(Invalid) as caught:
        await api.create(widgets, widget(group, "a", {"colour": 1}))
    assert caught.value.message.startswith(
        f'Widget.{group} "a" is invalid: [spec.colour: Invalid value: "integer": spec.colour in '
        'body must be of type string: "integer"'
    )


async def test_a_value_outside_its_enumeration_is_refused(api, widgets, group):
    with pytest.raises(Invalid) as caught:
        await api.create(widgets, widget(group, "a", {"colour": "green"}))
    assert caught.value.message == (
        f'Widget.{group} "a" is invalid: spec.colour: Unsupported value: "green": supported '
        'values: "red", "blue"'
    )


async def test_another_kind_is_refused(api, widgets, group):
    with pytest.raises(Invalid) as caught:
        await api.create(widgets, widget(group, "a", kind="Gadget"))
    assert caught.value.message == (
        f'Gadget.{group} "a" is invalid: kind: Invalid value: "Gadget": must be Widget'
    )


async def test_a_custom_body_must_say_its_kind(api, widgets):
    with pytest.raises(BadRequest) as caught:
        await api.create(widgets, {"metadata": {"name": "a"}})
    assert "(must be of type Widget): Object 'Kind' is missing" in caught.value.message


async def test_a_custom_object_is_replaced_at_a_version_only(api, widgets, group):
    made = await api.create(widgets, widget(group, "a", {"colour": "red"}))
    at = widgets._replace(name="a")
    with pytest.raises(Invalid) as caught:
        await api.replace(at, widget(group, "a", {"colour": "blue"}))
    assert caught.value.message == (
        f'widgets.{group} "a" is invalid: metadata.resourceVersion: Invalid value: 0: must be '
        "specified for an update"
    )
    done = await api.replace(at, {**made, "spec": {"colour": "blue"}})
    assert done["spec"] == {"colour": "blue", "replicas": 1}
    assert done["metadata"]["generation"] == 2


async def test_the_status_of_a_custom_object_is_apart(api, widgets, group):
    made = await api.create(widgets, widget(group, "a", {}, status={"replicas": 3}))
    assert "status" not in made
    at = widgets._replace(name="a")
    patch = {
        "status": {"replicas": 4},
        "spec": {"colour": "blue"},
        "metadata": {"labels": {"x": "y"}},
    }
    done = await api.patch(at._replace(subresource="status"), Patch("merge", patch))
    assert done["status"] == {"replicas": 4} and done["spec"] == {"replicas": 1}
    assert "labels" not in done["metadata"]
    assert done["metadata"]["generation"] == 1


async def test_labels_of_a_custom_object_are_no_new_generation(api, widgets, group):
    await api.create(widgets, widget(group, "a", {}))
    patch = Patch("merge", {"metadata": {"labels": {"x": "y"}}})
    done = await api.patch(widgets._replace(name="a"), patch)
    assert done["metadata"]["generation"] == 1


async def test_a_custom_object_has_a_scale(api, widgets, group):
    await api.create(widgets, widget(group, "a", {}))
    at = widgets._replace(name="a", subresource="scale")
    scale = await api.get(at)
    assert scale["spec"] == {"replicas": 1} and scale["status"] == {"replicas": 0}
    await api.patch(at, Patch("merge", {"spec": {"replicas": 4}}))
    found = await api.get(widgets._replace(name="a"))
    assert found["spec"]["replicas"] == 4 and found["metadata"]["generation"] == 2


async def test_a_strategic_patch_is_not_for_custom_kinds(api, widgets, group):
    await api.create(widgets, widget(group, "a", {}))
    with pytest.raises(UnsupportedMediaType):
        await api.patch(widgets._replace(name="a"), Patch("strategic", {"spec": {}}))


async def test_a_field_of_a_custom_object_cannot_choose(api, widgets):
    options = ListOptions(match=Match(fields="spec.colour=red"))
    with pytest.raises(BadRequest) as caught:
        await api.list(widgets, options)
    assert caught.value.message == "field label not supported: spec.colour"


async def test_keyed_lists_of_a_custom_object_merge_when_applied(api, widgets, group):
    at = widgets._replace(name="a")
    first = widget(group, "a", {"parts": [{"name": "x", "size": 1}]})
    second = widget(group, "a", {"parts": [{"name": "y", "size": 2}]})
    await api.apply(at, first, WriteOptions(manager="one"))
    done = await api.apply(at, second, WriteOptions(manager="two"))
    assert done["spec"]["parts"] == [{"name": "x", "size": 1}, {"name": "y", "size": 2}]
    left = await api.apply(at, widget(group, "a", {"parts": []}), WriteOptions(manager="one"))
    assert left["spec"]["parts"] == [{"name": "y", "size": 2}]


async def test_an_applied_field_that_the_schema_lacks_is_refused(api, widgets, group):
    body = widget(group, "a", {"weight": 3})
    with pytest.raises(ApiError) as caught:
        await api.apply(widgets._replace(name="a"), body, WriteOptions(manager="one"))
    assert ".spec.weight: field not declared in schema" in caught.value.message


async def test_a_status_is_applied_at_its_own_address(api, widgets, group):
    await api.create(widgets, widget(group, "a", {}))
    at = widgets._replace(name="a", subresource="status")
    body = widget(group, "a", status={"replicas": 2})
    done = await api.apply(at, body, WriteOptions(manager="reporter"))
    assert done["status"] == {"replicas": 2} and done["spec"] == {"replicas": 1}
    entry = next(one for one in done["metadata"]["managedFields"] if one["manager"] == "reporter")
    assert entry["subresource"] == "status"


async def test_a_changed_schema_holds_for_the_next_write(api, widgets, group):
    at = Address(DEFINITIONS, name=f"widgets.{group}")
    wider: dict[str, Any] = {
        **SPEC,
        "properties": {**SPEC["properties"], "weight": {"type": "integer"}},
    }
    await api.patch(at, Patch("merge", {"spec": {"versions": [version(spec=wider)]}}))

    async def takes_weight():
        options = WriteOptions(dry_run=True, field_validation="Ignore")
        try:
            made = await api.create(widgets, widget(group, "a", {"weight": 3}), options)
        except ServiceUnavailable:
            # A kube-apiserver may end what serves the old schema in the middle of a request.
            return False
        return made["spec"].get("weight") == 3

    await eventually(takes_weight)
    assert (await api.get(at))["metadata"]["generation"] == 2


async def test_two_versions_show_one_object(api, space):
    group = f"g{uuid.uuid4().hex[:8]}.example.io"
    crd = definition(group, version(), version("v2", storage=False))
    at = await established(api, crd)
    first, second = (Address(Resource(group, one, "widgets"), space) for one in ("v1", "v2"))
    await api.create(second, {**widget(group, "a", {"colour": "red"}), "apiVersion": f"{group}/v2"})
    assert (await api.get(first._replace(name="a")))["apiVersion"] == f"{group}/v1"
    found = await api.get(second._replace(name="a"))
    assert found["apiVersion"] == f"{group}/v2" and found["spec"]["colour"] == "red"
    with pytest.raises(AlreadyExists):
        await api.create(first, widget(group, "a"))
    await api.delete(at)


async def test_a_deleted_definition_takes_its_objects_along(api, widgets, group):
    await api.create(widgets, widget(group, "a", {}))
    at = Address(DEFINITIONS, name=f"widgets.{group}")
    await api.delete(at, DeleteOptions())
    await eventually(lambda: is_gone(api, at))

    async def is_not_served():
        try:
            await api.list(widgets)
        except NotFound:
            return True
        return False

    await eventually(is_not_served)


async def test_replicas_below_zero_are_refused(api, widgets, group):
    with pytest.raises(Invalid) as refused:
        await api.create(widgets, widget(group, "a", {"replicas": -1}))
    said = [(one.field, one.message) for one in refused.value.causes]
    words = "Invalid value: -1: should be a non-negative integer"
    assert (".spec.replicas", words) in said


async def test_an_applied_body_is_held_to_its_types_as_a_whole(api, widgets, group):
    at = widgets._replace(name="a")
    body = widget(group, "a", {}, status={"nothing": 1})
    with pytest.raises(ApiError) as refused:
        await api.apply(at, body, WriteOptions(manager="alice"))
    assert refused.value.code == 500
    assert ".status.nothing: field not declared in schema" in refused.value.message


async def test_a_dry_run_says_who_would_manage_what(api, widgets, group):
    options = WriteOptions(manager="alice", dry_run=True)
    made = await api.create(widgets, widget(group, "a", {"colour": "red"}), options)
    # A server that dies with its process computes managers when somebody reads them.
    managers = made["metadata"].get("managedFields") or [{"manager": "alice"}]
    assert [one["manager"] for one in managers] == ["alice"]


async def test_an_applied_null_is_told_beside_whatever_else_is_wrong(api, widgets, group):
    spec = {"parts": None, "colour": "green", "amount": None}
    with pytest.raises(Invalid) as refused:
        await api.apply(widgets._replace(name="w"), widget(group, "w", spec), ALICE)
    told = sorted(one.field for one in refused.value.causes)
    assert told == ["spec.amount", "spec.colour", "spec.parts"]


async def test_an_applied_null_leaves_alone_what_others_put_there(api, widgets, group):
    parts = [{"name": "a"}]
    await api.create(widgets, widget(group, "w", {"parts": parts}))
    done = await api.apply(widgets._replace(name="w"), widget(group, "w", {"parts": None}), ALICE)
    assert done["spec"]["parts"] == parts


async def test_who_empties_a_map_that_they_applied_is_refused_its_null(api, widgets, group):
    at = widgets._replace(name="w")
    await api.apply(at, widget(group, "w", {"notes": {"a": "b"}}), ALICE)
    with pytest.raises(Invalid, match=r'spec\.notes in body must be of type object: "null"'):
        await api.apply(at, widget(group, "w", {"notes": {}}), ALICE)


async def test_the_status_that_nobody_wrote_may_be_applied_as_null(api, widgets, group):
    at = widgets._replace(name="w")
    await api.create(widgets, widget(group, "w"))
    done = await api.apply(
        at._replace(subresource="status"), widget(group, "w", status=None), ALICE
    )
    assert done.get("status") is None
    (entry,) = [one for one in done["metadata"]["managedFields"] if one["manager"] == "alice"]
    assert entry["fieldsV1"] == {"f:status": {}}
