"""The check runs by which a unit asks how its new pods do beside the old ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from oneco.clock import Instant
from oneco.decision import Action, Change, Create, Delete
from oneco.kinds.parts import build
from oneco.kinds.release import (
    CHECK_RUNS,
    UNIT_LABEL,
    UNITS,
    CheckPolicy,
    CheckRunSpec,
    CheckRunStatus,
    ObjectRef,
)
from oneco.kube import objects, times
from oneco.kube.api import DeleteOptions, Patch
from oneco.kube.objects import Object
from oneco.kube.refs import Address
from oneco.release.seen import UnitSeen


class Question(NamedTuple):
    """One check of a unit as it stands in this release."""

    policy: CheckPolicy
    run: Object | None
    """Its object, which may still be another release's."""
    spec: CheckRunSpec | None
    """What this release asked last."""
    answer: CheckRunStatus
    """The answer to exactly that, empty while there is none."""

    @property
    def asked_at(self) -> Instant:
        """When it was asked last; at the beginning of time if never."""
        return _instant(self.spec.asked_at) if self.spec is not None else Instant(0)

    @property
    def first_asked_at(self) -> Instant:
        """Since when it has been repeated because nobody could answer it."""
        first = self.spec.first_asked_at if self.spec is not None else ""
        return _instant(first) if first else self.asked_at


def find(seen: UnitSeen) -> list[Question]:
    """The checks of the unit's policy, each with what was asked and answered so far."""
    return [_find(seen, policy) for policy in seen.policy.checks]


def ask(
    seen: UnitSeen, question: Question, workloads: Sequence[ObjectRef], at: Instant
) -> tuple[Action, ...]:
    """Ask about the new pods of these workloads."""
    return _ask(seen, question, _spec(seen, question.policy, workloads, at))


def repeat(
    seen: UnitSeen, question: Question, workloads: Sequence[ObjectRef], at: Instant
) -> tuple[Action, ...]:
    """Ask again what nobody could answer."""
    first = times.to_micro_text(question.first_asked_at)
    return _ask(seen, question, _spec(seen, question.policy, workloads, at, first_asked_at=first))


def ask_before(seen: UnitSeen, question: Question, at: Instant) -> tuple[Action, ...]:
    """Ask how the pods do that will be replaced, while they are all there is."""
    objects_seen = seen.observed.objects if seen.observed is not None else ()
    workloads = [one.ref for one in objects_seen if one.replicas]
    return _ask(seen, question, _spec(seen, question.policy, workloads, at, is_before=True))


def _find(seen: UnitSeen, policy: CheckPolicy) -> Question:
    for run, spec, status in seen.checks:
        if spec.check.name == policy.name:
            if spec.release != seen.spec.release:
                return Question(policy, run, None, CheckRunStatus())
            is_answer = bool(status.answered_at) and status.answered_at >= spec.asked_at
            return Question(policy, run, spec, status if is_answer else CheckRunStatus())
    return Question(policy, None, None, CheckRunStatus())


def _spec(
    seen: UnitSeen,
    policy: CheckPolicy,
    workloads: Sequence[ObjectRef],
    at: Instant,
    **more: object,
) -> Object:
    asked_at = times.to_micro_text(at)
    whole = {
        "check": policy,
        "cluster": seen.spec.cluster,
        "release": seen.spec.release,
        "application": seen.spec.application,
        "application_namespace": seen.spec.application_namespace,
        "new_revision": seen.spec.revision,
        "asked_at": asked_at,
        "first_asked_at": asked_at,
        "workloads": tuple(
            ObjectRef(
                api_version=one.api_version, kind=one.kind, namespace=one.namespace, name=one.name
            )
            for one in workloads
        ),
    }
    return build(CheckRunSpec(**{**whole, **more}))  # type: ignore[arg-type]


def _ask(seen: UnitSeen, question: Question, spec: Object) -> tuple[Action, ...]:
    name = f"{seen.name}-{question.policy.name}"
    place = Address(CHECK_RUNS, objects.namespace(seen.unit), name)
    if question.spec is not None:
        # The patch takes back what only the question before said.
        whole = {"isBefore": None, **spec}
        return (Change(place, Patch("merge", {"spec": whole})),)
    create = Create(place._replace(name=""), _made(seen, name, spec))
    if question.run is None:
        return (create,)
    # What another release asked is another question, and its old pods are not these.
    return Delete(place, DeleteOptions(uid=objects.uid(question.run))), create


def _made(seen: UnitSeen, name: str, spec: Object) -> Object:
    owner = {
        "apiVersion": UNITS.api_version,
        "kind": "ReleaseUnit",
        "name": seen.name,
        "uid": objects.uid(seen.unit),
    }
    return {
        "apiVersion": CHECK_RUNS.api_version,
        "kind": "CheckRun",
        "metadata": {
            "name": name,
            "namespace": objects.namespace(seen.unit),
            "labels": {UNIT_LABEL: seen.name},
            "ownerReferences": [owner],
        },
        "spec": spec,
    }


def _instant(text: str) -> Instant:
    return times.from_text(text) if text else Instant(0)
