"""Arithmetic on sets of fields."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from oneco.kube import fieldsets
from tests.kube.built_in import type_of

elements = st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}', 'v:"y"'])
trees: Any = st.recursive(
    st.just({}),
    lambda inner: st.builds(
        fieldsets.node, st.booleans(), st.dictionaries(elements, inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)
sets = st.one_of(st.none(), st.dictionaries(elements, trees, min_size=1, max_size=3))


def members(fields):
    return set(fieldsets.paths(fields))


@given(sets, sets)
def test_a_union_has_the_members_of_both(left, right):
    assert members(fieldsets.union(left, right)) == members(left) | members(right)


@given(sets, sets)
def test_a_difference_has_the_members_of_the_first_alone(left, right):
    assert members(fieldsets.difference(left, right)) == members(left) - members(right)


@given(sets, sets)
def test_an_intersection_has_the_members_of_both_sides(left, right):
    assert members(fieldsets.intersection(left, right)) == members(left) & members(right)


@given(sets, sets)
def test_taking_away_what_is_not_there_gives_the_set_itself(left, right):
    apart = fieldsets.difference(right, left)
    assert fieldsets.difference(left, apart) is left
    assert fieldsets.union(left, None) is left


@given(sets, sets)
def test_an_empty_result_is_nothing(left, right):
    result = fieldsets.difference(left, fieldsets.union(left, right))
    assert result is None


def test_paths_are_shown_as_kubernetes_shows_them():
    fields = {
        "f:spec": {
            "f:replicas": {},
            "f:containers": {'k:{"name":"a"}': {".": {}, "f:image": {}}},
            "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {}},
            "f:finalizers": {'v:"x/y"': {}},
        }
    }
    assert list(fieldsets.paths(fields)) == [
        ".spec.replicas",
        '.spec.containers[name="a"]',
        '.spec.containers[name="a"].image',
        '.spec.finalizers[="x/y"]',
        '.spec.ports[containerPort=80,protocol="TCP"]',
    ]


def test_a_key_that_is_left_out_counts_with_its_default():
    ports = type_of("v1", "Service").fields["spec"].fields["ports"]
    assert fieldsets.item_key({"port": 80}, ports) == 'k:{"port":80,"protocol":"TCP"}'


def test_what_an_applier_owns_of_a_service():
    kind = type_of("v1", "Service")
    applied = {
        "metadata": {"labels": {"app": "web"}, "finalizers": ["x/y"]},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}], "externalIPs": []},
    }
    assert fieldsets.of_value(applied, kind) == {
        "f:metadata": {"f:labels": {"f:app": {}}, "f:finalizers": {'v:"x/y"': {}}},
        "f:spec": {
            "f:selector": {},
            "f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}}},
            "f:externalIPs": {},
        },
    }
