"""The entries of `metadata.managedFields`: who owns which fields, since when and how."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from oneco.kube import fieldsets
from oneco.kube.comparison import Comparison
from oneco.kube.errors import Cause, Conflict
from oneco.kube.fieldsets import FieldSet
from oneco.kube.objects import Object

Entry = Object
"""One entry of `managedFields`."""
_MOST_UPDATERS = 10
_META = tuple(
    "f:" + name
    for name in (
        "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation",
        "managedFields", "resourceVersion",
    )
)  # fmt: skip


class Owner(NamedTuple):
    """What tells one entry from another."""

    manager: str
    operation: str
    api_version: str = ""
    subresource: str = ""


def is_owned_by(entry: Entry, owner: Owner) -> bool:
    """Whether `entry` is that owner's; an applier stays the same whatever version it uses."""
    return (
        entry.get("manager", "") == owner.manager
        and entry["operation"] == owner.operation
        and entry.get("subresource", "") == owner.subresource
        and (owner.operation == "Apply" or entry.get("apiVersion", "") == owner.api_version)
    )


def fields_of(entry: Entry) -> FieldSet | None:
    """The fields that `entry` holds."""
    return entry.get("fieldsV1") or None


def make(owner: Owner, api_version: str, fields: FieldSet, time: str) -> Entry:
    """A new entry; without a time if `time` is empty."""
    entry: dict[str, Any] = {
        "manager": owner.manager,
        "operation": owner.operation,
        "apiVersion": api_version,
        "time": time,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }
    if not time:
        del entry["time"]
    return entry | {"subresource": owner.subresource} if owner.subresource else entry


def untimed(entries: Sequence[Entry]) -> list[Entry]:
    """`entries` without their times, which are no change by themselves."""
    return [{key: part for key, part in entry.items() if key != "time"} for entry in entries]


def ordered(entries: Sequence[Entry]) -> list[Entry]:
    """`entries` in Kubernetes' order: appliers first, then by age."""
    return sorted(entries, key=_rank)


def _rank(entry: Entry) -> tuple[str, ...]:
    places = ("operation", "time", "manager", "apiVersion", "subresource")
    return tuple(entry.get(place) or "" for place in places)


def stripped(fields: FieldSet | None) -> FieldSet | None:
    """`fields` without what identifies an object or belongs to the server: nobody owns that."""
    if fields is None:
        return None
    if "f:apiVersion" in fields or "f:kind" in fields:
        identity = ("f:apiVersion", "f:kind")
        fields = {key: part for key, part in fields.items() if key not in identity}
    meta = fields.get("f:metadata")
    if meta is None:
        return fields or None
    kept = {key: part for key, part in meta.items() if key not in _META and key != "."}
    if kept == meta and kept:
        return fields
    rest = {key: part for key, part in fields.items() if key != "f:metadata"}
    return ({**rest, "f:metadata": kept} if kept else rest) or None


def taken(others: Sequence[Entry], seen: Comparison) -> list[Entry]:
    """The entries of `others` after somebody else changed what was seen."""
    left = []
    for entry in others:
        fields = fields_of(entry)
        kept = fieldsets.difference(fields, seen.changed)
        kept = fieldsets.difference(kept, seen.removed)
        if kept is None:
            continue
        if seen.is_moved and kept is fields:
            # Equal, but no longer the set that proves which manifest the object shows.
            kept = dict(kept)
        left.append(entry if kept is fields else {**entry, "fieldsV1": kept})
    return left


def refuse_conflicts(
    others: Sequence[Entry], seen: Comparison, allowed: FieldSet | None = None
) -> None:
    """Raise Conflict if one of `others` holds a field that changed and is not `allowed` to."""
    found: list[tuple[str, str]] = []
    if seen.changed is not None:
        for entry in sorted(others, key=_identifier):
            both = fieldsets.intersection(fields_of(entry), seen.changed)
            both = fieldsets.difference(both, allowed)
            found += [(_shown(entry), path) for path in fieldsets.paths(both)]
    if found:
        causes = [
            Cause(path, f"conflict with {who}", "FieldManagerConflict") for who, path in found
        ]
        raise Conflict(_conflict_message(found), causes=causes)


def _identifier(entry: Entry) -> tuple[str, ...]:
    return (entry.get("manager", ""), entry["operation"], entry.get("subresource", ""))


def _conflict_message(found: Sequence[tuple[str, str]]) -> str:
    if len(found) == 1:
        who, path = found[0]
        return f"Apply failed with 1 conflict: conflict with {who}: {path}"
    lines = []
    for who in dict.fromkeys(who for who, _ in found):
        lines.append(f"conflicts with {who}:")
        lines += [f"- {path}" for holder, path in found if holder == who]
    return f"Apply failed with {len(found)} conflicts: " + "\n".join(lines)


def _shown(entry: Entry) -> str:
    shown = f'"{entry.get("manager", "")}"'
    if entry.get("subresource"):
        shown += f' with subresource "{entry["subresource"]}"'
    if entry["operation"] == "Update":
        shown += f" using {entry.get('apiVersion', '')}"
    return shown


def capped(entries: list[Entry]) -> list[Entry]:
    """`entries` with the oldest updaters of a version made one, where there are more than ten."""
    updaters = [entry for entry in ordered(entries) if entry["operation"] == "Update"]
    excess = len(updaters) - _MOST_UPDATERS
    merged: dict[str, Entry] = {}
    for entry in updaters:
        if excess <= 0:
            break
        version = entry.get("apiVersion", "")
        if version in merged:
            both = fieldsets.union(fields_of(merged[version]), fields_of(entry))
            gone = (entry, merged[version])
            bucket = Owner("ancient-changes", "Update", version)
            merged[version] = make(bucket, version, both or {}, entry.get("time", ""))
            entries = [one for one in entries if all(one is not old for old in gone)]
            entries.append(merged[version])
            excess -= 1
        else:
            merged[version] = entry
    return entries
