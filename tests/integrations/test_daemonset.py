"""A DaemonSet is held under OnDelete and moved by a bounded number of deletions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneco.agent.ports import Pod
from oneco.integrations.kubernetes.daemonset import DaemonSetWorkload

DRIVER = DaemonSetWorkload()


def a_daemon_set(bound: int | str | None = None) -> Any:
    rolling = {} if bound is None else {"rollingUpdate": {"maxUnavailable": bound}}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "log", "namespace": "default"},
        "spec": {"updateStrategy": {"type": "RollingUpdate", **rolling}, "template": {"spec": {}}},
    }


def live(updated: int, nodes: int, bound: int | str | None = None) -> Any:
    gated = DRIVER.gate(a_daemon_set(bound), updated)
    return {**gated, "status": {"desiredNumberScheduled": nodes}}


def pods(states: str) -> list[Pod]:
    """A pod for each letter: o and n are old and new, in capitals those that are not ready."""
    return [
        Pod(
            {"metadata": {"name": f"log-{number}"}, "spec": {"nodeName": f"node-{number}"}},
            is_new=letter.lower() == "n",
            is_ready=letter.islower(),
            is_available=letter.islower(),
        )
        for number, letter in enumerate(states)
        if letter != "-"
    ]


def doomed(states: str, updated: int, bound: int | str | None = None) -> list[str]:
    found = DRIVER.doomed(live(updated, len(states), bound), pods(states), len(states))
    return [one["spec"]["nodeName"] for one in found]


@pytest.mark.parametrize(
    ("states", "updated", "bound", "nodes"),
    [
        ("oooo", 0, None, []),
        ("oooo", 2, None, ["node-0"]),
        ("oooo", 2, 3, ["node-0", "node-1"]),
        ("oooo", 4, "50%", ["node-0", "node-1"]),
        ("ooooo", 5, "30%", ["node-0", "node-1"]),  # a DaemonSet's percentage rounds up
        ("nooo", 2, None, ["node-1"]),
        ("Nooo", 2, None, []),  # the new one is not ready: nothing more may be missing
        ("-ooo", 2, None, []),  # its new pod has not even come
        ("-ooo", 2, 2, ["node-1"]),
        ("ooOo", 1, None, ["node-2"]),  # who does not serve goes first, and costs nothing
        ("nnoo", 2, 4, []),
        ("nnoo", 1, 4, []),
    ],
)
def test_so_many_old_pods_are_deleted_and_no_more(states, updated, bound, nodes):
    assert doomed(states, updated, bound) == nodes


@given(
    states=st.text(alphabet="onON-", min_size=1, max_size=12),
    updated=st.integers(0, 12),
    bound=st.integers(1, 4),
)
def test_neither_the_batch_nor_the_bound_is_ever_exceeded(states, updated, bound):
    gone = doomed(states, updated, bound)
    coming = states.count("-") + states.lower().count("n")
    assert len(gone) <= max(0, updated - coming)
    ready = [name for name in gone if states[int(name[5:])] == "o"]
    missing = sum(letter in "-ON" for letter in states)
    assert len(ready) <= max(0, bound - missing)
    assert all(states[int(name[5:])] in "oO" for name in gone)


def test_the_same_news_are_answered_with_the_same_pods():
    assert doomed("oooo", 2, 2) == doomed("oooo", 2, 2)


def test_without_a_gate_nothing_is_deleted():
    found = {**a_daemon_set(), "status": {"desiredNumberScheduled": 2}}
    assert DRIVER.doomed(found, pods("oo"), 2) == ()


def test_a_daemon_set_whose_pods_a_person_deletes_is_not_divided():
    own = a_daemon_set()
    own["spec"]["updateStrategy"] = {"type": "OnDelete"}
    assert not DRIVER.is_divisible(own)
