"""What of an Application a fleet in memory cannot mean, or could not rehearse to an end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from oneco.delivery.mistakes import one_of
from oneco.errors import Refused
from oneco.kube import objects
from oneco.kube.objects import Object, dig

MOST_PODS: Final = 20_000
"""Of one workload in one cluster: a Deployment takes 26 s of CPU for a release of three batches."""
MOST_NUMBERED: Final = 1_000
"""Of a set that goes pod by pod and looks at all of them each time: twice as many take four times
as long.
"""
MOST_PODS_OF_ALL: Final = 100_000
_SCALER: Final = "scaler"


class _Size(NamedTuple):
    """So many pods, as it stands at `path`."""

    path: str
    pods: int
    most: int = MOST_PODS


def check(application: Object, clusters: Sequence[str]) -> None:
    """Refused where the Application names what is not there, or asks for too many pods."""
    where = f"application {objects.name(application)}"
    components: Sequence[Object] = dig(application, "spec", "components", default=())
    policies: Sequence[Object] = dig(application, "spec", "policies", default=())
    for index, policy in enumerate(policies):
        properties = policy.get("properties") or {}
        path = f"{where}: spec.policies[{index}].properties"
        if policy.get("type") == "topology":
            _check_names(f"{path}.clusters", properties.get("clusters") or (), clusters)
        elif policy.get("type") == "override":
            _check_override(path, properties, components)
    _check_sizes([*_sizes(components, f"{where}: spec"), *_overridden(policies, where)], clusters)


def check_size(path: str, pods: int) -> None:
    """Refused where a workload gets more pods than a rehearsal can follow to an end."""
    _check_sizes([_Size(path, pods)], ())


def _check_names(path: str, names: Sequence[Any], known: Sequence[str]) -> None:
    for index, name in enumerate(names):
        if isinstance(name, str) and name not in known:
            # On a hub the cluster may come later; a rehearsed fleet is all there will be.
            raise Refused(f"{path}[{index}]", found=name, wanted=one_of(known, name))


def _check_override(path: str, properties: Mapping[str, Any], components: Sequence[Object]) -> None:
    known = [str(one["name"]) for one in components]
    for index, change in enumerate(properties.get("components") or ()):
        name = change.get("name") or ""
        is_new = bool(change.get("type"))
        if name and "*" not in name and not is_new and name not in known:
            place = f"{path}.components[{index}].name"
            wanted = f"{one_of(known, name)}; with a type it would be another component"
            raise Refused(place, found=name, wanted=wanted)


def _check_sizes(sizes: Sequence[_Size], clusters: Sequence[str]) -> None:
    for one in sizes:
        if one.pods > one.most:
            wanted = f"at most {one.most} pods a cluster: batches are shares, fewer show the same"
            raise Refused(one.path, found=one.pods, wanted=wanted)
    whole = sum(one.pods for one in sizes) * len(clusters)
    if whole > MOST_PODS_OF_ALL:
        largest = max(sizes, key=lambda one: one.pods)
        found = f"{whole} pods in {len(clusters)} clusters"
        wanted = f"at most {MOST_PODS_OF_ALL} in all: fewer clusters of each kind, or fewer pods"
        raise Refused(largest.path, found=found, wanted=wanted)


def _sizes(components: Sequence[Any], path: str) -> Iterator[_Size]:
    for index, component in enumerate(components):
        here = f"{path}.components[{index}]"
        for place, trait in enumerate(component.get("traits") or ()):
            if trait.get("type") == _SCALER:
                at = f"{here}.traits[{place}].properties.replicas"
                yield from _size(at, dig(trait, "properties", "replicas"))
        manifests = dig(component, "properties", "objects", default=())
        for place, manifest in enumerate(manifests if isinstance(manifests, list) else ()):
            at = f"{here}.properties.objects[{place}].spec.replicas"
            is_numbered = dig(manifest, "kind") == "StatefulSet"
            most = MOST_NUMBERED if is_numbered else MOST_PODS
            yield from _size(at, dig(manifest, "spec", "replicas"), most)


def _overridden(policies: Sequence[Any], where: str) -> Iterator[_Size]:
    for index, policy in enumerate(policies):
        if policy.get("type") == "override":
            changes = dig(policy, "properties", "components", default=())
            path = f"{where}: spec.policies[{index}].properties"
            # An override takes the place of what the component says: only its own bound counts.
            yield from (one for one in _sizes(changes, path) if one.pods > one.most)


def _size(path: str, value: Any, most: int = MOST_PODS) -> Iterator[_Size]:
    if isinstance(value, int) and not isinstance(value, bool):
        yield _Size(path, value, most)
