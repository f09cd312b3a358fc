"""One of several processes acts for a hub: a Lease says which, and the others hold still.

A challenger counts the time since it saw the Lease change, never the times written in it, so that
clocks that differ do no harm. The holder stops counting itself as such well before others may: a
write that is on its way by then still lands within its own time.
"""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any, Final

from oneco.clock import Clock, Instant
from oneco.kube import objects, times
from oneco.kube.api import Api
from oneco.kube.errors import AlreadyExists, ApiError, Conflict, NotFound
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource

LEASES: Final = Resource("coordination.k8s.io", "v1", "leases")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How long a Lease is good for others, and for its holder, and how often it is renewed."""

    lease_seconds: float = 15.0
    hold_seconds: float = 10.0
    retry_seconds: float = 2.0


class Election:
    """The standing of one process, `identity`, for the Lease at `place`.

    `holder` is whom the Lease named when it was last looked at.
    """

    def __init__(
        self, api: Api, place: Address, identity: str, clock: Clock, terms: Terms = Terms()
    ) -> None:
        self._api, self._place, self._clock, self._terms = api, place, clock, terms
        self.identity, self.holder = identity, ""
        self._lease: Object | None = None
        self._seen_at = clock.now()
        self._until = Instant(0.0)

    def seconds_left(self) -> float:
        """For how long this process may still write; zero or less when it may not."""
        return self._until - self._clock.now()

    async def stand(self) -> bool:
        """Try to take the Lease once; whether this process holds it now."""
        asked = self._clock.now()
        try:
            return await self._take(asked)
        except (Conflict, AlreadyExists):
            return False

    async def pause(self) -> None:
        """Wait as long as one waits between two tries."""
        await self._clock.sleep_until(Instant(self._clock.now() + self._terms.retry_seconds))

    async def keep(self) -> str:
        """Renew until the Lease is lost; why it was, in words."""
        while True:
            await self.pause()
            why = await self._renew()
            is_taken = self.holder not in ("", self.identity)
            if is_taken or self.seconds_left() <= self._terms.retry_seconds:
                self._until = Instant(0.0)
                taken = f"{self.holder} holds the lease now"
                return taken if is_taken else f"the lease could not be renewed in time: {why}"

    async def _renew(self) -> str:
        """Renew once; why that failed."""
        try:
            async with asyncio.timeout(max(0.0, self.seconds_left())):
                return "" if await self.stand() else "somebody else wrote it"
        except ApiError as trouble:
            # Refusals too: a server that has just started knows nobody's rights for some moments.
            return trouble.message
        except TimeoutError:
            return "no answer"

    async def give_back(self) -> None:
        """Let somebody else have the Lease at once; nothing is written here after that."""
        held, self._until = self._lease, Instant(0.0)
        if held is not None and _holder(held) == self.identity:
            free = objects.put(held, ("spec", "holderIdentity"), "")
            await self._api.replace(self._place, free)

    async def _take(self, asked: Instant) -> bool:
        try:
            found = await self._api.get(self._place)
        except NotFound:
            self._hold(await self._api.create(self._collection(), self._new(asked)), asked)
            return True
        self._notice(found, asked)
        if not (self.holder in ("", self.identity) or self._is_over(found, asked)):
            return False
        self._hold(await self._api.replace(self._place, self._renewed(found, asked)), asked)
        return True

    def _hold(self, lease: Object, asked: Instant) -> None:
        self._notice(lease, asked)
        self._until = Instant(asked + self._terms.hold_seconds)

    def _notice(self, lease: Object, now: Instant) -> None:
        known = objects.resource_version(self._lease or {})
        if objects.resource_version(lease) != known:
            self._lease, self._seen_at = lease, now
        self.holder = _holder(lease)

    def _is_over(self, lease: Object, now: Instant) -> bool:
        seconds = objects.dig(lease, "spec", "leaseDurationSeconds", default=0)
        return now >= self._seen_at + max(float(seconds), self._terms.lease_seconds)

    def _new(self, now: Instant) -> Object:
        metadata = {"name": self._place.name, "namespace": self._place.namespace}
        spec = {**self._said(now), "acquireTime": times.to_micro_text(now), "leaseTransitions": 0}
        return {
            "apiVersion": LEASES.api_version,
            "kind": "Lease",
            "metadata": metadata,
            "spec": spec,
        }

    def _renewed(self, lease: Object, now: Instant) -> Object:
        spec = {**(lease.get("spec") or {}), **self._said(now)}
        if _holder(lease) != self.identity:
            spec["acquireTime"] = times.to_micro_text(now)
            spec["leaseTransitions"] = int(spec.get("leaseTransitions") or 0) + 1
        return {**lease, "spec": spec}

    def _said(self, now: Instant) -> dict[str, Any]:
        return {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": int(self._terms.lease_seconds),
            "renewTime": times.to_micro_text(now),
        }

    def _collection(self) -> Address:
        return self._place._replace(name="")


def _holder(lease: Object) -> str:
    return str(objects.dig(lease, "spec", "holderIdentity", default="") or "")
