"""What of an object's JSON the cells of its row are made of: the rest is never decoded."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypedDict

import msgspec

from oneco.kube.objects import Object

Parts = tuple[tuple[str, Any], ...]
"""Fields beside the metadata, each with the type that is enough to know of it."""
COUNTED: Final = dict[str, msgspec.Raw]
"""Of a mapping whose entries are only counted."""


class Seen(NamedTuple):
    """The parts of an object, and its metadata as it was encoded."""

    parts: Object
    metadata: msgspec.Raw


_METADATA: Final = TypedDict(  # type: ignore[misc]
    "_METADATA",
    # All that Kubernetes has there, but the record of who wrote what: often the largest of all.
    dict.fromkeys(
        (
            "name", "generateName", "namespace", "uid", "resourceVersion", "generation",
            "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
            "labels", "annotations", "ownerReferences", "finalizers", "selfLink",
        ),
        Any,
    ),
    total=False,
)  # fmt: skip
LEFT_OUT: Final = "managedFields"
_decode_metadata: Final = msgspec.json.Decoder(_METADATA).decode


@functools.cache
def reader(parts: Parts) -> Callable[[msgspec.Raw], Seen]:
    """A function that decodes these parts of an object, and no more."""
    fields = [(f"field_{number}", kind, msgspec.UNSET) for number, (_, kind) in enumerate(parts)]
    names = {f"field_{number}": name for number, (name, _) in enumerate(parts)}
    made = msgspec.defstruct(
        "Parts",
        [
            ("metadata", msgspec.Raw),
            *((name, kind | msgspec.UnsetType, unset) for name, kind, unset in fields),
        ],
        rename=_renamed(names),
        gc=False,
    )
    decode: Callable[[msgspec.Raw], Any] = msgspec.json.Decoder(made).decode
    rows = tuple(names.items())

    def read(encoded: msgspec.Raw) -> Seen:
        found = decode(encoded)
        seen = {"metadata": _decode_metadata(found.metadata)}
        for place, name in rows:
            value = getattr(found, place)
            if value is not msgspec.UNSET:
                seen[name] = value
        return Seen(seen, found.metadata)

    return read


def _renamed(names: Mapping[str, str]) -> Callable[[str], str]:
    return lambda place: names.get(place, place)
