"""The deciders of the hub, wired to what wakes them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from oneco import definitions
from oneco.agent import membership
from oneco.control.shell import Controller, Source, Wakes
from oneco.delivery import decide as delivery
from oneco.fleet import clusters, invitations, placements, rights
from oneco.fleet.joining import REQUESTS, SECRETS, TOKEN_NAMESPACE, Joining
from oneco.integrations.x509.registrar import X509Registrar
from oneco.kinds import ocm
from oneco.kinds.oam import APPLICATIONS, NAME_LABEL, REVISIONS
from oneco.kinds.release import (
    CHECK_RUNS,
    OBSERVATIONS,
    POLICIES,
    RELEASE_LABEL,
    RELEASES,
    UNITS,
    WAVE_LABEL,
)
from oneco.kube.api import Match
from oneco.main import wakes
from oneco.main.workloads import STEPS, WORKLOADS
from oneco.release import releases, seen, units

_LEASES = membership.LEASES
_AGENTS_LEASE = Match(fields=f"metadata.name={membership.LEASE_NAME}")
_SETTLE_SECONDS = 0.5
_TELL_SECONDS = 5.0


def hub() -> Sequence[Controller]:
    """Everything that decides on the hub."""
    return (_applications(), _clusters(), _placements(), _joining(), _invitations(), *_releases())


def _applications() -> Controller:
    label = (NAME_LABEL,)
    own = wakes.application_of
    namespace = wakes.applications_of_namespace
    return Controller(
        name="applications",
        sources=(
            Source(resource=APPLICATIONS, wakes=wakes.itself),
            Source(resource=REVISIONS, wakes=own, indexed=label),
            Source(
                resource=RELEASES, wakes=wakes.application_of_turn, settle_seconds=_SETTLE_SECONDS
            ),
            # What is only said in between is no hurry: each look costs a write.
            Source(resource=RELEASES, wakes=own, indexed=label, settle_seconds=_TELL_SECONDS),
            Source(resource=UNITS, wakes=wakes.application_of_unit, settle_seconds=_TELL_SECONDS),
            Source(resource=ocm.PLACEMENTS, wakes=own, indexed=label),
            Source(resource=ocm.PLACEMENT_DECISIONS, wakes=namespace),
            Source(resource=POLICIES, wakes=namespace),
            Source(resource=ocm.CLUSTERS, wakes=wakes.applications_of_cluster),
            Source(
                resource=UNITS,
                wakes=wakes.application_of_rest,
                indexed=label,
                # Its release looks after half as long: what it says then is shown with it.
                settle_seconds=2 * _SETTLE_SECONDS,
            ),
        ),
        begins=True,
        gather=delivery.gather,
        decide=partial(delivery.decide, registry=definitions.builtin()),
    )


def _clusters() -> Controller:
    name, labelled = wakes.cluster_of, Match(labels=ocm.CLUSTER_NAME_LABEL)
    return Controller(
        name="clusters",
        sources=(
            Source(resource=ocm.CLUSTERS, wakes=wakes.itself),
            # Not those of nodes and controllers, which change every few seconds.
            Source(resource=_LEASES, wakes=name, match=_AGENTS_LEASE),
            Source(resource=clusters.NAMESPACES, wakes=wakes.itself_as_cluster),
            Source(
                resource=clusters.CONFIG_MAPS,
                namespace=clusters.EPOCH_ADDRESS.namespace,
                wakes=wakes.every_cluster,
            ),
            *(
                Source(resource=one, wakes=wakes.labelled_cluster, match=labelled)
                for one in (rights.ROLES, rights.BINDINGS, rights.LOCAL_BINDINGS)
            ),
        ),
        gather=clusters.gather,
        decide=clusters.decide,
    )


def _placements() -> Controller:
    return Controller(
        name="placements",
        sources=(
            Source(resource=ocm.PLACEMENTS, wakes=wakes.itself),
            Source(resource=ocm.CLUSTERS, wakes=wakes.placements_of_cluster, settle_seconds=0.1),
            Source(resource=ocm.PLACEMENT_DECISIONS, wakes=wakes.nobody),
        ),
        gather=placements.gather,
        decide=placements.decide,
    )


def _joining() -> Controller:
    joining = Joining(X509Registrar())
    label = ocm.CLUSTER_NAME_LABEL
    return Controller(
        name="joining",
        sources=(
            Source(
                resource=REQUESTS,
                wakes=wakes.itself,
                match=Match(labels=label),
                indexed=(label,),
            ),
            _tokens(wakes.requests_of_label),
            Source(resource=ocm.CLUSTERS, wakes=wakes.requests_of_cluster),
        ),
        gather=joining.gather,
        decide=joining.decide,
    )


def _invitations() -> Controller:
    return Controller(
        name="invitations",
        sources=(_tokens(wakes.itself),),
        gather=invitations.gather,
        decide=invitations.decide,
    )


def _tokens(wakes: Wakes) -> Source:
    match = Match(labels=ocm.CLUSTER_NAME_LABEL)
    return Source(resource=SECRETS, namespace=TOKEN_NAMESPACE, wakes=wakes, match=match)


def _releases() -> tuple[Controller, Controller]:
    label = (NAME_LABEL,)
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
        decide=partial(releases.decide, drivers=releases.Drivers(WORKLOADS, STEPS)),
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
        gather=partial(seen.unit, steps=STEPS),
        decide=partial(units.decide, workloads=WORKLOADS),
    )
    return release, unit
