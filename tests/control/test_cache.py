"""What the cache believes when news come late, twice, or not at all."""

from __future__ import annotations

import pytest

from oneco.control.cache import Cache, CacheReader, Seen
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


def a_pod(version: int, name: str, owner: str):
    owners = [{"kind": "ReplicaSet", "name": "r", "uid": owner, "controller": True}]
    meta = {"name": name, "namespace": "default", "resourceVersion": str(version)}
    return {"metadata": {**meta, "ownerReferences": owners}}


def a_thing(version: int, generation: int, spec: dict, **parts):
    meta = {**a_map(version)["metadata"], "generation": generation}
    return {"metadata": meta, "spec": spec, **parts}


def test_a_spec_that_a_new_version_repeats_stays_the_very_same_value():
    """What deciders remember of a spec must not be worked out anew with each status."""
    cache = a_cache()
    first = a_thing(1, 1, {"deep": [{"a": 1}]}, status={"ready": 0})
    cache.take("hub", MAPS, first)
    seen: list[Seen] = []
    cache.listen(seen.append)
    cache.take("hub", MAPS, a_thing(2, 1, {"deep": [{"a": 1}]}, status={"ready": 1}))
    found = CacheReader(cache).get(HERE)
    assert found is not None
    assert found["spec"] is first["spec"]
    assert (found["status"], known(cache)) == ({"ready": 1}, "2")
    assert seen[0].new is found


@pytest.mark.parametrize("generation", [0, 2])
def test_a_spec_of_another_generation_or_of_none_is_taken_as_it_comes(generation):
    cache = a_cache()
    cache.take("hub", MAPS, a_thing(1, 1 if generation else 0, {"size": 1}))
    # Equal in Python's eyes, and another thing in JSON's.
    cache.take("hub", MAPS, a_thing(2, generation, {"size": True}))
    found = CacheReader(cache).get(HERE)
    assert found is not None
    assert found["spec"]["size"] is True


def test_pods_are_found_by_the_uid_of_what_controls_them():
    cache = a_cache()
    for version, name, owner in ((1, "b", "one"), (2, "a", "one"), (3, "c", "two")):
        cache.take("hub", MAPS, a_pod(version, name, owner))
    reader = CacheReader(cache)

    def owned(uid: str) -> list[str]:
        return [one["metadata"]["name"] for one in reader.owned(MAPS, uid)]

    assert (owned("one"), owned("two"), owned("none")) == (["a", "b"], ["c"], [])
    cache.take("hub", MAPS, a_pod(4, "b", "two"))
    cache.drop("hub", MAPS, a_pod(5, "c", "two"))
    assert (owned("one"), owned("two")) == (["a"], ["b"])
