"""The forms an answer takes: objects as they are, their metadata alone, or a printed table."""

from __future__ import annotations

from typing import Any, Protocol

from oneco.kube.api import Event, Page
from oneco.kube.objects import Object, metadata
from oneco.kube.refs import ResourceInfo
from oneco.worlds.embedded.negotiation import Representation
from oneco.worlds.embedded.requests import Query
from oneco.worlds.embedded.watching import line_of


class Shape(Protocol):
    """How objects are shown; `is_changing` says that events differ from those of other watchers."""

    is_changing: bool

    def one(self, obj: Object) -> Object:
        """One object."""
        ...

    def many(self, page: Page) -> Object:
        """A list."""
        ...

    def line(self, event: Event) -> bytes:
        """One line of a watch."""
        ...


class ObjectShape:
    """Objects as they are."""

    is_changing = False

    def __init__(self, info: ResourceInfo) -> None:
        self._info = info

    def one(self, obj: Object) -> Object:
        return obj

    def many(self, page: Page) -> Object:
        return {
            "kind": f"{self._info.kind}List",
            "apiVersion": self._info.resource.api_version,
            "metadata": list_metadata(page),
            "items": page.items,
        }

    def line(self, event: Event) -> bytes:
        return line_of(event.type, event.object)


class MetadataShape:
    """What a client sees that only follows names, labels and owners."""

    is_changing = True

    def __init__(self, version: str) -> None:
        self._api_version = f"meta.k8s.io/{version}"

    def one(self, obj: Object) -> Object:
        return {
            "kind": "PartialObjectMetadata",
            "apiVersion": self._api_version,
            "metadata": metadata(obj),
        }

    def many(self, page: Page) -> Object:
        return {
            "kind": "PartialObjectMetadataList",
            "apiVersion": self._api_version,
            "metadata": list_metadata(page),
            "items": [self.one(obj) for obj in page.items],
        }

    def line(self, event: Event) -> bytes:
        return line_of(event.type, self.one(event.object))


def list_metadata(page: Page) -> dict[str, Any]:
    """The metadata of a list."""
    found: dict[str, Any] = {"resourceVersion": page.resource_version}
    if page.continue_token:
        found["continue"] = page.continue_token
        if page.remaining is not None:
            found["remainingItemCount"] = page.remaining
    return found


def shape(wanted: Representation, info: ResourceInfo, query: Query) -> Shape:
    """The shape for what the client accepts."""
    if wanted.form == "PartialObjectMetadata":
        return MetadataShape(wanted.version)
    return ObjectShape(info)
