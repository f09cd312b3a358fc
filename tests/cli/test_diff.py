"""What applying would change, in the files' own objects and in every cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from oneco import definitions
from oneco.cli import fields
from oneco.delivery import rendering
from oneco.kinds.naming import unit_name
from oneco.kinds.oam import REVISIONS
from oneco.kinds.ocm import CLUSTERS, ENVIRONMENT_LABEL
from oneco.kinds.release import UNITS
from tests.cli.given import NAMESPACES, Hub

RELEASE = "  policies: [{name: slowly, type: release, properties: {batchSilence: 1m}}]\n"


def application(image: str, tail: str = RELEASE) -> str:
    return (
        "apiVersion: core.oam.dev/v1beta1\nkind: Application\n"
        "metadata: {name: shop, namespace: default}\nspec:\n"
        f"  components: [{{name: web, type: webservice, properties: {{image: '{image}'}}}}]\n{tail}"
    )


def join(hub: Hub, name: str, environment: str) -> None:
    head = {"name": name, "labels": {ENVIRONMENT_LABEL: environment}}
    hub.put(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    hub.put(CLUSTERS, {
        "apiVersion": CLUSTERS.api_version, "kind": "ManagedCluster", "metadata": head,
        "spec": {"hubAcceptsClient": True},
    })  # fmt: skip


def deliver(hub: Hub, clusters: tuple[str, ...]) -> None:
    """What the hub's own controllers write when `shop` ran well everywhere."""
    from oneco.kinds.oam import APPLICATIONS

    app = hub.get(APPLICATIONS, "shop", "default")
    assert app is not None
    rows = rendering.render(app, definitions.builtin())
    manifests = [{"component": one.component, "manifest": dict(one.manifest)} for one in rows]
    hub.put(REVISIONS, {
        "apiVersion": REVISIONS.api_version, "kind": "ApplicationRevision",
        "metadata": {
            "name": "shop-v1", "namespace": "default", "labels": {"app.oam.dev/name": "shop"},
        },
        "spec": {"application": {}, "variants": [{"hash": "h1", "manifests": manifests}]},
    })  # fmt: skip
    for cluster in clusters:
        good = {"release": "shop-v1", "revision": "shop-v1", "variant": "h1"}
        spec = {
            "application": "shop", "applicationNamespace": "default", "cluster": cluster,
            "release": "shop-v1", "revision": "shop-v1", "variant": "h1",
        }  # fmt: skip
        hub.put(UNITS, {
            "apiVersion": UNITS.api_version, "kind": "ReleaseUnit",
            "metadata": {
                "name": unit_name("default", "shop", cluster), "namespace": cluster,
                "labels": {"app.oam.dev/name": "shop"},
            },
            "spec": spec,
        }, release="shop-v1", phase="Succeeded", good=good)  # fmt: skip


@pytest.fixture
def hub() -> Hub:
    made = Hub()
    for name, environment in (("eu", "production"), ("lab", "test"), ("us", "production")):
        join(made, name, environment)
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "shop.yaml"


def diff(hub: Hub, file: Path) -> Any:
    answer = hub.type("diff", "-f", file, "-o", "json")
    assert answer.status == 0, answer.err
    return answer.document


def test_a_diff_changes_nothing(hub: Hub, file: Path):
    file.write_text(application("nginx:1"))
    before = hub.version()
    assert diff(hub, file)["objects"][0]["verdict"] == "added"
    assert hub.version() == before


def test_a_first_delivery_shows_every_cluster_in_its_wave(hub: Hub, file: Path):
    file.write_text(application("nginx:1"))
    impact = diff(hub, file)["objects"][0]["impact"]
    assert impact["waves"] == [
        {"name": "test", "clusters": ["lab"]},
        {"name": "production", "clusters": ["eu", "us"]},
    ]
    (variant,) = impact["variants"]
    assert [(one["kind"], one["verdict"]) for one in variant["objects"]] == [
        ("Deployment", "added"),
    ]


def test_a_change_is_shown_field_by_field_from_old_to_new(hub: Hub, file: Path):
    file.write_text(application("nginx:1"))
    hub.type("apply", "-f", file)
    deliver(hub, ("eu", "lab", "us"))
    file.write_text(application("nginx:2"))
    (row,) = diff(hub, file)["objects"]
    assert row["fields"] == [
        {"path": "spec.components[web].properties.image", "old": "nginx:1", "new": "nginx:2"}
    ]
    (variant,) = row["impact"]["variants"]
    assert variant["clusters"] == ["eu", "lab", "us"]
    (changed,) = variant["objects"]
    assert changed["fields"] == [
        {
            "path": "spec.template.spec.containers[web].image",
            "old": "nginx:1",
            "new": "nginx:2",
        }
    ]
    text = hub.type("diff", "-f", file).out
    assert "~ spec.components[web].properties.image: nginx:1 → nginx:2" in text
    assert "wave 2 production: eu, us" in text


def test_a_change_of_pace_alone_changes_nothing_in_the_clusters(hub: Hub, file: Path):
    file.write_text(application("nginx:1"))
    hub.type("apply", "-f", file)
    deliver(hub, ("eu", "lab", "us"))
    file.write_text(application("nginx:1", RELEASE.replace("1m", "9m")))
    impact = diff(hub, file)["objects"][0]["impact"]
    assert impact == {
        "application": "shop", "variants": [], "waves": [], "unchangedClusters": 3,
    }  # fmt: skip


def test_a_topology_that_leaves_a_cluster_out_shows_what_is_taken_off(hub: Hub, file: Path):
    file.write_text(application("nginx:1"))
    hub.type("apply", "-f", file)
    deliver(hub, ("eu", "lab", "us"))
    only = "  policies: [{name: one, type: topology, properties: {clusters: [eu, lab]}}]\n"
    file.write_text(application("nginx:1", only))
    impact = diff(hub, file)["objects"][0]["impact"]
    (variant,) = impact["variants"]
    assert variant["clusters"] == ["us"]
    assert [one["verdict"] for one in variant["objects"]] == ["removed"]


def test_the_exit_status_tells_a_difference_only_when_asked(hub: Hub, file: Path):
    file.write_text(application("nginx:1"))
    assert hub.type("diff", "-f", file).status == 0
    assert hub.type("diff", "--exit-code", "-f", file).status == 3
    hub.type("apply", "-f", file)
    assert hub.type("diff", "--exit-code", "-f", file).status == 0
    assert hub.type("diff", "-f", file).out == "Nothing would change.\n"


def test_what_left_the_directory_is_shown_and_not_removed(hub: Hub, tmp_path: Path):
    (tmp_path / "a.yaml").write_text(application("nginx:1"))
    (tmp_path / "b.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: old}\n")
    hub.type("apply", "-f", tmp_path)
    (tmp_path / "b.yaml").unlink()
    answer = hub.type("diff", "-f", tmp_path)
    assert "ConfigMap default/old is in no file any more" in answer.out
    assert diff(hub, tmp_path)["surplus"][0]["name"] == "old"


def test_lists_are_compared_by_what_names_their_items():
    old = {"c": [{"name": "a", "v": 1}, {"name": "b", "v": 2}]}
    new = {"c": [{"name": "b", "v": 3}, {"name": "a", "v": 1}]}
    assert fields.differences(old, new) == (fields.Field("c[b].v", 2, 3),)


def test_what_a_server_sets_itself_is_no_difference():
    old = {"metadata": {"name": "x", "resourceVersion": "1"}, "status": {"a": 1}}
    assert fields.differences(old, {"metadata": {"name": "x", "uid": "2"}}) == ()
