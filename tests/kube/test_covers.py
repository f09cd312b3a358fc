"""Whether a live object still says what its manifest wants."""

from __future__ import annotations

import pathlib

import pytest
import yaml

from oneco.kube import defaults, types
from oneco.kube.covers import covers
from oneco.kube.refs import kind_of
from tests.kube.built_in import type_of

GOLDEN = pathlib.Path(__file__).parent.parent / "golden" / "defaults"
DEPLOYMENT = type_of("apps/v1", "Deployment")
SERVICE = type_of("v1", "Service")


def deployment(**container):
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {
                    "containers": [{"name": "web", "image": "web:1", **container}],
                    "tolerations": [{"key": "a", "operator": "Exists"}],
                },
            },
        },
    }


def with_container(live, *containers):
    spec = live["spec"]
    template = spec["template"]
    pod = {**template["spec"], "containers": list(containers)}
    return {**live, "spec": {**spec, "template": {**template, "spec": pod}}}


@pytest.mark.parametrize(
    "name", sorted(path.name.split(".")[0] for path in GOLDEN.glob("*.input.yaml"))
)
def test_what_the_server_stored_covers_what_was_sent(name):
    sent = yaml.safe_load((GOLDEN / f"{name}.input.yaml").read_text("utf-8"))
    stored = yaml.safe_load((GOLDEN / f"{name}.output.yaml").read_text("utf-8"))
    kind = types.of(kind_of(sent))
    assert kind is not None
    assert covers(stored, sent, kind)


def test_another_value_is_drift():
    live = defaults.default(deployment())
    assert not covers({**live, "spec": {**live["spec"], "replicas": 3}}, deployment(), DEPLOYMENT)


def test_a_missing_field_is_drift():
    assert not covers(deployment(), deployment(command=["run"]), DEPLOYMENT)


def test_an_item_that_somebody_added_beside_ours_is_no_drift():
    live = deployment()
    sidecar = {"name": "sidecar", "image": "sidecar:1"}
    ours = live["spec"]["template"]["spec"]["containers"][0]
    assert covers(with_container(live, sidecar, ours), deployment(), DEPLOYMENT)


def test_an_item_of_ours_that_is_gone_is_drift():
    live = with_container(deployment(), {"name": "other", "image": "web:1"})
    assert not covers(live, deployment(), DEPLOYMENT)


def test_an_atomic_list_with_more_items_is_drift():
    live = deployment()
    pod = live["spec"]["template"]["spec"]
    pod["tolerations"] = [*pod["tolerations"], {"key": "b", "operator": "Exists"}]
    assert not covers(live, deployment(), DEPLOYMENT)


def test_a_selector_with_more_labels_is_drift():
    live = deployment()
    live["spec"]["selector"] = {"matchLabels": {"app": "web", "tier": "front"}}
    assert not covers(live, deployment(), DEPLOYMENT)


def test_more_labels_are_no_drift():
    live = deployment()
    live["metadata"]["labels"] = {"app": "web", "tier": "front"}
    assert covers(live, deployment(), DEPLOYMENT)


def test_quantities_are_compared_by_value():
    live = deployment(resources={"limits": {"cpu": "1", "memory": "1Gi"}})
    assert covers(
        live, deployment(resources={"limits": {"cpu": "1000m", "memory": "1024Mi"}}), DEPLOYMENT
    )
    assert not covers(live, deployment(resources={"limits": {"cpu": "999m"}}), DEPLOYMENT)


def test_a_port_number_is_not_its_text():
    def service(target):
        return {"spec": {"ports": [{"port": 80, "protocol": "TCP", "targetPort": target}]}}

    assert covers(service(8080), service(8080), SERVICE)
    assert not covers(service(8080), service("8080"), SERVICE)


def test_what_is_empty_in_the_manifest_may_be_absent():
    assert covers(deployment(), deployment(env=[], resources={}, stdin=False), DEPLOYMENT)
