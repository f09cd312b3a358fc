"""Every example does what it says: its files are valid, its rehearsals end as announced."""

from __future__ import annotations

from pathlib import Path

import pytest

from oneco import definitions
from oneco.delivery.rendering import render
from oneco.kinds import validity
from oneco.kube import documents
from oneco.kube.objects import Object
from oneco.main.rehearsal import rehearse
from oneco.main.report import Report

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
BOUTIQUE = EXAMPLES / "01-online-boutique"
REHEARSALS = sorted(path.parent for path in EXAMPLES.rglob("rehearsal.yaml"))
# How each rehearsal ends, and how many clusters ever run a version that is not yet proven.
ENDS = {
    "01-online-boutique/rehearse-good": ("succeeded", 8),
    "01-online-boutique/rehearse-bad": ("rolledBack", 1),
    "02-slow-poison/rehearse": ("rolledBack", 1),
    "03-more-pods-in-production/rehearse": ("succeeded", 3),
}
SERVICES = {
    "adservice",
    "cartservice",
    "checkoutservice",
    "currencyservice",
    "emailservice",
    "frontend",
    "paymentservice",
    "productcatalogservice",
    "recommendationservice",
    "redis-cart",
    "shippingservice",
}


def named(folder: Path) -> str:
    return folder.relative_to(EXAMPLES).as_posix()


@pytest.mark.parametrize("file", sorted(EXAMPLES.rglob("*.yaml")), ids=named)
def test_every_file_of_the_examples_is_valid(file):
    for document in documents.read_files([file]):
        assert validity.validate(document.object) == []


def test_every_rehearsal_says_here_how_it_ends():
    assert [named(folder) for folder in REHEARSALS] == sorted(ENDS)


@pytest.mark.slow  # A whole release on a whole fleet.
@pytest.mark.parametrize("folder", REHEARSALS, ids=named)
def test_a_rehearsal_ends_as_its_example_says(folder):
    report = rehearse(folder)
    assert (report.outcome, report.max_exposed_clusters) == ENDS[named(folder)], report.message


@pytest.mark.slow  # A whole release on a whole fleet.
def test_the_bad_shop_stops_at_one_pod_of_the_first_cluster_and_is_put_back():
    report = rehearse(BOUTIQUE / "rehearse-bad")
    assert of(report, "BatchStarted") == [("test-eu", 0.0)]
    assert [cluster for cluster, _ in of(report, "UnitRolledBack")] == ["test-eu"]
    # The fleet has 184 pods of the shop, 23 in each of eight clusters.
    assert report.max_exposed_share == pytest.approx(1 / 184)


@pytest.mark.slow  # A whole release on a whole fleet.
def test_the_good_shop_reaches_the_clusters_in_the_order_of_danger():
    report = rehearse(BOUTIQUE / "rehearse-good")
    assert [(one.name, one.clusters) for one in report.waves] == [
        ("test", 1),
        ("staging", 1),
        ("canary", 2),
        ("first-production", 1),
        ("production", 3),
    ]
    assert [cluster for cluster, _ in of(report, "UnitSucceeded")] == [
        *("test-eu", "staging-eu", "canary-ap", "canary-us"),
        *("production-ap", "production-eu-1", "production-eu-2", "production-us"),
    ]


def test_an_override_reaches_the_clusters_of_its_own_step_only():
    found = documents.read_files([EXAMPLES / "03-more-pods-in-production" / "rehearse"])
    (orders,) = [one.object for one in found if one.object["kind"] == "Application"]
    label = "onepersoncompany.io/environment"
    clusters = [("t", {label: "test"}), ("p", {label: "production"})]
    rendered = render(orders, definitions.builtin(), clusters=clusters)
    replicas = {
        one.cluster: one.manifest["spec"]["replicas"]
        for one in rendered
        if one.component == "api" and one.manifest["kind"] == "Deployment"
    }
    assert replicas == {"t": 1, "p": 6}


def test_the_page_of_the_examples_names_each_of_them():
    page = (EXAMPLES / "README.md").read_text()
    assert [one.name for one in EXAMPLES.iterdir() if one.is_dir() and one.name not in page] == []


@pytest.mark.parametrize("version", ["v1", "v2", "v3-bad"])
def test_each_version_of_the_shop_has_all_eleven_services(version):
    rendered = render(application(version), definitions.builtin())
    assert {one.component for one in rendered if one.manifest["kind"] == "Deployment"} == SERVICES
    assert {one.component for one in rendered if one.manifest["kind"] == "Service"} == SERVICES


def test_the_bad_version_differs_from_the_good_one_in_one_image():
    assert images("v3-bad") - images("v2") == {image("frontend", "v0.10.7-bad")}


def test_the_second_version_of_the_shop_changes_all_services_but_the_store_of_carts():
    assert images("v1") & images("v2") == {"redis:alpine"}


def image(name: str, tag: str) -> str:
    return f"us-central1-docker.pkg.dev/online-boutique-ci/microservices-demo/{name}:{tag}"


def images(version: str) -> set[str]:
    components = application(version)["spec"]["components"]
    return {one["properties"]["image"] for one in components}


def application(version: str) -> Object:
    (document,) = documents.read_files([BOUTIQUE / version])
    return document.object


def of(report: Report, what: str) -> list[tuple[str | None, float]]:
    """Where and when something happened, in order."""
    return [(one.cluster, one.at) for one in report.events if one.what == what]
