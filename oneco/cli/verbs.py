"""What a person may ask of a release in which state, and what comes of it; pure."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

from oneco.errors import Refused
from oneco.kinds.parts import parse
from oneco.kinds.release import FINAL_PHASES, ReleaseSpec, ReleaseStatus
from oneco.kube import objects
from oneco.kube.objects import Object

Verb = Literal["pause", "resume", "abort", "rollback"]

VERBS: Final[dict[Verb, str]] = {
    "pause": "Update nothing more until it is resumed.",
    "resume": "Go on after a pause.",
    "abort": "End it; what it has changed stays as it is.",
    "rollback": "Put back what ran before, everywhere it was changed.",
}


class Answer(NamedTuple):
    """The change of the Release's spec, empty where there is nothing to do, in words."""

    change: dict[str, Any]
    did: str
    next: str


def ask(verb: Verb, release: Object, newest: str) -> Answer:
    """What `verb` does to this release; Refused where its state does not allow it."""
    spec = parse(ReleaseSpec, release.get("spec"), "spec")
    status = parse(ReleaseStatus, release.get("status"), "status")
    return _ANSWERS[verb](_Asked(release, spec, status, newest))


class _Asked(NamedTuple):
    release: Object
    spec: ReleaseSpec
    status: ReleaseStatus
    newest: str

    @property
    def where(self) -> str:
        return f"release {objects.name(self.release)}"

    @property
    def found(self) -> str:
        return self.status.phase

    @property
    def is_over(self) -> bool:
        return self.status.phase in FINAL_PHASES


def _pause(asked: _Asked) -> Answer:
    if asked.is_over or asked.status.phase == "RollingBack" or asked.spec.request:
        raise Refused(asked.where, found=_found(asked), wanted="a release that is under way")
    if asked.status.phase == "Blocked":
        wanted = "a release that is under way; a blocked one updates nothing anyway"
        raise Refused(asked.where, found="Blocked", wanted=wanted)
    if asked.spec.paused:
        return Answer({}, "is paused already", _AFTER_PAUSE.format(name=_name(asked)))
    return Answer({"paused": True}, "is paused", _AFTER_PAUSE.format(name=_name(asked)))


_AFTER_PAUSE: Final = (
    "Pods of the current batch that are being replaced are finished; nothing more is updated"
    " until `oneco release resume {name}`."
)


def _resume(asked: _Asked) -> Answer:
    if asked.spec.paused and not asked.is_over:
        return Answer({"paused": False}, "goes on", "It continues with the batch it was at.")
    if asked.status.phase == "Blocked":
        wanted = "a paused release; a blocked one is rolled back, aborted or overtaken"
        raise Refused(asked.where, found="Blocked", wanted=wanted)
    raise Refused(asked.where, found=_found(asked), wanted="a paused release")


def _abort(asked: _Asked) -> Answer:
    if asked.is_over or asked.status.phase == "RollingBack":
        raise Refused(asked.where, found=_found(asked), wanted="a release that is under way")
    if asked.spec.request == "Abort":
        return Answer({}, "is being aborted already", _AFTER_ABORT)
    return Answer({"request": "Abort"}, "is aborted", _AFTER_ABORT)


_AFTER_ABORT: Final = (
    "What it has changed stays as it is, so clusters may run different versions;"
    " apply again to release anew, or roll back."
)


def _rollback(asked: _Asked) -> Answer:
    phase = asked.status.phase
    name = objects.name(asked.release)
    if asked.newest and asked.newest != name:
        wanted = f"the newest release of the application, {asked.newest}"
        raise Refused(asked.where, found=f"an older release ({phase})", wanted=wanted)
    if phase in ("RolledBack", "Superseded"):
        raise Refused(asked.where, found=phase, wanted="a release whose changes are still there")
    if phase == "Pending":
        wanted = "a release that has begun; `oneco release abort` ends one that has not"
        raise Refused(asked.where, found=phase, wanted=wanted)
    if phase == "RollingBack" or asked.spec.request == "Rollback":
        return Answer({}, "is being rolled back already", _AFTER_ROLLBACK)
    return Answer({"request": "Rollback"}, "is rolled back", _AFTER_ROLLBACK)


_AFTER_ROLLBACK: Final = (
    "Every cluster that it touched gets back what last ran well there, all at once;"
    " `oneco status -w` shows it."
)


def _found(asked: _Asked) -> str:
    if asked.spec.request and not asked.is_over:
        return f"{asked.status.phase}, and {asked.spec.request.lower()} was asked for"
    return asked.status.phase


def _name(asked: _Asked) -> str:
    return objects.name(asked.release)


_ANSWERS: Final = {"pause": _pause, "resume": _resume, "abort": _abort, "rollback": _rollback}
