"""What is served: the built-in kinds, shared by every server, and each server's custom ones."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from oneco.kube import types
from oneco.kube.errors import NotFound
from oneco.kube.objects import Object
from oneco.kube.refs import Kind, Resource, ResourceInfo, split_api_version
from oneco.worlds.apiserver.store import Key

if TYPE_CHECKING:
    from oneco.worlds.apiserver.customs import CustomKind


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Served:
    """One version of one kind as it is served, with what its requests need to know at once."""

    resource: Resource
    kind: Kind
    namespaced: bool
    collection: str
    storage: Kind
    subresources: frozenset[str]
    verbs: frozenset[str]
    counts_generation: bool
    info: ResourceInfo
    custom: CustomKind | None = None

    @property
    def group_resource(self) -> str:
        """As errors name it: `deployments.apps`."""
        group, plural = self.resource.group, self.resource.plural
        return f"{plural}.{group}" if group else plural

    @property
    def has_status(self) -> bool:
        """Whether the status is written through its own subresource."""
        return "status" in self.subresources

    @property
    def is_stored_version(self) -> bool:
        """Whether objects are kept in this very version."""
        return self.kind == self.storage

    def details(self, name: str) -> dict[str, str]:
        """The `details` of an error about the object called `name`."""
        found = {"name": name, "group": self.resource.group, "kind": self.resource.plural}
        return {key: value for key, value in found.items() if value}

    def missing(self, name: str) -> NotFound:
        """The error that says there is no such object."""
        return NotFound(f'{self.group_resource} "{name}" not found', details=self.details(name))


NO_SUCH_RESOURCE = "the server could not find the requested resource"


def no_such_resource() -> NotFound:
    """The error that says the resource itself is not served."""
    return NotFound(NO_SUCH_RESOURCE)


def has_group(group: str) -> bool:
    """Whether a built-in kind is of this group."""
    return any(resource.group == group for resource in _builtins())


class Registry:
    """The kinds of one server; the built-in ones cost it nothing."""

    __slots__ = ("_by_kind", "_customs")

    def __init__(self) -> None:
        self._customs: dict[Resource, Served] = {}
        self._by_kind: dict[Kind, Served] = {}

    def find(self, resource: Resource) -> Served:
        """What is served as `resource`; NotFound otherwise."""
        found = _builtins().get(resource) or self._customs.get(resource)
        if found is None:
            raise no_such_resource()
        return found

    def of_kind(self, api_version: str, kind: str) -> Served | None:
        """What is served as this kind, if anything; another version of its group will do."""
        group, version = split_api_version(api_version)
        wanted = Kind(group, version, kind)
        found = _builtins_by_kind().get(wanted) or self._by_kind.get(wanted)
        if found is not None:
            return found
        for served in (*_builtins_by_kind().values(), *self._by_kind.values()):
            if served.kind.group == group and served.kind.kind == kind:
                return served
        return None

    def key_of(self, obj: Object) -> Key:
        """Where `obj` belongs; NotFound if its kind is not served."""
        served = self.of_kind(obj.get("apiVersion") or "", obj.get("kind") or "")
        if served is None:
            raise no_such_resource()
        meta = obj["metadata"]
        space = (meta.get("namespace") or "") if served.namespaced else ""
        return Key(served.collection, space, meta["name"])

    def serve(self, kinds: Sequence[Served]) -> None:
        """Serve these custom kinds from now on, in place of those with their names."""
        for served in kinds:
            self._customs[served.resource] = served
            self._by_kind[served.kind] = served

    def withdraw(self, group: str, plural: str) -> None:
        """Serve no version of this custom kind any more."""
        for resource, served in tuple(self._customs.items()):
            if resource.group == group and resource.plural == plural:
                del self._customs[resource]
                self._by_kind.pop(served.kind, None)

    def customs(self) -> Collection[Served]:
        """Every version of every custom kind."""
        return self._customs.values()

    def stored(self) -> Mapping[str, Served]:
        """Each collection that objects are kept in, with the version they are kept as."""
        found = dict(_stored_builtins())
        found.update(
            (served.collection, served)
            for served in self._customs.values()
            if served.is_stored_version
        )
        return found

    def discover(self) -> Sequence[ResourceInfo]:
        """What is served, preferred versions first."""
        return (*types.resources(), *(served.info for served in self._customs.values()))


# Kinds of one collection: what is stored is the first, the others are converted.
_STORED_AS = {
    Kind("events.k8s.io", "v1", "Event"): Kind("", "v1", "Event"),
    Kind("autoscaling", "v1", "HorizontalPodAutoscaler"): Kind(
        "autoscaling", "v2", "HorizontalPodAutoscaler"
    ),
}
_COUNT_GENERATION = frozenset(
    {
        "Pod", "PodTemplate", "ReplicationController", "ReplicaSet", "StatefulSet", "DaemonSet",
        "Deployment", "Job", "CronJob", "Ingress", "NetworkPolicy", "IngressClass",
        "PodDisruptionBudget", "PriorityClass", "EndpointSlice", "CustomResourceDefinition",
        "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration",
        "ValidatingAdmissionPolicy", "MutatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicyBinding",
    }
)  # fmt: skip


@functools.cache
def _builtins() -> Mapping[Resource, Served]:
    return {info.resource: _builtin(info) for info in types.resources()}


@functools.cache
def _builtins_by_kind() -> Mapping[Kind, Served]:
    return {served.kind: served for served in _builtins().values()}


@functools.cache
def _stored_builtins() -> Mapping[str, Served]:
    return {
        served.collection: served
        for served in _builtins().values()
        if served.is_stored_version and "get" in served.verbs
    }


def _builtin(info: ResourceInfo) -> Served:
    group, version, plural = info.resource
    kind = Kind(group, version, info.kind)
    storage = _STORED_AS.get(kind, kind)
    return Served(
        resource=info.resource,
        kind=kind,
        namespaced=info.namespaced,
        collection=f"{storage.group}/{plural}",
        storage=storage,
        subresources=frozenset(info.subresources),
        verbs=frozenset(info.verbs),
        counts_generation=info.kind in _COUNT_GENERATION,
        info=info,
    )
