"""What the agent looks at for one work: the work, its record, and the live objects."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from oneco.agent import marks, workloads
from oneco.agent.ports import Kinds, Workload, Workloads
from oneco.agent.workloads import Counts
from oneco.clock import Instant
from oneco.decision import Failure, Reader
from oneco.kinds import ocm
from oneco.kinds.parts import parse
from oneco.kinds.release import OBSERVATIONS, PARTITION_ANNOTATION, PARTITION_OF_ANNOTATION
from oneco.kube import amounts, objects
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Kind, Resource, ResourceInfo, kind_of

HUB_HASH = "hub"
_NAMESPACES = Resource("", "v1", "namespaces")


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """One manifest of the work beside what is there; `info` is None for a kind not served.

    `counts`, `doomed` and the manifest's own steps depend on the time: see `at`.
    """

    manifest: Object
    info: ResourceInfo | None
    live: Object | None
    api_version: str
    """What the work says; the manifest may be in another version that the member serves."""
    driver: Workload | None = None
    workload: workloads.Seen | None = None
    counts: Counts = workloads.NONE
    doomed: Sequence[Object] = ()
    """The live object's pods that have to be deleted for the gate to be reached."""

    @property
    def is_gone(self) -> bool:
        """Whether it was deleted while only some of its pods were to be new.

        Made anew, all of them would be.
        """
        is_gated = PARTITION_ANNOTATION in objects.annotations_of(self.manifest)
        return is_gated and self.info is not None and self.live is None

    def at(self, now: Instant) -> Wanted:
        """The same with its pods counted, and with the step that is due."""
        if self.driver is None:
            return self
        seen = self.workload
        counts = workloads.NONE if seen is None else workloads.count(seen, now)
        ready = _new_pods_ready(self.manifest, self.live, counts)
        is_sized = counts.is_current or not self.driver.is_on_nodes
        wanted = _at_size(self.manifest, counts.replicas) if is_sized else self.manifest
        return dataclasses.replace(
            self,
            manifest=marks.keeping_size(self.driver.step(wanted, self.live, ready), self.live),
            counts=counts,
            doomed=() if seen is None else workloads.doomed(seen, counts, now),
        )

    @property
    def kind(self) -> Kind:
        """The kind of the manifest."""
        return kind_of(self.manifest)

    @property
    def address(self) -> Address:
        """Where the object stands in the member."""
        assert self.info is not None, "an object of an unknown kind has no address"
        namespace = objects.namespace(self.manifest) if self.info.namespaced else ""
        if self.info.namespaced and not namespace:
            namespace = "default"
        return Address(self.info.resource, namespace, objects.name(self.manifest))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WorkSeen:
    """One work with everything the agent's next step depends on."""

    work: Object
    wanted: Sequence[Wanted]
    record: Object | None
    applied: Sequence[ocm.AppliedResource]
    leftovers: Mapping[Address, Object]
    observation: Object | None
    epoch: str
    is_confirmed: bool
    failures: Sequence[Failure]
    is_watched: bool = True
    """Whether the hub knows Observations: one that is only Open Cluster Management's does not."""

    @property
    def name(self) -> str:
        """The name of the work."""
        return objects.name(self.work)

    @property
    def cluster(self) -> str:
        """The cluster, which is the work's namespace on the hub."""
        return objects.namespace(self.work)


def work(
    reader: Reader,
    key: tuple[str, str],
    kinds: Kinds,
    drivers: Workloads,
    *,
    is_watched: bool = True,
) -> WorkSeen | None:
    """The work at `key` (cluster, name), or None where there is none."""
    namespace, name = key
    found = reader.get(Address(ocm.WORKS, namespace, name))
    cluster = reader.get(Address(ocm.CLUSTERS, "", namespace))
    # Without the cluster it is not known which life of the hub speaks.
    if found is None or cluster is None:
        return None
    manifests = objects.dig(found, "spec", "workload", "manifests", default=())
    record = reader.get(Address(ocm.APPLIED_WORKS, "", record_name(name)), "member")
    status = parse(ocm.AppliedWorkStatus, (record or {}).get("status"))
    wanted = tuple(_wanted(reader, one, kinds, drivers) for one in manifests)
    epoch = objects.annotations_of(cluster).get(ocm.HUB_EPOCH_ANNOTATION, "")
    return WorkSeen(
        work=found,
        wanted=wanted,
        record=record,
        applied=status.applied_resources,
        leftovers=_leftovers(reader, found, status.applied_resources, wanted),
        observation=reader.get(Address(OBSERVATIONS, namespace, name)),
        epoch=epoch,
        # A hub of Open Cluster Management's alone has one life, as far as it tells.
        is_confirmed=not is_watched or _is_confirmed(reader, cluster, epoch),
        failures=reader.failures(),
        is_watched=is_watched,
    )


def record_name(work_name: str) -> str:
    """The name of the AppliedManifestWork that records a work."""
    return f"{HUB_HASH}-{work_name}"


def _wanted(reader: Reader, manifest: Object, kinds: Kinds, drivers: Workloads) -> Wanted:
    said = manifest.get("apiVersion") or ""
    driver = drivers.get(kind_of(manifest))
    others = () if driver is None else _other_versions(manifest, drivers)
    info = kinds(kind_of(manifest), *others)
    if info is not None and driver is not None:
        served = driver.served(manifest, info.resource.version)
        manifest, info = (manifest, None) if served is None else (served, info)
    if info is None:
        return Wanted(manifest, None, None, said)
    bare = Wanted(manifest, info, None, said, driver)
    live = reader.get(bare.address, "member")
    if live is None or driver is None:
        return dataclasses.replace(bare, live=live)
    return dataclasses.replace(bare, live=live, workload=workloads.look(reader, live, driver))


def _other_versions(manifest: Object, drivers: Workloads) -> Sequence[Kind]:
    own = kind_of(manifest)
    return [one for one in drivers if one == own._replace(version=one.version) and one != own]


def _at_size(manifest: Object, replicas: int) -> Object:
    """The manifest with its share of fewer pods, where the hub counted more of them."""
    said = objects.annotations_of(manifest)
    updated, of = said.get(PARTITION_ANNOTATION, ""), said.get(PARTITION_OF_ANNOTATION, "")
    if not updated.isdecimal() or not of.isdecimal() or not 0 < replicas < int(of):
        return manifest
    # The hub counts it anew in the same way as soon as it hears.
    share = amounts.share(int(updated), int(of), replicas)
    return objects.put(
        manifest, ("metadata", "annotations"), {**said, PARTITION_ANNOTATION: str(share)}
    )


def _new_pods_ready(manifest: Object, live: Object | None, counts: Counts) -> int | None:
    """How many pods with the manifest's own template are ready; None while nobody has counted."""
    if live is None or not marks.has_template(live, manifest):
        return 0  # what is ready now are the pods that will be replaced
    return counts.updated_ready if counts.is_current else None


def _leftovers(
    reader: Reader, work: Object, applied: Sequence[ocm.AppliedResource], wanted: Sequence[Wanted]
) -> dict[Address, Object]:
    """What was applied for the work and is still there though the work no longer wants it."""
    is_deleting = objects.is_deleting(work)
    keep = set() if is_deleting else {_place(one.address) for one in wanted if one.info is not None}
    found = ((address_of(one), one.uid) for one in applied)
    rows = (
        (address, uid, reader.get(address, "member"))
        for address, uid in found
        # A namespace is never taken away: others may live there too.
        if _place(address) not in keep
        and address.resource != _NAMESPACES
        and not _stays(work, address)
    )
    return {
        address: live
        for address, uid, live in rows
        if live is not None and uid in ("", objects.uid(live)) and _is_of(live, work)
    }


def _place(address: Address) -> Address:
    """Where an object stands: read through another version of its API, it is still the same one."""
    return address._replace(resource=address.resource._replace(version=""))


def _stays(work: Object, address: Address) -> bool:
    """Whether the work says that this object outlives it."""
    option = objects.dig(work, "spec", "deleteOption", default={})
    if option.get("propagationPolicy") != "SelectivelyOrphan":
        return bool(option.get("propagationPolicy") == "Orphan")
    own = (address.resource.group, address.resource.plural, address.namespace, address.name)
    rules = objects.dig(option, "selectivelyOrphans", "orphaningRules", default=())
    parts = ("group", "resource", "namespace", "name")
    return any(tuple(one.get(part) or "" for part in parts) == own for one in rules)


def _is_of(live: Object, work: Object) -> bool:
    # An object that another work applied since is that one's now.
    return marks.work_of(live) in ("", objects.name(work))


def address_of(one: ocm.AppliedResource) -> Address:
    """Where a recorded object stands."""
    return Address(Resource(one.group, one.version, one.resource), one.namespace, one.name)


def _is_confirmed(reader: Reader, cluster: Object, epoch: str) -> bool:
    """Whether this life of the hub may act here: always, unless another life acted before."""
    confirmed = objects.annotations_of(cluster).get(ocm.CONFIRMED_EPOCH_ANNOTATION, "")
    if confirmed:
        # Not by the member's records: they may not have been listed yet.
        return confirmed == epoch
    records = reader.list(ocm.APPLIED_WORKS, "", "member")
    lives = {objects.annotations_of(one).get(ocm.HUB_EPOCH_ANNOTATION, epoch) for one in records}
    return lives <= {epoch}
