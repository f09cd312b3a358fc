"""What an application becomes without any server."""

from __future__ import annotations

from pathlib import Path

import pytest

from oneco.kube import documents
from tests.cli.given import quiet_hub

APPLICATION = (
    "apiVersion: core.oam.dev/v1beta1\nkind: Application\nmetadata: {name: shop}\nspec:\n"
    "  components:\n  - name: web\n    type: webservice\n    properties: {image: 'nginx:1'}\n"
)
TOPOLOGY = "  policies: [{name: t, type: topology, properties: {clusterLabelSelector: {a: b}}}]\n"
FLEET = (
    "---\napiVersion: onepersoncompany.io/v1alpha1\nkind: Fleet\nmetadata: {name: f}\n"
    "spec: {clusters: [{name: eu, labels: {a: b}}, {name: us, labels: {a: c}}]}\n"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "shop.yaml"


def test_json_is_one_document_of_manifests_and_nothing_else(file: Path):
    file.write_text(APPLICATION)
    answer = quiet_hub().type("render", "-f", file, "-o", "json")
    assert answer.err == ""
    assert list(answer.document) == ["manifests"]
    (row,) = answer.document["manifests"]
    assert list(row) == ["component", "cluster", "manifest"]
    assert (row["component"], row["cluster"]) == ("web", None)
    assert row["manifest"]["kind"] == "Deployment"


def test_text_is_yaml_that_can_be_read_again(file: Path):
    file.write_text(APPLICATION)
    answer = quiet_hub().type("render", "-f", file)
    assert answer.out.startswith("# web\napiVersion: apps/v1\n")
    (made,) = documents.read(answer.out, "out")
    assert made.object["metadata"]["namespace"] == "default"


def test_clusters_that_stand_beside_it_are_chosen_among(file: Path):
    file.write_text(APPLICATION + TOPOLOGY + FLEET)
    answer = quiet_hub().type("render", "-f", file, "-o", "json")
    assert [row["cluster"] for row in answer.document["manifests"]] == ["eu"]


def test_a_file_without_an_application_is_refused(file: Path):
    file.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n")
    answer = quiet_hub().type("render", "-f", file)
    assert answer.status == 1
    assert 'shop.yaml: found "ConfigMap", wanted an Application' in answer.err
