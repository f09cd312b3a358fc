"""Overrides: what differs in some clusters."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from oneco import definitions
from oneco.delivery.overrides import OverrideParameters, apply, merge
from oneco.delivery.rendering import render
from oneco.delivery.usage import ComponentUse
from oneco.kube.objects import Object

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=6,
)
MAPS = st.dictionaries(st.text(max_size=2), JSON, max_size=4)


def rendered(*changes: object, selector: object = None) -> dict[str, Object]:
    components = [
        {
            "name": "web",
            "type": "webservice",
            "properties": {"image": "nginx:1", "labels": {"a": "1", "b": "2"}},
            "traits": [{"type": "scaler", "properties": {"replicas": 2}}],
        },
        {"name": "job", "type": "worker", "properties": {"image": "busybox"}},
    ]
    properties = {"components": [*changes]} | ({"selector": selector} if selector else {})
    policies = [{"name": "here", "type": "override", "properties": properties}]
    application = {
        "metadata": {"name": "shop"},
        "spec": {"components": components, "policies": policies},
    }
    return {one.component: one.manifest for one in render(application, definitions.builtin())}


def image(manifest: Object) -> str:
    return str(manifest["spec"]["template"]["spec"]["containers"][0]["image"])


def test_properties_are_merged_into_the_component_of_the_name():
    found = rendered({"name": "web", "properties": {"image": "nginx:2", "labels": {"b": "3"}}})
    assert image(found["web"]) == "nginx:2"
    labels = found["web"]["spec"]["template"]["metadata"]["labels"]
    assert (labels["a"], labels["b"]) == ("1", "3")
    assert image(found["job"]) == "busybox"


def test_a_change_without_a_name_is_for_all_of_its_type():
    found = rendered({"type": "worker", "properties": {"image": "alpine"}})
    assert (image(found["web"]), image(found["job"])) == ("nginx:1", "alpine")


def test_a_star_stands_for_anything():
    found = rendered({"name": "w*", "properties": {"image": "nginx:3"}})
    assert (image(found["web"]), image(found["job"])) == ("nginx:3", "busybox")


def test_another_type_replaces_the_component():
    found = rendered({"name": "web", "type": "worker", "properties": {"image": "alpine"}})
    assert image(found["web"]) == "alpine"
    assert "replicas" not in found["web"]["spec"]


def test_a_trait_is_changed_added_and_taken_away():
    scaler = {"type": "scaler", "properties": {"replicas": 7}}
    labels = {"type": "labels", "properties": {"x": "y"}}
    found = rendered({"name": "web", "traits": [scaler, labels]})
    assert found["web"]["spec"]["replicas"] == 7
    assert found["web"]["metadata"]["labels"]["x"] == "y"
    found = rendered({"name": "web", "traits": [{"type": "scaler", "disable": True}]})
    assert "replicas" not in found["web"]["spec"]


def test_a_component_that_is_not_there_is_added():
    found = rendered({"name": "cache", "type": "worker", "properties": {"image": "redis"}})
    assert list(found) == ["web", "job", "cache"]


def test_only_selected_components_are_kept():
    assert list(rendered(selector=["jo*"])) == ["job"]


@settings(max_examples=40)
@given(MAPS)
def test_merging_nothing_gives_the_same_value(base):
    assert merge(base, {}) is base


@settings(max_examples=40)
@given(MAPS, MAPS)
def test_merging_twice_is_merging_once(base, patch):
    once = merge(base, patch)
    assert merge(once, patch) == once


@settings(max_examples=40)
@given(MAPS, MAPS)
def test_merging_never_changes_what_it_was_given(base, patch):
    before = (repr(base), repr(patch))
    merge(base, patch)
    assert (repr(base), repr(patch)) == before


@given(
    st.text("ab*", max_size=6).filter(lambda text: "*" in text),
    st.text("ab", min_size=1, max_size=6),
)
def test_stars_choose_what_a_regular_expression_would(pattern, name):
    expression = ".*".join(map(re.escape, pattern.split("*")))
    fits = re.fullmatch(expression, name) is not None
    chosen = apply([ComponentUse(name, "worker", {}, (), (), "")], keeping(pattern), "")
    assert [one.name for one in chosen] == ([name] if fits else [])


def test_many_stars_take_no_longer_than_few():
    use = ComponentUse("a" * 50, "worker", {}, (), (), "")
    assert apply([use], keeping("*a" * 40 + "*b"), "") == ()


def keeping(pattern: str) -> OverrideParameters:
    """An override that keeps what fits `pattern`."""
    return OverrideParameters(selector=(pattern,))
