"""What the composing program injects for kinds whose rules and defaults no schema can say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from oneco.kube import causes
from oneco.kube.errors import Cause
from oneco.kube.objects import Object
from oneco.kube.refs import Kind

Operation = Literal["CREATE", "UPDATE", "DELETE"]


class Admission(Protocol):
    """A validator: pure, called within each public write of the kinds it names."""

    def kinds(self) -> Sequence[tuple[str, str]]:
        """The (group, kind) pairs it wants to see."""
        ...

    def validate(
        self, operation: Operation, old: Object | None, new: Object | None
    ) -> Sequence[Cause]:
        """What is wrong with the write; `old` is None for CREATE, `new` for DELETE."""
        ...


class Completion(Protocol):
    """What fills in more than a schema's defaults, as a mutating webhook does."""

    def kinds(self) -> Sequence[tuple[str, str]]:
        """The (group, kind) pairs it wants to see."""
        ...

    def complete(self, old: Object | None, new: Object) -> Object:
        """`new`, which is about to be stored in place of `old`, with what its writer left out."""
        ...


class Gate:
    """All validators and completions of one server, found by kind."""

    __slots__ = ("_by_kind", "_completions")

    def __init__(
        self, admissions: Sequence[Admission], completions: Sequence[Completion] = ()
    ) -> None:
        self._by_kind: dict[tuple[str, str], tuple[Admission, ...]] = {}
        for admission in admissions:
            for pair in admission.kinds():
                self._by_kind[pair] = (*self._by_kind.get(pair, ()), admission)
        self._completions = {pair: one for one in completions for pair in one.kinds()}

    def complete(self, kind: Kind, old: Object | None, new: Object) -> Object:
        """`new` with what the completion of its kind fills in."""
        found = self._completions.get((kind.group, kind.kind)) if self._completions else None
        return new if found is None else found.complete(old, new)

    def check(
        self, kind: Kind, name: str, operation: Operation, old: Object | None, new: Object | None
    ) -> None:
        """Raise Invalid with everything the validators of `kind` found."""
        admissions = self._by_kind.get((kind.group, kind.kind))
        if not admissions:
            return
        found = [fault for one in admissions for fault in one.validate(operation, old, new)]
        if found:
            raise causes.refusal(kind, name, found)
