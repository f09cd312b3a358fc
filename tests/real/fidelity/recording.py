"""What hub and agents write, in order, as far as two runs of one story must agree on it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from oneco.kinds import ocm
from oneco.kinds.release import OBSERVATIONS
from oneco.kube import objects, passing
from oneco.kube.api import Api
from oneco.kube.passing import Answer, PassingApi

_REPORTS = frozenset({OBSERVATIONS.plural, ocm.CLUSTERS.plural, "leases", "events"})
"""Written again and again to say how things are: statuses in all but name."""
_OWN = frozenset(
    {"resourceVersion", "uid", "creationTimestamp", "generation", "managedFields", "selfLink"}
)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Write(NamedTuple):
    """One write that was accepted: where, of what, how, and what it said."""

    side: str
    collection: str
    namespace: str
    name: str
    verb: str
    body: Any

    @property
    def object(self) -> str:
        """The object that was written, as one word. Pods have random names: all are one."""
        name = "*" if self.collection == "pods" else self.name
        return f"{self.side}: {self.collection} {self.namespace}/{name}"


class Recorder(PassingApi):
    """An `Api` that notes in `log` what is written through it."""

    def __init__(self, side: str, api: Api, log: list[Write]) -> None:
        super().__init__(api)
        self._side, self._log = side, log

    async def around(self, write: passing.Write, act: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer to a write, noted once it was accepted."""
        answer = await act()
        if not write.is_dry:
            self._note(write)
        return answer

    def _note(self, write: passing.Write) -> None:
        resource, namespace, name, subresource = write.address
        if subresource or resource.plural in _REPORTS:
            return
        collection = f"{resource.plural}.{resource.group}" if resource.group else resource.plural
        place = (self._side, collection, namespace, name or objects.name(write.body or {}))
        self._log.append(Write(*place, write.verb, normal(write.body)))


def normal(value: Any) -> Any:
    """`value` without what differs from one run to the next, and without what says nothing."""
    if isinstance(value, str):
        return _UID.sub("<uid>", _TIME.sub("<time>", value))
    if isinstance(value, Mapping):
        parts = {key: normal(part) for key, part in value.items() if key not in (*_OWN, "status")}
        # Go writes empty structures and nulls where others write nothing.
        return {key: part for key, part in sorted(parts.items()) if part not in (None, {}, [])}
    if isinstance(value, list | tuple):
        return [normal(one) for one in value]
    return value
