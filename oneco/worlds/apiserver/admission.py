"""Validators that the composing program injects, for kinds whose rules no schema can say."""

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


class Gate:
    """All validators of one server, found by kind."""

    __slots__ = ("_by_kind",)

    def __init__(self, admissions: Sequence[Admission]) -> None:
        self._by_kind: dict[tuple[str, str], tuple[Admission, ...]] = {}
        for admission in admissions:
            for pair in admission.kinds():
                self._by_kind[pair] = (*self._by_kind.get(pair, ()), admission)

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
