"""The error metric is measured on the new and the old pods of every kind of workload."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rehearsals.given import (
    advanced_daemon,
    advanced_stateful,
    application,
    clones,
    daemon,
    failing_more,
    fleet,
    rehearse,
    service,
    stateful,
)

KINDS = (service, stateful, daemon, clones, advanced_stateful, advanced_daemon)
CHECKS = [{"name": "errors", "metric": "errors", "maxIncrease": 0.5}]


def of_one(kind):
    policy: Any = {"batches": ["25%", "100%"], "batchSilence": "15m", "checks": CHECKS}
    return rehearse(seed=11).given(fleet(canary=1), application(kind("web"), **policy))


@pytest.mark.parametrize("kind", KINDS, ids=lambda one: one.__name__)
def test_errors_that_rise_in_new_pods_take_them_back(kind):
    ending = of_one(kind).when(failing_more("v2", after="10m")).ends()
    assert ending.outcome == "rolledBack"
    assert ending.clusters("CheckFailed") == ["canary-1"]
    assert 600 < ending.happened("CheckFailed")[0].at < 910


@pytest.mark.parametrize("kind", KINDS, ids=lambda one: one.__name__)
def test_new_pods_that_fail_no_more_than_the_old_pass(kind):
    ending = of_one(kind).ends()
    assert ending.outcome == "succeeded"
    assert ending.clusters("CheckFailed") == []
