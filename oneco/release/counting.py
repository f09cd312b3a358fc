"""Pods counted from single values of a status, where nobody looks at the pods themselves."""

from __future__ import annotations

from collections.abc import Mapping

from oneco.kube.objects import Json
from oneco.release.ports import Counts


def counted(values: Mapping[str, Json]) -> Counts:
    """The pods of a status that does not say which of the ready ones are new.

    As many are surely new as are more than all old ones together.
    """
    total, updated, ready = (number(values, name) for name in ("total", "updated", "ready"))
    sure = max(0, ready - max(0, total - updated))
    return Counts(number(values, "replicas"), total, updated, min(updated, sure), ready)


def number(values: Mapping[str, Json], name: str) -> int:
    """The value of this name; a count that a status leaves out is zero."""
    value = values.get(name)
    return value if isinstance(value, int) else 0
