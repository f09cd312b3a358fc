"""What is wrong with a Fleet, a Fault or a Rehearsal."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from oneco.kinds.fleet import (
    IMAGE_FAULTS,
    FaultSpec,
    FleetDefaults,
    FleetSpec,
    Nodes,
    RehearsalAction,
    RehearsalSpec,
    Side,
    names_of,
)
from oneco.kinds.mistakes import duration, repeated, reserved, seconds
from oneco.kinds.validity_policy import environment, selector
from oneco.kube import causes, names, quantity
from oneco.kube.errors import Cause

_percent = re.compile(r"(100(\.0+)?|\d{1,2}(\.\d+)?)%").fullmatch


def fleet(spec: FleetSpec) -> list[Cause]:
    """What is wrong with the clusters of a fleet."""
    found = _defaults(spec.defaults, "spec.defaults")
    if not spec.clusters:
        found.append(causes.required("spec.clusters", "at least one cluster with a name"))
    all_names: list[tuple[str, str]] = []
    for index, cluster in enumerate(spec.clusters):
        where = f"spec.clusters[{index}]"
        found += _defaults(cluster, where)
        written = list(names_of(cluster))
        # The longest of them: if that one is a name, all are.
        faults = names.label_faults(written[-1])
        found += [causes.invalid(f"{where}.name", cluster.name, fault) for fault in faults]
        found += reserved(written[0], f"{where}.name")
        all_names += [(f"{where}.name", name) for name in written]
    return found + repeated(all_names)


def fault(spec: FaultSpec) -> list[Cause]:
    """What is wrong with a fault."""
    found: list[Cause] = []
    for field, text in (
        ("from", spec.from_),
        ("until", spec.until),
        ("after", spec.after),
        ("delay", spec.delay),
    ):
        found += duration(text, f"spec.{field}")
    begin, end = seconds(spec.from_) or 0.0, seconds(spec.until)
    if end is not None and end <= begin:
        wanted = f'wanted a duration longer than spec.from ("{spec.from_}")'
        found.append(causes.invalid("spec.until", spec.until, wanted))
    if not _percent(spec.share):
        found.append(causes.invalid("spec.share", spec.share, 'wanted a share from "0%" to "100%"'))
    found += _what_it_strikes(spec)
    return found + selector(spec.cluster_selector, "spec.clusterSelector")


def rehearsal(spec: RehearsalSpec) -> list[Cause]:
    """What is wrong with a rehearsal."""
    found = duration(spec.until, "spec.until")
    if seconds(spec.until) == 0 or not spec.until:
        found.append(causes.invalid("spec.until", spec.until, 'wanted a duration such as "7d"'))
    for field, side in (("from", spec.from_), ("to", spec.to)):
        if side is not None:
            found += _side(side, f"spec.{field}")
    for index, action in enumerate(spec.actions):
        found += _action(action, f"spec.actions[{index}]")
    faults = spec.faults or ()
    return found + repeated((f"spec.faults[{i}]", name) for i, name in enumerate(faults))


def _defaults(said: FleetDefaults, where: str) -> list[Cause]:
    found = names.validate_labels(said.labels, f"{where}.labels")
    for field, value in (("environment", said.environment), ("region", said.region)):
        found += [
            causes.invalid(f"{where}.{field}", value, fault) for fault in names.value_faults(value)
        ]
    found += environment(said.environment, f"{where}.environment")
    if isinstance(said.nodes, int) and not 1 <= said.nodes <= 10_000:
        wanted = "wanted a number of nodes from 1 to 10000"
        found.append(causes.invalid(f"{where}.nodes", said.nodes, wanted))
    if isinstance(said.nodes, Nodes):
        found += _size(said.nodes.cpu, f"{where}.nodes.cpu", "4")
        found += _size(said.nodes.memory, f"{where}.nodes.memory", "16Gi")
    return found


def _size(value: str | int, where: str, example: str) -> list[Cause]:
    try:
        is_positive = quantity.parse(value) > 0
    except ValueError:
        is_positive = False
    return (
        [] if is_positive else [causes.invalid(where, value, f'wanted a size such as "{example}"')]
    )


def _what_it_strikes(spec: FaultSpec) -> list[Cause]:
    if spec.type in IMAGE_FAULTS and not spec.image:
        wanted = f'which images {spec.type} strikes, such as "shop/cart:v3" or "*/cart:*"'
        return [causes.required("spec.image", wanted)]
    if spec.type not in IMAGE_FAULTS and spec.image:
        why = f"{spec.type} strikes clusters or nodes, not images"
        return [causes.forbidden("spec.image", why)]
    if spec.type == "NodeLoss" and not spec.node:
        return [causes.required("spec.node", 'which nodes stop, such as "node-1" or "*"')]
    if spec.type == "Load":
        return _size(spec.amount, "spec.amount", "2500m")
    return []


def _side(side: Side, where: str) -> list[Cause]:
    found: list[Cause] = []
    if side.file and side.revision:
        why = f'it stands beside {where}.file ("{side.file}"); wanted one of the two'
        found.append(causes.forbidden(f"{where}.revision", why))
    path = PurePosixPath(side.file)
    if path.is_absolute() or ".." in path.parts:
        wanted = "wanted a path inside the rehearsal's own folder"
        found.append(causes.invalid(f"{where}.file", side.file, wanted))
    for component, image in side.images.items():
        if not image:
            found.append(causes.required(f"{where}.images.{component}", "an image"))
    return found


def _action(action: RehearsalAction, where: str) -> list[Cause]:
    found = duration(action.at, f"{where}.at")
    if not action.at:
        found.append(causes.required(f"{where}.at", 'a duration such as "10m"'))
    if action.do != "scale":
        return found
    if not action.component:
        found.append(causes.required(f"{where}.component", "the component to scale"))
    if action.replicas is None:
        found.append(causes.required(f"{where}.replicas", "the number of pods, 0 or more"))
    return found
