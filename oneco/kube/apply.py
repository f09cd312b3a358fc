"""Server-side apply and the record of ordinary updates: `metadata.managedFields`.

An apply costs what differs: the field set of a manifest is computed once and shared by every
object it is applied to, and where the live object still carries that very set, the manifest that
was applied last is known, so only the two manifests are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from oneco.kube import fieldsets, last_applied, manifests, merging, ownership, reapply
from oneco.kube.comparison import Comparison, compare
from oneco.kube.last_applied import KUBECTL
from oneco.kube.manifests import Manifest, Scope
from oneco.kube.objects import Object, metadata
from oneco.kube.ownership import Entry, Owner
from oneco.kube.types import Type

BEFORE_FIRST_APPLY = "before-first-apply"


Finish = Callable[[Object, Object | None], Object]
"""Completes an object; the second is what it was before, complete already."""


class Pending(NamedTuple):
    """An ordinary write whose effect on `managedFields` is not computed yet.

    `before` is None for a creation. Where the server adds to the spec what nobody owns, `spec` is
    what the rest of it is.
    """

    manager: str
    before: Object | None
    after: Object
    time: str
    subresource: str = ""
    spec: Object | None = None


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
    finish: Finish | None = None,
    see: Callable[[Object], object] | None = None,
) -> Object:
    """`live` after `manager` applied `applied`, with `managedFields`.

    `live` itself comes back where nothing changes. Conflict is raised where another manager holds
    a changed field and `force` is not set. `has_status` says whether the kind has a status
    subresource; if so the main resource ignores `status` and the subresource all but that.
    `finish` fills in defaults, as `defaults.default` does; what it undoes is no change. `see` is
    shown what was merged, if it was pruned, while what was emptied in it is still null.
    """
    scope = Scope(subresource, has_status, type.is_embedded)
    owner = Owner(manager, "Apply", "", subresource)
    if live is None:
        return _created(manifests.of(applied, type, scope), owner, now_text, finish)
    entries = metadata(live).get("managedFields") or _unmanaged(live, type, scope, now_text)
    mine = next((entry for entry in entries if ownership.is_owned_by(entry, owner)), None)
    last = mine.get("fieldsV1") if mine is not None else None
    before = manifests.owning(last)
    wanted = manifests.of(applied, type, scope, before)
    is_repeated = last is wanted.fields and last is not None and before is not None
    if is_repeated and not _is_renewed(live, wanted, entries, type):
        return live
    merged = None if is_repeated else _followed(live, before, wanted, type)
    is_followed = merged is not None
    others = [entry for entry in entries if entry is not mine]
    if merged is None:
        merged = _merged(live, wanted, last, others, type)
    if others:
        seen = _within(compare(live, merged, type), scope)
        if not force:
            allowed = last_applied.still_shown(live, type) if manager == KUBECTL else None
            ownership.refuse_conflicts(others, seen, allowed)
        others = ownership.taken(others, seen)
    if see is not None and last and not is_followed:
        see(merged)
    merged = merged if is_followed else merging.swept(merged, live)
    merged = last_applied.renewed(merged, applied) if manager == KUBECTL else merged
    # Also what defaults undo moves the entry behind those of others, as on a real server.
    time = (mine.get("time", "") if mine else "") if merged is live else now_text
    merged = _finished(merged, live, type, finish)
    if wanted.fields is not None:
        others.append(ownership.make(owner, applied["apiVersion"], wanted.fields, time))
    return _with_entries(merged, live, ownership.ordered(others))


def _is_renewed(live: Object, wanted: Manifest, entries: Sequence[Entry], kind: Type) -> bool:
    """Whether repeating a manifest counts as a change: it does for what no server keeps.

    The entry is then the youngest again, which shows where there are others.
    """
    if not wanted.has_empty or len(entries) == 1:
        return False
    return merging.merge(live, wanted.effective, kind) is not live


def _created(wanted: Manifest, owner: Owner, now_text: str, finish: Finish | None) -> Object:
    manifest = wanted.effective if finish is None else finish(wanted.effective, None)
    if wanted.fields is None:
        return manifest
    entry = ownership.make(owner, manifest["apiVersion"], wanted.fields, now_text)
    return {**manifest, "metadata": {**metadata(manifest), "managedFields": [entry]}}


def _within(seen: Comparison, scope: Scope) -> Comparison:
    changed = manifests.within(seen.changed, scope)
    return Comparison(changed, manifests.within(seen.removed, scope), seen.is_moved)


def _unmanaged(live: Object, kind: Type, scope: Scope, now_text: str) -> Sequence[Entry]:
    """An object that nobody's fields were recorded for is taken to be one earlier manager's."""
    seen = compare({}, live, kind)
    fields = ownership.stripped(manifests.within(seen.changed, scope))
    if fields is None:
        return ()
    version = live.get("apiVersion", "")
    owner = Owner(BEFORE_FIRST_APPLY, "Update", version, scope.subresource)
    return [ownership.make(owner, owner.api_version, fields, now_text)]


def _followed(live: Object, before: Manifest | None, wanted: Manifest, kind: Type) -> Object | None:
    """`live` after the difference to the manifest applied before; None where that says too little.

    The manager still owns all that manifest set, so nobody changed any of it since.
    """
    if before is None or before.scope != wanted.scope:
        return None
    try:
        followed: Object = reapply.follow(live, before.effective, wanted.effective, kind)
    except reapply.Lost:
        return None
    return followed


def _merged(
    live: Object, wanted: Manifest, last: Any, others: Sequence[Entry], kind: Type
) -> Object:
    merged = merging.merge(live, wanted.effective, kind)
    owned = [] if wanted.named is None else [wanted.named]
    # Two managers may share one field set: only whose entry it is tells them apart.
    owned += [entry["fieldsV1"] for entry in others]
    pruned: Object = merging.prune(merged, last, owned, kind)
    return pruned


def _finished(merged: Object, live: Object, kind: Type, finish: Finish | None) -> Object:
    if finish is None or merged is live:
        return merged
    finished = finish(merged, live)
    if finished is merged:
        return merged
    # A default or another way to write a number may bring back what was there.
    return finished if any(compare(live, finished, kind)) else live


def _with_entries(merged: Object, live: Object, entries: list[Entry]) -> Object:
    held = metadata(live).get("managedFields") or ()
    if merged is live and ownership.untimed(entries) == ownership.untimed(held):
        return live
    return recorded(merged, entries)


def update(  # noqa: PLR0913 - the parameters of the request, all by name
    live_before: Object | None,
    new: Object,
    *,
    manager: str,
    type: Type,
    now_text: str,
    subresource: str = "",
    has_status: bool = True,
    spec: Object | None = None,
) -> Object:
    """`new` with `managedFields` that say what `manager` changed; None before means creation."""
    entries = metadata(live_before).get("managedFields") or [] if live_before else []
    given = metadata(new).get("managedFields")
    if given is not None and not subresource and (given or live_before is not None):
        # A writer may edit the record itself; an empty one resets it.
        entries = [] if given in ([], [{}]) else given
    if live_before is not None and not entries:
        return recorded(new, [])
    write = Pending(manager, live_before, new, now_text, subresource, spec)
    return recorded(new, _updated(entries, write, type, has_status))


def resolve(
    obj: Object, pending: Sequence[Pending], type: Type, *, has_status: bool = True
) -> Object:
    """`obj`, the result of the last of `pending`, with the `managedFields` they lead to.

    The record of the first write's `before` must be complete.
    """
    if not pending:
        return obj
    before = pending[0].before
    entries: Sequence[Entry] = metadata(before).get("managedFields") or [] if before else []
    for write in pending:
        if write.before is None or entries:
            entries = _updated(entries, write, type, has_status)
    return recorded(obj, entries)


def _updated(
    entries: Sequence[Entry], write: Pending, kind: Type, has_status: bool
) -> Sequence[Entry]:
    seen = compare(write.before or {}, _ownable(write), kind)
    seen = _within(seen, Scope(write.subresource, has_status, kind.is_embedded))
    changed, removed = ownership.stripped(seen.changed), ownership.stripped(seen.removed)
    if changed is None and removed is None and not seen.is_moved:
        return entries
    api_version = write.after.get("apiVersion", "")
    owner = Owner(write.manager, "Update", api_version, write.subresource)
    mine = next((entry for entry in entries if ownership.is_owned_by(entry, owner)), None)
    others = [entry for entry in entries if entry is not mine]
    rest = ownership.taken(others, Comparison(changed, removed, seen.is_moved))
    held = ownership.fields_of(mine) if mine is not None else None
    fields = fieldsets.union(fieldsets.difference(held, removed), changed)
    if fields is not None:
        time = write.time if changed is not None else (mine or {}).get("time", "")
        rest.append(ownership.make(owner, api_version, fields, time))
    return ownership.ordered(ownership.capped(rest))


def _ownable(write: Pending) -> Object:
    return write.after if write.spec is None else {**write.after, "spec": write.spec}


def recorded(obj: Object, entries: Sequence[Entry]) -> Object:
    """`obj` with `entries` as its managedFields; without any if there are none."""
    meta: dict[str, Any] = dict(metadata(obj))
    if entries:
        meta["managedFields"] = entries
    else:
        meta.pop("managedFields", None)
    return {**obj, "metadata": meta}
