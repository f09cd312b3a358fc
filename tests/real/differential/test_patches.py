"""Strategic merge, merge and JSON patches: every kind of list, every directive, and wrong ones."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from tests.real.differential.comparing import compare
from tests.real.differential.shapes import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    OBJECTS,
    POD_TEMPLATES,
    SERVICES,
    WORDS,
    few,
)
from tests.real.differential.steps import Case, Step

KINDS = {
    "config maps": CONFIG_MAPS,
    "pod templates": POD_TEMPLATES,
    "services": SERVICES,
    "deployments": DEPLOYMENTS,
}
MERGE_KEYS = {
    "containers": ("name", WORDS),
    "initContainers": ("name", WORDS),
    "volumes": ("name", WORDS),
    "env": ("name", WORDS),
    "ports": ("containerPort", few([80, 81])),
    "volumeMounts": ("mountPath", few(["/a", "/b"])),
    "hostAliases": ("ip", few(["1.1.1.1", "2.2.2.2"])),
    "imagePullSecrets": ("name", WORDS),
    "topologySpreadConstraints": ("topologyKey", few(["k", "l"])),
}
PRIMITIVES = {"finalizers": few(["x.io/a", "x.io/b", "x.io/c"])}
STRANGE: st.SearchStrategy[Any] = few(
    [None, 1, "x", True, [], {}, ["x"], {"x": "y"}, [None], [{}], 1.5, [["x"]]]
)
SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def patch_of(draw, body):
    """`body` with some of it turned into directives, nulls and values of the wrong type."""
    rough = draw(st.integers(0, 4)) == 0
    if draw(st.integers(0, 59)) == 0:
        return draw(STRANGE)
    return _patched_map(draw, body, rough)


def _patch(draw, value, place, rough):
    if rough and draw(st.integers(0, 15)) == 0:
        return draw(STRANGE)
    if draw(st.integers(0, 15)) == 0:
        return None
    if isinstance(value, dict):
        return _patched_map(draw, value, rough)
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [_patch_item(draw, item, place, rough) for item in value]
    return value


def _patched_map(draw, value, rough):
    kept = {key: part for key, part in value.items() if draw(st.integers(0, 4))}
    found = {key: _patch(draw, part, key, rough) for key, part in kept.items()}
    for key, part in kept.items():
        _direct_list(draw, found, key, part)
    directive = draw(st.integers(0, 19))
    if directive == 0:
        found["$patch"] = draw(few(["replace", "delete", "merge", "other"]))
    if directive == 1:
        keys = draw(st.lists(few([*value, "x"]), max_size=3)) if value else []
        found["$retainKeys"] = [*keys, *found] if draw(st.booleans()) else keys
    return found


def _direct_list(draw, found, key, part):
    if not isinstance(part, list):
        return
    kind = draw(st.integers(0, 7))
    if kind == 0 and key in MERGE_KEYS:
        name, values = MERGE_KEYS[key]
        given = [item.get(name) for item in part]
        order = (
            draw(st.lists(values, min_size=1, max_size=3, unique=True))
            if draw(st.booleans())
            else given
        )
        found[f"$setElementOrder/{key}"] = [{name: one} for one in order]
    if kind == 0 and key in PRIMITIVES:
        # Without any order the server's sort leaves the items as it finds them at that moment.
        found[f"$setElementOrder/{key}"] = draw(st.lists(PRIMITIVES[key], min_size=1, max_size=3))
    if kind == 1 and key in PRIMITIVES:
        # Beside the list itself it depends on how Go walks a map which of the two is done first.
        found.pop(key, None)
        found[f"$deleteFromPrimitiveList/{key}"] = draw(st.lists(PRIMITIVES[key], max_size=2))
    if kind == 2:
        found.pop(key, None)


def _patch_item(draw, item, place, rough):
    if place in MERGE_KEYS and draw(st.integers(0, 9)) == 0:
        name = MERGE_KEYS[place][0]
        return {name: item.get(name), "$patch": draw(few(["delete", "delete", "replace", "merge"]))}
    return _patch(draw, item, place, rough)


def whole_patch(bodies):
    """A patch that leaves alone what the object is called."""

    def named(body):
        return body.flatmap(patch_of).map(_identified)

    return named(bodies)


def _identified(patch):
    if not isinstance(patch, dict):
        return patch
    meta = patch.get("metadata")
    if isinstance(meta, dict):
        patch = {**patch, "metadata": {key: one for key, one in meta.items() if key != "name"}}
    return {key: one for key, one in patch.items() if key not in ("apiVersion", "kind")}


def patches(resource, verb):
    """An object, and one or two patches of it."""
    bodies = OBJECTS[resource]
    creating = bodies.map(lambda body: Step("create", body))
    patching = whole_patch(bodies).map(lambda body: Step(verb, body))
    return st.tuples(creating, st.lists(patching, min_size=1, max_size=2)).map(
        lambda pair: Case(resource, [pair[0], *pair[1]])
    )


POINTERS = few(
    [
        "/metadata/labels/a",
        "/metadata/labels",
        "/metadata/annotations/b",
        "/metadata/finalizers/0",
        "/metadata/finalizers/-",
        "/data/a",
        "/data/b",
        "/data",
        "/data/a/x",
        "/x",
        "/data/a~1b",
        "/data/a~0b",
        "data/a",
        "/template/spec/containers/0/image",
        "/template/spec/containers/0/args/0",
        "/template/spec/containers/-",
        "/template/spec/containers/-1",
        "/template/spec/volumes/1",
        "/template/spec/containers/01",
        "/template/spec/tolerations/0/key",
        "/template/metadata/labels/a",
        "/template/spec/nodeSelector/a",
        "/metadata/name",
        "/kind",
        "/template/spec/terminationGracePeriodSeconds",
        "/template/spec/containers/0/env/0/value",
        "",
    ]
)
VALUES = st.one_of(WORDS, STRANGE, few(["x.io/a", "i:3", {"name": "z", "image": "i:1"}, 5]))
OPERATION = st.one_of(
    st.builds(
        lambda op, path, value: {"op": op, "path": path, "value": value},
        few(["add", "replace", "test", "add", "replace"]), POINTERS, VALUES,
    ),
    st.builds(lambda path: {"op": "remove", "path": path}, POINTERS),
    st.builds(
        lambda op, path, source: {"op": op, "path": path, "from": source},
        few(["move", "copy"]), POINTERS, POINTERS,
    ),
    few(
        [
            {"op": "frob", "path": "/x"}, {"path": "/x"}, {"op": "add"}, 1, None, {"op": "remove"},
            {"op": "add", "path": "/data/z"}, {"op": "move", "path": "/data/a"},
            {"op": "test", "path": "/data"},
        ]
    ),
)  # fmt: skip


def json_patches(resource):
    """An object and a patch of one to three operations."""
    creating = OBJECTS[resource].map(lambda body: Step("create", body))
    patching = st.one_of(st.lists(OPERATION, min_size=1, max_size=3), STRANGE).map(
        lambda operations: Step("json", operations)
    )
    return st.tuples(creating, patching).map(lambda pair: Case(resource, list(pair)))


@pytest.mark.parametrize("kind", KINDS)
def test_strategic_merge_patches_end_alike(pair, kind):
    compare(pair, f"strategic merge patch, {kind}", patches(KINDS[kind], "strategic"), 300)


@pytest.mark.parametrize("kind", KINDS)
def test_merge_patches_end_alike(pair, kind):
    compare(pair, f"merge patch, {kind}", patches(KINDS[kind], "merge"), 150)


@pytest.mark.parametrize("kind", ["config maps", "pod templates"])
def test_json_patches_end_alike(pair, kind):
    compare(pair, f"JSON patch, {kind}", json_patches(KINDS[kind]), 300)
