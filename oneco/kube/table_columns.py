"""What a printed table is made of: columns, and a function from an object to its cells."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from oneco.clock import Instant
from oneco.kube import ages, selectors
from oneco.kube.objects import Json, Object, dig, metadata
from oneco.kube.table_parts import Parts

NONE: Final = "<none>"
UNKNOWN: Final = "<unknown>"
UNSET: Final = "<unset>"


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """One column; a priority above zero is shown on wide request only."""

    name: str
    type: str = "string"
    format: str = ""
    priority: int = 0
    description: str = ""


Cells = Callable[[Object, Instant], Sequence[Json]]
"""The cells of one object's row."""


@dataclasses.dataclass(frozen=True, slots=True)
class Printer:
    """How objects of one kind become rows."""

    columns: tuple[Column, ...]
    cells: Cells
    conditions: Callable[[Object], Sequence[Object]] | None = None
    parts: Parts | None = None
    """What the cells are made of besides the metadata; None where that may be anything."""


def columns(text: str) -> tuple[Column, ...]:
    """Columns from `Name|Desired:integer|+Images`: a plus marks those for wide request."""
    return tuple(_column(part) for part in text.split("|"))


def age(obj: Object, now: Instant) -> str:
    """How long ago `obj` was created."""
    return ages.since(metadata(obj).get("creationTimestamp"), now)


def containers(spec: Object) -> tuple[str, str]:
    """The names and images of a pod specification's containers."""
    found = spec.get("containers") or ()
    return (
        ",".join(one.get("name") or "" for one in found),
        ",".join(one.get("image") or "" for one in found),
    )


def pod_spec(obj: Object) -> Object:
    """The pod specification in the template of a workload."""
    return dig(obj, "spec", "template", "spec", default={})  # type: ignore[no-any-return]


def selector(label_selector: Object | None) -> str:
    """A LabelSelector as text."""
    return str(selectors.from_object(label_selector)) or NONE if label_selector else NONE


def labels(pairs: Mapping[str, str] | None) -> str:
    """Labels as text, by key."""
    return ",".join(f"{key}={value}" for key, value in sorted((pairs or {}).items())) or NONE


def few(texts: Sequence[str], limit: int = 3, separator: str = ",") -> str:
    """The first `limit` of `texts` and how many are left out."""
    shown = separator.join(texts[:limit])
    left = len(texts) - limit
    return f"{shown} + {left} more..." if left > 0 else shown


def join(texts: Iterable[str], separator: str = ",") -> str:
    """All of `texts` that are not empty."""
    return separator.join(text for text in texts if text)


def _column(text: str) -> Column:
    priority = 1 if text.startswith("+") else 0
    name, _, kind = text.removeprefix("+").partition(":")
    return Column(name, kind or "string", "name" if name == "Name" else "", priority)
