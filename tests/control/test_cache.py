"""What the cache believes when news come late, twice, or not at all."""

from __future__ import annotations

import pytest

from oneco.control.cache import Cache, CacheReader
from oneco.kube.refs import Address, Resource

MAPS = Resource("", "v1", "configmaps")
HERE = Address(MAPS, "default", "a")
EVERYWHERE = Address(MAPS)


def a_map(version: int, name: str = "a", namespace: str = "default", **labels: str):
    meta = {
        "name": name,
        "namespace": namespace,
        "resourceVersion": str(version),
        "labels": labels,
    }
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}


def a_cache(*indexed: str) -> Cache:
    cache = Cache()
    cache.index("hub", MAPS, indexed)
    return cache


def known(cache: Cache) -> str:
    found = CacheReader(cache).get(HERE)
    return str(found["metadata"]["resourceVersion"]) if found else "nothing"


def test_late_news_of_an_older_version_change_nothing():
    cache = a_cache()
    cache.take("hub", MAPS, a_map(5))
    cache.take("hub", MAPS, a_map(4))
    assert known(cache) == "5"


def test_late_news_of_what_was_deleted_do_not_bring_it_back():
    cache = a_cache()
    cache.take("hub", MAPS, a_map(5))
    cache.drop("hub", MAPS, a_map(6))
    cache.take("hub", MAPS, a_map(5))
    assert known(cache) == "nothing"


def test_an_object_that_was_made_again_is_not_removed_by_news_of_the_old_ones_end():
    cache = a_cache()
    cache.take("hub", MAPS, a_map(5))
    cache.take("hub", MAPS, a_map(8))
    cache.drop("hub", MAPS, a_map(6))
    assert known(cache) == "8"


def test_a_new_object_under_a_deleted_ones_name_is_taken_in():
    cache = a_cache()
    cache.drop("hub", MAPS, a_map(6))
    cache.take("hub", MAPS, a_map(7))
    assert known(cache) == "7"


def test_what_a_list_does_not_have_is_gone_in_its_namespace_and_nowhere_else():
    cache = a_cache()
    cache.take("hub", MAPS, a_map(3))
    cache.take("hub", MAPS, a_map(4, "b", "other"))
    cache.settle("hub", Address(MAPS, "default"), [a_map(5, "c")], "9")
    names = [one["metadata"]["name"] for one in CacheReader(cache).list(MAPS)]
    assert names == ["c", "b"]


def test_objects_are_found_by_the_label_that_they_have_now():
    cache = a_cache("app")
    cache.take("hub", MAPS, a_map(1, app="shop"))
    cache.take("hub", MAPS, a_map(2, app="bank"))
    reader = CacheReader(cache)
    assert reader.labelled(MAPS, ("app", "shop")) == []
    assert len(reader.labelled(MAPS, ("app", "bank"))) == 1
    cache.drop("hub", MAPS, a_map(3, app="bank"))
    assert reader.labelled(MAPS, ("app", "bank")) == []


def test_asking_by_a_label_that_is_not_kept_is_a_mistake_of_ours():
    with pytest.raises(AssertionError, match="label app is not indexed"):
        CacheReader(a_cache()).labelled(MAPS, ("app", "shop"))


def test_everything_comes_in_the_order_of_namespace_and_name():
    cache = a_cache("app")
    for version, (name, namespace) in enumerate([("b", "x"), ("a", "y"), ("a", "x")], 1):
        cache.take("hub", MAPS, a_map(version, name, namespace, app="shop"))
    reader = CacheReader(cache)
    for found in (reader.list(MAPS), reader.labelled(MAPS, ("app", "shop"))):
        places = [(one["metadata"]["namespace"], one["metadata"]["name"]) for one in found]
        assert places == [("x", "a"), ("x", "b"), ("y", "a")]


def test_listeners_hear_of_what_was_taken_in_and_of_nothing_else():
    cache, heard = a_cache(), []
    cache.listen(lambda seen: heard.append((seen.old is None, seen.new is None)))
    cache.take("hub", MAPS, a_map(5))
    cache.take("hub", MAPS, a_map(5))
    cache.take("hub", MAPS, a_map(6))
    cache.drop("hub", MAPS, a_map(7))
    cache.drop("hub", MAPS, a_map(7))
    assert heard == [(True, False), (False, False), (False, True)]
