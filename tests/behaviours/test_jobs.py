"""Jobs run their pods to the end and say so."""

from __future__ import annotations

from oneco.worlds.behaviours.faults import CrashLoop, Window
from tests.behaviours.a_cluster import a_cluster


def a_job(**spec):
    pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "shop/job:1"}]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "migrate"},
        "spec": {"template": {"spec": pod}, **spec},
    }


def test_a_job_completes_when_its_pods_have():
    cluster = a_cluster()
    cluster.create("jobs", a_job(completions=3, parallelism=2))
    cluster.after(3)
    assert cluster.status("jobs", "migrate") == {"active": 2, "ready": 2, "terminating": 0}
    cluster.after(60)
    assert cluster.status("jobs", "migrate") == {"ready": 0, "succeeded": 3, "terminating": 0}
    assert cluster.conditions("jobs", "migrate") == [
        ("SuccessCriteriaMet", "True", "CompletionsReached"),
        ("Complete", "True", "CompletionsReached"),
    ]
    assert [pod["status"]["phase"] for pod in cluster.pods()] == ["Succeeded"] * 3
    found = cluster.get("jobs", "migrate")["status"]
    assert found["startTime"] == "2027-01-15T08:00:00Z"
    assert found["completionTime"] == "2027-01-15T08:00:14Z"


def test_a_job_fails_after_its_backoff_limit():
    cluster = a_cluster(CrashLoop(image="shop/job:1"))
    cluster.create("jobs", a_job(backoffLimit=2))
    cluster.after(600)
    assert cluster.status("jobs", "migrate")["failed"] == 3
    assert cluster.conditions("jobs", "migrate") == [
        ("FailureTarget", "True", "BackoffLimitExceeded"),
        ("Failed", "True", "BackoffLimitExceeded"),
    ]


def test_a_failed_pod_is_tried_again():
    fault = CrashLoop(image="shop/job:1", window=Window(until_seconds=5))
    cluster = a_cluster(fault)
    cluster.create("jobs", a_job())
    cluster.after(600)
    found = cluster.status("jobs", "migrate")
    assert (found["failed"], found["succeeded"]) == (1, 1)


def test_a_job_past_its_deadline_fails():
    cluster = a_cluster()
    cluster.create("jobs", a_job(activeDeadlineSeconds=4))
    cluster.after(60)
    assert cluster.conditions("jobs", "migrate")[-1] == ("Failed", "True", "DeadlineExceeded")


def test_a_finished_job_goes_after_its_time_with_its_pods():
    cluster = a_cluster()
    cluster.create("jobs", a_job(ttlSecondsAfterFinished=100))
    cluster.after(60)
    assert len(cluster.all("jobs")) == 1
    cluster.after(100)
    assert not cluster.all("jobs") and not cluster.all("pods")


def test_a_suspended_job_starts_nothing():
    cluster = a_cluster()
    cluster.create("jobs", a_job(suspend=True))
    cluster.after(60)
    assert not cluster.all("pods")
    cluster.patch("jobs", "migrate", {"suspend": False})
    cluster.after(60)
    assert cluster.conditions("jobs", "migrate")[-1][0] == "Complete"
