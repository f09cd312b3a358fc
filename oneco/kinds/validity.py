"""What is wrong with an object beyond its schema, each with what was found and what is accepted.

`main` gives `validate` to the embedded server as admission; a real hub asks it as a webhook.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from oneco.errors import Refused
from oneco.kinds import (
    fleet,
    oam,
    ocm,
    release,
    validity_application,
    validity_fleet,
    validity_policy,
)
from oneco.kinds.mistakes import from_refusal, immutable, reserved
from oneco.kinds.parts import parse
from oneco.kube import causes, names, objects
from oneco.kube.errors import Cause
from oneco.kube.objects import Object
from oneco.kube.refs import Resource, split_api_version

Rule = Callable[[Object, Object | None], list[Cause]]


def validate(obj: Object, old: Object | None = None) -> list[Cause]:
    """What must change before `obj` may be stored in place of `old`; nothing for other kinds."""
    group, _ = split_api_version(obj.get("apiVersion") or "")
    rule = _RULES.get((group, obj.get("kind") or ""))
    if rule is None or objects.is_deleting(obj):
        # An object on its way out must not be held back by what was wrong with it.
        return []
    if old is not None and _is_same_intent(obj, old):
        return []
    try:
        return rule(obj, old)
    except Refused as refusal:
        return [from_refusal(refusal)]


def _is_same_intent(obj: Object, old: Object) -> bool:
    """Whether nothing that is judged here was changed: a status, a finalizer."""
    new, before = obj.get("spec"), old.get("spec")
    return (new is before or new == before) and objects.labels(obj) == objects.labels(old)


def _release(obj: Object, old: Object | None) -> list[Cause]:
    spec = parse(release.ReleaseSpec, obj.get("spec"), "spec")
    found: list[Cause] = []
    if spec.policy is not None:
        found += validity_policy.policy(spec.policy, "spec.policy")
    if old is not None:
        fields = ("application", "revision", "targets", "policy")
        found += immutable(obj, old, fields, "a Release may only change in paused and request")
    return found + _targets(spec)


def _targets(spec: release.ReleaseSpec) -> list[Cause]:
    seen: dict[str, str] = {}
    found = []
    for index, target in enumerate(spec.targets):
        for position, cluster in enumerate(target.clusters):
            where = f"spec.targets[{index}].clusters[{position}]"
            if cluster in seen:
                wanted = f"wanted each cluster once; it stands at {seen[cluster]} too"
                found.append(causes.invalid(where, cluster, wanted))
            seen.setdefault(cluster, where)
    return found


def _policy(obj: Object, old: Object | None) -> list[Cause]:
    return validity_policy.policy(parse(release.PolicySpec, obj.get("spec"), "spec"), "spec")


def _unit(obj: Object, old: Object | None) -> list[Cause]:
    parse(release.UnitSpec, obj.get("spec"), "spec")
    if old is None:
        return []
    fields = ("application", "applicationNamespace", "cluster")
    return immutable(obj, old, fields, "a ReleaseUnit stays with its Application and cluster")


def _check_run(obj: Object, old: Object | None) -> list[Cause]:
    spec = parse(release.CheckRunSpec, obj.get("spec"), "spec")
    found = validity_policy.check(spec.check, "spec.check")
    if old is not None:
        fields = ("check", "cluster", "release", "application", "applicationNamespace")
        found += immutable(obj, old, fields, "the same question may only be asked again")
    return found


def _cluster(obj: Object, old: Object | None) -> list[Cause]:
    parse(ocm.ClusterSpec, obj.get("spec"), "spec")
    # The hub keeps the cluster's works in a namespace of its name.
    name = objects.name(obj)
    found = [causes.invalid("metadata.name", name, fault) for fault in names.label_faults(name)]
    found += reserved(name, "metadata.name")
    labels: Mapping[str, str] = objects.labels(obj)
    environment = labels.get(ocm.ENVIRONMENT_LABEL, "")
    where = f"metadata.labels[{ocm.ENVIRONMENT_LABEL}]"
    return found + validity_policy.environment(environment, where)


def _application(obj: Object, old: Object | None) -> list[Cause]:
    return validity_application.application(obj)


def _fleet(obj: Object, old: Object | None) -> list[Cause]:
    return validity_fleet.fleet(parse(fleet.FleetSpec, obj.get("spec"), "spec"))


def _fault(obj: Object, old: Object | None) -> list[Cause]:
    return validity_fleet.fault(parse(fleet.FaultSpec, obj.get("spec"), "spec"))


def _rehearsal(obj: Object, old: Object | None) -> list[Cause]:
    return validity_fleet.rehearsal(parse(fleet.RehearsalSpec, obj.get("spec"), "spec"))


_RULES_OF: Final[Mapping[Resource, tuple[str, Rule]]] = {
    release.RELEASES: ("Release", _release),
    release.POLICIES: ("ReleasePolicy", _policy),
    release.UNITS: ("ReleaseUnit", _unit),
    release.CHECK_RUNS: ("CheckRun", _check_run),
    ocm.CLUSTERS: ("ManagedCluster", _cluster),
    oam.APPLICATIONS: ("Application", _application),
    fleet.FLEETS: ("Fleet", _fleet),
    fleet.FAULTS: ("Fault", _fault),
    fleet.REHEARSALS: ("Rehearsal", _rehearsal),
}
_RULES: Final = {(resource.group, kind): rule for resource, (kind, rule) in _RULES_OF.items()}


class Admission:
    """The rules in the form in which a server asks its validators."""

    def kinds(self) -> Sequence[tuple[str, str]]:
        """Group and kind of everything that has rules."""
        return tuple(_RULES)

    def validate(self, operation: str, old: Object | None, new: Object | None) -> Sequence[Cause]:
        """What is wrong with storing `new`; a deletion is never wrong."""
        return [] if new is None else validate(new, old)
