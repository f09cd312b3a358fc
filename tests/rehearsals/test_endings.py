"""How releases end: a good version, and bad ones of every sort."""

from __future__ import annotations

from tests.rehearsals.given import (
    application,
    crashing,
    failing_more,
    fleet,
    looked_at,
    never_ready,
    rehearse,
    service,
    settings,
    slow_to_start,
    until,
    versions,
)

QUARTERS = ("25%", "50%", "100%")


def test_a_good_version_reaches_every_cluster_in_the_order_of_danger():
    ending = (
        rehearse(seed=11)
        .given(fleet(production=2, test=1, canary=1), application(batches=["50%", "100%"]))
        .ends()
    )
    assert ending.outcome == "succeeded"
    assert ending.clusters("UnitSucceeded") == [
        "test-1",
        "canary-1",
        "production-1",
        "production-2",
    ]
    assert set(ending.images().values()) == {"shop/web:v2"}


def test_a_version_that_crashes_is_taken_back_from_the_one_cluster_it_reached():
    ending = (
        rehearse(seed=11)
        .given(fleet(test=1, production=3), application(batches=QUARTERS, batchSilence="1m"))
        .when(crashing("v2"))
        .ends()
    )
    assert ending.outcome == "rolledBack"
    assert ending.clusters("UnitRolledBack") == ["test-1"]
    assert set(ending.images().values()) == {"shop/web:v1"}
    assert ending.report.max_exposed_share == 1 / 16


def test_a_crash_in_production_alone_takes_the_earlier_waves_back_too():
    ending = (
        rehearse(seed=11)
        .given(fleet(test=1, production=2), application(batches=QUARTERS, batchSilence="1m"))
        .when(crashing("v2", only=["production-2"]))
        .ends()
    )
    assert ending.outcome == "rolledBack"
    assert sorted(ending.clusters("UnitRolledBack")) == ["production-1", "production-2", "test-1"]
    assert set(ending.images().values()) == {"shop/web:v1"}


def test_a_version_that_never_gets_ready_fails_at_the_deadline_of_its_first_batch():
    ending = (
        rehearse(seed=11)
        .given(fleet(test=1, production=1), application(batches=QUARTERS, progressDeadline="5m"))
        .when(never_ready("v2"))
        .ends()
    )
    assert ending.outcome == "rolledBack"
    assert "got no further within 5m: 0 of 1 new pods of web are ready" in ending.message
    assert 300 < ending.report.virtual_seconds < 330


def test_pods_that_start_slower_than_the_deadline_allows_fail_and_slower_ones_within_do_not():
    def story(delay):
        return (
            rehearse(seed=11)
            .given(fleet(test=1), application(batches=["50%", "100%"], progressDeadline="5m"))
            .when(slow_to_start("v2", by=delay))
            .ends()
        )

    assert story("6m").outcome == "rolledBack"
    assert story("4m").outcome == "succeeded"


def test_errors_that_rise_after_ten_minutes_are_found_in_a_silence_of_fifteen():
    checks = [{"name": "errors", "metric": "errors", "maxIncrease": 0.5}]
    ending = (
        rehearse(seed=11)
        .given(
            fleet(canary=1, production=2),
            application(batches=QUARTERS, batchSilence="15m", checks=checks),
        )
        .when(failing_more("v2", after="10m"))
        .ends()
    )
    assert ending.outcome == "rolledBack"
    assert ending.clusters("CheckFailed") == ["canary-1"]
    assert 600 < ending.happened("CheckFailed")[0].at < 910
    assert ending.report.max_exposed_share == 1 / 12


def test_errors_that_rise_in_the_silence_of_a_wave_stop_the_next_one():
    checks = [{"name": "errors", "metric": "errors", "maxIncrease": 0.5}]
    ending = (
        rehearse(seed=11)
        .given(
            fleet(canary=1, production=2),
            application(batches=QUARTERS, batchSilence="1m", waveSilence="2h", checks=checks),
        )
        .when(failing_more("v2", after="1h"))
        .ends()
    )
    assert ending.outcome == "rolledBack"
    assert ending.clusters("CheckFailed") == ["canary-1"]
    assert 3600 < ending.happened("CheckFailed")[0].at < 3910


def test_a_metric_that_nobody_measures_is_never_a_pass():
    checks = [{"name": "slow", "metric": "latency", "maxIncrease": 0.5}]
    ending = (
        rehearse(seed=11)
        .given(fleet(canary=1), application(batches=QUARTERS, batchSilence="1m", checks=checks))
        .ends()
    )
    assert ending.outcome == "rolledBack"
    assert "check slow has no data: no latency of new pods" in ending.message


def test_a_wave_that_no_cluster_is_in_is_told():
    waves = [{"name": "moon", "environments": ["moon"]}, {"name": "test", "environments": ["test"]}]
    ending = rehearse(seed=11).given(fleet(test=1), application(waves=waves)).ends()
    (planned,) = ending.happened("Planned")
    assert planned.why == "1 cluster in 1 wave; no cluster is in wave moon"


def test_errors_that_nobody_checks_are_not_found():
    ending = (
        rehearse(seed=11)
        .given(fleet(canary=1), application(batches=QUARTERS, batchSilence="15m"))
        .when(failing_more("v2", after="10m"))
        .ends()
    )
    assert ending.outcome == "succeeded"


def test_a_bad_version_is_blocked_where_the_policy_says_so():
    ending = (
        rehearse(seed=11)
        .given(
            fleet(test=1, production=1),
            application(batches=QUARTERS, batchSilence="1m", onFailure="Block"),
        )
        .when(crashing("v2"))
        .ends()
    )
    assert ending.outcome == "blocked"
    assert ending.images() == {"test-1": "shop/web:v2", "production-1": "shop/web:v1"}
    assert ending.report.max_exposed_share == 1 / 8


def test_a_first_delivery_that_fails_is_taken_off_again():
    ending = (
        rehearse(seed=11)
        .given(
            fleet(test=1, production=1),
            versions(None, "v1"),
            application(
                service("web"), settings(colour="red"), progressDeadline="5m", batchSilence="1m"
            ),
        )
        .when(crashing("v1"))
        .ends()
    )
    assert ending.outcome == "rolledBack"
    assert set(ending.images().values()) == {""}
    assert ending.clusters("UnitRolledBack") == ["test-1"]


def test_a_first_delivery_waits_for_pods_that_crash_only_at_first():
    ending = (
        rehearse(seed=11)
        .given(
            fleet(test=1),
            versions(None, "v1"),
            application(progressDeadline="10m"),
            slow_to_start("v1", by="5m"),
        )
        .ends()
    )
    assert ending.outcome == "succeeded"


def test_several_workloads_advance_together_and_those_unchanged_are_left_alone():
    ending = (
        rehearse(seed=11)
        .given(
            fleet(test=1),
            application(
                service("web", pods=10),
                service("api", pods=4),
                service("old", image="shop/old:stable"),
                batches=["10%", "50%", "100%"],
            ),
            until("1d"),
        )
        .ends()
    )
    assert ending.outcome == "succeeded"
    assert ending.images("old") == {"test-1": "shop/old:stable"}
    # The agent's marks on it change with each revision, which counts as a generation; no new pods.
    revision = "deployment.kubernetes.io/revision"
    assert ending.world.deployment("test-1", "old")["metadata"]["annotations"][revision] == "1"
    assert [one.why for one in ending.happened("BatchStarted")] == [
        "batch 1 of 3 of shop-v2 begins",
        "batch 2 of 3 of shop-v2 begins",
        "batch 3 of 3 of shop-v2 begins",
    ]


def test_before_a_batch_of_no_pods_everything_else_of_a_version_is_there():
    seen: list[tuple[str, str, int]] = []

    def look(world):
        live = world.deployment("test-1", "web")
        (data,) = (one["data"] for one in world.member("test-1").scan("/configmaps", "default")
                   if one["metadata"]["name"] == "settings")  # fmt: skip
        image = live["spec"]["template"]["spec"]["containers"][0]["image"]
        seen.append((data["version"], image, live["status"].get("updatedReplicas", 0)))

    ending = (
        rehearse(seed=11)
        .given(
            fleet(test=1),
            application(
                service("web"),
                settings(version="{version}"),
                batches=["0%", "100%"],
                batchSilence="10m",
            ),
        )
        .when(looked_at(look, at="5m"))
        .ends()
    )
    assert seen == [("v2", "shop/web:v2", 0)]
    assert ending.outcome == "succeeded"


def test_a_version_that_cannot_be_delivered_at_all_fails_its_rehearsal():
    wrong = {"name": "odd", "type": "no-such-type", "properties": {"image": "{version}"}}

    def with_a_mistake(draft):
        draft.mistakes["v2"] = lambda application: application["spec"]["components"].append(wrong)

    ending = (
        rehearse(seed=11).given(fleet(test=1), application(), with_a_mistake, until("1h")).ends()
    )
    assert ending.outcome == "failed"
    assert "no-such-type" in ending.message


def test_a_workload_of_one_pod_is_compared_with_what_its_old_pod_failed():
    checks = [{"name": "errors", "metric": "errors", "maxIncrease": 0.5}]

    def outcome(*faults):
        return (
            rehearse(seed=11)
            .given(
                fleet(test=1),
                application(service("web", pods=1), batches=["100%"], checks=checks),
                *faults,
            )
            .ends()
            .outcome
        )

    assert outcome() == "succeeded"
    assert outcome(failing_more("v2", after="0s")) == "rolledBack"


def test_a_change_besides_the_pods_exposes_the_whole_cluster_from_the_first_batch_on():
    def share(setting):
        return (
            rehearse(seed=11)
            .given(
                fleet(test=1, production=3),
                application(
                    service("web"),
                    settings(colour=setting),
                    batches=QUARTERS,
                    batchSilence="1m",
                ),
            )
            .when(crashing("v2"))
            .ends()
            .report
        )

    unchanged, changed = share("red"), share("{version}")
    assert (unchanged.max_exposed_share, unchanged.max_exposed_clusters) == (1 / 16, 1)
    # On its way back the cluster has one pod more for a moment.
    assert (changed.max_exposed_share, changed.max_exposed_clusters) == (5 / 17, 1)
