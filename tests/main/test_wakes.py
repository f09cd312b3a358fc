"""Which keys a change wakes."""

from __future__ import annotations

import pytest

from oneco.control.cache import Cache, CacheReader, Seen
from oneco.kinds.oam import NAME_LABEL
from oneco.kinds.ocm import WORKS
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


@pytest.mark.parametrize(
    ("change", "is_woken"),
    [
        ({"finalizers": ["theirs"]}, False),
        ({"resourceVersion": "2"}, False),
        ({"generation": 2}, True),
        ({"annotations": {"onepersoncompany.io/content": "new"}}, True),
        ({"deletionTimestamp": "2026-11-21T08:00:00Z"}, True),
        ({"uid": "another"}, True),
    ],
)
def test_an_agent_looks_at_once_at_what_a_work_wants_and_later_at_what_it_wrote_itself(
    change, is_woken
):
    meta = {"name": "shop-1", "namespace": "one", "uid": "u", "generation": 1}
    old, new = {"metadata": meta}, {"metadata": {**meta, **change}, "status": {"conditions": []}}
    found = wakes.itself_as_wanted(READER, Seen("hub", WORKS, old, new))
    assert list(found) == ([("one", "shop-1")] if is_woken else [])


def test_an_agent_looks_at_once_at_a_work_that_comes_or_is_gone():
    work = {"metadata": {"name": "shop-1", "namespace": "one"}}
    for old, new in ((None, work), (work, None)):
        found = wakes.itself_as_wanted(READER, Seen("hub", WORKS, old, new))
        assert list(found) == [("one", "shop-1")]
