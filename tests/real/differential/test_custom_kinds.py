"""Custom kinds: defaulting, pruning, validation, generation and apply along generated schemas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import strategies as st

from oneco.kube.objects import Object
from tests.real.differential.comparing import compare
from tests.real.differential.custom import definition, resource_of, served
from tests.real.differential.schemas import objects_of
from tests.real.differential.shapes import few, some
from tests.real.differential.steps import NAME, Case, Step

CRDS = Path(__file__).parents[4] / "shared" / "crds"
TAKEN = (
    "apps.kruise.io_clonesets", "apps.kruise.io_sidecarsets", "apps.kruise.io_workloadspreads",
    "policy.kruise.io_podunavailablebudgets", "core.oam.dev_applications", "core.oam.dev_workflows",
    "gateway.networking.k8s.io_httproutes", "gateway.networking.k8s.io_gateways",
    "gateway.networking.k8s.io_tcproutes", "work.open-cluster-management.io_manifestworks.crd",
    "clusters.open-cluster-management.io_placements.crd",
    "clusters.open-cluster-management.io_managedclusters.crd",
)  # fmt: skip
PART = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "port": {"type": "integer", "default": 80},
        "size": {"type": "integer", "minimum": 0, "maximum": 10},
    },
}
SPEC: dict[str, Any] = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "maxLength": 3, "pattern": "^[a-z0-9-]*$"},
        "choice": {"type": "string", "enum": ["red", "blue"], "default": "red"},
        "count": {"type": "integer", "format": "int32", "default": 1},
        "share": {"type": "number", "multipleOf": 0.5},
        "flag": {"type": "boolean", "default": False},
        "empty": {"type": "string", "nullable": True},
        "nulled": {"type": "string", "nullable": True, "default": "d"},
        "amount": {"x-kubernetes-int-or-string": True},
        "amounts": {
            "x-kubernetes-int-or-string": True,
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "pattern": "^[0-9]+%?$",
        },
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "half": {
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
            "properties": {"known": {"type": "object", "properties": {"a": {"type": "string"}}}},
        },
        "anything": {"x-kubernetes-preserve-unknown-fields": True},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": 2},
        "whole": {"type": "object", "x-kubernetes-embedded-resource": True,
                  "x-kubernetes-preserve-unknown-fields": True},
        "known": {"type": "object", "x-kubernetes-embedded-resource": True,
                  "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}}}}},
        "atomic": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
        "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "parts": {"type": "array", "x-kubernetes-list-type": "map",
                  "x-kubernetes-list-map-keys": ["name", "port"], "items": PART},
        "plain": {"type": "array", "items": PART},
        "fixed": {"type": "object", "x-kubernetes-map-type": "atomic",
                  "properties": {"a": {"type": "string"}, "b": {"type": "string"}}},
        "deep": {"type": "object", "default": {}, "properties": {
            "inner": {"type": "object", "default": {"x": 1}, "properties": {
                "x": {"type": "integer"}, "y": {"type": "integer", "default": 2}}}}},
        "when": {"type": "string", "format": "date-time"},
        "either": {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
                   "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
    },
}  # fmt: skip
STATUS = {
    "type": "object",
    "properties": {
        "ready": {"type": "integer"},
        "phase": {"type": "string", "default": "New"},
        "conditions": {"type": "array", "x-kubernetes-list-type": "map",
                       "x-kubernetes-list-map-keys": ["name"], "items": {
                           "type": "object", "required": ["name"],
                           "properties": {"name": {"type": "string"}, "ok": {"type": "boolean"}}}},
    },
}  # fmt: skip
SCHEMA = {"type": "object", "properties": {"spec": SPEC, "status": STATUS}}
VALIDATION = few(["Strict", "Warn", "Ignore"])


def some_of(items: Any, most: int = 2) -> Any:
    return st.dictionaries(items, items, min_size=1, max_size=most)


# Without empty ones: a custom object keeps them, unseen, until the next write of any sort.
FULL_META = some(
    labels=some_of(few(["a", "b"])),
    annotations=some_of(few(["a", "b"])),
    finalizers=st.lists(few(["x.io/a", "x.io/b"]), min_size=1, max_size=2, unique=True),
)


def whole(crd: Object, schema: Any, written: str = "") -> Any:
    """Objects of the definition's storage version, to be written to the subresource `written`.

    The part that the write leaves alone is of the right types: a wrong one makes the real server
    lose managedFields (it says "should not happen").
    """
    spec = crd["spec"]
    version = next(one["name"] for one in spec["versions"] if one["storage"])
    identity = {"apiVersion": f"{spec['group']}/{version}", "kind": spec["names"]["kind"]}
    parts = {
        name: objects_of(part, rough=0 if (name == "status") != (written == "status") else 12)
        for name, part in (schema.get("properties") or {}).items()
        if name not in ("apiVersion", "kind", "metadata")
    }
    made = st.fixed_dictionaries({"metadata": FULL_META}, optional=parts)
    return made.map(
        lambda body: {**identity, **body, "metadata": {"name": NAME, **body["metadata"]}}
    )


def writes(bodies: Any, subresource: str) -> Any:
    """One write of any sort."""
    patch = bodies.map(lambda body: {key: one for key, one in body.items() if key != "metadata"})
    manager = few(["alice", "bob"])
    return st.one_of(
        st.builds(
            lambda body, mode: Step("replace", body, {"field_validation": mode}, subresource, True),
            bodies, VALIDATION,
        ),
        st.builds(
            lambda body, mode: Step("merge", body, {"field_validation": mode}, subresource),
            patch, VALIDATION,
        ),
        st.builds(
            lambda body, who, force: Step(
                "apply", body, {"manager": who, "force": force}, subresource
            ),
            bodies, manager, st.booleans(),
        ),
    )  # fmt: skip


def histories(crd: Object, schema: Any, most: int = 3) -> Any:
    """An object that is created, and writes to it."""
    bodies = whole(crd, schema)
    creating = st.builds(
        lambda body, mode, dry: Step("create", body, {"field_validation": mode, "dry_run": dry}),
        bodies, VALIDATION, st.integers(0, 9).map(lambda draw: draw == 0),
    )  # fmt: skip
    resource = resource_of(crd)
    is_namespaced = crd["spec"]["scope"] == "Namespaced"
    return st.builds(
        lambda first, rest: Case(resource, [first, *rest], is_namespaced),
        creating,
        st.lists(
            st.one_of(
                writes(bodies, ""), writes(bodies, ""),
                writes(whole(crd, schema, "status"), "status"),
            ),
            max_size=most,
        ),
    )  # fmt: skip


@pytest.mark.parametrize("status", [True, False], ids=["with status", "without status"])
def test_objects_of_a_schema_with_everything_end_alike(pair, status):
    crd = definition(SCHEMA, status=status)
    with served(pair, crd):
        told = "with" if status else "without"
        compare(pair, f"custom kinds, {told} status", histories(crd, SCHEMA), 500)


@pytest.mark.skipif(not CRDS.is_dir(), reason=f"needs the definitions in {CRDS}")
def test_objects_of_other_products_definitions_end_alike(pair):
    crds = [stored(yaml.safe_load(path.read_text())) for path in sorted(CRDS.glob("*/*.yaml"))
            if any(path.stem.endswith(name) for name in TAKEN)]  # fmt: skip
    assert len(crds) == len(TAKEN)
    with served(pair, *crds):
        for crd in crds:
            schema = next(one for one in crd["spec"]["versions"] if one["storage"])["schema"]
            cases = histories(crd, schema["openAPIV3Schema"], most=1)
            compare(pair, f"custom kinds, {crd['metadata']['name']}", cases, 40)


def stored(crd: Object) -> Object:
    """A definition as it is written, without status and without a webhook that nobody answers."""
    spec = {key: part for key, part in crd["spec"].items() if key != "conversion"}
    meta = {"name": crd["metadata"]["name"]}
    notes = crd["metadata"].get("annotations") or {}
    approved = {key: text for key, text in notes.items() if key.startswith("api-approved")}
    return {**crd, "metadata": {**meta, "annotations": approved}, "spec": spec}
