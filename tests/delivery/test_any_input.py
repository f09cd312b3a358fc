"""Whatever a person writes is either rendered or refused: never a crash, never a changed input."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from oneco import definitions
from oneco.delivery.rendering import render
from oneco.errors import Refused

REGISTRY = definitions.builtin()
NAMES = [name for family, name in REGISTRY if family != "step"]
WORDS = [
    "image", "ports", "port", "env", "name", "value", "replicas", "metadata", "spec", "template",
    "containers", "labels", "objects", "kind", "apiVersion", "pvc", "mountPath", "volumes", "http",
    "clusters", "components", "type", "properties", "policies", "configMap", "requests", "cpu",
    "resources", "annotations", "selector", "traits", "data",
]  # fmt: skip
LEAVES = st.sampled_from([None, True, 0, 80, -1, 1.5, "", "web", "x", *NAMES])
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3)
    ),
    max_leaves=8,
)
OBJECTS = st.fixed_dictionaries(
    {"apiVersion": st.just("apps/v1"), "kind": st.just("Deployment")},
    optional={"metadata": JSON, "spec": JSON | st.fixed_dictionaries({"template": JSON})},
)
TRAITS = st.fixed_dictionaries(
    {"type": st.sampled_from(NAMES)}, optional={"properties": JSON, "bad": LEAVES}
)
COMPONENTS = st.fixed_dictionaries(
    {"name": st.sampled_from(["web", "api", "", "A B"]), "type": st.sampled_from(NAMES)},
    optional={
        "properties": JSON | st.fixed_dictionaries({"objects": st.lists(OBJECTS, max_size=2)}),
        "traits": st.lists(TRAITS, max_size=2) | JSON,
        "dependsOn": JSON,
    },
)
SPECS = st.fixed_dictionaries(
    {"components": st.lists(COMPONENTS, max_size=2) | JSON},
    optional={"policies": st.lists(TRAITS, max_size=2) | JSON, "workflow": JSON, "bad": LEAVES},
)


@settings(max_examples=60, deadline=None)
@given(SPECS | JSON)
def test_whatever_is_written_is_rendered_or_refused(spec):
    before = json.dumps(spec)
    try:
        render({"metadata": {"name": "shop"}, "spec": spec}, REGISTRY)
    except Refused as error:
        assert str(error)
    assert json.dumps(spec) == before
