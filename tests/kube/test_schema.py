from __future__ import annotations

import copy

import pytest

from oneco.kube import schema
from tests.kube.recordings import as_rows, cases, recording

WIDGET = schema.compile(recording("custom-resources")["schema"])


def a_widget(**spec):
    meta = {"name": "w", "namespace": "default"}
    return {"apiVersion": "t.dev/v1", "kind": "Widget", "metadata": meta, "spec": spec}


@pytest.mark.parametrize("case", cases("custom-resources"), ids=lambda case: str(case["spec"])[:60])
def test_a_custom_resource_is_stored_or_refused_as_the_real_server_does(case):
    obj = WIDGET.default(WIDGET.prune(a_widget() | {"spec": case["spec"]}))
    assert as_rows(WIDGET.validate(obj)) == sorted(case.get("refused", []))
    if "stored" in case:
        assert obj.get("spec") == case["stored"]


def test_an_object_that_needs_nothing_comes_back_itself():
    obj = a_widget(must="x", **{"def": {"a": "A"}})
    assert WIDGET.default(obj) is obj
    assert WIDGET.prune(obj) is obj


def test_defaults_share_what_they_do_not_touch():
    kept = {"b": {"c": 1}}
    obj = a_widget(must="x", free=kept)
    before = copy.deepcopy(obj)
    filled = WIDGET.default(obj)
    assert filled["spec"]["def"] == {"a": "A"}
    assert filled["spec"]["free"] is kept
    assert obj == before


def test_unknown_fields_are_named_as_strict_decoding_names_them():
    obj = a_widget(must="x", zzz=1, nest=[{"q": 1}], mapl=[{"name": "x", "oo": 1}])
    assert WIDGET.unknown_fields(obj | {"extra": 1, "status": {"u": 1}}) == [
        'unknown field "extra"',
        'unknown field "spec.mapl[0].oo"',
        'unknown field "spec.nest[0].q"',
        'unknown field "spec.zzz"',
        'unknown field "status.u"',
    ]


def test_free_form_parts_keep_what_nobody_knows():
    obj = a_widget(must="x", free={"anything": [None, {"a": 1}]})
    assert WIDGET.prune(obj) is obj
    assert WIDGET.unknown_fields(obj) == []


def test_metadata_inside_an_embedded_object_is_held_to_its_own_fields():
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "foo": 1}, "spec": {"a": 1}}
    pruned = WIDGET.prune(a_widget(must="x", emb=pod))
    assert pruned["spec"]["emb"]["metadata"] == {"name": "p"}
    assert pruned["spec"]["emb"]["spec"] == {"a": 1}


def test_what_was_wrong_before_and_did_not_change_is_accepted():
    old = a_widget(must="x", replicas=99, mode="a")
    assert WIDGET.validate(a_widget(must="x", replicas=99, mode="b"), old) == []
    (cause,) = WIDGET.validate(a_widget(must="x", replicas=98, mode="b"), old)
    assert cause.field == "spec.replicas"


def test_items_with_keys_are_compared_with_their_former_selves():
    old = a_widget(must="x", mapl=[{"name": "a", "port": "wrong"}])
    new = a_widget(must="x", mapl=[{"name": "b", "port": 1}, {"name": "a", "port": "wrong"}])
    assert WIDGET.validate(new, old) == []


def test_rules_are_asked_once_everything_they_read_is_sound():
    rule = {"rule": "self.a < self.b"}
    numbers = {"a": {"type": "integer"}, "b": {"type": "integer"}}
    inner = {"type": "object", "properties": numbers, "x-kubernetes-validations": [rule]}
    compiled = schema.compile({"type": "object", "properties": {"spec": inner}})
    assert compiled.validate({"spec": {"a": 1, "b": 2}}) == []
    broken = compiled.validate({"spec": {"a": 2, "b": 1}})
    assert [(one.field, one.message) for one in broken] == [
        ("spec", "Invalid value: failed rule: self.a < self.b")
    ]
    unsound = compiled.validate({"spec": {"a": "x", "b": 1}})
    assert "some validation rules were not checked" in unsound[-1].message


def test_a_pattern_ends_where_it_ends_in_go():
    compiled = schema.compile({"properties": {"a": {"type": "string", "pattern": "^x$"}}})
    assert compiled.validate({"a": "x"}) == []
    assert [cause.field for cause in compiled.validate({"a": "x\n"})] == ["a"]


def test_a_schema_that_keeps_everything_refuses_nothing():
    compiled = schema.compile(schema.EVERYTHING)
    obj = {"spec": {"whatever": [1, {"a": None}]}}
    assert compiled.prune(obj) is obj
    assert compiled.default(obj) is obj
    assert compiled.validate(obj) == []
