"""What real controllers wrote while they were held at one pod of four is read as just that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import oneco.integrations
from oneco.agent import workloads
from oneco.control.cache import Cache, CacheReader
from oneco.kube import times
from oneco.kube.refs import kind_of
from oneco.main.workloads import WORKLOADS

FILES = sorted(Path(oneco.integrations.__path__[0]).glob("*/testdata/*.json"))
LATER = times.from_text("2027-01-01T00:00:00Z")


def seen(recorded: Any) -> workloads.Seen:
    driver = WORKLOADS[kind_of(recorded["live"])]
    cache = Cache()
    for one in recorded["history"]:
        if driver.history is not None:
            cache.take("member", driver.history, one)
    for pod in recorded["pods"]:
        cache.take("member", workloads.PODS, pod)
    return workloads.look(CacheReader(cache), recorded["live"], driver)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parts[-3]}-{file.stem}")
def test_one_of_four_pods_is_new_and_ready(file):
    recorded = json.loads(file.read_text())
    found = workloads.count(seen(recorded), LATER)
    assert found.is_current
    assert (found.replicas, found.total, found.updated, found.updated_ready) == (4, 4, 1, 1)
    assert not found.is_paused
    assert found.problems == ()
    assert workloads.doomed(seen(recorded), found, LATER) == ()


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parts[-3]}-{file.stem}")
def test_the_gate_in_the_live_object_is_the_one_that_its_driver_writes(file):
    live = json.loads(file.read_text())["live"]
    driver = WORKLOADS[kind_of(live)]
    stepped = driver.step(live, live, 1)
    assert stepped["spec"] == live["spec"]


def test_every_kind_was_recorded():
    kinds = {kind_of(json.loads(file.read_text())["live"])._replace(version="") for file in FILES}
    assert kinds == {kind._replace(version="") for kind in WORKLOADS}
