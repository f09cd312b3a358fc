"""What a cache makes of a server that was put back to an earlier state."""

from __future__ import annotations

import pytest

from oneco.control.cache import Cache, Seen
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource

MAPS = Resource("", "v1", "configmaps")
PLACE = Address(MAPS)


def a_map(version: int, text: str = "") -> Object:
    return {"metadata": {"name": "m", "resourceVersion": str(version)}, "data": {"text": text}}


@pytest.fixture
def cache() -> Cache:
    made = Cache()
    made.settle("hub", PLACE, [a_map(900, "last")], "900")
    return made


def held(cache: Cache) -> Object | None:
    return cache.table("hub", MAPS).objects.get(("", "m"))


def test_late_news_of_an_older_version_change_nothing(cache):
    cache.take("hub", MAPS, a_map(500, "old"))
    assert held(cache) == a_map(900, "last")


def test_a_list_from_before_our_own_last_write_does_not_undo_it(cache):
    cache.settle("hub", PLACE, [a_map(500, "old")], "899")
    assert held(cache) == a_map(900, "last")


def test_a_newer_list_decides_even_with_an_older_version(cache):
    cache.settle("hub", PLACE, [a_map(500, "restored")], "1000000500")
    assert held(cache) == a_map(500, "restored")


def test_a_newer_list_brings_back_what_was_deleted_in_the_lost_life(cache):
    cache.drop("hub", MAPS, a_map(901))
    cache.take("hub", MAPS, a_map(900, "late"))
    assert held(cache) is None
    cache.settle("hub", PLACE, [a_map(500, "restored")], "1000000500")
    assert held(cache) == a_map(500, "restored")


def test_a_list_that_tells_nothing_new_wakes_nobody(cache):
    woken: list[Seen] = []
    cache.listen(woken.append)
    cache.settle("hub", PLACE, [a_map(900, "last")], "1000")
    assert woken == []
