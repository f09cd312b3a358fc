"""The chapters of the practice guide that need real clusters, as they are printed."""

from __future__ import annotations

import shutil

import pytest

from tests.examples import test_practice as practice
from tests.real.cluster import RealCluster, running


@pytest.mark.timeout(400)  # A reader's hour, on a machine that others use too.
@pytest.mark.parametrize("name", practice.ON_REAL_CLUSTERS)
def test_the_commands_of_a_chapter_work_on_real_clusters(name, programs, real_fleet, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    # A reader's hub knows no clusters of somebody else's yet.
    hub = RealCluster(tmp_path / "hub", programs)
    clusters = (*real_fleet(2), hub)
    for called, cluster in zip(practice.ON_REAL_CLUSTERS[name], clusters, strict=True):
        shutil.copy(cluster.kubeconfig, work / f"{called}.kubeconfig")
    with running(hub):
        practice.follow(practice.GUIDE / f"{name}.md", tmp_path, seconds=360)
