"""Which keys a change wakes: the lines along which objects tell deciders of each other."""

from __future__ import annotations

from collections.abc import Iterable

from oneco.agent import marks
from oneco.agent.workloads import PODS, trouble
from oneco.control.cache import Seen
from oneco.control.journal import Key
from oneco.control.shell import Wakes
from oneco.decision import Reader
from oneco.fleet.joining import REQUESTS
from oneco.integrations.kruise import integration as kruise
from oneco.integrations.kubernetes import integration as kubernetes
from oneco.integrations.kubernetes.deployment import DeploymentWorkload
from oneco.kinds import ocm
from oneco.kinds.naming import release_key
from oneco.kinds.oam import APPLICATIONS, NAME_LABEL
from oneco.kinds.release import RELEASE_LABEL, RELEASES, UNIT_LABEL, UNITS
from oneco.kube import objects
from oneco.kube.objects import Object
from oneco.kube.readiness import is_ready
from oneco.kube.refs import Address, Resource, split_api_version
from oneco.release.works import plural

_GOING = frozenset({"Pending", "Progressing", "Waiting", "Silence"})


def itself(_: Reader, seen: Seen) -> Iterable[Key]:
    """The changed object's own key."""
    obj = seen.new or seen.old or {}
    yield objects.namespace(obj), objects.name(obj)


def itself_as_wanted(_: Reader, seen: Seen) -> Iterable[Key]:
    """The changed object's own key, unless only its status, its record or a finalizer changed."""
    old, new = seen.old, seen.new
    if old is None or new is None or _wanted(old) != _wanted(new):
        obj = new or old or {}
        yield objects.namespace(obj), objects.name(obj)


def _wanted(obj: Object) -> tuple[object, ...]:
    uid, marks = objects.uid(obj), objects.annotations_of(obj)
    return uid, objects.generation(obj), objects.is_deleting(obj), marks, objects.labels(obj)


def nobody(_: Reader, __: Seen) -> Iterable[Key]:
    """No key: the collection is only read."""
    return ()


def cluster_of(_: Reader, seen: Seen) -> Iterable[Key]:
    """The cluster whose namespace the changed object is in."""
    yield "", objects.namespace(seen.new or seen.old or {})


def itself_as_cluster(_: Reader, seen: Seen) -> Iterable[Key]:
    """The cluster that is called like the changed object."""
    yield "", objects.name(seen.new or seen.old or {})


def labelled_cluster(_: Reader, seen: Seen) -> Iterable[Key]:
    """The cluster that the label of the changed object names."""
    yield "", objects.labels(seen.new or seen.old or {}).get(ocm.CLUSTER_NAME_LABEL, "")


def requests_of_label(reader: Reader, seen: Seen) -> Iterable[Key]:
    """The certificate requests of the cluster that the label of the changed object names."""
    cluster = objects.labels(seen.new or seen.old or {}).get(ocm.CLUSTER_NAME_LABEL, "")
    yield from _requests(reader, cluster)


def requests_of_cluster(reader: Reader, seen: Seen) -> Iterable[Key]:
    """The certificate requests of a cluster that came, or is accepted or not any more."""
    if (seen.old or {}).get("spec") != (seen.new or {}).get("spec"):
        yield from _requests(reader, objects.name(seen.new or seen.old or {}))


def _requests(reader: Reader, cluster: str) -> Iterable[Key]:
    for one in reader.labelled(REQUESTS, (ocm.CLUSTER_NAME_LABEL, cluster)):
        yield "", objects.name(one)


def every_cluster(reader: Reader, _: Seen) -> Iterable[Key]:
    """Every cluster."""
    for one in reader.list(ocm.CLUSTERS):
        yield "", objects.name(one)


def release_of_unit(_: Reader, seen: Seen) -> Iterable[Key]:
    """The release that holds the unit, when the unit's phase changed."""
    if _parts(seen.old) != _parts(seen.new):
        spec = (seen.new or seen.old or {}).get("spec") or {}
        yield spec.get("applicationNamespace", ""), spec.get("release", "")


def other_releases(reader: Reader, seen: Seen) -> Iterable[Key]:
    """The other releases of the same application, when one comes, ends or goes."""
    if _phase(seen.old) == _phase(seen.new) and seen.old is not None and seen.new is not None:
        return
    obj = seen.new or seen.old or {}
    label = (NAME_LABEL, objects.labels(obj).get(NAME_LABEL, ""))
    for one in reader.labelled(RELEASES, label):
        if objects.name(one) != objects.name(obj):
            yield objects.namespace(one), objects.name(one)


def units_of_release(reader: Reader, seen: Seen) -> Iterable[Key]:
    """The units that a change of their release concerns."""
    if seen.new is None:
        return
    key = release_key(objects.namespace(seen.new), objects.name(seen.new))
    old, new = seen.old or {}, seen.new
    is_turn = _phase(old) != _phase(new) or old.get("spec") != new.get("spec")
    before = objects.dig(old, "status", "opened", default=0)
    after = objects.dig(new, "status", "opened", default=0)
    if not is_turn and before == after:
        return
    for unit in reader.labelled(UNITS, (RELEASE_LABEL, key)):
        order = objects.dig(unit, "spec", "order", default=0)
        if is_turn or before <= order < after:
            yield objects.namespace(unit), objects.name(unit)


def unit_of(_: Reader, seen: Seen) -> Iterable[Key]:
    """The unit that a work, an observation or a check run belongs to."""
    obj = seen.new or seen.old or {}
    name = objects.labels(obj).get(UNIT_LABEL)
    if name:
        yield objects.namespace(obj), name


def units_of_cluster(reader: Reader, seen: Seen) -> Iterable[Key]:
    """The units of a cluster that came back, went away, or was confirmed."""
    name = objects.name(seen.new or seen.old or {})
    if _conditions(seen.old) != _conditions(seen.new) or _epoch(seen.old) != _epoch(seen.new):
        for unit in reader.list(UNITS, name):
            yield name, objects.name(unit)


def _epoch(cluster: Object | None) -> str:
    return objects.annotations_of(cluster or {}).get(ocm.HUB_EPOCH_ANNOTATION, "")


def application_of(_: Reader, seen: Seen) -> Iterable[Key]:
    """The Application that a labelled object of its namespace belongs to."""
    obj = seen.new or seen.old or {}
    name = objects.labels(obj).get(NAME_LABEL)
    if name:
        yield objects.namespace(obj), name


def application_of_turn(reader: Reader, seen: Seen) -> Iterable[Key]:
    """The Application of a release that halted, ended, turned back, or is gone."""
    if seen.new is None or _rest(seen.old) != _rest(seen.new):
        yield from application_of(reader, seen)


def application_of_rest(reader: Reader, seen: Seen) -> Iterable[Key]:
    """The Application of a unit that halted, ended, turned back, or is gone."""
    if seen.new is None or _rest(seen.old) != _rest(seen.new):
        yield from application_of_unit(reader, seen)


def application_of_unit(_: Reader, seen: Seen) -> Iterable[Key]:
    """The unit's Application, when the unit's phase changed."""
    if _parts(seen.old) != _parts(seen.new):
        spec = (seen.new or seen.old or {}).get("spec") or {}
        yield spec.get("applicationNamespace", ""), spec.get("application", "")


def applications_of_namespace(reader: Reader, seen: Seen) -> Iterable[Key]:
    """The Applications of the namespace that a policy or a placement decision is in."""
    namespace = objects.namespace(seen.new or seen.old or {})
    for one in reader.list(APPLICATIONS, namespace):
        yield namespace, objects.name(one)


def applications_of_cluster(reader: Reader, seen: Seen) -> Iterable[Key]:
    """Every Application, when a cluster came, went, or is accepted or labelled otherwise."""
    if _belonging(seen.old) != _belonging(seen.new):
        for one in reader.list(APPLICATIONS):
            yield objects.namespace(one), objects.name(one)


def placements_of_cluster(reader: Reader, seen: Seen) -> Iterable[Key]:
    """Every Placement, when a cluster came, went, or changed what placements look at."""
    if _belonging(seen.old) != _belonging(seen.new):
        for one in reader.list(ocm.PLACEMENTS):
            yield objects.namespace(one), objects.name(one)


def works_of_cluster(reader: Reader, seen: Seen) -> Iterable[Key]:
    """Every work of the agent's cluster, when the hub's life or its confirmation changed."""
    name = objects.name(seen.new or seen.old or {})
    is_news = (seen.old is None) != (seen.new is None)
    if is_news or objects.annotations_of(seen.old or {}) != objects.annotations_of(seen.new or {}):
        for work in reader.list(ocm.WORKS, name):
            yield name, objects.name(work)


def work_of_record(cluster: str) -> Wakes:
    """The work that an AppliedManifestWork records."""

    def wakes(_: Reader, seen: Seen) -> Iterable[Key]:
        name = objects.dig(seen.new or seen.old or {}, "spec", "manifestWorkName", default="")
        if name:
            yield cluster, name

    return wakes


def work_of_live(cluster: str) -> Wakes:
    """The work whose object, or whose workload's pods, changed in the member."""

    def wakes(reader: Reader, seen: Seen) -> Iterable[Key]:
        if seen.resource == PODS and _news(reader, seen.old) == _news(reader, seen.new):
            return
        for obj in (seen.new, seen.old):
            work = _work(reader, obj) if obj is not None else ""
            if work:
                yield cluster, work
                return

    return wakes


def the_cluster(name: str) -> Wakes:
    """The agent's own cluster."""

    def wakes(_: Reader, seen: Seen) -> Iterable[Key]:
        yield "", name

    return wakes


def _work(reader: Reader, obj: Object | None) -> str:
    for _ in range(3):
        if obj is None:
            return ""
        work = objects.annotations_of(obj).get(marks.WORK_ANNOTATION)
        if work:
            return work
        obj = _owner(reader, obj)
    return ""


def _owner(reader: Reader, obj: Object) -> Object | None:
    reference = objects.controller_of(obj)
    if reference is None:
        return None
    group, _ = split_api_version(reference.get("apiVersion") or "")
    # Whoever made it may write another version of the owner's API than the one that is followed.
    for resource in _OWNERS.get((group, reference.get("kind", "")), ()):
        address = Address(resource, objects.namespace(obj), reference["name"])
        owner = reader.get(address, "member")
        if owner is not None:
            return owner
    return None


def _news(reader: Reader, pod: Object | None) -> tuple[object, ...]:
    """What an agent wants to know of a pod; of whom others tell enough, only its trouble."""
    if pod is None:
        return ("", "")
    reference = objects.controller_of(pod)
    kind = "" if reference is None else reference.get("kind")
    if kind in ("", "Job") or (kind == "ReplicaSet" and not _is_timed(reader, pod)):
        return trouble(pod)
    return *trouble(pod), is_ready(pod), objects.is_deleting(pod)


def _is_timed(reader: Reader, pod: Object) -> bool:
    """Whether its Deployment asks for how long it is ready, which no ReplicaSet tells in time."""
    deployment = _owner(reader, _owner(reader, pod) or {})
    return deployment is not None and bool(_DEPLOYMENT.min_ready_seconds(deployment))


def _phase(obj: Object | None) -> str:
    phase = objects.dig(obj or {}, "status", "phase", default="")
    return str(phase)


def _rest(obj: Object | None) -> str:
    """The phase of a release or unit that does not just go on, and empty of one that does."""
    phase = _phase(obj)
    return "" if phase in _GOING else phase


def _parts(obj: Object | None) -> tuple[object, ...]:
    status = (obj or {}).get("status") or {}
    return status.get("phase"), status.get("isTouched"), status.get("release"), obj is None


def _belonging(cluster: Object | None) -> object:
    claims = objects.dig(cluster or {}, "status", "clusterClaims", default=())
    return cluster is None, objects.labels(cluster or {}), (cluster or {}).get("spec"), claims


def _conditions(cluster: Object | None) -> object:
    annotations = objects.annotations_of(cluster or {})
    return objects.dig(cluster or {}, "status", "conditions", default=()), annotations


_DEPLOYMENT = DeploymentWorkload()
_OWNERS: dict[tuple[str, str], list[Resource]] = {
    ("apps", "ReplicaSet"): [Resource("apps", "v1", "replicasets")]
}
for _kind in (*kubernetes.WORKLOADS, *kruise.WORKLOADS):
    _resource = Resource(_kind.group, _kind.version, plural(_kind))
    _OWNERS.setdefault((_kind.group, _kind.kind), []).append(_resource)
