"""The mistakes that several kinds share, as causes of a refusal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from oneco.errors import Refused
from oneco.kinds import durations
from oneco.kinds.ocm import RESERVED_NAMES
from oneco.kube import causes
from oneco.kube.errors import Cause
from oneco.kube.objects import Object, dig


def from_refusal(refusal: Refused) -> Cause:
    """The cause that says what `refusal` says."""
    return causes.invalid(
        refusal.where, refusal.found, f"wanted {refusal.wanted or 'another value'}"
    )


def duration(text: str, where: str) -> list[Cause]:
    """Whether `text` is a duration; empty means that it was left out."""
    if not text:
        return []
    try:
        durations.parse(text, where)
    except Refused as refusal:
        return [from_refusal(refusal)]
    return []


def seconds(text: str) -> float | None:
    """The seconds that `text` says, None where it says nothing or is wrong."""
    try:
        return durations.parse(text, "") if text else None
    except Refused:
        return None


def reserved(cluster: str, where: str) -> list[Cause]:
    """Whether a cluster may be called `cluster`, which stands at `where`."""
    if cluster not in RESERVED_NAMES:
        return []
    wanted = "wanted another name: the hub keeps its own things in a namespace of this one"
    return [causes.invalid(where, cluster, wanted)]


def repeated(names: Iterable[tuple[str, str]]) -> list[Cause]:
    """Each name that stands a second time; `names` are paths with what stands there."""
    first: dict[str, str] = {}
    found = []
    for where, name in names:
        if name and name in first:
            wanted = f"wanted a name of its own; {first[name]} has it already"
            found.append(causes.invalid(where, name, wanted))
        first.setdefault(name, where)
    return found


def immutable(obj: Object, old: Object, fields: Sequence[str], why: str) -> list[Cause]:
    """Each of the `spec` fields that changed though it may not."""
    return [
        causes.invalid(f"spec.{field}", dig(obj, "spec", field), f"may not change: {why}")
        for field in fields
        if dig(obj, "spec", field) != dig(old, "spec", field)
    ]
