"""What must hold of every history of a hub, however often it was killed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from oneco.kinds.oam import REVISIONS
from oneco.kinds.ocm import WORKS
from oneco.kinds.parts import parse
from oneco.kinds.release import (
    PARTITION_ANNOTATION,
    RELEASES,
    REVISION_ANNOTATION,
    UNITS,
    ReleaseStatus,
    UnitSpec,
    UnitStatus,
)
from oneco.kube import objects
from oneco.kube.objects import Object
from oneco.release.works import CONTENT_ANNOTATION
from oneco.worlds.apiserver.store import Change, Key
from oneco.worlds.embedded.sqlite import SqliteStore
from tests.kills import company
from tests.kills.history import collection

Place = tuple[str, str]

_RELEASES, _UNITS = collection(RELEASES), collection(UNITS)
_WORKS, _REVISIONS = collection(WORKS), collection(REVISIONS)
_PODS = "/pods"


class Course:
    """The releases of one hub, replayed from its history."""

    def __init__(self) -> None:
        self.made: Counter[str] = Counter()
        self.phases: dict[str, list[str]] = {}
        self.exposed: dict[Place, dict[str, int]] = {}
        """By cluster and component: how many pods of each image the works ever asked for."""
        self._releases: dict[str, ReleaseStatus] = {}
        self._units: dict[Place, tuple[UnitSpec, UnitStatus]] = {}
        self._contents: dict[tuple[Place, str], list[str]] = {}
        self._good: dict[Place, str] = {}
        self._before: dict[tuple[Place, str], str] = {}

    def replay(self, changes: Sequence[Change]) -> None:
        """Go through changes in their order; what must not be is an AssertionError."""
        for change in changes:
            if change.after is None:
                continue
            if change.before is None:
                self.made[change.key.collection] += 1
            if change.key.collection == _RELEASES:
                self._see_release(change.key, change.after)
            elif change.key.collection == _UNITS:
                self._see_unit(change.key, change.after)
            elif change.key.collection == _WORKS:
                self._see_work(change)

    def check_counts(self, versions: int) -> None:
        """One revision and one release a version, and a work for each unit."""
        assert self.made[_REVISIONS] == versions, self.made
        assert self.made[_RELEASES] == versions, self.made
        assert self.made[_UNITS] == self.made[_WORKS] == len(company.CLUSTERS), self.made

    def _see_release(self, key: Key, release: Object) -> None:
        status = parse(ReleaseStatus, release.get("status"), "status")
        old = self._releases.get(key.name, ReleaseStatus())
        phases = self.phases.setdefault(key.name, [])
        if not phases or phases[-1] != status.phase:
            phases.append(status.phase)
        assert status.wave >= old.wave, f"{key.name} went back to wave {status.wave}"
        assert status.opened >= old.opened, f"{key.name} closed units that were open"
        ended = [one for one in phases if one in ("Succeeded", "RolledBack", "RollingBack")]
        assert ended in ([], ["Succeeded"], ["RollingBack"], ["RollingBack", "RolledBack"]), phases
        self._releases[key.name] = status

    def _see_unit(self, key: Key, unit: Object) -> None:
        place = (key.namespace, key.name)
        spec = parse(UnitSpec, unit.get("spec"), "spec")
        status = parse(UnitStatus, unit.get("status"), "status")
        if place in self._units:
            old = self._units[place][1]
            if old.release == status.release:
                assert status.batch >= old.batch, f"{place} repeats batch {status.batch}"
                assert status.before == old.before, f"{place} forgot what to return to"
                assert not (old.phase == "Succeeded" and status.phase in ("Progressing", "Silence"))
        if status.phase in ("Succeeded", "RolledBack") and status.release == spec.release:
            self._good[place] = self._contents[place, spec.release][-1]
        self._units[place] = spec, status

    def _see_work(self, change: Change) -> None:
        assert change.after is not None
        content = objects.annotations_of(change.after).get(CONTENT_ANNOTATION, "")
        if content == objects.annotations_of(change.before or {}).get(CONTENT_ANNOTATION):
            assert change.before is not None
            assert change.after["spec"] == change.before["spec"], "a work of another content"
            return
        place = (change.key.namespace, change.key.name)
        spec, status = self._units[place]
        release = self._releases[spec.release]
        contents = self._contents.setdefault((place, spec.release), [])
        before = self._before.setdefault((place, spec.release), self._good.get(place, ""))
        where = f"{place[0]} in {spec.release}, content {len(contents) + 1}"
        assert content not in contents, f"{where}: a batch is repeated"
        contents.append(content)
        if objects.annotations_of(change.after)[REVISION_ANNOTATION] == spec.revision:
            self._see_advance(change.after, spec, release, where)
            return
        assert release.phase == "RollingBack", f"{where}: went back while {release.phase}"
        assert status.is_touched, f"{where}: put back what was never touched"
        assert content == before, f"{where}: not what was good before"

    def _see_advance(
        self, work: Object, spec: UnitSpec, release: ReleaseStatus, where: str
    ) -> None:
        assert release.phase == "Progressing", f"{where}: advanced while {release.phase}"
        assert spec.order < release.opened, f"{where}: advanced before its wave"
        for name, picture, pods in _asked(work):
            held = self.exposed.setdefault((spec.cluster, name), {})
            assert pods > held.get(picture, 0), f"{where}: {pods} pods of {name}, as before or less"
            held[picture] = pods

    def check_exposure(self, cluster: str, member: SqliteStore) -> None:
        """Fail if more pods run an image than any work asked for."""
        alive = [pod for pod in member.scan(_PODS) if not objects.is_deleting(pod)]
        found = Counter(
            (_component(pod), container["image"])
            for pod in alive
            for container in pod["spec"]["containers"]
        )
        for (name, picture), pods in found.items():
            most = self.exposed.get((cluster, name), {}).get(picture, 0)
            assert pods <= most + _surge(most, name), f"{pods} pods of {picture} in {cluster}"


def _asked(work: Object) -> list[tuple[str, str, int]]:
    manifests = objects.dig(work, "spec", "workload", "manifests", default=())
    rows = []
    for one in manifests:
        if one["kind"] == "Deployment":
            target = objects.annotations_of(one).get(PARTITION_ANNOTATION)
            pods = one["spec"]["replicas"] if target is None else int(target)
            (container,) = one["spec"]["template"]["spec"]["containers"]
            rows.append((objects.name(one), container["image"], pods))
    return rows


def _surge(asked: int, component: str) -> int:
    # Without a gate the Deployment's own maxSurge of a quarter applies, rounded up.
    return 1 if asked == company.REPLICAS[component] else 0


def _component(pod: Object) -> str:
    return str(objects.labels(pod).get("app.oam.dev/component", ""))
