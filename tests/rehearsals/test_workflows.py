"""Deliveries in steps: the rehearsal ends with the last of them, and says what is in the way."""

from __future__ import annotations

import pytest

from oneco.errors import Refused
from tests.rehearsals.given import (
    application,
    fleet,
    rehearse,
    service,
    somebody,
    until,
    versions,
)

TOPOLOGIES = [
    {
        "name": name,
        "type": "topology",
        "properties": {"clusterLabelSelector": {"onepersoncompany.io/environment": name}},
    }
    for name in ("test", "production")
]


def steps(*between):
    def put(draft):
        draft.application["spec"]["workflow"] = {
            "steps": [
                {"name": "first", "type": "deploy", "properties": {"policies": ["test"]}},
                *between,
                {"name": "second", "type": "deploy", "properties": {"policies": ["production"]}},
            ]
        }

    return put


def story(*between):
    return (
        rehearse(seed=11)
        .given(
            fleet(test=1, production=1),
            application(policies=TOPOLOGIES, batches=["50%", "100%"], waveSilence="5m"),
            steps(*between),
            until("1d"),
        )
        .ends()
    )


def test_a_rehearsal_ends_with_the_last_step_and_tells_the_waves_of_all():
    ending = story({"name": "wait", "type": "suspend", "properties": {"duration": "2h"}})
    assert ending.outcome == "succeeded"
    assert ending.clusters("UnitSucceeded") == ["test-1", "production-1"]
    assert 7200 < ending.report.virtual_seconds < 9000
    assert [one.name for one in ending.report.waves] == ["test", "production"]


def test_a_step_that_waits_for_a_person_is_told_when_nobody_comes():
    ending = story({"name": "wait", "type": "suspend"})
    assert ending.outcome == "failed"
    assert ending.message == "not at an end after 1d: waits to be resumed"
    (told,) = ending.happened("TimeIsUp")
    assert (told.at, told.why) == (86400.0, ending.message)


def test_a_version_like_the_one_that_runs_succeeds_at_once():
    ending = rehearse(seed=11).given(fleet(test=2), application(), versions("v1", "v1")).ends()
    assert ending.outcome == "succeeded"
    assert ending.report.virtual_seconds <= 10.0
    assert [one.what for one in ending.report.events] == ["NothingChanged"]


def test_what_runs_already_is_delivered_before_policies_of_release_count():
    policy = {
        "apiVersion": "onepersoncompany.io/v1alpha1",
        "kind": "ReleasePolicy",
        "metadata": {"name": "slow", "namespace": "default"},
        "spec": {"waveSilence": "1h", "waves": [{"name": "one", "upTo": 1}, {"name": "rest"}]},
    }
    ending = (
        rehearse(seed=11)
        .given(fleet(test=3), application(), lambda draft: draft.others.append(policy))
        .ends()
    )
    assert ending.outcome == "succeeded"
    assert 7200 < ending.report.virtual_seconds < 7300


def test_a_pause_for_ever_is_told_with_its_reason():
    ending = (
        rehearse(seed=11)
        .given(fleet(test=1), application(batches=["50%", "100%"], batchSilence="10m"), until("7d"))
        .when(somebody("pause", at="5m"))
        .ends()
    )
    assert ending.outcome == "failed"
    assert ending.message.startswith("not at an end after 7d: somebody paused it")


def test_a_version_that_does_not_run_beforehand_is_nothing_to_rehearse_on():
    with pytest.raises(Refused, match="110 of 120 new pods of web are ready"):
        rehearse(seed=11).given(
            fleet(test=1, nodes=1), application(service("web", pods=120))
        ).ends()
