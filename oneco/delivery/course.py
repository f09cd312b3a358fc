"""How far the stages of a delivery came, and what has to be released next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from oneco.clock import Instant
from oneco.delivery import releases
from oneco.delivery.placing import Group, Situation
from oneco.delivery.plan import Plan, Scope
from oneco.delivery.seen import ApplicationSeen
from oneco.delivery.workflow import Stage
from oneco.kinds.release import PolicySpec
from oneco.kube import times
from oneco.kube.objects import Object, dig

StepPhase = str
_BEGINS = "is being released"
_PHASES: Mapping[str, StepPhase] = {
    "Pending": "running",
    "Progressing": "running",
    "RollingBack": "running",
    "Paused": "suspending",
    "Blocked": "failed",
    "Succeeded": "succeeded",
    "RolledBack": "failed",
    "Aborted": "failed",
    "Superseded": "running",
}


class Progress(NamedTuple):
    """One stage: `phase` is KubeVela's word for its steps, `release` carries it out."""

    stage: Stage
    phase: StepPhase = "pending"
    message: str = ""
    release: Object | None = None


class Course(NamedTuple):
    """All stages, the Release that should be made now, and when to look again."""

    stages: tuple[Progress, ...]
    release: Object | None = None
    wake_at: Instant | None = None

    @property
    def phase(self) -> str:
        """The phase of the first stage that is not done; `succeeded` if all are."""
        return next((one.phase for one in self.stages if one.phase != "succeeded"), "succeeded")


class Wanted(NamedTuple):
    """A delivery as it should be: who gets what, of which revision, released how."""

    revision: str
    variants: Mapping[Scope, str]
    situation: Situation
    policy: PolicySpec | None


def follow(plan: Plan, seen: ApplicationSeen, wanted: Wanted, now: Instant) -> Course:
    """Go through the stages up to the first that is not done."""
    progress: list[Progress] = []
    situation = wanted.situation
    # A cluster that left the fleet cannot be asked to take anything off.
    left = (releases.held(seen) - situation.everywhere) & situation.places.every
    last = max((index for index, one in enumerate(plan.stages) if one.deploys), default=-1)
    for index, stage in enumerate(plan.stages):
        if progress and progress[-1].phase != "succeeded":
            progress.append(Progress(stage))
            continue
        if stage.awaits_resume:
            suspended = _suspended(seen, stage, wanted.revision, now)
            if suspended is not None:
                ends = _ends_at(seen, stage, wanted.revision, now)
                rest = tuple(Progress(one) for one in plan.stages[index + 1 :])
                return Course((*progress, suspended, *rest), wake_at=ends)
        gone = tuple(left) if index == last else ()
        made = _released(seen, stage, situation.stages[index], wanted, gone)
        progress.append(made[0])
        if made[1] is not None:
            rest = tuple(Progress(one) for one in plan.stages[index + 1 :])
            return Course((*progress, *rest), made[1])
    return Course(tuple(progress))


def _released(
    seen: ApplicationSeen,
    stage: Stage,
    groups: Sequence[Group],
    wanted: Wanted,
    left: tuple[str, ...],
) -> tuple[Progress, Object | None]:
    """How far a stage's release came, and the new Release where one is needed."""
    if not stage.deploys:
        return Progress(stage, "succeeded"), None
    targets = releases.targets([(wanted.variants[one.scope], one.clusters) for one in groups], left)
    before = releases.newest(seen, stage.name)
    is_alone = not stage.name
    if releases.is_needed(before, wanted.revision, targets, is_alone=is_alone):
        made = releases.make(seen, wanted.revision, stage.name, targets, wanted.policy)
        return Progress(stage, "running", _BEGINS, made), made
    if before is None:
        return Progress(stage, "running", "waits for a cluster to join the fleet"), None
    status = releases.status_of(before)
    phase = _PHASES[status.phase]
    return Progress(stage, phase, status.message or _BEGINS, before), None


def _suspended(seen: ApplicationSeen, stage: Stage, revision: str, now: Instant) -> Progress | None:
    """The stage as one that waits for a person; None once it was resumed."""
    step = _stored_step(seen, stage, revision)
    phase = dig(step or {}, "phase", default="pending")
    if phase not in ("pending", "suspending"):
        return None
    # The way of KubeVela: a person, or a tool of theirs, takes the mark away that was set here.
    is_marked = dig(seen.application, "status", "workflow", "suspend", default=False)
    if phase == "suspending" and not is_marked:
        return None
    ends = _ends_at(seen, stage, revision, now)
    if ends is not None and ends <= now:
        return None
    message = stage.message or "waits to be resumed"
    return Progress(stage, "suspending", message)


def _ends_at(seen: ApplicationSeen, stage: Stage, revision: str, now: Instant) -> Instant | None:
    if stage.resumes_after_seconds is None:
        return None
    step = _stored_step(seen, stage, revision) or {}
    since = dig(step, "firstExecuteTime")
    is_suspending = dig(step, "phase") == "suspending" and since
    started = times.from_text(since) if is_suspending else now
    return Instant(started + stage.resumes_after_seconds)


def _stored_step(seen: ApplicationSeen, stage: Stage, revision: str) -> Object | None:
    """What the status says of a stage in its course for this revision."""
    stored = dig(seen.application, "status", "workflow", default={})
    if stored.get("appRevision") != revision:
        return None
    name = stage.steps[0].name
    found = (one for one in stored.get("steps") or () if one.get("name") == name)
    return next(found, None)
