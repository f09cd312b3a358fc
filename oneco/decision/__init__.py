"""The values that pass between deciders and the shell that acts for them.

A decider is `decide(seen, now) -> Decision`: synchronous, total, without any I/O. What it wants
done are writes to a Kubernetes API and nothing else. The shell (`oneco.control`) gathers what was
seen, fences, performs, and comes back at `wake_at`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, Protocol

from oneco.clock import Instant
from oneco.kube.api import DeleteOptions, Patch, WriteOptions
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource

Side = Literal["hub", "member"]
"""Which of the shell's clusters: everything but an agent knows only the hub."""


class Reason(NamedTuple):
    """Why something is done, or is not yet: a CamelCase word, and a sentence for people."""

    code: str
    message: str

    def __str__(self) -> str:
        return self.message


class Create(NamedTuple):
    """Store `body` in the collection at `address`; that it exists already is no failure."""

    address: Address
    body: Object
    side: Side = "hub"


class Replace(NamedTuple):
    """Put `body` at `address`, only where its resourceVersion is still the current one."""

    address: Address
    body: Object
    side: Side = "hub"


class Apply(NamedTuple):
    """Server-side apply `body` at `address`; `marks` name what the decider will ask about later."""

    address: Address
    body: Object
    options: WriteOptions = WriteOptions()
    side: Side = "hub"


class Change(NamedTuple):
    """Patch what is at `address`; that it is gone is no failure."""

    address: Address
    patch: Patch
    side: Side = "hub"


class Delete(NamedTuple):
    """Delete what is at `address`; that it is gone already is no failure."""

    address: Address
    options: DeleteOptions = DeleteOptions()
    side: Side = "hub"


Action = Create | Replace | Apply | Change | Delete


class StatusWrite(NamedTuple):
    """The status that the object at `address` should show; written only where it differs."""

    address: Address
    status: Object
    side: Side = "hub"


class Follow(NamedTuple):
    """A collection whose changes should wake this decider again."""

    resource: Resource
    namespace: str = ""
    side: Side = "member"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one look at the world came to.

    Actions are performed in order, then the statuses are written. The first failure ends the
    performance; the decider is asked again with fresh eyes. `wake_at` asks for another look even
    if nothing changes until then.
    """

    actions: Sequence[Action] = ()
    statuses: Sequence[StatusWrite] = ()
    wake_at: Instant | None = None
    reasons: Sequence[Reason] = ()
    follows: Iterable[Follow] = ()


NOTHING = Decision()


class Failure(NamedTuple):
    """A write that the API refused the last time, so that the next decision can say so."""

    address: Address
    code: str
    message: str


class Reader(Protocol):
    """What the shell's cache holds of one or two clusters. Answers at once, never raises."""

    def get(self, address: Address, side: Side = "hub") -> Object | None:
        """The object at `address`, or None."""
        ...

    def list(self, resource: Resource, namespace: str = "", side: Side = "hub") -> Sequence[Object]:
        """The collection, ordered by namespace and name."""
        ...

    def labelled(
        self, resource: Resource, label: tuple[str, str], side: Side = "hub"
    ) -> Sequence[Object]:
        """The objects that carry this label with this value, in any namespace."""
        ...

    def owned(self, resource: Resource, uid: str, side: Side = "hub") -> Sequence[Object]:
        """The objects that the object of this uid controls, in any namespace."""
        ...

    def failures(self) -> Sequence[Failure]:
        """What the API refused the last time that this key was acted for."""
        ...
