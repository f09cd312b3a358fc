"""What the types of built-in and of custom kinds say."""

from __future__ import annotations

import pathlib
from typing import Any

import yaml

from oneco.generated import builtin
from oneco.kube import types
from oneco.kube.refs import Kind, Resource, split_api_version
from tests.kube.built_in import type_of

CRD = pathlib.Path(__file__).parent.parent / "golden" / "apply" / "foo.crd.yaml"


def kinds():
    for text in builtin.KINDS:
        api_version, _, kind = text.rpartition("/")
        yield Kind(*split_api_version(api_version), kind)


def pod_spec():
    return type_of("v1", "Pod").fields["spec"]


def test_every_built_in_kind_has_a_type():
    assert all(types.of(kind) is not None for kind in kinds())
    assert len(builtin.KINDS) > 60


def test_a_kind_that_is_not_built_in_has_none():
    assert types.of(Kind("example.org", "v1", "Thing")) is None


def test_containers_are_told_apart_by_name():
    containers = pod_spec().fields["containers"]
    assert (containers.form, containers.list_type) == ("list", "map")
    assert containers.list_map_keys == ("name",)
    assert containers.merge_key == "name"
    assert containers.patch_strategies == ("merge",)


def test_the_ports_of_a_container_have_two_keys_for_apply_and_one_for_patches():
    ports = pod_spec().fields["containers"].element.fields["ports"]
    assert ports.list_map_keys == ("containerPort", "protocol")
    assert dict(ports.key_defaults)["protocol"] == "TCP"
    assert ports.merge_key == "containerPort"


def test_tolerations_and_selectors_are_atomic():
    assert pod_spec().fields["tolerations"].atomic
    assert pod_spec().fields["nodeSelector"].atomic
    assert type_of("apps/v1", "Deployment").fields["spec"].fields["selector"].atomic


def test_a_strategy_retains_only_the_keys_of_its_patch():
    spec = type_of("apps/v1", "Deployment").fields["spec"]
    assert spec.fields["strategy"].patch_strategies == ("retainKeys",)
    assert pod_spec().fields["volumes"].patch_strategies == ("merge", "retainKeys")


def test_values_that_are_more_than_text_or_number_say_so():
    container = pod_spec().fields["containers"].element
    limits = container.fields["resources"].fields["limits"]
    assert limits.element.form == "quantity"
    service_port = type_of("v1", "Service").fields["spec"].fields["ports"].element
    assert service_port.fields["targetPort"].form == "int-or-string"


def test_a_type_that_contains_itself_is_one_object():
    version = type_of("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    spec = version.fields["spec"].fields["versions"].element
    schema = spec.fields["schema"].fields["openAPIV3Schema"]
    assert schema.fields["properties"].element is schema


def test_deployments_are_served_as_discovery_says():
    found = [one for one in types.resources() if one.kind == "Deployment"]
    assert len(found) == 1
    assert found[0].resource == Resource("apps", "v1", "deployments")
    assert found[0].namespaced
    assert found[0].short_names == ("deploy",)
    assert found[0].categories == ("all",)
    assert found[0].subresources == ("scale", "status")


def test_a_custom_kind_gets_its_type_from_its_schema():
    crd = yaml.safe_load(CRD.read_text("utf-8"))
    kind = types.from_schema(crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
    spec: Any = kind.fields["spec"].fields
    assert kind.fields["metadata"] is types.object_meta()
    assert spec["at"].atomic
    assert spec["l"].list_type == "atomic"
    assert spec["set"].list_type == "set"
    assert (spec["items"].list_type, spec["items"].list_map_keys) == ("map", ("name",))
    assert spec["free"].keeps_unknown
    assert spec["free"].child("anything") is types.ANY
    assert spec["items"].element.child("unknown") is None
