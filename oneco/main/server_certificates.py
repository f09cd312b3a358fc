"""The certificates that servers of this process show, and their people's: new ones in time."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from oneco.clock import Clock, Instant
from oneco.worlds.embedded.serve import EmbeddedServer

# A laptop's sleep stops the clock that waits, too: look at the real one now and then.
_LOOK_SECONDS = 3600.0
_SHORTEST_SECONDS = 1.0
_log = logging.getLogger(__name__)


async def keep(servers: Sequence[EmbeddedServer], clock: Clock) -> None:
    """Renew each server's certificate when a quarter of its life is left, until cancelled.

    Whoever is connected stays so: the new one is shown to those who come from then on.
    """
    while True:
        now = clock.now()
        for server in servers:
            if server.renews_at <= now:
                await _renew(server)
        due = min((server.renews_at for server in servers), default=now + _LOOK_SECONDS)
        wait = min(max(due - now, _SHORTEST_SECONDS), _LOOK_SECONDS)
        await clock.sleep_until(Instant(now + wait))


async def _renew(server: EmbeddedServer) -> None:
    try:
        await server.renew()
    except OSError as failure:
        # A full disk: the present one serves on, and the next look tries again.
        _log.warning("the certificate of %s could not be renewed: %s", server.name, failure)
