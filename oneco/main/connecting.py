"""The way from a person's kubeconfig to a cluster, and the clock on that person's wall."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from oneco.clock import Clock, Instant
from oneco.errors import Refused
from oneco.kube.api import Api
from oneco.main import timekeeping
from oneco.worlds.clocks import RealClock

KUBECONFIG = "kubeconfig"
"""The name of the kubeconfig in a hub's data directory."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a person said about the cluster to talk to; what is empty was left open.

    `data` is a hub's data directory that was named, `usual_data` the one to try unasked.
    """

    kubeconfig: str = ""
    context: str = ""
    data: str = ""
    usual_data: str = ""

    def file(self) -> str | None:
        """The kubeconfig that this leads to; None where kubectl's own rules decide."""
        if self.kubeconfig:
            return self.kubeconfig
        if self.data:
            path = Path(self.data, KUBECONFIG)
            if not path.exists():
                wanted = "the data directory of a hub; `oneco up --data` makes one"
                raise Refused(str(path), found="nothing", wanted=wanted)
            return str(path)
        usual = Path(self.usual_data, KUBECONFIG) if self.usual_data else None
        return str(usual) if usual is not None and usual.exists() else None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """A cluster that requests can be sent to; `namespace` is the one the kubeconfig prefers.

    `clock` is the one on the wall; `data` is the hub's directory, if it is on this machine.
    """

    api: Api
    namespace: str
    server: str
    clock: Clock
    data: Path | None = None

    def now(self) -> Instant:
        """The time as the hub shows it, which may run faster than on the wall."""
        real = self.clock.now()
        return real if self.data is None else timekeeping.shown(self.data, real)


@contextlib.asynccontextmanager
async def connect(
    choice: Choice, on_warning: Callable[[str], None] | None = None
) -> AsyncIterator[Connected]:
    """The cluster that `choice` leads to, for as long as the context lasts."""
    # aiohttp costs a quarter of a second, which only those pay who send something.
    from oneco.worlds.cluster import kubeconfig
    from oneco.worlds.cluster.client import ClusterApi

    file = choice.file()
    try:
        target = kubeconfig.load(file, choice.context or None)
    except Refused as error:
        if file is not None or error.where != "kubeconfig":
            raise
        wanted = "a hub: `oneco up` starts one, --kubeconfig or KUBECONFIG leads to another"
        raise Refused("kubeconfig", found=error.found, wanted=wanted) from None
    async with ClusterApi(target, on_warning=on_warning) as api:
        yield Connected(
            api=api,
            namespace=target.namespace,
            server=target.cluster.server,
            clock=RealClock(),
            data=Path(file).parent if file is not None else None,
        )


def wall_clock() -> Clock:
    """The clock on the wall of whoever sits in front of this process."""
    return RealClock()
