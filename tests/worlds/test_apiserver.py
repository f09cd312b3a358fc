"""What only this project's own server promises: determinism, the way inside, its order of news."""

from typing import Any

import pytest

from oneco.clock import Instant
from oneco.kube import causes, objects
from oneco.kube.api import ListOptions, Page, Patch, WatchOptions, WriteOptions
from oneco.kube.errors import Invalid
from oneco.kube.refs import Address, Resource
from oneco.worlds.apiserver.core import Caller
from oneco.worlds.apiserver.memory import MemoryStore
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.apiserver.store import Key
from oneco.worlds.clocks import StepClock

CONFIG_MAPS = Address(Resource("", "v1", "configmaps"), "default")
DEPLOYMENTS = Address(Resource("apps", "v1", "deployments"), "default")
SERVICES = Address(Resource("", "v1", "services"), "default")
PODS = Address(Resource("", "v1", "pods"), "default")
NOON = Instant(1_795_262_400.0)


def a_server(seed=7, store=None, **more):
    return ApiServer(store or MemoryStore(), StepClock(NOON), seed=seed, **more)


def a_map(name, **more):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, **more}


def a_history(server):
    events: list[Any] = []
    server.watch(CONFIG_MAPS, WatchOptions(bookmarks=False), events.append)
    server.watch(SERVICES, WatchOptions(bookmarks=False), events.append)
    server.create(CONFIG_MAPS, {"metadata": {"generateName": "a-"}})
    server.create(SERVICES, {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}})
    server.apply(CONFIG_MAPS._replace(name="b"), a_map("b", data={"k": "v"}))
    server.delete(CONFIG_MAPS._replace(name="b"))
    return events


def test_two_servers_of_one_seed_live_the_same_life():
    assert a_history(a_server(seed=3)) == a_history(a_server(seed=3))


def test_another_seed_gives_other_names_and_addresses():
    first, second = a_history(a_server(seed=3)), a_history(a_server(seed=4))
    assert [one.type for one in first] == [one.type for one in second]
    assert first != second


def test_a_watch_hears_of_a_cause_before_its_consequence():
    store = MemoryStore()
    server = a_server(store=store)

    def behave(change):
        if change.key.name == "cause" and change.before is None:
            server.inside.create(Key("/configmaps", "default", "effect"), a_map("effect"))

    store.on_commit(behave)
    heard = []
    server.watch(
        CONFIG_MAPS, WatchOptions(bookmarks=False), lambda event: heard.append(event.object)
    )
    server.create(CONFIG_MAPS, a_map("cause"))
    assert [one["metadata"]["name"] for one in heard] == ["cause", "effect"]


def test_what_a_sink_writes_is_heard_by_every_watch_in_order():
    server = a_server()
    heard = []

    def answer(event):
        if event.object["metadata"]["name"] == "ask":
            server.create(CONFIG_MAPS, a_map("answer"))

    server.watch(CONFIG_MAPS, WatchOptions(bookmarks=False), answer)
    server.watch(
        CONFIG_MAPS, WatchOptions(bookmarks=False), lambda event: heard.append(event.object)
    )
    server.create(CONFIG_MAPS, a_map("ask"))
    assert [one["metadata"]["name"] for one in heard] == ["ask", "answer"]


def test_a_closed_watch_hears_nothing_more():
    server = a_server()
    heard: list[Any] = []
    watch = server.watch(CONFIG_MAPS, WatchOptions(bookmarks=False), heard.append)
    watch.close()
    server.create(CONFIG_MAPS, a_map("a"))
    assert heard == []


def test_a_defined_kind_is_served_at_once():
    server = a_server()
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    server.inside.define(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "gadgets.example.io"},
            "spec": {
                "group": "example.io",
                "scope": "Namespaced",
                "names": {"plural": "gadgets", "kind": "Gadget"},
                "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
            },
        }
    )
    at = Address(Resource("example.io", "v1", "gadgets"), "default")
    body = {"apiVersion": "example.io/v1", "kind": "Gadget", "metadata": {"name": "g"}, "any": 1}
    assert server.create(at, body)["any"] == 1


def test_an_unknown_field_is_a_warning_to_the_caller():
    said: list[Any] = []
    body = {**a_map("a"), "colour": "blue"}
    made = a_server().create(CONFIG_MAPS, body, WriteOptions(), Caller(warn=said.append))
    assert said == ['unknown field "colour"'] and "colour" not in made


class NoBlue:
    """Refuses blue maps, and remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def kinds(self):
        return [("", "ConfigMap")]

    def validate(self, operation, old, new):
        self.asked.append(operation)
        if new is not None and new.get("data", {}).get("colour") == "blue":
            return [causes.invalid("data.colour", "blue", "blue is sold out")]
        return []


def test_an_injected_validator_sees_every_write_and_may_refuse_it():
    validator = NoBlue()
    server = a_server(admission=[validator])
    at = CONFIG_MAPS._replace(name="a")
    server.create(CONFIG_MAPS, a_map("a", data={"colour": "red"}))
    with pytest.raises(Invalid) as caught:
        server.patch(at, Patch("merge", {"data": {"colour": "blue"}}))
    assert caught.value.message == (
        'ConfigMap "a" is invalid: data.colour: Invalid value: "blue": blue is sold out'
    )
    server.delete(at)
    assert validator.asked == ["CREATE", "UPDATE", "DELETE"]


def test_a_server_over_a_used_store_knows_owners_kinds_and_addresses():
    store = MemoryStore()
    first = a_server(store=store)
    owner = first.create(CONFIG_MAPS, a_map("owner"))
    reference = {
        "apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"],
    }  # fmt: skip
    child = a_map("child")
    child["metadata"]["ownerReferences"] = [reference]
    first.create(CONFIG_MAPS, child)
    used = MemoryStore()
    for collection in ("/namespaces", "/configmaps", "/services"):
        for obj in store.scan(collection):
            meta = obj["metadata"]
            used.commit(Key(collection, meta.get("namespace", ""), meta["name"]), obj)
    second = a_server(store=used)
    second.delete(CONFIG_MAPS._replace(name="owner"))
    assert used.get(Key("/configmaps", "default", "child")) is None
    with pytest.raises(Invalid):
        spec = {"clusterIP": "10.0.0.1", "ports": [{"port": 1}]}
        second.create(SERVICES, {"metadata": {"name": "s"}, "spec": spec})


def test_pages_are_one_list_while_other_things_change_and_while_it_changes_itself():
    server = a_server(store=MemoryStore())

    def add(name: str, plural: str = "configmaps") -> None:
        key = Key(f"/{plural}", "default", name)
        server.inside.create(key, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}})

    def page(token: str = "") -> Page:
        return server.list(CONFIG_MAPS, ListOptions(limit=2, continue_token=token))

    for name in "acegi":
        add(name)
    first = page()
    add("s", "secrets")
    second = page(first.continue_token)
    add("h")
    third = page(second.continue_token)
    pages = (first, second, third)
    assert ["".join(map(objects.name, one.items)) for one in pages] == ["ac", "eg", "i"]
    assert [one.remaining for one in pages] == [3, 1, None]
    assert {one.resource_version for one in pages} == {first.resource_version}
