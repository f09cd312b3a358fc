"""What a folder asks to be rehearsed: a fleet, the version that runs, the one to come, faults."""

from __future__ import annotations

import dataclasses
import fnmatch
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from oneco.delivery.mistakes import one_of
from oneco.errors import Refused
from oneco.kinds import durations, fleet, validity
from oneco.kinds.fleet import FaultSpec, FleetSpec, Member, RehearsalSpec, Side
from oneco.kinds.parts import GROUP, parse
from oneco.kinds.release import LabelSelector
from oneco.kube import documents, objects, quantity, selectors
from oneco.kube.documents import Document
from oneco.kube.objects import Object
from oneco.main import rehearsable
from oneco.worlds.behaviours import faults
from oneco.worlds.behaviours.faults import Fault, Where, Window

_OWN = frozenset({"Fleet", "Fault", "Rehearsal"})
_SEVERAL = frozenset({"Application"})
"""Kinds that a folder may hold twice under one name: the version before and the one to come."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One rehearsal with nothing left to look up. `before` is None for a first delivery."""

    members: Sequence[Member]
    before: Object | None
    after: Object
    others: Sequence[Object]
    faults: Sequence[Fault]
    actions: Sequence[fleet.RehearsalAction]
    until_seconds: float
    seed: int

    @property
    def application(self) -> str:
        """The name of the Application that is released."""
        return objects.name(self.after)


def read(path: str | Path) -> Scenario:
    """The scenario in a folder or file; Refused names what is missing or ambiguous."""
    found = documents.read_files([path], versions_of=_SEVERAL)
    for document in found:
        _check(document)
    folder = Path(path) if Path(path).is_dir() else Path(path).parent
    rehearsal = _only(found, "Rehearsal", str(path), is_needed=False)
    spec = _spec(rehearsal)
    return _scenario(found, spec, folder, str(path))


def _scenario(found: Sequence[Document], spec: RehearsalSpec, folder: Path, where: str) -> Scenario:
    after = _side(found, spec.to, spec.application, folder=folder, where=where)
    before = None
    if spec.from_ is not None:
        before = _side(found, spec.from_, spec.application, folder=folder, where=where)
    members = _members(found, spec.fleet, where)
    names = [one.name for one in members]
    for one in (before, after):
        if one is not None:
            rehearsable.check(one, names)
    for action in spec.actions:
        _check_action(action, after, names)
    return Scenario(
        members=members,
        before=before,
        after=after,
        others=[one.object for one in found if one.object["kind"] not in (*_OWN, "Application")],
        faults=_faults(found, spec.faults, where, names),
        actions=sorted(spec.actions, key=lambda one: durations.parse(one.at, "spec.actions.at")),
        until_seconds=durations.parse(spec.until, "spec.until"),
        seed=spec.seed,
    )


def _check(document: Document) -> None:
    causes = validity.validate(document.object)
    if causes:
        first = causes[0]
        raise Refused(f"{document.where(first.field)}: {first.message}")


def _spec(rehearsal: Document | None) -> RehearsalSpec:
    if rehearsal is None:
        return RehearsalSpec()
    return parse(RehearsalSpec, rehearsal.object.get("spec"), f"{rehearsal.source}: spec")


def _side(
    found: Sequence[Document], side: Side, application: str, *, folder: Path, where: str
) -> Object:
    pool = found
    if side.file:
        path = folder / side.file
        pool = [one for one in found if Path(one.source) == path] or documents.read_files([path])
    fitting = [
        one
        for one in pool
        if one.object["kind"] == "Application" and application in ("", objects.name(one.object))
    ]
    there = {objects.name(one.object) for one in pool if one.object["kind"] == "Application"}
    if application and there and application not in there:
        raise Refused("spec.application", found=application, wanted=one_of(there, application))
    if len(fitting) != 1:
        names = ", ".join(objects.name(one.object) for one in fitting) or "none"
        wanted = "exactly one Application, or spec.application and spec.to.file to choose it"
        raise Refused(side.file or where, found=names, wanted=wanted)
    return _with_images(fitting[0].object, side.images, where)


def _with_images(application: Object, images: dict[str, str], where: str) -> Object:
    if not images:
        return application
    components = application["spec"]["components"]
    known = [one["name"] for one in components]
    for name in images:
        if name not in known:
            raise Refused(f"{where}: images", found=name, wanted=f"one of {', '.join(known)}")
    changed = [
        objects.put(one, ("properties", "image"), images[one["name"]])
        if one["name"] in images
        else one
        for one in components
    ]
    return objects.put(application, ("spec", "components"), changed)


def _members(found: Sequence[Document], name: str, where: str) -> Sequence[Member]:
    chosen = [one for one in found if name in ("", objects.name(one.object))]
    document = _only(chosen, "Fleet", where, is_needed=True)
    assert document is not None, "a needed document was neither found nor refused"
    return fleet.members(parse(FleetSpec, document.object.get("spec"), document.source))


def _only(found: Sequence[Document], kind: str, where: str, *, is_needed: bool) -> Document | None:
    fitting = [
        one
        for one in found
        if one.object["kind"] == kind and one.object["apiVersion"].startswith(f"{GROUP}/")
    ]
    if len(fitting) > 1:
        names = ", ".join(objects.name(one.object) for one in fitting)
        raise Refused(where, found=f"{kind} {names}", wanted=f"one {kind}")
    if not fitting and is_needed:
        raise Refused(where, found=f"no {kind}", wanted=f"a {kind} that lists the clusters")
    return fitting[0] if fitting else None


def _check_action(action: fleet.RehearsalAction, after: Object, clusters: Sequence[str]) -> None:
    if action.do != "scale":
        return
    components = [one["name"] for one in after["spec"]["components"]]
    rows = [("component", action.component, components)]
    rows += [("clusters", name, list(clusters)) for name in action.clusters]
    for field, name, known in rows:
        if name not in known:
            raise Refused(f"spec.actions.{field}", found=name, wanted=one_of(known, name))
    rehearsable.check_size("spec.actions.replicas", action.replicas or 0)


def _check_clusters(document: Document, spec: FaultSpec, clusters: Sequence[str]) -> None:
    """A fault that cannot strike anywhere would let every version look good."""
    for index, pattern in enumerate(spec.clusters):
        if not fnmatch.filter(clusters, pattern):
            where = document.where(f"spec.clusters[{index}]")
            raise Refused(where, found=pattern, wanted=one_of(clusters, pattern))


def _faults(
    found: Sequence[Document],
    names: Sequence[str] | None,
    where: str,
    clusters: Sequence[str],
) -> Sequence[Fault]:
    there = {objects.name(one.object): one for one in found if one.object["kind"] == "Fault"}
    for name in names or ():
        if name not in there:
            known = ", ".join(there) or "no Fault in the folder"
            raise Refused(f"{where}: spec.faults", found=name, wanted=f"one of {known}")
    made: list[Fault] = []
    for name, one in there.items():
        if names is None or name in names:
            spec = parse(FaultSpec, one.object.get("spec"), one.source)
            _check_clusters(one, spec, clusters)
            made.append(fault(spec))
    return made


def fault(spec: FaultSpec) -> Fault:
    """The fault that a Fault object describes."""
    where, window = _where(spec), _window(spec)
    image, share = spec.image or "*", _share(spec.share)
    after = _seconds(spec.after, "spec.after")
    common: dict[str, Any] = {"image": image, "where": where, "window": window, "share": share}
    match spec.type:
        case "CrashLoop":
            return faults.CrashLoop(**common, after_seconds=1.0 if after is None else after)
        case "NotReady":
            return faults.NotReady(**common)
        case "SlowStart":
            delay = _seconds(spec.delay, "spec.delay")
            return faults.SlowStart(**common, seconds=60.0 if delay is None else delay)
        case "ErrorRate":
            return faults.ErrorRate(**common, factor=spec.factor, after_seconds=after or 0.0)
        case "Load":
            milli = math.ceil(quantity.parse(spec.amount) * 1000)
            return faults.Load(
                image=image, metric=spec.metric, milli=milli, where=where, window=window
            )
        case "ImagePull":
            return faults.ImagePull(**common)
        case "Unreachable":
            return faults.Unreachable(where=where, window=window)
        case "NodeLoss":
            return faults.NodeLoss(where=where, window=window, node=spec.node or "*")


def _seconds(text: str, where: str) -> float | None:
    return durations.parse(text, where) if text else None


def _where(spec: FaultSpec) -> Where:
    return Where(clusters=spec.clusters, labels=_labels(spec.cluster_selector))


def _labels(selector: LabelSelector | None) -> str:
    if selector is None:
        return ""
    whole = {
        "matchLabels": selector.match_labels,
        "matchExpressions": list(selector.match_expressions),
    }
    return str(selectors.from_object(whole))


def _window(spec: FaultSpec) -> Window:
    start = durations.parse(spec.from_, "spec.from")
    if not spec.until:
        return Window(from_seconds=start)
    return Window(from_seconds=start, until_seconds=durations.parse(spec.until, "spec.until"))


def _share(text: str) -> float:
    return float(text.rstrip("%")) / 100
