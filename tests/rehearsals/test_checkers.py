"""The checkers notice: each is shown a broken promise, planted behind the product's back."""

from __future__ import annotations

import pytest

from oneco.kinds.ocm import WORKS
from oneco.kinds.release import UNITS
from oneco.kube import objects
from oneco.kube.api import Patch
from oneco.kube.refs import Address
from tests.rehearsals.given import (
    application,
    changed_by_hand,
    fleet,
    looked_at,
    rehearse,
    somebody,
)


def a_story():
    plan = application(batches=["25%", "100%"], batchSilence="1h")
    return rehearse(seed=2).given(fleet(test=1), plan)


def says(**status):
    """Somebody writes this into the status of the unit."""

    def write(world):
        (unit,) = world.units()
        place = Address(UNITS, "test-1", objects.name(unit), "status")
        world.server.patch(place, Patch("merge", {"status": status}))

    return write


def rewrite_work(world):
    (work,) = world.server.list(Address(WORKS, "test-1")).items
    place = Address(WORKS, "test-1", objects.name(work))
    world.server.patch(place, Patch("merge", {"spec": {"deleteOption": {}}}))


def test_too_many_new_pods_are_noticed():
    opened = changed_by_hand("test-1", "web", {"minReadySeconds": 0}, at="10m")
    with pytest.raises(
        AssertionError, match="2 of 4 pods of web run shop/web:v2, batch 1 allows 1"
    ):
        a_story().when(opened).ends()


def test_a_write_during_a_pause_is_noticed():
    with pytest.raises(AssertionError, match="a work got another spec during a pause"):
        a_story().when(
            somebody("pause", at="10m"),
            looked_at(rewrite_work, at="20m"),
            somebody("resume", at="30m"),
        ).ends()


def test_a_batch_begun_during_a_pause_is_noticed():
    with pytest.raises(AssertionError, match="got to batch 2 during a pause"):
        a_story().when(
            somebody("pause", at="10m"),
            looked_at(says(batch=2), at="20m"),
            somebody("resume", at="30m"),
        ).ends()


def test_a_rollback_that_did_not_happen_is_noticed():
    with pytest.raises(AssertionError, match="web differs from its last good revision"):
        a_story().when(looked_at(says(phase="RolledBack"), at="10m")).ends()


def test_a_success_that_is_none_is_noticed():
    with pytest.raises(AssertionError, match="was called healthy"):
        a_story().when(
            looked_at(says(phase="Succeeded", workloads=[{"name": "web", "target": 4}]), at="10m"),
            somebody("abort", at="10m1s"),
        ).ends()
