"""JSON patch (RFC 6902) and JSON merge patch (RFC 7386), with other implementations as oracles."""

from __future__ import annotations

import json_merge_patch
import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneco.kube import errors, merge_patch
from oneco.kube.json_patch import apply_json_patch

keys = st.sampled_from(["a", "b", "c/d", "e~f", ""])
scalars = st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.sampled_from(["", "x"]))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=8,
)
objects = st.dictionaries(keys, values, max_size=3)
steps = st.sampled_from(["a", "b", "c~1d", "e~0f", "", "0", "1", "-"])
pointers = st.lists(steps, max_size=3).map(lambda path: "".join("/" + step for step in path))
operations = st.one_of(
    st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "replace", "test"]), "path": pointers, "value": values}
    ),
    st.fixed_dictionaries({"op": st.just("remove"), "path": pointers}),
    st.fixed_dictionaries(
        {"op": st.sampled_from(["move", "copy"]), "from": pointers, "path": pointers}
    ),
)


@given(objects, st.lists(operations, min_size=1, max_size=3))
def test_where_another_implementation_succeeds_ours_gives_the_same(value, patch):
    try:
        expected = jsonpatch.apply_patch(value, patch)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError):
        return
    if any(one["op"] == "move" and one["path"].startswith(one["from"]) for one in patch):
        return
    if any(one["op"] in ("add", "move", "copy") and not one["path"] for one in patch):
        return  # the server lets no operation but replace and test have the whole document
    if any(one.get("from") == "" for one in patch):
        return
    assert same(apply_json_patch(value, patch), expected)


@given(objects, objects)
def test_the_patch_between_two_objects_makes_the_second_of_the_first(old, new):
    patch = jsonpatch.make_patch(old, new).patch
    assert same(apply_json_patch(old, patch), new)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/data/x"},
        {"op": "test", "path": "/data/a", "value": "9"},
        {"op": "add", "path": "/nope/x", "value": "9"},
        {"op": "move", "from": "/data/x", "path": "/data/y"},
        {"op": "fly", "path": "/data/y"},
        {"op": "add", "path": "data", "value": "9"},
        {"op": "add", "value": 1},
        {"op": "add", "path": "/list/3", "value": 1},
        {"op": "add", "path": "/list/x", "value": 1},
        {"op": "remove", "path": "/list/1"},
        {"op": "remove", "path": ""},
        {"op": "remove", "path": "/data/a/b"},
    ],
)
def test_an_operation_that_fails_is_refused_in_the_servers_words(operation):
    with pytest.raises(errors.Invalid) as refused:
        apply_json_patch({"data": {"a": "1"}, "list": ["x"]}, [operation])
    assert refused.value.code == 422
    assert refused.value.message == (
        "the server rejected our request due to an error in our request"
    )


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ({"op": "add"}, "cannot unmarshal object into Go value of type []handlers.jsonPatchOp"),
        ("text", "cannot unmarshal string into Go value of type []handlers.jsonPatchOp"),
        ([1], "cannot unmarshal number into Go value of type handlers.jsonPatchOp"),
    ],
)
def test_what_is_no_json_patch_is_refused_in_the_servers_words(patch, message):
    with pytest.raises(errors.BadRequest) as refused:
        apply_json_patch({}, patch)
    assert refused.value.message == f"error decoding patch: json: {message}"


@pytest.mark.parametrize(
    ("operation", "data"),
    [
        ({"op": "replace", "path": "/data/x", "value": "1"}, {"a": "1", "x": "1"}),
        ({"op": "copy", "from": "/data/x", "path": "/data/y"}, {"a": "1", "y": None}),
        ({"op": "test", "path": "/data/x", "value": None}, {"a": "1"}),
    ],
)
def test_the_server_is_more_lenient_than_the_standard_and_so_are_we(operation, data):
    assert apply_json_patch({"data": {"a": "1"}}, [operation]) == {"data": data}


@given(values, values)
def test_merging_gives_what_another_implementation_gives(value, patch):
    expected = json_merge_patch.merge(value if isinstance(value, dict) else {}, patch)
    assert same(merge_patch.merge(value if isinstance(value, dict) else {}, patch), expected)


@given(objects, objects)
def test_merging_the_difference_gives_the_other_side(old, new):
    old, new = without_nulls(old), without_nulls(new)
    assert same(merge_patch.merge(old, merge_patch.diff(old, new)), new)


@given(objects)
def test_a_patch_that_changes_nothing_gives_the_object_itself(value):
    value = without_nulls(value)
    assert merge_patch.merge(value, value) is value
    assert merge_patch.merge(value, {}) is value


def without_nulls(value):
    if isinstance(value, dict):
        return {key: without_nulls(part) for key, part in value.items() if part is not None}
    return value


def same(left, right):
    """Equal as JSON, where true is not 1."""
    return repr(sorted_keys(left)) == repr(sorted_keys(right))


def sorted_keys(value):
    if isinstance(value, dict):
        return {key: sorted_keys(value[key]) for key in sorted(value)}
    return [sorted_keys(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "copy", "from": "", "path": "/x"},
        {"op": "copy", "from": "/data", "path": ""},
        {"op": "move", "from": "/data", "path": ""},
        {"op": "add", "path": "", "value": {}},
    ],
)
def test_the_whole_document_is_neither_copied_nor_added(operation):
    with pytest.raises(errors.Invalid):
        apply_json_patch({"data": {"a": "1"}}, [operation])
