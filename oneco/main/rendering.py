"""Delivers an Application to clusters in memory, to learn what its objects meet there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from oneco.kinds import durations
from oneco.kinds.fleet import Member
from oneco.kinds.parts import parse
from oneco.kinds.release import OBSERVATIONS, ClusterName, Observed
from oneco.kube.objects import Object
from oneco.kube.refs import Address
from oneco.main import ending
from oneco.main.rehearsal import BEGINNING, Rehearsal
from oneco.main.scenario import Scenario
from oneco.worlds import clocks

Cluster = tuple[str, Mapping[str, str]]
_LOCAL: Cluster = ("local", {})
_PATIENCE = "1h"


class Delivered(NamedTuple):
    """How a delivery ended: the refused objects, and why it did not end well, if it did not."""

    refused: tuple[str, ...]
    problem: str


def deliver(application: Object, clusters: Sequence[Cluster]) -> Delivered:
    """Bring `application` to these clusters, or to one if there are none, and say how it went."""
    asked = Scenario(
        members=[Member(ClusterName(name), labels) for name, labels in clusters or [_LOCAL]],
        before=None,
        after=ending.at_once(application),
        others=(),
        faults=(),
        actions=(),
        until_seconds=durations.parse(_PATIENCE, "patience"),
        seed=1,
    )
    with clocks.rare_collections():
        return clocks.run(lambda clock: _deliver(Rehearsal(asked, clock)), BEGINNING)


async def _deliver(rehearsal: Rehearsal) -> Delivered:
    report = await rehearsal.run()
    refused = tuple(dict.fromkeys(_refused(rehearsal)))
    return Delivered(refused, "" if report.outcome == "succeeded" else report.message)


def _refused(rehearsal: Rehearsal) -> Iterator[str]:
    for observation in rehearsal.server.list(Address(OBSERVATIONS)).items:
        for row in parse(Observed, observation.get("observed"), "observed").objects:
            if row.is_refused:
                yield f"{row.ref.kind} {row.ref.name}: {row.message}"
