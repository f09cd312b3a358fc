"""The forms an answer takes: objects as they are, their metadata alone, or a printed table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, cast, get_args

import msgspec

from oneco.clock import Clock, Instant
from oneco.kube import tables
from oneco.kube.api import Event, Page
from oneco.kube.errors import BadRequest
from oneco.kube.objects import Object, metadata, resource_version
from oneco.kube.refs import ResourceInfo
from oneco.kube.tables import IncludeObject
from oneco.worlds.apiserver.registry import Served
from oneco.worlds.embedded.held import Values
from oneco.worlds.embedded.negotiation import Representation
from oneco.worlds.embedded.requests import Query
from oneco.worlds.embedded.watching import line_of

_encode = msgspec.json.Encoder().encode
_PART = 500


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
        items = page.items
        return {
            "kind": f"{self._info.kind}List",
            "apiVersion": self._info.resource.api_version,
            "metadata": list_metadata(page),
            "items": items.encoded() if isinstance(items, Values) else items,
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
        rows = map(self.one, page.items)
        return {
            "kind": "PartialObjectMetadataList",
            "apiVersion": self._api_version,
            "metadata": list_metadata(page),
            "items": list(map(_written, rows) if isinstance(page.items, Values) else rows),
        }

    def line(self, event: Event) -> bytes:
        return line_of(event.type, self.one(event.object))


class TableShape:
    """Rows and columns, as `kubectl get` prints them."""

    is_changing = True

    def __init__(self, served: Served, clock: Clock, version: str, include: str) -> None:
        if include not in ("", *get_args(IncludeObject)):
            raise BadRequest(f'includeObject: found "{include}", wanted None, Metadata or Object')
        self._info, self._clock = served.info, clock
        self._columns = served.custom.columns if served.custom else None
        self._include = cast(IncludeObject, include or "Metadata")
        self._api_version = f"meta.k8s.io/{version}"

    def one(self, obj: Object) -> Object:
        return self._table([obj], {"resourceVersion": resource_version(obj)})

    def many(self, page: Page) -> Object:
        return self._table(page.items, list_metadata(page))

    def line(self, event: Event) -> bytes:
        # A bookmark has no fields that a printer could show.
        rows = [] if event.type == "BOOKMARK" else [event.object]
        meta = {"resourceVersion": resource_version(event.object)}
        return line_of(event.type, self._table(rows, meta))

    def _table(self, objects: Sequence[Object], meta: Object) -> Object:
        now = self._clock.now()
        table = self._part(objects[:_PART], now)
        if len(objects) > _PART:
            # Of a long list no row is held longer than it takes to write it.
            table = {**table, "rows": list(map(_written, table["rows"]))}
            for start in range(_PART, len(objects), _PART):
                part = self._part(objects[start : start + _PART], now)
                table["rows"] += map(_written, part["rows"])
        return {**table, "apiVersion": self._api_version, "metadata": meta}

    def _part(self, objects: Sequence[Object], now: Instant) -> Object:
        # What is held as its JSON is decoded only as far as the columns need it.
        rows = objects.encoded() if isinstance(objects, Values) else objects
        return tables.table(
            self._info, rows, now=now, columns=self._columns, include_object=self._include
        )


def _written(row: Object) -> msgspec.Raw:
    return msgspec.Raw(_encode(row))


def shape(wanted: Representation, served: Served, clock: Clock, query: Query) -> Shape:
    """The shape for what the client accepts."""
    if wanted.form == "PartialObjectMetadata":
        return MetadataShape(wanted.version)
    if wanted.form == "Table":
        return TableShape(served, clock, wanted.version, query.text("includeObject"))
    return ObjectShape(served.info)


def list_metadata(page: Page) -> dict[str, Any]:
    """The metadata of a list."""
    found: dict[str, Any] = {"resourceVersion": page.resource_version}
    if page.continue_token:
        found["continue"] = page.continue_token
        if page.remaining is not None:
            found["remainingItemCount"] = page.remaining
    return found
