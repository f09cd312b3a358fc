"""An `Api` that writes only while this process leads: whoever lost the Lease changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from oneco.control.election import Election
from oneco.kube.api import Api
from oneco.kube.errors import ServiceUnavailable, Timeout
from oneco.kube.passing import Answer, PassingApi, Write


class FencedApi(PassingApi):
    """The cluster behind `api`, as the holder of an election may use it."""

    def __init__(self, api: Api, election: Election) -> None:
        super().__init__(api)
        self._election = election

    async def around(self, write: Write, act: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer to a write that was acknowledged while the lease was held."""
        left = self._election.seconds_left()
        if left <= 0:
            raise ServiceUnavailable("this process does not lead the hub and writes nothing")
        try:
            # What is not acknowledged in time is given up before somebody else may lead.
            async with asyncio.timeout(left):
                return await act()
        except TimeoutError as error:
            raise Timeout("the lease ended before the write was acknowledged") from error
