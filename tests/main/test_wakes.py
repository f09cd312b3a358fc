"""Which keys a change wakes."""

from __future__ import annotations

import pytest

from oneco.control.cache import Cache, CacheReader, Seen
from oneco.kinds.oam import NAME_LABEL
from oneco.kinds.release import RELEASES, UNITS
from oneco.main import wakes

READER = CacheReader(Cache())
SHOP = [("default", "shop")]


def a_release(phase):
    meta = {"name": "shop-v1", "namespace": "default", "labels": {NAME_LABEL: "shop"}}
    return {"metadata": meta, "status": {"phase": phase}}


def a_unit(phase):
    spec = {"application": "shop", "applicationNamespace": "default"}
    return {"metadata": {"name": "shop-1", "namespace": "one"}, "spec": spec} | {
        "status": {"phase": phase}
    }


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("Pending", "Progressing", []),
        ("Progressing", "Blocked", SHOP),
        ("Blocked", "RollingBack", SHOP),
        ("Paused", "Progressing", SHOP),
        ("Progressing", "Succeeded", SHOP),
        ("Succeeded", "Succeeded", []),
    ],
)
def test_an_application_hears_at_once_of_a_release_that_halts_or_ends(before, after, found):
    seen = Seen("hub", RELEASES, a_release(before), a_release(after))
    assert list(wakes.application_of_turn(READER, seen)) == found


def test_an_application_hears_at_once_of_a_release_that_is_gone_but_not_of_its_own_new_one():
    gone = Seen("hub", RELEASES, a_release("Succeeded"), None)
    assert list(wakes.application_of_turn(READER, gone)) == SHOP
    made = Seen("hub", RELEASES, None, a_release("Pending"))
    assert list(wakes.application_of_turn(READER, made)) == []


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("Waiting", "Progressing", []),
        ("Progressing", "Silence", []),
        ("Silence", "Succeeded", SHOP),
        ("Progressing", "Failed", SHOP),
    ],
)
def test_an_application_hears_soon_of_a_unit_that_is_done(before, after, found):
    seen = Seen("hub", UNITS, a_unit(before), a_unit(after))
    assert list(wakes.application_of_rest(READER, seen)) == found
