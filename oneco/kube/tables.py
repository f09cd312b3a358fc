"""Tables as an API server prints them for `kubectl get`: `meta.k8s.io/v1` Table objects."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from oneco.clock import Instant
from oneco.kube import (
    ages,
    jsonpath,
    table_cluster,
    table_network,
    table_parts,
    table_pods,
    table_workloads,
)
from oneco.kube.objects import Json, Object, metadata
from oneco.kube.refs import ResourceInfo
from oneco.kube.table_columns import Column, Printer, columns
from oneco.kube.table_parts import Parts

IncludeObject = Literal["None", "Metadata", "Object"]

_WHOLE_STATE: Final[Parts] = (("spec", Any), ("status", Any))
_PARTS: Final[Mapping[tuple[str, str], Parts]] = {
    **dict.fromkeys(
        (
            ("", "Namespace"), ("", "Node"), ("", "Pod"), ("", "Service"),
            ("", "PersistentVolume"), ("", "PersistentVolumeClaim"),
            ("apps", "DaemonSet"), ("apps", "Deployment"),
            ("apps", "ReplicaSet"), ("apps", "StatefulSet"), ("batch", "CronJob"), ("batch", "Job"),
            ("autoscaling", "HorizontalPodAutoscaler"), ("coordination.k8s.io", "Lease"),
        ),
        _WHOLE_STATE,
    ),
    ("", "ConfigMap"): (("data", table_parts.COUNTED), ("binaryData", table_parts.COUNTED)),
    ("", "Secret"): (("data", table_parts.COUNTED), ("type", Any)),
    ("", "ServiceAccount"): (),
}  # fmt: skip
"""What the cells of the kinds with the most objects are made of."""
_PRINTERS: Final[Mapping[tuple[str, str], Printer]] = {
    key: dataclasses.replace(printer, parts=_PARTS.get(key))
    for key, printer in {
        **table_pods.PRINTERS,
        **table_workloads.PRINTERS,
        **table_network.PRINTERS,
        **table_cluster.PRINTERS,
    }.items()
}


def table(
    info: ResourceInfo,
    objects: Iterable[Object | msgspec.Raw],
    *,
    now: Instant,
    columns: Sequence[Object] | None = None,
    include_object: IncludeObject = "Metadata",
) -> Object:
    """The table of `objects`, which are all of the kind that `info` names; or of their JSON.

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


def _row(
    printer: Printer, obj: Object | msgspec.Raw, now: Instant, include: IncludeObject
) -> Object:
    seen, meta = _seen(printer, obj)
    row: dict[str, Any] = {"cells": list(printer.cells(seen, now))}
    conditions = printer.conditions(seen) if printer.conditions else ()
    if conditions:
        row["conditions"] = conditions
    if include == "Object":
        row["object"] = obj
    elif include == "Metadata":
        row["object"] = {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": meta,
        }
    else:
        row["object"] = None
    return row


def _seen(printer: Printer, obj: Object | msgspec.Raw) -> tuple[Object, Object | msgspec.Raw]:
    """The object as far as its cells need it, and its metadata."""
    if not isinstance(obj, msgspec.Raw):
        return obj, metadata(obj)
    if printer.parts is None:
        decoded = msgspec.json.decode(obj)
        return decoded, metadata(decoded)
    return table_parts.reader(printer.parts)(obj)


@functools.lru_cache(maxsize=256)
def _custom_printer(encoded: bytes) -> Printer:
    definitions = msgspec.json.decode(encoded) or [_AGE]
    steps = [jsonpath.compile(one["jsonPath"]) for one in definitions]
    kinds = [one.get("type") or "string" for one in definitions]

    def cells(obj: Object, now: Instant) -> Sequence[Json]:
        found = [_cell(path, kind, obj, now) for path, kind in zip(steps, kinds, strict=True)]
        return [metadata(obj).get("name"), *found]

    columns = (_NAME, *(_column(one) for one in definitions))
    return Printer(columns, cells, parts=_custom_parts([one["jsonPath"] for one in definitions]))


def _custom_parts(paths: Sequence[str]) -> Parts | None:
    """The fields that the paths begin with; None where one may begin with anything."""
    starts = [_first_field(path) for path in paths]
    if None in starts or any(table_parts.LEFT_OUT in path for path in paths):
        return None
    return tuple((str(name), Any) for name in sorted({*starts} - {"metadata"}, key=str))


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


def _first_field(path: str) -> str | None:
    found = _plain_start(path.strip())
    return found[1] if found else None


_plain_start: Final = re.compile(r"\{?\$?\.?([A-Za-z_]\w*)(?=[.\[}]|$)").match
_ACCEPTED: Final[Mapping[str, tuple[type, ...]]] = {
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
_NAME: Final = Column("Name", format="name")
_AGE: Final = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}
_PLAIN: Final = Printer(columns("Name|Created At:date"), _plain_cells, parts=())
