"""The deciders of the hub and of an agent, wired to what wakes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from oneco.agent import membership
from oneco.agent import seen as agent_seen
from oneco.agent import works as agent_works
from oneco.agent.ports import Kinds
from oneco.control.shell import Controller, Source
from oneco.fleet import clusters, placements
from oneco.integrations.kubernetes.deployment import DeploymentWorkload
from oneco.kinds import ocm
from oneco.kinds.oam import REVISIONS
from oneco.kinds.release import (
    CHECK_RUNS,
    OBSERVATIONS,
    RELEASE_LABEL,
    RELEASES,
    UNITS,
    WAVE_LABEL,
)
from oneco.kube import types
from oneco.kube.api import Match
from oneco.kube.refs import Kind
from oneco.main import wakes
from oneco.release import releases, seen, units

WORKLOADS: Mapping[Kind, DeploymentWorkload] = {
    Kind("apps", "v1", "Deployment"): DeploymentWorkload()
}
_LEASES = membership.LEASES
_SETTLE_SECONDS = 0.5


def hub() -> Sequence[Controller]:
    """Everything that decides on the hub."""
    return (_clusters(), _placements(), *_releases())


def agent(cluster: str, kinds: Kinds, *, has_heartbeat: bool) -> Sequence[Controller]:
    """Everything that an agent decides for its cluster."""
    record = wakes.work_of_record(cluster)
    live = wakes.work_of_live(cluster)
    own = wakes.the_cluster(cluster)
    only = Match(fields=f"metadata.name={cluster}")
    works = Controller(
        name="works",
        sources=(
            Source(resource=ocm.WORKS, namespace=cluster, wakes=wakes.itself),
            Source(resource=ocm.CLUSTERS, match=only, wakes=wakes.works_of_cluster),
            Source(resource=OBSERVATIONS, namespace=cluster, wakes=wakes.nobody),
            Source(resource=ocm.APPLIED_WORKS, side="member", wakes=record),
        ),
        gather=partial(_work, kinds=kinds),
        decide=partial(agent_works.decide, types=types.of),
        followed=live,
        followed_settle_seconds=_SETTLE_SECONDS,
    )
    lease = (Source(resource=_LEASES, namespace=cluster, wakes=own),) if has_heartbeat else ()
    member = Controller(
        name="cluster",
        sources=(
            Source(resource=ocm.CLUSTERS, match=only, wakes=own),
            Source(resource=membership.NODES, side="member", wakes=own, settle_seconds=1.0),
            *lease,
        ),
        gather=partial(membership.gather, has_heartbeat=has_heartbeat),
        decide=membership.decide,
    )
    return works, member


def _work(reader, key, *, kinds: Kinds):  # type: ignore[no-untyped-def]
    return agent_seen.work(reader, key, kinds, WORKLOADS)


def _clusters() -> Controller:
    own = wakes.itself
    return Controller(
        name="clusters",
        sources=(Source(resource=ocm.CLUSTERS, wakes=own),),
        gather=clusters.gather,
        decide=clusters.decide,
    )


def _placements() -> Controller:
    return Controller(
        name="placements",
        sources=(Source(resource=ocm.PLACEMENTS, wakes=wakes.itself),),
        gather=placements.gather,
        decide=placements.decide,
    )


def _releases() -> tuple[Controller, Controller]:
    label = ("app.oam.dev/name",)
    release = Controller(
        name="releases",
        sources=(
            Source(resource=RELEASES, wakes=wakes.itself, indexed=label),
            Source(resource=RELEASES, wakes=wakes.other_releases),
            Source(
                resource=UNITS,
                wakes=wakes.release_of_unit,
                indexed=(RELEASE_LABEL, WAVE_LABEL, *label),
                settle_seconds=_SETTLE_SECONDS,
            ),
        ),
        gather=seen.release,
        decide=releases.decide,
    )
    unit = Controller(
        name="units",
        sources=(
            Source(resource=UNITS, wakes=wakes.itself),
            Source(resource=RELEASES, wakes=wakes.units_of_release),
            Source(resource=ocm.WORKS, wakes=wakes.unit_of),
            Source(resource=OBSERVATIONS, wakes=wakes.unit_of),
            Source(resource=CHECK_RUNS, wakes=wakes.unit_of),
            Source(resource=ocm.CLUSTERS, wakes=wakes.units_of_cluster),
            Source(resource=REVISIONS, wakes=wakes.nobody),
        ),
        gather=seen.unit,
        decide=partial(units.decide, workloads=WORKLOADS),
    )
    return release, unit
