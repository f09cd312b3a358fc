"""Whole Applications without a server."""

from __future__ import annotations

import copy
import time

from oneco import definitions
from oneco.delivery import manifests
from oneco.delivery.rendering import render

REGISTRY = definitions.builtin()
WEB = {
    "name": "web",
    "type": "webservice",
    "properties": {"image": "nginx:1", "ports": [{"port": 80, "expose": True}], "cpu": "0.1"},
    "traits": [
        {"type": "scaler", "properties": {"replicas": 3}},
        {"type": "labels", "properties": {"tier": "front"}},
        {"type": "gateway", "properties": {"domain": "shop.example", "http": {"/": 80}}},
    ],
}


def an_application(*components: object, **spec: object) -> dict:
    return {"metadata": {"name": "shop"}, "spec": {"components": [*components], **spec}}


def test_equal_inputs_give_the_very_same_objects():
    one = render(an_application(WEB), REGISTRY)
    other = render(copy.deepcopy(an_application(WEB)), REGISTRY)
    assert [piece.manifest for piece in one] == [piece.manifest for piece in other]
    assert all(a.manifest is b.manifest for a, b in zip(one, other, strict=True))


def test_a_change_of_one_component_leaves_the_objects_of_others_as_they_are():
    other = {"name": "job", "type": "worker", "properties": {"image": "busybox:1"}}
    changed = {**other, "properties": {"image": "busybox:2"}}
    before = {one.component: one.manifest for one in render(an_application(WEB, other), REGISTRY)}
    after = {one.component: one.manifest for one in render(an_application(WEB, changed), REGISTRY)}
    assert before["web"] is after["web"]
    assert before["job"] != after["job"]


def test_what_others_depend_on_comes_first():
    def depending(name: str, *others: str) -> dict:
        return {
            "name": name,
            "type": "worker",
            "properties": {"image": "x"},
            "dependsOn": [*others],
        }

    made = render(
        an_application(depending("a", "c"), depending("b"), depending("c", "b")), REGISTRY
    )
    assert [one.component for one in made] == ["b", "c", "a"]


def test_a_topology_by_names_gives_every_cluster_its_own_entries():
    topology = {"type": "topology", "properties": {"clusters": ["berlin", "osaka"]}}
    worker = {"name": "job", "type": "worker", "properties": {"image": "busybox"}}
    made = render(an_application(worker, policies=[topology]), REGISTRY)
    assert [one.cluster for one in made] == ["berlin", "osaka"]
    labels = [one.manifest["metadata"]["labels"]["app.oam.dev/cluster"] for one in made]
    assert labels == ["berlin", "osaka"]


def test_a_topology_by_labels_chooses_among_the_given_clusters():
    topology = {"type": "topology", "properties": {"clusterLabelSelector": {"env": "test"}}}
    worker = {"name": "job", "type": "worker", "properties": {"image": "busybox"}}
    application = an_application(worker, policies=[topology])
    clusters = [("berlin", {"env": "test"}), ("osaka", {"env": "production"})]
    assert [one.cluster for one in render(application, REGISTRY, clusters=clusters)] == ["berlin"]
    assert [one.cluster for one in render(application, REGISTRY)] == [None]


def test_of_two_components_with_one_name_the_first_is_delivered():
    first = {"name": "job", "type": "worker", "properties": {"image": "one"}}
    made = render(an_application(first, {**first, "properties": {"image": "two"}}), REGISTRY)
    assert [one.manifest["spec"]["template"]["spec"]["containers"][0]["image"] for one in made] == [
        "one"
    ]


def test_an_object_that_names_its_namespace_keeps_it():
    objects = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b", "namespace": "a"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}},
    ]
    component = {"name": "raw", "type": "k8s-objects", "properties": {"objects": objects}}
    topology = {"type": "topology", "properties": {"clusters": ["berlin"], "namespace": "there"}}
    made = render(an_application(component, policies=[topology]), REGISTRY)
    assert [one.manifest["metadata"].get("namespace") for one in made] == [None, "a", "there"]


def test_a_webservice_with_three_traits_is_rendered_in_a_millisecond():
    application = an_application(WEB)
    render(application, REGISTRY)
    best = min(_seconds_afresh(application) for _ in range(50))
    assert best < 0.001


def _seconds_afresh(application: dict) -> float:
    manifests.forget()
    start = time.process_time()
    render(application, REGISTRY)
    return time.process_time() - start
