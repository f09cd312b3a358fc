"""What is known about applied manifests: the fields each owns, computed once and shared.

Fields are computed for a content once; every object that a manifest was applied to then carries
the very same set, and finding that set in a live object proves which manifest was applied last.
"""

from __future__ import annotations

import dataclasses
import hashlib

import msgspec

from oneco.kube import fieldsets, ownership, typed
from oneco.kube.errors import MISTYPED, BadRequest, Unstated
from oneco.kube.fieldsets import FieldSet, Malformed
from oneco.kube.objects import Json, Object, metadata, name, namespace
from oneco.kube.refs import kind_of
from oneco.kube.types import Type

_REMEMBERED = 8192
_encode = msgspec.json.Encoder().encode


@dataclasses.dataclass(frozen=True, slots=True)
class Scope:
    """Which part of an object a request may change."""

    subresource: str = ""
    has_status: bool = True
    """Whether the kind has a status subresource, so that each side ignores the other's fields."""
    is_custom: bool = True
    """Whether the status subresource leaves all metadata alone, as that of custom kinds does."""


@dataclasses.dataclass(frozen=True, slots=True)
class Manifest:
    """One content that was applied."""

    value: Object
    scope: Scope
    effective: Object
    """The part of `value` that counts in this scope."""
    named: FieldSet | None
    """All fields that it names, its identity among them."""
    fields: FieldSet | None
    """The fields that its applier owns: no other content has this very object."""
    has_empty: bool
    """Whether it says of a list or a map that it is empty, which a server does not keep."""


_by_identity: dict[tuple[int, Scope], tuple[Object, Manifest]] = {}
_by_content: dict[tuple[bytes, int, Scope], Manifest] = {}
_by_fields: dict[int, Manifest] = {}


def of(applied: Object, kind: Type, scope: Scope, before: Manifest | None = None) -> Manifest:
    """What is known about `applied`; `before`, if given, is one that it probably resembles."""
    known = _by_identity.get((id(applied), scope))
    if known is not None and known[0] is applied:
        return known[1]
    digest = hashlib.blake2b(_encode(applied), digest_size=16).digest()
    content = (digest, id(kind), scope)
    manifest = _by_content.get(content)
    if manifest is None:
        manifest = _read(applied, kind, scope, before)
        _remember(content, manifest)
    if len(_by_identity) >= _REMEMBERED:
        _by_identity.pop(next(iter(_by_identity)))
    # The object is held, so its id cannot come to mean another one.
    _by_identity[id(applied), scope] = (applied, manifest)
    return manifest


def owning(fields: FieldSet | None) -> Manifest | None:
    """The manifest whose application left these very fields, if it is still known."""
    found = _by_fields.get(id(fields))
    return found if found is not None and found.fields is fields else None


def forget() -> None:
    """Forget everything, as a new process would."""
    _by_identity.clear()
    _by_content.clear()
    _by_fields.clear()


def _remember(content: tuple[bytes, int, Scope], manifest: Manifest) -> None:
    if len(_by_content) >= _REMEMBERED:
        oldest = _by_content.pop(next(iter(_by_content)))
        _by_fields.pop(id(oldest.fields), None)
    _by_content[content] = manifest
    if manifest.fields is not None:
        _by_fields[id(manifest.fields)] = manifest


def _read(applied: Object, kind: Type, scope: Scope, before: Manifest | None) -> Manifest:
    if "managedFields" in metadata(applied):
        raise BadRequest("metadata.managedFields must be nil")
    effective = _effective(applied, scope)
    try:
        # The whole of it, also what this request cannot change.
        typed.check(applied, kind)
        if before is not None and before.named is not None and before.scope == scope:
            named = fieldsets.following(effective, kind, before.effective, before.named)
        else:
            named = fieldsets.of_value(effective, kind)
    except Malformed as error:
        raise Unstated(f"{MISTYPED} ({_title(applied)}): {error.path}: {error.message}") from None
    owned = ownership.stripped(within(named, scope))
    # A copy, because a content is recognised by it.
    fields = None if owned is None else dict(owned)
    return Manifest(applied, scope, effective, named, fields, _has_empty(effective))


def _has_empty(value: Json) -> bool:
    if isinstance(value, dict):
        return not value or any(map(_has_empty, value.values()))
    return isinstance(value, list) and (not value or any(map(_has_empty, value)))


def _title(applied: Object) -> str:
    kind = kind_of(applied)
    named = f"{namespace(applied)}/{name(applied)}"
    return f"{named}; {kind.group}/{kind.version}, Kind={kind.kind}"


def _effective(applied: Object, scope: Scope) -> Object:
    if not scope.has_status:
        return applied
    if scope.subresource == "status":
        given = metadata(applied)
        meta = {key: given[key] for key in ("name", "namespace") if key in given}
        kept = {key: applied[key] for key in ("apiVersion", "kind", "status") if key in applied}
        return {**kept, "metadata": meta}
    if "status" in applied:
        return {key: part for key, part in applied.items() if key != "status"}
    return applied


def within(fields: FieldSet | None, scope: Scope) -> FieldSet | None:
    """The part of `fields` that a request in this scope can change."""
    if not scope.has_status or fields is None:
        return fields
    if scope.subresource == "status":
        left = fieldsets.without(fields, ("f:spec",))
        return fieldsets.without(left, ("f:metadata",)) if scope.is_custom and left else left
    return fieldsets.without(fields, ("f:status",))
