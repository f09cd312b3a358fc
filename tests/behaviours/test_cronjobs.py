"""CronJobs start Jobs when they are due; times begin at 2027-01-15T08:00:00Z, a Friday."""

from __future__ import annotations

from typing import Any

import pytest

from oneco.clock import Instant
from oneco.kube.times import from_text, to_text
from oneco.worlds.behaviours import schedules
from oneco.worlds.behaviours.faults import CrashLoop
from tests.behaviours.a_cluster import a_cluster


def a_cron_job(schedule: str = "* * * * *", **spec: Any) -> Any:
    pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "shop/job:1"}]}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "tick"},
        "spec": {
            "schedule": schedule,
            "jobTemplate": {"spec": {"template": {"spec": pod}, "backoffLimit": 0}},
            **spec,
        },
    }


def jobs(cluster) -> list[str]:
    return [one["metadata"]["name"] for one in cluster.all("jobs")]


def test_each_due_time_gets_a_job_named_by_its_minute():
    cluster = a_cluster()
    cluster.create("cronjobs", a_cron_job())
    assert jobs(cluster.after(59)) == []
    assert jobs(cluster.after(62)) == ["tick-30000001", "tick-30000002"]
    assert cluster.get("cronjobs", "tick")["status"] == {
        "active": [
            {
                "apiVersion": "batch/v1",
                "kind": "Job",
                "name": "tick-30000002",
                "namespace": "default",
                "uid": cluster.get("jobs", "tick-30000002")["metadata"]["uid"],
            }
        ],
        "lastScheduleTime": "2027-01-15T08:02:00Z",
        "lastSuccessfulTime": cluster.get("jobs", "tick-30000001")["status"]["completionTime"],
    }


def test_old_jobs_are_forgotten_beyond_the_history_wanted():
    cluster = a_cluster()
    cluster.create("cronjobs", a_cron_job(successfulJobsHistoryLimit=2))
    assert jobs(cluster.after(660 + 50)) == ["tick-30000010", "tick-30000011"]


def test_only_one_failed_job_is_kept():
    cluster = a_cluster(CrashLoop(image="shop/job:1"))
    cluster.create("cronjobs", a_cron_job())
    cluster.after(330)
    failed = [
        one["metadata"]["name"]
        for one in cluster.all("jobs")
        if any(row["type"] == "Failed" for row in one["status"].get("conditions", ()))
    ]
    assert failed == ["tick-30000005"]


@pytest.mark.parametrize(
    ("policy", "running"),
    [("Allow", ["2", "3", "4"]), ("Forbid", ["3"]), ("Replace", ["4"])],
)
def test_the_policy_says_what_happens_to_a_job_that_still_runs(policy, running):
    cluster = a_cluster()
    body = a_cron_job(concurrencyPolicy=policy)
    body["spec"]["jobTemplate"]["spec"]["completions"] = 25
    cluster.create("cronjobs", body)
    cluster.after(250)
    active = cluster.get("cronjobs", "tick")["status"]["active"]
    assert [one["name"][-1] for one in active] == running


def test_a_suspended_one_starts_nothing():
    cluster = a_cluster()
    cluster.create("cronjobs", a_cron_job(suspend=True))
    assert jobs(cluster.after(300)) == []
    cluster.patch("cronjobs", "tick", {"suspend": False})
    assert jobs(cluster.after(1)) == ["tick-30000005"]


@pytest.mark.parametrize(
    ("schedule", "zone", "due"),
    [
        ("*/15 * * * *", "", "2027-01-15T08:15:00Z"),
        ("30 7 * * *", "", "2027-01-16T07:30:00Z"),
        ("0 9-17/4 * * mon-fri", "", "2027-01-15T09:00:00Z"),
        ("0 0 29 2 *", "", "2028-02-29T00:00:00Z"),
        ("0 0 1 * sun", "", "2027-01-17T00:00:00Z"),
        ("5/20 8 * * *", "", "2027-01-15T08:05:00Z"),
        ("0 9 * * *", "Europe/Berlin", "2027-01-16T08:00:00Z"),
        ("30 2 28 3 *", "Europe/Berlin", "2028-03-28T00:30:00Z"),
        ("@monthly", "", "2027-02-01T00:00:00Z"),
        ("@every 90m", "", "2027-01-15T09:30:00Z"),
    ],
)
def test_a_schedule_says_when_it_is_due_next(schedule, zone, due):
    begin = Instant(from_text("2027-01-15T08:00:00Z"))
    found = schedules.following(schedules.parsed(schedule), begin, zone)
    assert found is not None
    assert to_text(found) == due


def test_a_day_that_never_comes_is_never_due():
    begin = Instant(from_text("2027-01-15T08:00:00Z"))
    assert schedules.following(schedules.parsed("0 0 31 2 *"), begin) is None
