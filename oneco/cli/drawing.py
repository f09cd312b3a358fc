"""The tree of a release as lines of text, for terminals with rich styles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from oneco.cli import printing
from oneco.cli.tree import Application, Cluster, Release, State, Wave, Workload
from oneco.kinds import durations, naming
from oneco.kube import times

if TYPE_CHECKING:
    from rich.text import Text

_MARKS: Final[dict[State, str]] = {
    "waiting": "·",
    "going": "●",
    "done": "✔",
    "failed": "✘",
    "back": "↩",
    "held": "‖",
}
_STYLES: Final[dict[State, str]] = {
    "waiting": "dim",
    "going": "bold cyan",
    "done": "green",
    "failed": "bold red",
    "back": "yellow",
    "held": "magenta",
}


class Line(NamedTuple):
    """One line of the tree; `stem` is what leads to it."""

    stem: str
    state: State
    head: str
    text: str


def lines(application: Application) -> Iterator[Line]:
    """The tree from top to bottom."""
    where = f"{application.namespace}/{application.name}"
    revision = f"  {application.revision}" if application.revision else ""
    said = f"{application.phase}{revision}"
    yield Line("", application.state, f"Application {where}", said)
    for message in application.messages:
        yield Line("│  " if application.releases else "   ", application.state, "", message)
    for index, release in enumerate(application.releases):
        stem, below = _stems("", index, len(application.releases))
        yield Line(stem, release.state, f"Release {release.name}", _release_text(release))
        for number, wave in enumerate(release.waves):
            yield from _wave(wave, number, below, len(release.waves))


def text(application: Application) -> str:
    """The tree without any style."""
    return "\n".join(
        f"{one.stem}{_MARKS[one.state] if one.head else ' '} {_said(one)}".rstrip()
        for one in lines(application)
    )


def styled(application: Application, *, is_cut: bool = False) -> Text:
    """The tree for a terminal; `is_cut` keeps every line on one line of it."""
    from rich.text import Text

    drawn = Text(no_wrap=is_cut, overflow="ellipsis" if is_cut else "fold")
    for one in lines(application):
        drawn.append(one.stem, "dim")
        mark = _MARKS[one.state] if one.head else " "
        drawn.append(f"{mark} {one.head}", _STYLES[one.state])
        drawn.append(f"  {one.text}\n" if one.text else "\n")
    return drawn


def _said(line: Line) -> str:
    return "  ".join(part for part in (line.head, line.text) if part)


def _wave(wave: Wave, number: int, stem: str, count: int) -> Iterator[Line]:
    own, below = _stems(stem, number, count)
    yield Line(own, wave.state, f"wave {number + 1} {wave.name}", _wave_text(wave))
    folded = wave.folded if wave.clusters else 0
    rows = len(wave.clusters) + bool(folded)
    for index, cluster in enumerate(wave.clusters):
        place, deeper = _stems(below, index, rows)
        yield Line(place, cluster.state, cluster.name, _cluster_text(cluster))
        late = _late(cluster)
        for position, workload in enumerate(late):
            leaf, _ = _stems(deeper, position, len(late))
            yield Line(leaf, cluster.state, _title(cluster, workload), _workload_text(workload))
    if folded:
        place, _ = _stems(below, rows - 1, rows)
        more = f"and {printing.counted(folded, 'more cluster')}"
        yield Line(place, "waiting", more, "")


def _release_text(release: Release) -> str:
    return f"{release.phase}: {release.message}" if release.message else release.phase


def _wave_text(wave: Wave) -> str:
    parts = [f"{wave.succeeded} of {printing.counted(wave.units, 'cluster')} done"]
    if wave.state == "waiting":
        parts = [printing.counted(wave.units, "cluster")]
    if wave.failed:
        parts.append(f"{wave.failed} failed")
    if wave.rolled_back:
        parts.append(f"{wave.rolled_back} rolled back")
    if wave.started_at and wave.finished_at:
        seconds = times.from_text(wave.finished_at) - times.from_text(wave.started_at)
        parts.append(f"took {durations.show(max(seconds, 0))}")
    if wave.message:
        parts.append(wave.message)
    return ", ".join(parts)


def _cluster_text(cluster: Cluster) -> str:
    if not cluster.batches or cluster.state in ("done", "back"):
        return cluster.message or cluster.phase
    parts = [f"batch {cluster.batch} of {cluster.batches}"]
    if cluster.workloads and not _late(cluster):
        parts.append(_pods(cluster))
    if cluster.message:
        said = cluster.message.removeprefix(f"batch {cluster.batch} is ")
        parts.append(said.removeprefix("ready; ") if len(parts) > 1 else said)
    return ", ".join(parts)


def _late(cluster: Cluster) -> tuple[Workload, ...]:
    """The workloads that the batch waits for."""
    if cluster.state not in ("going", "failed", "held"):
        return ()
    return tuple(one for one in cluster.workloads if min(one.updated, one.ready) < one.target)


def _title(cluster: Cluster, workload: Workload) -> str:
    """Its name; where another has the same, with its kind."""
    if sum(one.name == workload.name for one in cluster.workloads) == 1:
        return workload.name
    return f"{naming.kind_label(workload.api_version, workload.kind)} {workload.name}"


def _pods(cluster: Cluster) -> str:
    ready = sum(one.ready for one in cluster.workloads)
    every = sum(one.replicas for one in cluster.workloads)
    return f"{ready} of {printing.counted(every, 'pod')} updated and ready"


def _workload_text(workload: Workload) -> str:
    return (
        f"{workload.updated} of {workload.target} pods updated, {workload.ready} ready"
        f" ({workload.replicas} in all)"
    )


def _stems(stem: str, index: int, count: int) -> tuple[str, str]:
    """What leads to the entry at `index`, and to what is below it."""
    is_last = index == count - 1
    return (f"{stem}└─ ", f"{stem}   ") if is_last else (f"{stem}├─ ", f"{stem}│  ")
