"""Cases recorded from a kube-apiserver and kubectl, held against our own patches and defaults."""

from __future__ import annotations

import pathlib

import pytest
import yaml

from oneco.kube import apply, defaults, errors, strategic, three_way, types
from oneco.kube.objects import metadata
from oneco.kube.refs import kind_of

GOLDEN = pathlib.Path(__file__).parent.parent / "golden"


def cases(folder):
    """The recorded cases of a folder, by name."""
    names = sorted(path.name for path in (GOLDEN / folder).glob("*.input.yaml"))
    return [name.removesuffix(".input.yaml") for name in names]


def read(folder, name, side):
    text = (GOLDEN / folder / f"{name}.{side}.yaml").read_text("utf-8")
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def type_of(obj):
    if obj["kind"] == "Foo":
        crd = yaml.safe_load((GOLDEN / "apply" / "foo.crd.yaml").read_text("utf-8"))
        return types.from_schema(crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
    return types.of(kind_of(obj))


def without_times(obj):
    entries = sorted(
        ({key: part for key, part in entry.items() if key != "time"} for entry in owners(obj)),
        key=lambda entry: (entry["operation"], entry["manager"], entry.get("subresource", "")),
    )
    # The server takes the namespace from the request's path.
    rest = {key: part for key, part in obj["metadata"].items() if key != "namespace"}
    return {**obj, "metadata": {**rest, "managedFields": entries}}


def owners(obj):
    return metadata(obj).get("managedFields") or []


@pytest.mark.parametrize("name", cases("defaults"))
def test_defaults_are_what_the_server_fills_in(name):
    given, stored = read("defaults", name, "input"), read("defaults", name, "output")
    assert defaults.default(given) == stored


@pytest.mark.parametrize("name", cases("defaults"))
def test_a_complete_object_comes_back_itself(name):
    stored = read("defaults", name, "output")
    assert defaults.default(stored) is stored


@pytest.mark.parametrize("name", cases("strategic"))
def test_strategic_patches_do_what_the_server_does(name):
    given, expected = read("strategic", name, "input"), read("strategic", name, "output")
    patched = strategic.strategic(given["live"], given["patch"], type_of(given["live"]))
    assert defaults.default(patched) == expected


@pytest.mark.parametrize("name", cases("three_way"))
def test_three_way_patches_are_those_of_kubectl(name):
    given, expected = read("three_way", name, "input"), read("three_way", name, "output")
    kind = None if given["current"]["kind"] == "Foo" else type_of(given["current"])
    patch = three_way.three_way(given["original"], given["modified"], given["current"], kind)
    assert patch == expected


@pytest.mark.parametrize("name", cases("apply"))
def test_ownership_after_a_write_is_what_the_server_records(name):
    given, expected = read("apply", name, "input"), read("apply", name, "output")
    live, obj = given["live"], given["object"]
    options = {
        "manager": given["manager"],
        "type": type_of(obj),
        "now_text": "2026-11-21T08:00:00Z",
        "subresource": given["subresource"],
        "has_status": obj["kind"] != "ConfigMap",
    }
    if given["operation"] == "update":
        assert without_times(apply.update(live, obj, **options)) == without_times(expected)
    elif "code" in expected:
        with pytest.raises(errors.Conflict) as refused:
            apply.apply(live, obj, force=given["force"], **options)
        assert refused.value.message == expected["message"]
    else:
        after = apply.apply(live, obj, force=given["force"], finish=defaults.default, **options)
        assert without_times(after) == without_times(expected)
        assert (after is live) == ("noop" in name)
