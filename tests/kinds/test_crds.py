"""The generated CRDs: current, quick, and as accepting as the originals."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oneco.kinds import crds
from oneco.kube import schema

ORIGINALS: dict[str, Any] = json.loads(
    (Path(__file__).parent / "testdata" / "originals.json").read_text(encoding="utf-8")
)
OURS = {crd["spec"]["names"]["kind"]: crd for crd in (*crds.all(), *crds.kruise())}
COMPATIBLE = sorted(ORIGINALS)
FREE = "x-kubernetes-preserve-unknown-fields"


def test_the_files_in_deploy_are_what_the_structs_say(capsys):
    assert crds.main(["--check"]) == 0, capsys.readouterr().out


def test_all_kinds_have_a_crd():
    assert sorted(crd["spec"]["names"]["kind"] for crd in crds.all()) == [
        "Application",
        "ApplicationRevision",
        "AppliedManifestWork",
        "CheckRun",
        "Fault",
        "Fleet",
        "ManagedCluster",
        "ManifestWork",
        "Observation",
        "Placement",
        "PlacementDecision",
        "Rehearsal",
        "Release",
        "ReleasePolicy",
        "ReleaseUnit",
    ]


def test_asking_twice_builds_once():
    assert crds.all() is crds.all()


@pytest.mark.parametrize("kind", COMPATIBLE)
def test_a_compatible_kind_is_named_and_listed_as_the_original(kind):
    ours, original = OURS[kind], ORIGINALS[kind]
    version = ours["spec"]["versions"][0]
    names = {key: part for key, part in ours["spec"]["names"].items() if key != "categories"}
    assert ours["metadata"]["name"] == original["name"]
    assert names == {key: part for key, part in original["names"].items() if key != "categories"}
    assert ours["spec"]["scope"] == original["scope"]
    assert version["name"] == original["version"]
    assert version.get("additionalPrinterColumns", []) == original["columns"]
    assert version.get("subresources", {}) == original["subresources"]


@pytest.mark.parametrize("kind", COMPATIBLE)
def test_every_supported_field_has_the_type_and_the_requiredness_of_the_original(kind):
    assert differences(root(OURS[kind]), ORIGINALS[kind]["schema"], kind) == []


@pytest.mark.parametrize("kind", COMPATIBLE)
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_the_original_accepts_is_accepted_and_kept(kind, data):
    obj = data.draw(sample(kind))
    assert compiled_original(kind).validate(obj) == []
    ours = schema.compile(root(OURS[kind]))
    assert ours.validate(obj) == []
    assert ours.prune(obj) == obj


def test_a_misspelt_field_of_an_application_is_named():
    application = {"spec": {"components": [{"name": "web", "type": "worker", "trait": []}]}}
    compiled = schema.compile(root(OURS["Application"]))
    assert compiled.unknown_fields(application) == ['unknown field "spec.components[0].trait"']


def test_an_unknown_field_of_a_release_is_named():
    release = {"spec": {"application": "shop", "revision": "shop-v1", "pause": True}}
    compiled = schema.compile(root(OURS["Release"]))
    assert compiled.unknown_fields(release) == ['unknown field "spec.pause"']


def test_a_stored_object_gets_no_defaults_that_its_writer_did_not_send():
    for kind in ("Release", "ReleaseUnit", "Fleet", "Observation", "ReleasePolicy"):
        assert "default" not in json.dumps(root(OURS[kind])).replace('"defaults"', "")


def root(crd: Any) -> dict[str, Any]:
    return crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def differences(ours: dict[str, Any], original: dict[str, Any], path: str) -> list[str]:
    """Where ours says something else about a field that both have."""
    if ours.get(FREE) and "properties" not in ours and ours.get("type") in (None, "object"):
        return []
    mine, theirs = ours.get("properties", {}), original.get("properties", {})
    found = [*differing_words(ours, original, path), *differing_needs(ours, original, path)]
    lost = set() if ours.get(FREE) or "additionalProperties" in ours else set(theirs) - set(mine)
    found += [f"{path}: would lose {name}" for name in lost]
    for name in set(mine) & set(theirs):
        found += differences(mine[name], theirs[name], f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(ours.get(key), dict) and isinstance(original.get(key), dict):
            found += differences(ours[key], original[key], f"{path}.{key}")
    return found


def differing_words(ours: dict[str, Any], original: dict[str, Any], path: str) -> list[str]:
    same = ("type", "x-kubernetes-int-or-string", "x-kubernetes-list-type", "default")
    found = [
        f"{path}: {key} is {ours.get(key)}, was {original.get(key)}"
        for key in same
        if ours.get(key) != original.get(key)
    ]
    if "enum" in ours and set(ours["enum"]) != set(original.get("enum", ())):
        found.append(f"{path}: enum is {ours['enum']}, was {original.get('enum')}")
    return found


def differing_needs(ours: dict[str, Any], original: dict[str, Any], path: str) -> list[str]:
    known = set(ours.get("properties", {}))
    needs, needed = set(ours.get("required", ())), set(original.get("required", ())) & known
    return [] if needs == needed else [f"{path}: required are {needs}, were {needed}"]


@functools.cache
def compiled_original(kind: str) -> schema.Schema:
    return schema.compile(ORIGINALS[kind]["schema"])


@functools.cache
def sample(kind: str) -> st.SearchStrategy:
    """Objects that the original accepts, with whatever fields it knows."""
    parts = ORIGINALS[kind]["schema"]["properties"]
    head = {"apiVersion": st.just("x/v1"), "kind": st.just(kind)}
    rest = {name: part for name, part in parts.items() if name in ("spec", "status")}
    return st.fixed_dictionaries(
        {
            **head,
            "metadata": st.just({"name": "sample"}),
            **{name: value(part) for name, part in rest.items()},
        }
    )


def value(part: dict[str, Any]) -> st.SearchStrategy:
    """Values that a schema accepts."""
    if "enum" in part:
        return st.sampled_from(part["enum"])
    if part.get("x-kubernetes-int-or-string"):
        return st.sampled_from([1, 5, "2", "50%" if "%" in part.get("pattern", "") else "3"])
    if part.get("x-kubernetes-embedded-resource"):
        whole = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}}
        return st.just({**whole, "data": {"key": "value"}})
    kind = part.get("type")
    if kind == "object":
        return objects_of(part)
    if kind == "array":
        return lists_of(part)
    if kind == "integer":
        return st.integers(max(part.get("minimum", 0), 0), part.get("maximum", 1000))
    if kind == "boolean":
        return st.booleans()
    return texts(part)


def objects_of(part: dict[str, Any]) -> st.SearchStrategy:
    required = set(part.get("required", ()))
    properties = {name: value(one) for name, one in part.get("properties", {}).items()}
    if not properties and isinstance(part.get("additionalProperties"), dict):
        return st.dictionaries(
            st.sampled_from(["cpu", "memory"]), value(part["additionalProperties"])
        )
    if not properties:
        return st.sampled_from([{}, {"anything": [1, {"at": "all"}]}])
    return st.fixed_dictionaries(
        {name: one for name, one in properties.items() if name in required},
        optional={name: one for name, one in properties.items() if name not in required},
    )


def lists_of(part: dict[str, Any]) -> st.SearchStrategy:
    keys = part.get("x-kubernetes-list-map-keys")
    unique = (lambda one: tuple(one.get(key) for key in keys)) if keys else None
    return st.lists(value(part["items"]), max_size=2, unique_by=unique)


def texts(part: dict[str, Any]) -> st.SearchStrategy:
    if part.get("format") == "date-time":
        return st.just("2026-11-21T10:00:00Z")
    if part.get("format") == "byte":
        return st.just("bm8=")
    if part.get("pattern") == "^[0-9]+[hms]$":
        return st.just("5m")
    if part.get("pattern", "").startswith("^work-agent"):
        return st.just("work-agent-2")
    return st.sampled_from(["ab", "abc1", "xy9"])
