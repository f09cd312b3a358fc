"""The deciders of an agent, wired to what wakes them.

Apart from those of the hub: an agent should hold no module that only a hub needs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial

from oneco.agent import membership
from oneco.agent import seen as agent_seen
from oneco.agent import works as agent_works
from oneco.agent.ports import Kinds
from oneco.agent.seen import WorkSeen
from oneco.control.journal import Key
from oneco.control.shell import Controller, Source
from oneco.decision import Reader
from oneco.kinds import ocm
from oneco.kinds.release import OBSERVATIONS
from oneco.kube import types
from oneco.kube.api import Match
from oneco.main import wakes
from oneco.main.workloads import WORKLOADS

AT_ONCE = 8
"""How many works an agent brings side by side to a cluster outside of its process: most of the time
of each is waiting for answers.
"""
_SETTLE_SECONDS = 0.5


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    """What an agent owes its hub.

    No heartbeat where time is virtual, and no observation where the hub knows Open Cluster
    Management's kinds and none of ours. `at_once` works are brought side by side.
    """

    has_heartbeat: bool = True
    is_watched: bool = True
    at_once: int = 1


ALL = Duties()


def agent(cluster: str, kinds: Kinds, duties: Duties) -> Sequence[Controller]:
    """Everything that an agent decides for its cluster."""
    observations = Source(resource=OBSERVATIONS, namespace=cluster, wakes=wakes.nobody)
    record = wakes.work_of_record(cluster)
    live = wakes.work_of_live(cluster)
    own = wakes.the_cluster(cluster)
    # What the agent itself writes: an observation has more to tell a little later.
    written = _SETTLE_SECONDS if duties.is_watched else 0.0
    only = Match(fields=f"metadata.name={cluster}")
    works = Controller(
        name="works",
        sources=(
            Source(resource=ocm.WORKS, namespace=cluster, wakes=wakes.itself_as_wanted),
            Source(
                resource=ocm.WORKS, namespace=cluster, wakes=wakes.itself, settle_seconds=written
            ),
            Source(resource=ocm.CLUSTERS, match=only, wakes=wakes.works_of_cluster),
            *((observations,) if duties.is_watched else ()),
            Source(resource=ocm.APPLIED_WORKS, side="member", wakes=record, settle_seconds=written),
        ),
        gather=partial(_work, kinds=kinds, is_watched=duties.is_watched),
        decide=partial(agent_works.decide, types=types.of),
        followed=live,
        followed_settle_seconds=_SETTLE_SECONDS,
    )
    lease = (
        (Source(resource=membership.LEASES, namespace=cluster, wakes=own),)
        if duties.has_heartbeat
        else ()
    )
    member = Controller(
        name="cluster",
        sources=(
            Source(resource=ocm.CLUSTERS, match=only, wakes=own),
            Source(resource=membership.NODES, side="member", wakes=own, settle_seconds=1.0),
            *lease,
        ),
        gather=partial(membership.gather, has_heartbeat=duties.has_heartbeat),
        decide=membership.decide,
    )
    return works, member


def _work(reader: Reader, key: Key, *, kinds: Kinds, is_watched: bool) -> WorkSeen | None:
    return agent_seen.work(reader, key, kinds, WORKLOADS, is_watched=is_watched)
