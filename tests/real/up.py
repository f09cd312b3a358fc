"""Real clusters for a person to ask, until Ctrl-C.

python -m tests.real.up [--kruise] [--clusters N] [--nodes N] [FOLDER]
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.real.cluster import RealCluster, running
from tools.real import building, leftovers

_MOST_CLUSTERS = 15


def main(arguments: Sequence[str]) -> int:
    """Start the clusters, say how they are asked, and end them when the person has had enough."""
    wanted = _wanted(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        with _folder(wanted.folder) as folder, running(*_clusters(wanted, folder)) as clusters:
            for one in clusters:
                print(f"export KUBECONFIG={one.kubeconfig}", flush=True)
            _say("ready; Ctrl-C ends them and removes what they wrote")
            signal.pause()
    except building.Unbuildable as failure:
        _say(str(failure))
        return 2
    except KeyboardInterrupt:
        _say("ended")
    return 0


def _clusters(wanted: argparse.Namespace, folder: Path) -> list[RealCluster]:
    leftovers.sweep()
    names = [*building.CONTROL_PLANE, *(["kruise-manager"] if wanted.kruise else [])]
    programs = building.build(names)
    return [
        RealCluster(
            folder / f"cluster-{number}", programs, nodes=wanted.nodes, kruise=wanted.kruise
        )
        for number in range(1, wanted.clusters + 1)
    ]


def _wanted(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("./dev real up", description=__doc__.splitlines()[0])
    parser.add_argument("--kruise", action="store_true", help="with OpenKruise")
    parser.add_argument("--clusters", type=int, default=1, metavar="N", help="how many (1)")
    parser.add_argument("--nodes", type=int, default=3, metavar="N", help="nodes in each (3)")
    parser.add_argument("folder", nargs="?", type=Path, help="a new folder for what they write")
    wanted = parser.parse_args(arguments)
    if not 1 <= wanted.clusters <= _MOST_CLUSTERS:
        parser.error(f"--clusters {wanted.clusters}: from 1 to {_MOST_CLUSTERS}")
    if wanted.nodes < 1:
        parser.error(f"--nodes {wanted.nodes}: at least 1")
    if wanted.folder is not None and wanted.folder.exists():
        parser.error(f"{wanted.folder} exists: name a new folder, which is removed at the end")
    return wanted


@contextmanager
def _folder(named: Path | None) -> Iterator[Path]:
    """The folder that was named, or one of its own; it is removed at the end."""
    if named is None:
        folder = Path(tempfile.mkdtemp(prefix="oneco-real-"))
    else:
        folder = named.absolute()
        folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _say(text: str) -> None:
    print(f"real: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
