"""What the decider of one Application looks at, gathered from the cache."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from oneco.decision import Reader
from oneco.kinds.naming import unit_name
from oneco.kinds.oam import APPLICATIONS, NAME_LABEL, REVISIONS
from oneco.kinds.ocm import CLUSTERS, PLACEMENT_DECISIONS, PLACEMENTS
from oneco.kinds.release import POLICIES, RELEASES, UNITS, sequence_of
from oneco.kube import objects
from oneco.kube.objects import Object, dig
from oneco.kube.refs import Address, Resource

Key = tuple[str, str]
"""Namespace and name of an Application."""

SERVICES_LIMIT = 50
"""How many clusters' components the status of an Application shows."""
REVISIONS_LIMIT = 10
"""How many revisions, and how many releases, of an Application are kept."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationSeen:
    """One Application with everything its delivery depends on.

    `revisions` and `releases` are the Application's own, oldest first. `shown` are units by
    cluster, as many as the status shows; `units` are all of the Application's, gathered only
    where it is being deleted or revisions have to go.
    """

    application: Object
    revisions: Sequence[Object] = ()
    releases: Sequence[Object] = ()
    placements: Sequence[Object] = ()
    decisions: Sequence[Object] = ()
    clusters: Sequence[Object] = ()
    policies: Sequence[Object] = ()
    shown: Mapping[str, Object] = dataclasses.field(default_factory=dict)
    units: Sequence[Object] | None = None

    @property
    def address(self) -> Address:
        """Where the Application is."""
        namespace, name = objects.namespace(self.application), objects.name(self.application)
        return Address(APPLICATIONS, namespace, name)


def gather(reader: Reader, key: Key) -> ApplicationSeen | None:
    """Everything about the Application that `key` names, or None where it is gone.

    Looked up by label are ApplicationRevisions, Releases, Placements and ReleaseUnits
    (NAME_LABEL).
    """
    namespace, name = key
    application = reader.get(Address(APPLICATIONS, namespace, name))
    if application is None:
        return None
    revisions = sorted(_own(reader, REVISIONS, key), key=number_of)
    releases = sorted(_own(reader, RELEASES, key), key=sequence_of)
    needs_units = objects.is_deleting(application) or len(revisions) > REVISIONS_LIMIT
    return ApplicationSeen(
        application=application,
        revisions=revisions,
        releases=releases,
        placements=_own(reader, PLACEMENTS, key),
        decisions=reader.list(PLACEMENT_DECISIONS, namespace),
        clusters=reader.list(CLUSTERS),
        policies=reader.list(POLICIES, namespace),
        shown=_shown(reader, key, releases),
        units=_units(reader, key) if needs_units else None,
    )


def number_of(revision: Object) -> int:
    """The N of a revision called `<application>-vN`; 0 for any other name."""
    digits = objects.name(revision).rpartition("-v")[2]
    return int(digits) if digits.isdecimal() else 0


def _own(reader: Reader, resource: Resource, key: Key) -> list[Object]:
    namespace, name = key
    found = reader.labelled(resource, (NAME_LABEL, name))
    return [one for one in found if objects.namespace(one) == namespace]


def _units(reader: Reader, key: Key) -> list[Object]:
    namespace, name = key
    return [
        one
        for one in reader.labelled(UNITS, (NAME_LABEL, name))
        if dig(one, "spec", "applicationNamespace") == namespace
    ]


def _shown(reader: Reader, key: Key, releases: Sequence[Object]) -> dict[str, Object]:
    shown: dict[str, Object] = {}
    targets = dig(releases[-1], "spec", "targets", default=()) if releases else ()
    names = sorted({name for one in targets for name in one.get("clusters") or ()})
    for cluster in names[:SERVICES_LIMIT]:
        unit = reader.get(Address(UNITS, cluster, unit_name(*key, cluster)))
        if unit is not None:
            shown[cluster] = unit
    return shown
