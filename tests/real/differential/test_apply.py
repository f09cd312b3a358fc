"""Server-side apply by several managers: values, managedFields and conflicts."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from tests.real.differential.comparing import compare
from tests.real.differential.shapes import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    OBJECTS,
    POD_TEMPLATES,
    SERVICES,
    few,
)
from tests.real.differential.steps import Case, Step

MANAGERS = few(["alice", "bob", "carol"])
KINDS = {
    "config maps": CONFIG_MAPS,
    "pod templates": POD_TEMPLATES,
    "services": SERVICES,
    "deployments": DEPLOYMENTS,
}


def applying(bodies):
    """An apply by one of three managers."""
    return st.builds(
        lambda body, manager, force: Step("apply", body, {"manager": manager, "force": force}),
        bodies, MANAGERS, st.booleans(),
    )  # fmt: skip


def writing(bodies):
    """A write of another sort: what it changes is owned by who wrote it."""
    manager = few(["alice", "editor"])
    patching = st.builds(
        lambda body, manager: Step("merge", body, {"manager": manager}), bodies, manager
    )
    replacing = st.builds(
        lambda body, manager: Step("replace", body, {"manager": manager}, is_current=True),
        bodies, manager,
    )  # fmt: skip
    return st.one_of(patching, replacing)


def applies(resource):
    """Two to five applies, with another write among them at times."""
    bodies = OBJECTS[resource]
    step = st.one_of(applying(bodies), applying(bodies), applying(bodies), writing(bodies))
    return st.lists(step, min_size=2, max_size=5).map(lambda steps: Case(resource, steps))


@pytest.mark.parametrize("kind", KINDS)
def test_applies_by_three_managers_end_alike(pair, kind):
    compare(pair, f"apply, {kind}", applies(KINDS[kind]), 300)
