"""Conditions in a status: one of each type, with the instant at which its truth last changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from oneco.clock import Instant
from oneco.kube import times
from oneco.kube.objects import Object

LIST: Final = msgspec.Meta(
    extra_json_schema={
        "items": {
            "type": "object",
            "required": ["lastTransitionTime", "message", "reason", "status", "type"],
            "properties": {
                "lastTransitionTime": {"type": "string", "format": "date-time"},
                "message": {"type": "string", "maxLength": 32768},
                "observedGeneration": {"type": "integer", "format": "int64", "minimum": 0},
                "reason": {"type": "string", "minLength": 1, "maxLength": 1024},
                "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
                "type": {"type": "string", "maxLength": 316},
            },
        },
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
    }
)
"""What a CRD says about a list of conditions."""


class Condition(NamedTuple):
    """What is true, false or unknown now; `reason` is for programs, `message` for people."""

    type: str
    status: str
    reason: str
    message: str
    observed_generation: int = 0


def find(conditions: Sequence[Object], type_: str) -> Object | None:
    """The condition of this type, or None."""
    return next((one for one in conditions if one.get("type") == type_), None)


def status_of(conditions: Sequence[Object], type_: str) -> str:
    """`True`, `False` or `Unknown`; empty where nobody has said it yet."""
    found = find(conditions, type_)
    return "" if found is None else found.get("status") or ""


def with_condition(
    conditions: Sequence[Object], condition: Condition, now: Instant
) -> Sequence[Object]:
    """The list with `condition` in it; the very same list where it said so already."""
    old = find(conditions, condition.type)
    since = times.to_text(now)
    if old is not None and old.get("status") == condition.status:
        since = old.get("lastTransitionTime") or since
    new: dict[str, Any] = {
        "type": condition.type,
        "status": condition.status,
        "reason": condition.reason,
        "message": condition.message,
        "lastTransitionTime": since,
    }
    if condition.observed_generation:
        new["observedGeneration"] = condition.observed_generation
    if old is None:
        return [*conditions, new]
    if old == new:
        return conditions
    return [new if one is old else one for one in conditions]
