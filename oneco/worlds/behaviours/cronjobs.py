"""CronJobs: a Job each time that the schedule is due, and as much history as wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from oneco.clock import Instant
from oneco.kube.objects import Object
from oneco.kube.times import to_text
from oneco.worlds.apiserver.store import Change, Key
from oneco.worlds.behaviours import chances, histories, instants, schedules, templates
from oneco.worlds.behaviours.controller import Controller
from oneco.worlds.behaviours.index import CRON_JOBS, JOBS

_TIME_ANNOTATION = "batch.kubernetes.io/cronjob-scheduled-timestamp"
# More missed times than this are not looked through: the last of so many is taken.
_MISSED = 20_000
_JOB = {
    "parallelism": 1, "backoffLimit": 6, "completionMode": "NonIndexed", "suspend": False,
    "podReplacementPolicy": "TerminatingOrFailed", "manualSelector": False,
}  # fmt: skip


class CronJobs(Controller):
    """The CronJob controller of one cluster."""

    collections: ClassVar[tuple[str, ...]] = (CRON_JOBS, JOBS)

    def notice(self, change: Change) -> None:
        """Look at a CronJob that changed, or whose Jobs did."""
        key, before, after = change.key, change.before, change.after
        if key.collection == CRON_JOBS:
            if after is not None and (before is None or before["spec"] is not after["spec"]):
                self.mark(key)
            return
        owner = histories.owner_key(CRON_JOBS, "CronJob", after or before)
        if owner is not None and (after is None or before is None or _end(after) != _end(before)):
            self.mark(owner)

    def reconcile(self, key: Key) -> None:
        """Start a Job if one is due, forget old ones, and write the status."""
        owner = self.hand.store.get(key)
        if owner is None or "deletionTimestamp" in owner["metadata"]:
            return
        self._forget(owner)
        last = (owner.get("status") or {}).get("lastScheduleTime")
        if not owner["spec"].get("suspend"):
            due = self._missed(key, owner, last)
            if due is not None and self._start(key, owner, due):
                last = to_text(due)
        self._report(key, owner, last)

    def _jobs(self, owner: Object) -> list[Object]:
        children = self.index.children(owner["metadata"]["uid"]).values()
        jobs = [child for child in children if child["kind"] == "Job"]
        return sorted(jobs, key=lambda job: (job["metadata"]["creationTimestamp"], _name(job)))

    def _missed(self, key: Key, owner: Object, last: str | None) -> Instant | None:
        """The last time at which a Job should have started and has not; else comes back later."""
        spec, now = owner["spec"], self.hand.now()
        since = instants.parsed(last or owner["metadata"]["creationTimestamp"])
        limit = spec.get("startingDeadlineSeconds")
        if limit is not None:
            since = max(since, Instant(now - limit))
        schedule, zone = schedules.parsed(spec["schedule"]), spec.get("timeZone") or ""
        found = None
        coming = schedules.following(schedule, since, zone)
        for _ in range(_MISSED):
            if coming is None or coming > now:
                break
            found = coming
            coming = schedules.following(schedule, coming, zone)
        if coming is not None:
            self.mark_at(max(coming, now), key)
        return found

    def _start(self, key: Key, owner: Object, due: Instant) -> bool:
        """Whether the Job of that time was started, now or before."""
        active = [job for job in self._jobs(owner) if _end(job) is None]
        policy = owner["spec"].get("concurrencyPolicy", "Allow")
        if active and policy == "Forbid":
            return False  # its end brings us back
        if policy == "Replace":
            for job in active:
                self.hand.delete(Key(JOBS, key.namespace, _name(job)))
        place = Key(JOBS, key.namespace, f"{key.name}-{int(due) // 60}")
        if self.hand.store.get(place) is None:
            self.hand.create(place, self._job(owner, place, due))
        return True

    def _job(self, owner: Object, place: Key, due: Instant) -> Object:
        given = owner["spec"]["jobTemplate"]
        meta, spec = given.get("metadata") or {}, given["spec"]
        uid = chances.uid(self.hand.seed, self.hand.cluster, owner["metadata"]["uid"], place.name)
        template = spec["template"]
        for label, value in (
            ("batch.kubernetes.io/controller-uid", uid),
            ("batch.kubernetes.io/job-name", place.name),
            ("controller-uid", uid),
            ("job-name", place.name),
        ):
            template = templates.with_label(template, label, value)
        whole: dict[str, Any] = {**_JOB, **spec, "template": template}
        if spec.get("parallelism") is None and spec.get("completions") is None:
            whole["completions"] = 1
        whole["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {
                "uid": uid,
                "labels": {**(meta.get("labels") or {}), **template["metadata"]["labels"]},
                "annotations": {**(meta.get("annotations") or {}), _TIME_ANNOTATION: to_text(due)},
                "ownerReferences": [templates.owner_reference(owner)],
            },
            "spec": whole,
            "status": {},
        }

    def _forget(self, owner: Object) -> None:
        ended = [job for job in self._jobs(owner) if _end(job) is not None]
        for kind, field, usual in (
            ("Complete", "successfulJobsHistoryLimit", 3),
            ("Failed", "failedJobsHistoryLimit", 1),
        ):
            limit = owner["spec"].get(field)
            found = [job for job in ended if _end(job) == kind]
            for job in found[: max(0, len(found) - (usual if limit is None else limit))]:
                self.hand.delete(Key(JOBS, job["metadata"]["namespace"], _name(job)))

    def _report(self, key: Key, owner: Object, last: str | None) -> None:
        jobs, old = self._jobs(owner), owner.get("status") or {}
        status: dict[str, Any] = {}
        active = [_reference(job) for job in jobs if _end(job) is None]
        if active:
            status["active"] = active
        if last is not None:
            status["lastScheduleTime"] = last
        succeeded = _successes(jobs, old.get("lastSuccessfulTime"))
        if succeeded:
            status["lastSuccessfulTime"] = max(succeeded)
        if status != old:
            self.hand.report(key, owner, status)


def _successes(jobs: Sequence[Object], before: str | None) -> list[str]:
    times = [(job.get("status") or {}).get("completionTime") for job in jobs]
    return [time for time in (*times, before) if time]


def _reference(job: Object) -> Object:
    metadata = job["metadata"]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }


def _end(job: Object) -> str | None:
    """How the Job ended, if it has."""
    for one in (job.get("status") or {}).get("conditions") or ():
        if one["type"] in ("Complete", "Failed") and one["status"] == "True":
            return str(one["type"])
    return None


def _name(job: Object) -> str:
    return str(job["metadata"]["name"])
