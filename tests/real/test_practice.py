"""The chapters of the practice guide that need real clusters, as they are printed."""

from __future__ import annotations

import shutil

import pytest

from tests.examples import test_practice as practice


@pytest.mark.parametrize("name", practice.ON_REAL_CLUSTERS)
def test_the_commands_of_a_chapter_work_on_real_clusters(name, real_cluster, real_fleet, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    clusters = (*real_fleet(2), real_cluster)
    for called, cluster in zip(practice.ON_REAL_CLUSTERS[name], clusters, strict=True):
        shutil.copy(cluster.kubeconfig, work / f"{called}.kubeconfig")
    practice.follow(practice.GUIDE / f"{name}.md", tmp_path)
