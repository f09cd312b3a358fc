"""StatefulSets, DaemonSets and CronJobs go on after a restart as if there had been none."""

from __future__ import annotations

import pytest

from oneco.clock import Instant
from oneco.worlds.behaviours import Agenda, Behaviours
from oneco.worlds.behaviours.faults import FaultBook, NodeLoss, NotReady, Window
from tests.behaviours.a_cluster import START, ACluster, a_cluster, image
from tests.behaviours.test_claims import a_claim
from tests.behaviours.test_cronjobs import a_cron_job
from tests.behaviours.test_daemonsets import a_daemon_set
from tests.behaviours.test_resuming import log
from tests.behaviours.test_statefulsets import a_stateful_set

FAULTS = (
    NotReady(image="shop/db:2", window=Window(until_seconds=150)),
    NodeLoss(node="node-2", window=Window(from_seconds=90, until_seconds=300)),
)


def a_story(*restarts: float) -> ACluster:
    cluster = a_cluster(*FAULTS)
    behaviours = cluster.sim.behaviours
    acts = {
        0.0: lambda: (
            cluster.create("statefulsets", a_stateful_set(volumeClaimTemplates=[a_claim()])),
            cluster.create("daemonsets", a_daemon_set()),
            cluster.create("cronjobs", a_cron_job("*/2 * * * *")),
        ),
        40.2: lambda: cluster.patch("statefulsets", "db", image("shop/db:2")),
        50.6: lambda: cluster.patch("daemonsets", "log", image("shop/log:2")),
    }
    for at in sorted({*acts, *restarts, 700.0}):
        cluster.clock.advance_to(Instant(START + at))
        if at in acts:
            acts[at]()
        if at in restarts:
            cluster.agenda.turn()
            behaviours.stop()
            cluster.agenda.close()
            cluster.agenda = Agenda(cluster.clock)
            book = FaultBook(faults=FAULTS, start=START, seed=1)
            behaviours = Behaviours(
                cluster.sim.server, cluster.agenda, cluster="here", seed=1, faults=book
            )
            behaviours.resume()
    return cluster


@pytest.fixture(scope="module")
def undisturbed() -> ACluster:
    return a_story()


def test_the_story_ends_well(undisturbed):
    assert undisturbed.status("statefulsets", "db")["updatedReplicas"] == 3
    assert undisturbed.status("daemonsets", "log")["updatedNumberScheduled"] == 3
    assert len(undisturbed.all("jobs")) == 3


@pytest.mark.parametrize("restarts", [(3.0,), (41.0, 52.0), (60.0, 100.5, 145.0, 310.0), (600.0,)])
def test_a_restart_changes_nothing(undisturbed, restarts):
    assert log(a_story(*restarts)) == log(undisturbed)
