"""Applying files: all or nothing in what can be checked, in an order that works, and pruning."""

from __future__ import annotations

from pathlib import Path

import pytest

from oneco.kinds.oam import APPLICATIONS
from oneco.kinds.ocm import CLUSTERS
from oneco.kube.refs import Resource
from tests.cli.given import CONFIG_MAPS, NAMESPACES, Hub

SOURCE = "onepersoncompany.io/source"
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: prices}\ndata: {tea: '3'}\n"


def application(name: str = "shop", image: str = "nginx:1", namespace: str = "default") -> str:
    return (
        "apiVersion: core.oam.dev/v1beta1\nkind: Application\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\nspec:\n"
        f"  components: [{{name: web, type: webservice, properties: {{image: '{image}'}}}}]\n"
    )


def cluster(name: str) -> str:
    return (
        "apiVersion: cluster.open-cluster-management.io/v1\nkind: ManagedCluster\n"
        f"metadata: {{name: {name}}}\nspec: {{hubAcceptsClient: true}}\n"
    )


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def company(tmp_path: Path) -> Path:
    folder = tmp_path / "company"
    folder.mkdir()
    (folder / "a-application.yaml").write_text(application(namespace="shop"))
    (folder / "b-clusters.yaml").write_text(cluster("eu"))
    (folder / "z-namespace.yaml").write_text(NAMESPACE)
    return folder


def test_each_object_says_what_became_of_it(hub: Hub, tmp_path: Path):
    file = tmp_path / "shop.yaml"
    file.write_text(application())
    assert hub.type("apply", "-f", file).out == "Application default/shop created\n"
    assert hub.type("apply", "-f", file).out == "Application default/shop unchanged\n"
    file.write_text(application(image="nginx:2"))
    assert hub.type("apply", "-f", file).out == "Application default/shop configured\n"


def test_a_company_is_applied_in_an_order_in_which_each_finds_what_it_needs(
    hub: Hub, company: Path
):
    answer = hub.type("apply", "-f", company, "-o", "json")
    assert [row["kind"] for row in answer.document["objects"]] == [
        "Namespace", "ManagedCluster", "Application",
    ]  # fmt: skip
    assert {row["result"] for row in answer.document["objects"]} == {"created"}


def test_a_kind_defined_in_the_same_files_can_be_used_at_once(hub: Hub, tmp_path: Path):
    (tmp_path / "a.yaml").write_text(
        "apiVersion: tea.example/v1\nkind: Pot\nmetadata: {name: big}\nspec: {cups: 3}\n"
    )
    (tmp_path / "b.yaml").write_text(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
        "metadata: {name: pots.tea.example}\n"
        "spec:\n  group: tea.example\n  scope: Namespaced\n"
        "  names: {plural: pots, singular: pot, kind: Pot, listKind: PotList}\n"
        "  versions:\n  - name: v1\n    served: true\n    storage: true\n"
        "    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object,\n"
        "      properties: {cups: {type: integer}}}}}}\n"
    )
    assert hub.type("apply", "-f", tmp_path).status == 0
    found = hub.get(Resource("tea.example", "v1", "pots"), "big", "default")
    assert found is not None and found["spec"] == {"cups": 3}


def test_a_dry_run_tells_and_changes_nothing(hub: Hub, company: Path):
    before = hub.version()
    answer = hub.type("apply", "--dry-run", "-f", company)
    assert answer.out.splitlines()[0] == "Namespace shop created (dry run)"
    assert hub.version() == before


def test_files_come_from_standard_input_too(hub: Hub):
    assert hub.type("apply", "-f", "-", given=MAP).out == "ConfigMap default/prices created\n"
    assert hub.type("apply", "-n", "default", "-f", "-", given=MAP).status == 0


def test_what_the_server_alone_refuses_stops_everything_before_it_begins(hub: Hub, tmp_path: Path):
    immutable = f"{MAP}immutable: true\n"
    hub.type("apply", "-f", "-", given=immutable)
    (tmp_path / "a.yaml").write_text(application())
    (tmp_path / "b.yaml").write_text(immutable.replace("'3'", "'4'"))
    before = hub.version()
    answer = hub.type("apply", "-f", tmp_path)
    assert answer.status == 1
    assert "b.yaml:4: data" in answer.err
    assert "immutable" in answer.err
    assert hub.version() == before


def test_fields_of_others_are_taken_over_only_when_asked(hub: Hub):
    hub.put(CONFIG_MAPS, {
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "prices", "namespace": "default"}, "data": {"tea": "5"},
    })  # fmt: skip
    answer = hub.type("apply", "-f", "-", given=MAP)
    assert answer.status == 1
    assert "--force-conflicts" in answer.err
    assert hub.type("apply", "--force-conflicts", "-f", "-", given=MAP).status == 0


def test_what_left_its_directory_stays_until_pruning_is_asked_for(hub: Hub, company: Path):
    hub.type("apply", "-f", company)
    (company / "b-clusters.yaml").unlink()
    assert hub.type("apply", "-f", company).status == 0
    assert hub.get(CLUSTERS, "eu") is not None


def test_pruning_shows_what_it_would_remove_and_asks(hub: Hub, company: Path):
    hub.type("apply", "-f", company)
    (company / "b-clusters.yaml").unlink()
    refused = hub.type("apply", "--prune", "-f", company, given="n\n")
    assert refused.status == 130
    assert "ManagedCluster eu" in refused.err
    unheard = hub.type("apply", "--prune", "-f", company, given="")
    assert (unheard.status, "wanted --yes" in unheard.err) == (1, True)
    assert hub.get(CLUSTERS, "eu") is not None
    answer = hub.type("apply", "--prune", "-f", company, given="y\n")
    assert answer.status == 0
    assert "ManagedCluster eu pruned" in answer.out
    assert hub.get(CLUSTERS, "eu") is None


def test_pruning_spares_what_came_from_elsewhere(hub: Hub, company: Path, tmp_path: Path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "map.yaml").write_text(MAP)
    hub.type("apply", "-f", other)
    hub.type("apply", "-f", "-", given=MAP.replace("prices", "by-hand"))
    hub.type("apply", "-f", company)
    (company / "a-application.yaml").unlink()
    answer = hub.type("apply", "--prune", "--yes", "-f", company, "-o", "json")
    pruned = [row["name"] for row in answer.document["objects"] if row["result"] == "pruned"]
    assert pruned == ["shop"]
    assert hub.get(APPLICATIONS, "shop", "shop") is None
    assert hub.get(CONFIG_MAPS, "prices", "default") is not None
    assert hub.get(CONFIG_MAPS, "by-hand", "default") is not None
    assert hub.get(NAMESPACES, "shop") is not None


def test_pruning_into_a_program_must_be_decided_beforehand(hub: Hub, company: Path):
    hub.type("apply", "-f", company)
    (company / "b-clusters.yaml").unlink()
    answer = hub.type("apply", "--prune", "-f", company, "-o", "json")
    assert answer.status == 1
    assert "--yes" in answer.err
    assert hub.get(CLUSTERS, "eu") is not None


def test_applying_one_file_of_a_directory_keeps_it_a_part_of_that(hub: Hub, company: Path):
    hub.type("apply", "-f", company)
    assert "unchanged" in hub.type("apply", "-f", company / "a-application.yaml").out
    found = hub.get(APPLICATIONS, "shop", "shop")
    assert found is not None
    assert found["metadata"]["annotations"][SOURCE] == str(company.resolve())
