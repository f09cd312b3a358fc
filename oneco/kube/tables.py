"""Tables as an API server prints them for `kubectl get`: `meta.k8s.io/v1` Table objects."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from oneco.clock import Instant
from oneco.kube import (
    ages,
    jsonpath,
    table_cluster,
    table_network,
    table_pods,
    table_workloads,
)
from oneco.kube.objects import Json, Object, metadata
from oneco.kube.refs import ResourceInfo
from oneco.kube.table_columns import Column, Printer, columns

IncludeObject = Literal["None", "Metadata", "Object"]

_PRINTERS: Final[Mapping[tuple[str, str], Printer]] = {
    **table_pods.PRINTERS,
    **table_workloads.PRINTERS,
    **table_network.PRINTERS,
    **table_cluster.PRINTERS,
}


def table(
    info: ResourceInfo,
    objects: Iterable[Object],
    *,
    now: Instant,
    columns: Sequence[Object] | None = None,
    include_object: IncludeObject = "Metadata",
) -> Object:
    """The table of `objects`, which are all of the kind that `info` names.

    `columns` are the `additionalPrinterColumns` of a custom resource; None for a built-in kind.
    The answer has empty list metadata, which the caller puts in.
    """
    printer = _printer(info, columns)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {},
        "columnDefinitions": [dataclasses.asdict(column) for column in printer.columns],
        "rows": [_row(printer, obj, now, include_object) for obj in objects],
    }


def _printer(info: ResourceInfo, custom: Sequence[Object] | None) -> Printer:
    if custom is not None:
        # Columns are read once for all the rows and all the requests of one definition.
        return _custom_printer(msgspec.json.encode(custom))
    group = "" if info.resource.group == "events.k8s.io" else info.resource.group
    return _PRINTERS.get((group, info.kind), _PLAIN)


def _row(printer: Printer, obj: Object, now: Instant, include: IncludeObject) -> Object:
    row: dict[str, Json] = {"cells": list(printer.cells(obj, now))}
    conditions = printer.conditions(obj) if printer.conditions else ()
    if conditions:
        row["conditions"] = conditions
    if include == "Object":
        row["object"] = obj
    elif include == "Metadata":
        row["object"] = {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": metadata(obj),
        }
    else:
        row["object"] = None
    return row


@functools.lru_cache(maxsize=256)
def _custom_printer(encoded: bytes) -> Printer:
    definitions = msgspec.json.decode(encoded) or [_AGE]
    steps = [jsonpath.compile(one["jsonPath"]) for one in definitions]
    kinds = [one.get("type") or "string" for one in definitions]

    def cells(obj: Object, now: Instant) -> Sequence[Json]:
        found = [_cell(path, kind, obj, now) for path, kind in zip(steps, kinds, strict=True)]
        return [metadata(obj).get("name"), *found]

    return Printer((_NAME, *(_column(one) for one in definitions)), cells)


def _column(definition: Mapping[str, Any]) -> Column:
    return Column(
        definition["name"],
        definition.get("type") or "string",
        definition.get("format") or "",
        definition.get("priority") or 0,
        definition.get("description") or "",
    )


def _cell(path: jsonpath.Steps, kind: str, obj: Object, now: Instant) -> Json:
    found = jsonpath.follow(path, obj)
    if not found or found[0] is None:
        return None
    value = found[0]
    if kind == "date":
        return ages.since(value, now) if isinstance(value, str) else ages.UNKNOWN
    if kind == "string":
        return value if isinstance(value, str) else msgspec.json.encode(value).decode()
    accepted = _ACCEPTED.get(kind, (object,))
    return value if isinstance(value, accepted) else None


def _plain_cells(obj: Object, now: Instant) -> Sequence[Json]:
    return [metadata(obj).get("name"), metadata(obj).get("creationTimestamp")]


_ACCEPTED: Final[Mapping[str, tuple[type, ...]]] = {
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
_NAME: Final = Column("Name", format="name")
_AGE: Final = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}
_PLAIN: Final = Printer(columns("Name|Created At:date"), _plain_cells)
