"""The stories that are told."""

from __future__ import annotations

from typing import Any

from tests.real.fidelity.stories import (
    PRODUCTION,
    TEST,
    Step,
    Story,
    asks,
    loses_a_node,
    reached,
    scales,
)

# Whoever acts between two batches must not come too late because the machine is busy.
_SLOWLY = {"batches": ["50%", "100%"], "batchSilence": "6s"}


def _paused(cluster: str) -> tuple[Step, ...]:
    return (
        Step(when=reached(cluster, 1), act=asks(paused=True)),
        Step(after=9.0, act=asks(paused=False)),
    )


def _rolled_back(cluster: str) -> tuple[Step, ...]:
    return (Step(when=reached(cluster, 1), act=asks(request="Rollback")),)


_ABORTED = (Step(when=reached(TEST, 1), act=asks(request="Abort")),)


def _both(kind: str, name: str, **spec: Any) -> tuple[Story, ...]:
    """A good and a bad version of a workload."""
    return (
        Story(name=f"{name}-good", kind=kind, spec=spec, ends="Succeeded"),
        Story(name=f"{name}-bad", kind=kind, spec=spec, after="v2-bad", ends="RolledBack"),
    )


def _disturbed(kind: str, name: str, ends: str, steps: tuple[Step, ...], **spec: Any) -> Story:
    """A good version, and somebody who intervenes."""
    return Story(name=name, kind=kind, spec=spec, policy=_SLOWLY, steps=steps, ends=ends)


def _scaled(kind: str, name: str) -> Story:
    """A good version, and somebody who doubles a workload in the middle."""
    steps = (Step(when=reached(TEST, 1), act=scales(TEST, kind, 8)),)
    more: dict[str, Any] = {"policy": _SLOWLY, "steps": steps, "ends": "Succeeded"}
    return Story(name=name, kind=kind, pods=None, is_loose=True, **more)


def _loses_a_node(kind: str, name: str) -> Story:
    """A good version, and a node that goes in the middle."""
    steps = (Step(when=reached(TEST, 1), act=loses_a_node(TEST)),)
    more: dict[str, Any] = {"policy": _SLOWLY, "steps": steps, "ends": "Succeeded"}
    return Story(name=name, kind=kind, has_own_nodes=True, is_loose=True, **more)


NATIVE = (
    *_both("Deployment", "deployment"),
    *_both("StatefulSet", "stateful"),
    *_both("DaemonSet", "daemon"),
    Story(
        name="deployment-blocked",
        kind="Deployment",
        after="v2-bad",
        policy={"onFailure": "Block"},
        ends="Blocked",
    ),
    _disturbed("Deployment", "deployment-paused", "Succeeded", _paused(TEST)),
    _disturbed("Deployment", "deployment-aborted", "Aborted", _ABORTED),
    _disturbed(
        "StatefulSet",
        "stateful-rolled-back",
        "RolledBack",
        _rolled_back(PRODUCTION),
        podManagementPolicy="Parallel",
    ),
    _disturbed("DaemonSet", "daemon-paused", "Succeeded", _paused(PRODUCTION)),
    _scaled("Deployment", "deployment-scaled"),
    _scaled("StatefulSet", "stateful-scaled"),
    _loses_a_node("Deployment", "deployment-loses-a-node"),
    _loses_a_node("DaemonSet", "daemon-loses-a-node"),
)
KRUISE = (
    *_both("CloneSet", "clone"),
    *_both("CloneSet", "clone-in-place", updateStrategy={"type": "InPlaceIfPossible"}),
    *_both("AdvancedStatefulSet", "advanced-stateful", podManagementPolicy="Parallel"),
    *_both("AdvancedDaemonSet", "advanced-daemon"),
    _disturbed("CloneSet", "clone-rolled-back", "RolledBack", _rolled_back(PRODUCTION)),
    _disturbed("AdvancedStatefulSet", "advanced-stateful-aborted", "Aborted", _ABORTED),
    _disturbed("AdvancedDaemonSet", "advanced-daemon-paused", "Succeeded", _paused(TEST)),
    _scaled("CloneSet", "clone-scaled"),
)
