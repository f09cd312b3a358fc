"""Where two worlds differ, after what must differ was replaced: ids, versions, times."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from oneco.kube import types

_UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_ADDRESS = re.compile(r"\b10\.0\.\d+\.\d+\b")
MISSING = "(missing)"
_BUILT_IN = frozenset(one.resource.group for one in types.resources())


def comparable(outcomes: Sequence[Any]) -> list[Any]:
    """`outcomes` with ids, versions and times replaced by what they say about each other.

    A resourceVersion becomes its rank among those of the case, so that a write that stored nothing
    shows; a uid its number in order of appearance; a time only that it is one.
    """
    versions = sorted(set(_versions(outcomes)), key=int)
    ranks = {version: f"version {rank}" for rank, version in enumerate(versions)}
    uids: dict[str, str] = {}
    return [_comparable(_sorted_by_go(one), ranks, uids) for one in outcomes]


def _sorted_by_go(outcome: Any) -> Any:
    """An outcome without the order in which Go walked a map (`deliberate.NORMALISED`)."""
    error = outcome.get("error") if isinstance(outcome, dict) else None
    if error is None:
        return outcome
    details, message = error.get("details") or {}, error["message"]
    if message.startswith("failed to create typed patch object ("):
        message = message.partition("): ")[0]
    causes = details.get("causes") or []
    if len(causes) > 1 and _is_custom(details.get("group") or ""):
        # The message says the causes again, in their order.
        message = message.partition(" is invalid: ")[0]
        causes = sorted(causes, key=lambda one: (one["field"], one["message"]))
        details = {**details, "causes": causes}
    more = {"details": details} if details else {}
    reason = error.get("reason") or ("InternalError" if error["code"] == 500 else "")
    return {**outcome, "error": {**error, "reason": reason, "message": message, **more}}


def _is_custom(group: str) -> bool:
    return "." in group and group not in _BUILT_IN


def differences(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Each place where two values differ, as `path: ours | theirs`."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted({*ours, *theirs}):
            yield from differences(
                ours.get(key, MISSING), theirs.get(key, MISSING), f"{path}.{key}"
            )
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (left, right) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(left, right, f"{path}[{number}]")
    elif ours != theirs or isinstance(ours, bool) != isinstance(theirs, bool):
        yield f"{path}: {ours!r} | {theirs!r}"


def _versions(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "resourceVersion" and isinstance(part, str) and part.isdecimal():
                yield part
            else:
                yield from _versions(part)
    elif isinstance(value, list):
        for part in value:
            yield from _versions(part)


def _comparable(value: Any, ranks: dict[str, str], uids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        found: dict[str, Any] = {}
        for key, part in value.items():
            if key == "resourceVersion" and isinstance(part, str):
                found[key] = ranks.get(part, part)
            elif key == "managedFields" and isinstance(part, list):
                found[key] = _managers(part)
            elif key == "causes" and isinstance(part, list):
                found[key] = _causes(part)
            else:
                found[key] = _comparable(part, ranks, uids)
        return found
    if isinstance(value, list):
        return [_comparable(part, ranks, uids) for part in value]
    if isinstance(value, str):
        value = _UID.sub(lambda found: _numbered(found.group(), uids), value)
        return _ADDRESS.sub("ADDRESS", _TIME.sub("TIME", value))
    return value


def _numbered(uid: str, uids: dict[str, str]) -> str:
    return uids.setdefault(uid, f"uid {len(uids)}")


def _managers(entries: list[Any]) -> Any:
    """Entries without times by their owner, as their order depends on the second of a write."""
    plain = {_owner(one): _untimed(one) for one in entries}
    return plain if entries and len(plain) == len(entries) else [*map(_untimed, entries)]


def _causes(causes: list[Any]) -> list[Any]:
    """Each cause once, those of a conflict in order (`deliberate.NORMALISED` says why)."""
    if any(one.get("reason") != "FieldManagerConflict" for one in causes):
        return [one for number, one in enumerate(causes) if one not in causes[:number]]
    return sorted(causes, key=lambda one: (one["message"], one["field"]))


def _untimed(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: part for key, part in entry.items() if key != "time"}


def _owner(entry: dict[str, Any]) -> str:
    keys = ("operation", "manager", "apiVersion", "subresource")
    return "/".join(str(entry.get(key, "")) for key in keys)
