"""How a resource, a collection or one object is named."""

from __future__ import annotations

from typing import NamedTuple


class Resource(NamedTuple):
    """A kind as URLs name it; the core group is the empty string."""

    group: str
    version: str
    plural: str

    @property
    def api_version(self) -> str:
        """The `apiVersion` of its objects."""
        return f"{self.group}/{self.version}" if self.group else self.version


class Kind(NamedTuple):
    """A kind as objects name it; the core group is the empty string."""

    group: str
    version: str
    kind: str

    @property
    def api_version(self) -> str:
        """The `apiVersion` of its objects."""
        return f"{self.group}/{self.version}" if self.group else self.version


class Address(NamedTuple):
    """Where a request goes: a collection (`name` empty), one object, or its subresource.

    `namespace` is empty for cluster-scoped kinds and for a collection over all namespaces.
    """

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    def __str__(self) -> str:
        """As a person would write it: `deployments.apps default/web`."""
        plural, group = self.resource.plural, self.resource.group
        place = "/".join(part for part in (self.namespace, self.name) if part)
        return f"{plural}.{group} {place}".rstrip() if group else f"{plural} {place}".rstrip()


class ResourceInfo(NamedTuple):
    """One served resource, as discovery tells it."""

    resource: Resource
    kind: str
    namespaced: bool
    singular: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()


def split_api_version(api_version: str) -> tuple[str, str]:
    """`"apps/v1"` as `("apps", "v1")`; `"v1"` as `("", "v1")`."""
    group, _, version = api_version.rpartition("/")
    return group, version


def kind_of(obj: object) -> Kind:
    """The kind that `obj` says it is."""
    assert hasattr(obj, "get"), f"not an object: {obj!r}"
    group, version = split_api_version(obj.get("apiVersion") or "")
    return Kind(group, version, obj.get("kind") or "")
