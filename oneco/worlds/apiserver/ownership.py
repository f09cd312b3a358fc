"""`managedFields` of ordinary writes: recorded as they happen, computed when somebody looks."""

from __future__ import annotations

from typing import Final

from oneco.kube import apply
from oneco.kube.apply import Pending
from oneco.kube.objects import Object
from oneco.kube.types import Type
from oneco.worlds.apiserver.store import Key

_MOST_PENDING: Final = 8
"""So many writes of one object are remembered before they are computed after all."""


class Ownership:
    """Who changed what, object by object, as far as it is not written into the objects yet."""

    __slots__ = ("_is_lazy", "_pending")

    def __init__(self, *, is_lazy: bool) -> None:
        self._is_lazy = is_lazy
        self._pending: dict[Key, tuple[Pending, ...]] = {}

    def record(self, key: Key, write: Pending, kind: Type, *, has_status: bool) -> Object:
        """The object to store after `write`, with its managers or a note to compute them."""
        if not self._is_lazy or _edits(write):
            if write.before is not None:
                before = self.resolved(key, write.before, kind, has_status=has_status)
                write = write._replace(before=before)
            self.settled(key)
            return _computed(write, kind, has_status=has_status)
        pending = _joined(self._pending.get(key, ()), write)
        if len(pending) < _MOST_PENDING:
            self._pending[key] = pending
            return write.after
        self._pending.pop(key, None)
        return apply.resolve(write.after, pending, kind, has_status=has_status)

    def tried(self, write: Pending, kind: Type, *, has_status: bool) -> Object:
        """The object that `write` would store; nothing is remembered of it."""
        return write.after if self._is_lazy else _computed(write, kind, has_status=has_status)

    def resolved(self, key: Key, obj: Object, kind: Type, *, has_status: bool) -> Object:
        """`obj` with the managers that follow from every write so far."""
        pending = self._pending.get(key)
        if pending is None:
            return obj
        return apply.resolve(obj, pending, kind, has_status=has_status)

    def settled(self, key: Key) -> None:
        """Forget what is pending: the object is gone or carries it now."""
        if self._pending:
            self._pending.pop(key, None)


def _edits(write: Pending) -> bool:
    """Whether the writer gave the record itself, which nothing later can tell."""
    if write.before is None:
        return False
    before, after = (one["metadata"].get("managedFields") for one in (write.before, write.after))
    return before is not after and before != after


def _joined(pending: tuple[Pending, ...], write: Pending) -> tuple[Pending, ...]:
    """`pending` and `write`; a controller that writes one status again and again is one writer."""
    if pending and write.subresource == "status":
        last = pending[-1]
        if (last.manager, last.subresource) == (write.manager, "status"):
            return (*pending[:-1], write._replace(before=last.before))
    return (*pending, write)


def _computed(write: Pending, kind: Type, *, has_status: bool) -> Object:
    return apply.update(
        write.before,
        write.after,
        manager=write.manager,
        type=kind,
        now_text=write.time,
        subresource=write.subresource,
        has_status=has_status,
        spec=write.spec,
    )
