"""Steering a release: each verb says what it did and what comes next, or why it cannot."""

from __future__ import annotations

from typing import Any

import pytest

from oneco.kinds.oam import APPLICATIONS
from oneco.kinds.release import RELEASES
from tests.cli.given import Hub


@pytest.fixture
def hub() -> Hub:
    made = Hub()
    made.put(APPLICATIONS, {
        "apiVersion": APPLICATIONS.api_version, "kind": "Application",
        "metadata": {"name": "shop", "namespace": "default"},
        "spec": {"components": [{"name": "web", "type": "webservice"}]},
    })  # fmt: skip
    return made


def release(hub: Hub, number: int, phase: str, **spec: Any) -> None:
    head = {
        "name": f"shop-v{number}", "namespace": "default",
        "labels": {
            "app.oam.dev/name": "shop", "onepersoncompany.io/sequence": str(number),
        },
    }  # fmt: skip
    hub.put(RELEASES, {
        "apiVersion": RELEASES.api_version, "kind": "Release", "metadata": head,
        "spec": {"application": "shop", "revision": f"shop-v{number}", **spec},
    }, phase=phase, message="for a reason")  # fmt: skip


def spec(hub: Hub, name: str) -> Any:
    found = hub.get(RELEASES, name, "default")
    assert found is not None
    return found["spec"]


def test_the_name_of_the_application_means_its_newest_release(hub: Hub):
    release(hub, 9, "Succeeded")
    release(hub, 10, "Progressing")
    answer = hub.type("release", "pause", "shop")
    assert answer.status == 0
    assert answer.out.startswith("release shop-v10 is paused. ")
    assert "oneco release resume shop-v10" in answer.out
    assert spec(hub, "shop-v10")["paused"] is True
    assert not spec(hub, "shop-v9").get("paused")


def test_a_paused_release_goes_on(hub: Hub):
    release(hub, 1, "Paused", paused=True)
    answer = hub.type("release", "resume", "shop")
    assert answer.out == "release shop-v1 goes on. It continues with the batch it was at.\n"
    assert not spec(hub, "shop-v1").get("paused")


@pytest.mark.parametrize(("verb", "request_"), [("abort", "Abort"), ("rollback", "Rollback")])
def test_a_release_is_asked_to_end(hub: Hub, verb: str, request_: str):
    release(hub, 1, "Progressing")
    answer = hub.type("release", verb, "shop-v1", "-o", "json")
    assert answer.document["next"]
    assert spec(hub, "shop-v1")["request"] == request_


def test_asking_twice_changes_nothing(hub: Hub):
    release(hub, 1, "Progressing", request="Rollback")
    before = hub.version()
    assert "is being rolled back already" in hub.type("release", "rollback", "shop").out
    assert hub.version() == before


@pytest.mark.parametrize(
    ("phase", "verb", "wanted"),
    [
        ("Succeeded", "pause", "a release that is under way"),
        ("RollingBack", "pause", "a release that is under way"),
        ("Blocked", "pause", "a blocked one updates nothing anyway"),
        ("Progressing", "resume", "a paused release"),
        ("Blocked", "resume", "rolled back, aborted or overtaken"),
        ("Succeeded", "abort", "a release that is under way"),
        ("Pending", "rollback", "ends one that has not"),
        ("RolledBack", "rollback", "whose changes are still there"),
    ],
)
def test_a_verb_in_the_wrong_state_is_refused_and_changes_nothing(
    hub: Hub, phase: str, verb: str, wanted: str
):
    release(hub, 1, phase)
    before = hub.version()
    answer = hub.type("release", verb, "shop")
    assert answer.status == 1
    assert f'release shop-v1: found "{phase}"' in answer.err
    assert wanted in answer.err
    assert hub.version() == before


def test_only_the_newest_release_can_be_rolled_back(hub: Hub):
    release(hub, 1, "Succeeded")
    release(hub, 2, "Progressing")
    answer = hub.type("release", "rollback", "shop-v1")
    assert answer.status == 1
    assert "wanted the newest release of the application, shop-v2" in answer.err


def test_a_delivery_that_waits_for_a_person_is_resumed_too(hub: Hub):
    release(hub, 1, "Succeeded")
    found = hub.get(APPLICATIONS, "shop", "default")
    assert found is not None
    workflow = {
        "appRevision": "shop-v1", "mode": "StepByStep", "suspend": True, "terminated": False,
        "finished": False,
    }  # fmt: skip
    from oneco.kube.refs import Address

    place = Address(APPLICATIONS, "default", "shop", "status")
    hub.server.replace(place, {**found, "status": {"workflow": workflow}})
    assert "shop continues with its next step" in hub.type("release", "resume", "shop").out
    resumed = hub.get(APPLICATIONS, "shop", "default")
    assert resumed is not None and resumed["status"]["workflow"]["suspend"] is False


def test_releases_are_listed_with_why_they_are_where_they_are(hub: Hub):
    release(hub, 1, "Succeeded")
    release(hub, 2, "Blocked")
    lines = hub.type("release").out.splitlines()
    assert lines[0].split() == ["NAME", "APPLICATION", "PHASE", "WAVE", "CLUSTERS", "AGE", "WHY"]
    assert lines[2].split()[:3] == ["shop-v2", "shop", "Blocked"]
    assert lines[2].endswith("for a reason")
    rows = hub.type("release", "list", "-o", "json").document["releases"]
    assert [row["phase"] for row in rows] == ["Succeeded", "Blocked"]


def test_one_release_is_shown_whole(hub: Hub):
    release(hub, 1, "Succeeded")
    release(hub, 2, "Blocked")
    assert "Release shop-v1  Succeeded" in hub.type("release", "show", "shop-v1").out
    assert hub.type("release", "show", "shop", "-o", "json").document["name"] == "shop-v2"


def test_releases_of_an_application_that_is_not_there_are_no_empty_list(hub: Hub):
    assert hub.type("release", "list", "shop").status == 0
    answer = hub.type("release", "list", "shpo")
    assert answer.status == 1
    assert answer.err.startswith('oneco: applications in namespace default: found "shpo"')
