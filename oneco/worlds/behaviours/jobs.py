"""Jobs: pods that run to their end, as often as wanted, as many at once as allowed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from oneco.clock import Instant
from oneco.kube.objects import Object
from oneco.worlds.apiserver.store import Change, Key
from oneco.worlds.behaviours import instants, stages, statuses, templates
from oneco.worlds.behaviours.controller import Controller
from oneco.worlds.behaviours.hand import Hand
from oneco.worlds.behaviours.index import JOBS, PODS, Index, owner_of

_RETRY_SECONDS = 10.0
_LONGEST_RETRY_SECONDS = 360.0


class Jobs(Controller):
    """The Job controller of one cluster."""

    collections: ClassVar[tuple[str, ...]] = (JOBS, PODS)

    def __init__(self, hand: Hand, index: Index, stir: Callable[[], None]) -> None:
        super().__init__(hand, index, stir)
        self._is_any = False

    def notice(self, change: Change) -> None:
        """Look at a Job that changed, or whose pods did."""
        key, before, after = change.key, change.before, change.after
        if key.collection == JOBS:
            self._is_any = True
            if after is not None and (before is None or before["spec"] is not after["spec"]):
                self.mark(key)
            return
        if not self._is_any:
            return
        pod = after or before
        owner = owner_of(pod) if pod is not None else None
        if owner is not None and owner["kind"] == "Job":
            self.mark(Key(JOBS, key.namespace, owner["name"]))

    def reconcile(self, key: Key) -> None:
        """Start the pods that are still missing, and write how the Job gets on."""
        job = self.hand.store.get(key)
        if job is None or "deletionTimestamp" in job["metadata"]:
            return
        if _ended(job):
            self._forget_in_time(key, job)
            return
        pods = list(self.index.children(job["metadata"]["uid"]).values())
        outcome = self._outcome(key, job, pods)
        if outcome is not None:
            self._end(key, job, pods, outcome)
        elif job["spec"].get("suspend"):
            self._delete_active(pods)
            self._report(key, job, pods, ())
        else:
            self._start_missing(key, job, pods)
            pods = list(self.index.children(job["metadata"]["uid"]).values())
            self._report(key, job, pods, ())

    def _outcome(
        self, key: Key, job: Object, pods: Sequence[Object]
    ) -> tuple[str, str, str] | None:
        """The condition, reason and message that end the Job, if it is over."""
        spec = job["spec"]
        failed, succeeded = _ended_as(pods, "Failed"), _ended_as(pods, "Succeeded")
        restarts = sum(stages.restarts(pod) for pod in pods if statuses.is_active(pod))
        if failed + restarts > spec.get("backoffLimit", 6):
            return "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit"
        limit = spec.get("activeDeadlineSeconds")
        started = (job.get("status") or {}).get("startTime")
        if limit is not None and started is not None:
            end = Instant(instants.parsed(started) + limit)
            if end <= self.hand.now():
                return "Failed", "DeadlineExceeded", "Job was active longer than specified deadline"
            self.mark_at(end, key)
        completions = spec.get("completions")
        is_done = (
            succeeded > 0 and not _active(pods) if completions is None else succeeded >= completions
        )
        if is_done:
            return "Complete", "CompletionsReached", "Reached expected number of succeeded pods"
        return None

    def _start_missing(self, key: Key, job: Object, pods: Sequence[Object]) -> None:
        spec, active = job["spec"], len(_active(pods))
        parallelism, completions = spec.get("parallelism", 1), spec.get("completions")
        succeeded = _ended_as(pods, "Succeeded")
        wanted = parallelism
        if completions is not None:
            wanted = min(parallelism, completions - succeeded)
        elif succeeded:
            wanted = active
        retry = self._retry_at(pods)
        if active < wanted and retry is not None and retry > self.hand.now():
            self.mark_at(retry, key)
            return
        for _ in range(wanted - active):
            self._create(key, job)
        for pod in _active(pods)[: max(0, active - wanted)]:
            self.hand.delete(Key(PODS, key.namespace, pod["metadata"]["name"]))

    def _retry_at(self, pods: Sequence[Object]) -> Instant | None:
        """When a Job whose pods failed may start another."""
        ends = [
            instants.parsed(container["state"]["terminated"]["finishedAt"])
            for pod in pods
            if pod["status"].get("phase") == "Failed"
            for container in pod["status"].get("containerStatuses") or ()
            if "terminated" in container["state"]
        ]
        if not ends:
            return None
        wait = min(_LONGEST_RETRY_SECONDS, _RETRY_SECONDS * 2 ** min(len(ends) - 1, 10))
        return Instant(max(ends) + wait)

    def _create(self, key: Key, job: Object) -> None:
        uid, template = job["metadata"]["uid"], job["spec"]["template"]
        for label, value in (
            ("batch.kubernetes.io/controller-uid", uid), ("batch.kubernetes.io/job-name", key.name),
            ("controller-uid", uid), ("job-name", key.name),
        ):  # fmt: skip
            if ((template.get("metadata") or {}).get("labels") or {}).get(label) != value:
                template = templates.with_label(template, label, value)
        made = templates.mould({"apiVersion": "batch/v1", "kind": "Job", **job}, template)
        name = f"{key.name}-{self.hand.word(5, uid)}"
        body = {"metadata": made.metadata, "spec": made.spec, "status": made.status}
        self.hand.create(
            Key(PODS, key.namespace, name), {"apiVersion": "v1", "kind": "Pod", **body}
        )

    def _end(
        self, key: Key, job: Object, pods: Sequence[Object], outcome: tuple[str, str, str]
    ) -> None:
        kind, reason, message = outcome
        first = "SuccessCriteriaMet" if kind == "Complete" else "FailureTarget"
        self._delete_active(pods)
        conditions = [
            {
                "type": one,
                "status": "True",
                "lastProbeTime": self.hand.now_text(),
                "lastTransitionTime": self.hand.now_text(),
                "reason": reason,
                "message": message,
            }
            for one in (first, kind)
        ]
        pods = list(self.index.children(job["metadata"]["uid"]).values())
        ended = self._report(key, job, pods, conditions)
        self._forget_in_time(key, ended)

    def _delete_active(self, pods: Sequence[Object]) -> None:
        for pod in _active(pods):
            metadata = pod["metadata"]
            self.hand.delete(Key(PODS, metadata["namespace"], metadata["name"]))

    def _report(
        self, key: Key, job: Object, pods: Sequence[Object], conditions: Sequence[Object]
    ) -> Object:
        old = job.get("status") or {}
        active = _active(pods)
        status: dict[str, Any] = {
            "ready": sum(statuses.is_ready(pod) for pod in active),
            "terminating": sum("deletionTimestamp" in pod["metadata"] for pod in pods),
            "uncountedTerminatedPods": {},
        }
        if not job["spec"].get("suspend"):
            status["startTime"] = old.get("startTime") or self.hand.now_text()
        counts = {
            "active": len(active),
            "succeeded": _ended_as(pods, "Succeeded"),
            "failed": _ended_as(pods, "Failed"),
        }
        status.update((name, number) for name, number in counts.items() if number)
        if conditions:
            status["conditions"] = conditions
            if conditions[-1]["type"] == "Complete":
                status["completionTime"] = self.hand.now_text()
        return job if status == old else self.hand.report(key, job, status)

    def _forget_in_time(self, key: Key, job: Object) -> None:
        patience, ended = job["spec"].get("ttlSecondsAfterFinished"), _ended(job)
        if patience is None or ended is None:
            return
        end = Instant(instants.parsed(ended) + patience)
        if end <= self.hand.now():
            self.hand.delete(key)
        else:
            self.mark_at(end, key)


def _ended(job: Object) -> str | None:
    """Since when the Job is complete or failed."""
    for condition in (job.get("status") or {}).get("conditions") or ():
        if condition["type"] in ("Complete", "Failed") and condition["status"] == "True":
            return str(condition["lastTransitionTime"])
    return None


def _active(pods: Sequence[Object]) -> list[Object]:
    found = [pod for pod in pods if statuses.is_active(pod)]
    return sorted(found, key=lambda pod: str(pod["metadata"]["name"]))


def _ended_as(pods: Sequence[Object], phase: str) -> int:
    return sum((pod.get("status") or {}).get("phase") == phase for pod in pods)
