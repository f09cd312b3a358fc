"""Server-side apply and the record of ordinary updates: `metadata.managedFields`.

An apply costs what differs: the field set of a manifest is computed once and shared by every
object it is applied to, and where the live object still carries that very set, the manifest that
was applied last is known, so only the two manifests are compared.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

from oneco.kube import fieldsets, managers, merging
from oneco.kube.comparison import Comparison, compare
from oneco.kube.errors import BadRequest, InternalError
from oneco.kube.fieldsets import FieldSet, Malformed
from oneco.kube.managers import Entry, Owner
from oneco.kube.objects import Object, metadata, name, namespace
from oneco.kube.types import Type

BEFORE_FIRST_APPLY = "before-first-apply"
_REMEMBERED = 8192


class Pending(NamedTuple):
    """An ordinary write whose effect on `managedFields` is not computed yet.

    `before` is None for a creation.
    """

    manager: str
    before: Object | None
    after: Object
    time: str
    subresource: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class _Applied:
    """A manifest and what its applier owns."""

    manifest: Object
    subresource: str
    has_status: bool
    effective: Object
    named: FieldSet | None
    """What the manifest names, its identity among it."""
    fields: FieldSet | None
    """What its applier owns."""


_by_manifest: dict[tuple[int, str, bool], _Applied] = {}
_by_fields: dict[int, _Applied] = {}


def apply(  # noqa: PLR0913 - the parameters of the request, all by name
    live: Object | None,
    applied: Object,
    *,
    manager: str,
    type: Type,
    now_text: str,
    force: bool = False,
    subresource: str = "",
    has_status: bool = True,
) -> Object:
    """`live` after `manager` applied `applied`, with `managedFields` but without defaults.

    `live` itself comes back where nothing changes. Conflict is raised where another manager holds
    a changed field and `force` is not set. `has_status` says whether the kind has a status
    subresource; if so the main resource ignores `status` and the subresource all but that.
    """
    wanted = _applied(applied, type, subresource, has_status)
    owner = Owner(manager, "Apply", "", subresource)
    if live is None:
        return _created(wanted, owner, now_text)
    entries = metadata(live).get("managedFields") or ()
    if not entries:
        entries = _unmanaged(live, type, now_text)
    mine = next((entry for entry in entries if managers.owner_of(entry) == owner), None)
    if mine is not None and mine.get("fieldsV1") is wanted.fields:
        return live
    merged = _merged(live, wanted, mine, entries, type)
    seen = _reset(compare(live, merged, type), subresource, has_status)
    if not force:
        managers.refuse_conflicts(entries, owner, seen)
    entries = managers.taken([one for one in entries if one is not mine], owner, seen)
    time = (mine.get("time", "") if mine else "") if merged is live else now_text
    if wanted.fields is not None:
        entries.append(managers.make(owner, applied["apiVersion"], wanted.fields, time))
    return _with_entries(merging.swept(merged, live), live, managers.ordered(entries))


def _created(wanted: _Applied, owner: Owner, now_text: str) -> Object:
    manifest = wanted.effective
    if wanted.fields is None:
        return manifest
    entry = managers.make(owner, manifest["apiVersion"], wanted.fields, now_text)
    return {**manifest, "metadata": {**metadata(manifest), "managedFields": [entry]}}


def _applied(applied: Object, kind: Type, subresource: str, has_status: bool) -> _Applied:
    key = (id(applied), subresource, has_status)
    known = _by_manifest.get(key)
    if known is not None and known.manifest is applied:
        return known
    if "managedFields" in metadata(applied):
        raise BadRequest("metadata.managedFields must be nil")
    try:
        fields = fieldsets.of_value(applied, kind)
    except Malformed as error:
        raise InternalError(
            f"failed to create typed patch object ({_title(applied)}): "
            f"{error.path}: {error.message}"
        ) from None
    named = _without_reset(fields, subresource, has_status)
    fields = managers.stripped(named)
    effective = _effective(applied, subresource, has_status)
    known = _Applied(applied, subresource, has_status, effective, named, fields)
    if len(_by_manifest) >= _REMEMBERED:
        _by_manifest.clear()
        _by_fields.clear()
    _by_manifest[key] = known
    if fields is not None:
        _by_fields[id(fields)] = known
    return known


def _title(applied: Object) -> str:
    kind = f"{applied.get('apiVersion', '')}, Kind={applied.get('kind', '')}"
    return f"{namespace(applied)}/{name(applied)}; {kind}"


def _effective(applied: Object, subresource: str, has_status: bool) -> Object:
    if not has_status:
        return applied
    if subresource == "status":
        kept = ("apiVersion", "kind", "metadata", "status")
        given = metadata(applied)
        meta = {key: given[key] for key in ("name", "namespace") if key in given}
        return {key: part for key, part in applied.items() if key in kept} | {"metadata": meta}
    if "status" in applied:
        return {key: part for key, part in applied.items() if key != "status"}
    return applied


def _without_reset(fields: FieldSet | None, subresource: str, has_status: bool) -> FieldSet | None:
    if not has_status or fields is None:
        return fields
    if subresource == "status":
        return fieldsets.without(fields, ("f:spec",), ("f:metadata",))
    return fieldsets.without(fields, ("f:status",))


def _reset(seen: Comparison, subresource: str, has_status: bool) -> Comparison:
    changed = _without_reset(seen.changed, subresource, has_status)
    return Comparison(changed, _without_reset(seen.removed, subresource, has_status))


def _unmanaged(live: Object, kind: Type, now_text: str) -> Sequence[Entry]:
    """An object that nobody's fields were recorded for is taken to be one earlier manager's."""
    seen = compare({}, live, kind)
    fields = managers.stripped(_reset(seen, "", True).changed)
    if fields is None:
        return ()
    owner = Owner(BEFORE_FIRST_APPLY, "Update", live.get("apiVersion", ""))
    return [managers.make(owner, owner.api_version, fields, now_text)]


def _merged(
    live: Object, wanted: _Applied, mine: Entry | None, entries: Sequence[Entry], kind: Type
) -> Object:
    manifest: Object = merging.merge(live, wanted.effective, kind)
    last = managers.fields_of(mine) if mine is not None else None
    owned = [wanted.named] if wanted.named is not None else []
    owned += [entry["fieldsV1"] for entry in entries if entry is not mine]
    pruned: Object = merging.prune(manifest, last, owned, kind)
    return pruned


def _with_entries(merged: Object, live: Object, entries: list[Entry]) -> Object:
    if merged is live and entries == metadata(live).get("managedFields"):
        return live
    return {**merged, "metadata": {**metadata(merged), "managedFields": entries}}


def update(  # noqa: PLR0913 - the parameters of the request, all by name
    live_before: Object | None,
    new: Object,
    *,
    manager: str,
    type: Type,
    now_text: str,
    subresource: str = "",
    has_status: bool = True,
) -> Object:
    """`new` with `managedFields` that say what `manager` changed; None before means creation."""
    entries = metadata(live_before).get("managedFields") or [] if live_before else []
    given = metadata(new).get("managedFields")
    if given is not None and not subresource and (given or live_before is not None):
        # A writer may edit the record itself; an empty one resets it.
        entries = [] if given in ([], [{}]) else given
    if live_before is not None and not entries:
        return _recorded(new, [])
    return _recorded(new, _updated(entries, Pending(
        manager, live_before, new, now_text, subresource), type, has_status))  # fmt: skip


def resolve(
    obj: Object, pending: Sequence[Pending], type: Type, *, has_status: bool = True
) -> Object:
    """`obj` with the `managedFields` that follow from its present ones and `pending` writes."""
    if not pending:
        return obj
    before = pending[0].before
    entries: Sequence[Entry] = metadata(before).get("managedFields") or [] if before else []
    for write in pending:
        if write.before is None or entries:
            entries = _updated(entries, write, type, has_status)
    return _recorded(obj, entries)


def _updated(
    entries: Sequence[Entry], write: Pending, kind: Type, has_status: bool
) -> Sequence[Entry]:
    seen = compare(write.before or {}, write.after, kind)
    seen = _reset(seen, write.subresource, has_status)
    changed, removed = managers.stripped(seen.changed), managers.stripped(seen.removed)
    if changed is None and removed is None:
        return entries
    api_version = write.after.get("apiVersion", "")
    owner = Owner(write.manager, "Update", api_version, write.subresource)
    left = managers.taken(entries, owner, Comparison(changed, removed))
    mine = next((entry for entry in left if managers.owner_of(entry) == owner), None)
    rest = [entry for entry in left if entry is not mine]
    held = managers.fields_of(mine) if mine is not None else None
    fields = fieldsets.union(fieldsets.difference(held, removed), changed)
    if fields is not None:
        time = write.time if changed is not None else (mine or {}).get("time", "")
        rest.append(managers.make(owner, api_version, fields, time))
    return managers.ordered(managers.capped(rest))


def _recorded(obj: Object, entries: Sequence[Entry]) -> Object:
    meta: dict[str, Any] = dict(metadata(obj))
    if entries:
        meta["managedFields"] = list(entries)
    else:
        meta.pop("managedFields", None)
    return {**obj, "metadata": meta}
