"""Bodies from the wire as objects, and objects as bodies.

Plain dictionaries and not lazy ones: docs/decisions/0002-objects-from-the-wire.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from oneco.kube import errors
from oneco.kube.api import Page
from oneco.kube.objects import Json, Object


class _ListMeta(msgspec.Struct):
    resourceVersion: str = ""
    remainingItemCount: int | None = None
    token: str = msgspec.field(name="continue", default="")


class _List(msgspec.Struct):
    kind: str = ""
    apiVersion: str = ""
    metadata: _ListMeta = msgspec.field(default_factory=_ListMeta)
    items: list[dict[str, Any]] | None = None


class WatchLine(msgspec.Struct):
    """One line of a watch: what happened, and the object or, for ERROR, a Status."""

    type: str
    object: dict[str, Any]


_object = msgspec.json.Decoder(dict[str, Any])
_list = msgspec.json.Decoder(_List)
_line = msgspec.json.Decoder(WatchLine)
_encoder = msgspec.json.Encoder()


KeepsManagers = Callable[[Object], bool]
"""Of which objects somebody wants to know who manages which field."""


class Listing(NamedTuple):
    """One page of a list, and of which kind its items are."""

    page: Page
    api_version: str
    kind: str


def decode_object(body: bytes) -> Object:
    """The object that `body` says; ServiceUnavailable if it says none."""
    try:
        return _object.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise errors.ServiceUnavailable(f"the server answered no object: {error}") from error


def decode_listing(body: bytes) -> Listing:
    """The page of a list that `body` says; ServiceUnavailable if it says none."""
    try:
        said = _list.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise errors.ServiceUnavailable(f"the server answered no list: {error}") from error
    meta, kind = said.metadata, said.kind.removesuffix("List")
    items = _with_kind(said.items or (), said.apiVersion, kind)
    page = Page(items, meta.resourceVersion, meta.token, meta.remainingItemCount)
    return Listing(page, said.apiVersion, kind)


def decode_line(line: bytes) -> WatchLine:
    """One line of a watch; msgspec.DecodeError if it is none."""
    return _line.decode(line)


def keep_all(obj: Object) -> bool:
    """Keep the managedFields of every object."""
    del obj
    return True


def keep_none(obj: Object) -> bool:
    """Keep the managedFields of no object."""
    del obj
    return False


def thin(objs: Sequence[Object], keeps_managers: KeepsManagers) -> None:
    """Take the managedFields that nobody wants out of objects that came just now, and are ours."""
    if keeps_managers is not keep_all:
        for obj in objs:
            metadata = obj.get("metadata")
            if type(metadata) is dict and "managedFields" in metadata and not keeps_managers(obj):
                del metadata["managedFields"]


def encode(value: Json) -> bytes:
    """`value` as a request's body."""
    return _encoder.encode(value)


def _with_kind(items: Sequence[Object], api_version: str, kind: str) -> Sequence[Object]:
    # Lists of built-in kinds leave these two out of their items; watches and gets do not.
    if not items or "kind" in items[0]:
        return items
    said = {"apiVersion": api_version, "kind": kind}
    return [{**said, **item} for item in items]
