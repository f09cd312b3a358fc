"""Applications become, object for object, what KubeVela's own controller applied for them."""

from __future__ import annotations

import functools
from collections import Counter
from pathlib import Path

import pytest
import yaml

from oneco import definitions
from oneco.delivery.mistakes import Mistakes
from oneco.delivery.ports import Family, lookup
from oneco.delivery.rendering import render
from oneco.delivery.workflow import SUPPORTED
from oneco.kube.documents import read
from oneco.kube.objects import Object, dig, encode

CASES = Path(__file__).parents[3] / "shared" / "cases" / "oam"
NAMES = sorted(path.name.removesuffix(".input.yaml") for path in CASES.glob("*.input.yaml"))
REGISTRY = definitions.builtin()

if not NAMES:
    pytest.skip(f"the cases of KubeVela are not here: {CASES}", allow_module_level=True)


@functools.cache
def application(name: str) -> Object:
    """The one Application of a case."""
    path = CASES / f"{name}.input.yaml"
    found = [one.object for one in read(path.read_text(), str(path))]
    (only,) = (one for one in found if one.get("kind") == "Application")
    return only


def is_within_reach(name: str) -> bool:
    """Whether a case uses only types that the product defines."""
    spec = application(name)["spec"]
    used: list[tuple[Family, str]] = [("component", one["type"]) for one in spec["components"]]
    used += [
        ("trait", trait["type"]) for one in spec["components"] for trait in one.get("traits") or ()
    ]
    used += [("policy", one["type"]) for one in spec.get("policies") or ()]
    steps = dig(spec, "workflow", "steps", default=())
    return all(lookup(REGISTRY, *one) is not None for one in used) and all(
        step["type"] in SUPPORTED for step in steps
    )


def expected(name: str) -> Object:
    """What KubeVela applied."""
    path = CASES / f"{name}.expected.yaml"
    # Not by our reader: this is no Kubernetes object.
    return yaml.load(path.read_text(), yaml.CSafeLoader)


WITHIN_REACH = [name for name in NAMES if is_within_reach(name)]


def test_at_least_twenty_cases_are_within_reach():
    assert len(WITHIN_REACH) >= 20


@pytest.mark.parametrize("name", WITHIN_REACH)
def test_an_application_becomes_what_kubevela_applied(name):
    made = Counter(
        encode([one.component, one.cluster, one.manifest])
        for one in render(application(name), REGISTRY)
    )
    wanted = Counter(
        encode([one["component"], one.get("cluster"), one["manifest"]])
        for one in expected(name)["manifests"]
    )
    assert made == wanted


@pytest.mark.parametrize("name", sorted({*NAMES} - {*WITHIN_REACH}))
def test_an_application_out_of_reach_is_refused_by_the_name_of_a_type(name):
    with pytest.raises(Mistakes, match=r"\.type: found \"[a-z0-9-]+\", wanted a "):
        render(application(name), REGISTRY)
