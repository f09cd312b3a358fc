"""A hub in this process, and command lines typed against it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

from click.testing import CliRunner

from oneco.cli.program import oneco
from oneco.clock import Instant
from oneco.kinds import validity
from oneco.kube.errors import NotFound
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource
from oneco.main import crds
from oneco.main.connecting import Choice, Connected
from oneco.worlds.apiserver.memory import MemoryStore
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.clocks import RealClock, StepClock
from oneco.worlds.sim.local import LocalApi

NOON = Instant(1_795_262_400.0)
NAMESPACES = Resource("", "v1", "namespaces")
CONFIG_MAPS = Resource("", "v1", "configmaps")


class Answer(NamedTuple):
    """What a command line printed, and how it ended."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


class Hub:
    """An API server in memory that knows our kinds."""

    def __init__(self, *, has_our_kinds: bool = True) -> None:
        self.server = ApiServer(
            MemoryStore(), StepClock(NOON), admission=(validity.Admission(),), seed=7
        )
        self.api = LocalApi(self.server)
        if has_our_kinds:
            asyncio.run(crds.install(self.api, crds.for_hub()))

    def type(self, *words: str | Path, given: str | bytes | None = None) -> Answer:
        """Type `oneco` and these words."""
        arguments = [str(word) for word in words]
        done = CliRunner().invoke(oneco, arguments, input=given, obj=self._connect)
        return Answer(done.exit_code, done.stdout, done.stderr)

    @contextlib.asynccontextmanager
    async def _connect(self, choice: Choice) -> AsyncIterator[Connected]:
        yield Connected(api=self.api, namespace="", server="memory", clock=_StillClock())

    def put(self, resource: Resource, obj: Object, **status: Any) -> Object:
        """Store an object as its server would get it from others, with its status."""
        namespace = (obj.get("metadata") or {}).get("namespace", "")
        made = self.server.create(Address(resource, namespace), obj)
        if not status:
            return made
        place = Address(resource, namespace, made["metadata"]["name"], "status")
        return self.server.replace(place, {**made, "status": status})

    def get(self, resource: Resource, name: str, namespace: str = "") -> Object | None:
        """The object, None where there is none."""
        try:
            return self.server.get(Address(resource, namespace, name))
        except NotFound:
            return None

    def version(self) -> str:
        """Grows with every change of anything."""
        return self.server.list(Address(CONFIG_MAPS)).resource_version


class _StillClock(RealClock):
    """Noon; nobody waits for anything."""

    def now(self) -> Instant:
        return NOON

    async def sleep_until(self, instant: Instant) -> None:
        await asyncio.sleep(0)


@functools.cache
def quiet_hub() -> Hub:
    """A hub for command lines that change nothing."""
    return Hub()
