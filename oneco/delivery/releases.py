"""Releases: when a new one is made, what it carries, and the policy that it copies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from oneco.delivery import validation
from oneco.delivery.placing import owner_of
from oneco.delivery.plan import Plan, check_release
from oneco.delivery.seen import REVISIONS_LIMIT, ApplicationSeen
from oneco.errors import Refused
from oneco.kinds import validity
from oneco.kinds.oam import APP_REVISION_LABEL, NAME_LABEL
from oneco.kinds.parts import GROUP, build, parse
from oneco.kinds.release import (
    FINAL_PHASES,
    RELEASES,
    SEQUENCE_LABEL,
    PolicySpec,
    ReleaseSpec,
    ReleaseStatus,
    Target,
    sequence_of,
)
from oneco.kube import causes, objects, selectors
from oneco.kube.objects import Object
from oneco.kube.remembered import Remembered

STEP_ANNOTATION = f"{GROUP}/step"
"""On a Release: the workflow step that it carries out, empty where there is only one."""
_FAILED = frozenset({"RolledBack", "Aborted", "Blocked"})


def spec_of(release: Object) -> ReleaseSpec:
    """What is released where."""
    return parse(ReleaseSpec, release.get("spec"), "spec")


def status_of(release: Object) -> ReleaseStatus:
    """How far it came."""
    return parse(ReleaseStatus, release.get("status"), "status")


def step_of(release: Object) -> str:
    """The workflow step that it carries out."""
    return str(objects.annotations_of(release).get(STEP_ANNOTATION, ""))


def targets(
    groups: Sequence[tuple[str, tuple[str, ...]]], left: Sequence[str]
) -> tuple[Target, ...]:
    """Clusters by the variant that they get; those in `left` get nothing any more."""
    merged: dict[str, tuple[str, ...]] = {}
    for variant, clusters in groups:
        held_already = merged.get(variant)
        merged[variant] = tuple(sorted((*held_already, *clusters))) if held_already else clusters
    made = [Target(variant=variant, clusters=clusters) for variant, clusters in merged.items()]
    return (*made, Target(clusters=tuple(sorted(left)))) if left else tuple(made)


class _Reach(NamedTuple):
    """The clusters to which a release brings something, and those that it empties."""

    filled: frozenset[str]
    emptied: frozenset[str]


_reaches: Remembered[_Reach] = Remembered()


def held(seen: ApplicationSeen) -> frozenset[str]:
    """The clusters that have, or may still have, something of the Application."""
    found: frozenset[str] = frozenset()
    for release in seen.releases:
        filled, emptied = _reaches.ask(_reach, spec_of(release))
        found = found if filled <= found else found | filled
        if emptied:
            is_done = status_of(release).phase == "Succeeded"
            found = found - emptied if is_done else found | emptied
    return found


def _reach(spec: ReleaseSpec) -> _Reach:
    def of(*, is_filled: bool) -> frozenset[str]:
        chosen = (one for one in spec.targets if bool(one.variant) is is_filled)
        return frozenset(cluster for one in chosen for cluster in one.clusters)

    return _Reach(of(is_filled=True), of(is_filled=False))


def newest(seen: ApplicationSeen, step: str) -> Object | None:
    """The last release of a step, whatever revision it carried."""
    return next((one for one in reversed(seen.releases) if step_of(one) == step), None)


def is_needed(
    before: Object | None, revision: str, wanted: Sequence[Target], *, is_alone: bool
) -> bool:
    """Whether `wanted` asks for a release after `before`, the last one of the same step.

    A step among several is released once for each revision. A step alone is not released again
    for a revision that changes nothing, unless the last release did not come to a good end.
    """
    if before is None:
        return bool(wanted)
    spec, phase = spec_of(before), status_of(before).phase
    same = _lasting(spec.targets, phase) == _lasting(wanted, phase)
    if not same:
        return True
    return spec.revision != revision and (not is_alone or phase in _FAILED)


def _lasting(targets_: Sequence[Target], phase: str) -> tuple[Target, ...]:
    """`targets_` without the clusters that a successful release emptied."""
    return tuple(one for one in targets_ if one.variant or phase != "Succeeded")


def policy(plan: Plan, seen: ApplicationSeen) -> PolicySpec | None:
    """The Application's own policy, else the most important one that selects it, else none."""
    if plan.release is not None:
        return plan.release
    labels = objects.labels(seen.application)
    found: list[tuple[int, str, PolicySpec]] = []
    for one in seen.policies:
        where = f"ReleasePolicy {objects.name(one)}: spec"
        spec = validation.read(PolicySpec, one.get("spec"), where)
        selector = objects.dig(one, "spec", "applicationSelector")
        # Without a selector it is the namespace's policy.
        if selector is None or selectors.from_object(selector).matches(labels):
            check_release(spec, where)
            mistakes = validity.validate(one)
            if mistakes:
                raise Refused(f"ReleasePolicy {objects.name(one)}: {causes.text(mistakes)}")
            found.append((-spec.priority, objects.name(one), spec))
    return min(found, key=lambda row: row[:2])[2] if found else None


def make(
    seen: ApplicationSeen,
    revision: str,
    step: str,
    wanted: Sequence[Target],
    policy_: PolicySpec | None,
) -> Object:
    """The Release that brings `wanted` of `revision` to its clusters."""
    application = seen.application
    spec = ReleaseSpec(
        application=objects.name(application),
        revision=revision,
        targets=tuple(wanted),
        policy=policy_,
    )
    sequence = max((sequence_of(one) for one in seen.releases), default=0) + 1
    return {
        "apiVersion": RELEASES.api_version,
        "kind": "Release",
        "metadata": {
            "name": _name(seen, f"{revision}-{step}" if step else revision),
            "namespace": objects.namespace(application),
            "labels": {
                NAME_LABEL: objects.name(application),
                APP_REVISION_LABEL: revision,
                SEQUENCE_LABEL: str(sequence),
            },
            "annotations": {STEP_ANNOTATION: step},
            "ownerReferences": [owner_of(application)],
        },
        "spec": build(spec),
    }


def _name(seen: ApplicationSeen, wanted: str) -> str:
    taken = {objects.name(one) for one in seen.releases}
    if wanted not in taken:
        return wanted
    # A number beyond all that are there: names of releases that are gone do not come back.
    ends = [name.removeprefix(f"{wanted}-") for name in taken]
    return f"{wanted}-{max([1, *(int(end) for end in ends if end.isdecimal())]) + 1}"


def surplus(seen: ApplicationSeen) -> list[Object]:
    """Ended releases beyond the limit."""
    old = seen.releases[:-REVISIONS_LIMIT]
    return [one for one in old if status_of(one).phase in FINAL_PHASES]
