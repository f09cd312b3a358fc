"""What anybody can see from outside of a member: its pods, at every change."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import time
from collections.abc import AsyncIterator

from oneco.kube import objects
from oneco.kube.api import Api
from oneco.kube.objects import Object
from tests.real import company
from tests.real.following import following


@dataclasses.dataclass(slots=True)
class Exposure:
    """Of one version in one member: when there first were so many pods of it, and the most."""

    version: str
    reached: dict[int, float] = dataclasses.field(default_factory=dict)
    fewest_ready: int = company.REPLICAS
    most: int = 0

    def see(self, pods: dict[str, Object]) -> None:
        """Take in what is there now."""
        living = [one for one in pods.values() if not objects.is_deleting(one)]
        new = [one for one in living if company.image_of(one) == company.image(self.version)]
        for count in range(1, len(new) + 1):
            self.reached.setdefault(count, time.monotonic())
        self.most = max(self.most, len(new))
        self.fewest_ready = min(self.fewest_ready, sum(map(company.is_ready, living)))

    def steps(self) -> tuple[float, ...]:
        """The seconds between one batch and the next: first pod of a batch to first of the next."""
        starts = [self.reached[before + 1] for before in (0, *company.BATCHES[:-1])]
        return tuple(later - sooner for sooner, later in itertools.pairwise(starts))


@contextlib.asynccontextmanager
async def watched(member: Api, version: str) -> AsyncIterator[Exposure]:
    """The exposure of `version` in a member, kept up while the context lasts."""
    exposure = Exposure(version)
    async with following(member, exposure.see):
        yield exposure
