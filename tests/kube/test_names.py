from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneco.kube import names
from oneco.kube.causes import refusal
from oneco.kube.refs import Kind


def messages(meta, **how):
    return [
        f"{cause.field}: {cause.message.partition(' (e.g.')[0]}"
        for cause in names.validate_metadata(meta, **how)
    ]


@given(st.text("abc-", min_size=1, max_size=80), st.integers(0, 2**64))
def test_a_generated_name_starts_with_its_prefix_and_fits_in_63_letters(prefix, bits):
    name = names.generate(prefix, bits)
    assert name[:-5] == prefix[:58]
    assert set(name[-5:]) <= set("bcdfghjklmnpqrstvwxz2456789")


def test_equal_bits_generate_equal_names():
    assert names.generate("web-", 12345) == names.generate("web-", 12345)
    assert names.generate("web-", 12345) != names.generate("web-", 12346)


def test_a_good_object_has_no_faults():
    meta = {"name": "web.example-1", "namespace": "default", "labels": {"a.b/c": "D_1", "e": ""}}
    assert names.validate_metadata(meta, kind="ConfigMap") == []


def test_an_object_needs_a_name():
    meta = {"namespace": "default"}
    assert messages(meta) == ["metadata.name: Required value: name or generateName is required"]


def test_upper_case_is_no_name():
    (said,) = messages({"name": "Bad_Name", "namespace": "default"})
    assert said == (
        'metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of '
        "lower case alphanumeric characters, '-' or '.', and must start and end with an "
        "alphanumeric character"
    )


@pytest.mark.parametrize(
    ("kind", "name", "fault"),
    [
        ("Namespace", "a.b", "must not contain dots"),
        ("Service", "a" * 64, "must be no more than 63 characters"),
        ("ConfigMap", "a" * 254, "must be no more than 253 characters"),
        ("ClusterRole", "a/b", "may not contain '/'"),
        ("ClusterRole", "..", "may not be '..'"),
    ],
)
def test_each_kind_has_its_own_rule_for_names(kind, name, fault):
    assert names.name_faults(name, kind) == [fault]


def test_a_role_may_be_called_as_no_other_object_may():
    assert names.name_faults("system:Node_1", "ClusterRole") == []


def test_a_prefix_may_end_with_a_dash_because_the_name_goes_on():
    assert messages({"name": "a-x", "generateName": "a-", "namespace": "default"}) == []


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ("/a", "prefix part must be non-empty"),
        ("a" * 254 + "/b", "prefix part must be no more than 253 bytes"),
        ("ok/" + "a" * 64, "name part must be no more than 63 bytes"),
    ],
)
def test_a_key_says_which_part_of_it_is_wrong(key, fault):
    assert names.key_faults(key) == [fault]


def test_only_one_owner_controls():
    owners = [
        {"apiVersion": "v1", "kind": kind, "name": "x", "uid": "y", "controller": True}
        for kind in ("Pod", "Node")
    ]
    (said,) = messages({"name": "x", "namespace": "default", "ownerReferences": owners})
    assert said.endswith(
        "Only one reference can have Controller set to true. "
        'Found "true" in references for Pod/x and Node/x'
    )


def test_a_finalizer_is_qualified_or_well_known():
    meta = {"name": "x", "namespace": "default", "finalizers": ["orphan", "a/b", "mine"]}
    assert messages(meta) == [
        'metadata.finalizers[2]: Invalid value: "mine": name is neither a standard finalizer name '
        "nor is it fully qualified"
    ]


def test_annotations_have_a_total_size():
    meta = {"name": "x", "namespace": "default", "annotations": {"a": "b" * 262_200}}
    assert messages(meta) == ["metadata.annotations: Too long: may not be more than 262144 bytes"]


def test_a_refusal_says_equal_lines_once():
    causes = names.validate_metadata({"name": "x", "generation": -1, "namespace": "default"})
    error = refusal(Kind("apps", "v1", "Deployment"), "x", [*causes, *causes])
    assert error.message == (
        'Deployment.apps "x" is invalid: metadata.generation: Invalid value: -1: '
        "must be greater than or equal to 0"
    )
    assert error.status()["details"]["name"] == "x"
