"""Builds the programs of a real Kubernetes control plane, once, into a cache outside the tree.

    python -m tools.real.building

The folders beside this file are Go modules that pin one product each, with `tool` lines; their
`go.mod` is where a version stands, and `tools.real.pinning` makes it. KUBEBUILDER_ASSETS names a
folder whose programs are taken as they are; what it lacks is built.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

HERE = Path(__file__).parent
ASSETS = "KUBEBUILDER_ASSETS"
_STAMP = "k8s.io/component-base/version"


class Unbuildable(Exception):
    """The programs cannot be had on this machine; the message says what the person can do."""


@dataclasses.dataclass(frozen=True, slots=True)
class Program:
    """One program: the module folder that pins it, its package, and the module of its version."""

    name: str
    module: str
    package: str
    versioned_by: str


_KUBERNETES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
PROGRAMS = (
    *(
        Program(name, "kubernetes", f"k8s.io/kubernetes/cmd/{name}", "k8s.io/kubernetes")
        for name in _KUBERNETES
    ),
    Program("etcd", "etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3"),
    Program("kwok", "kwok", "sigs.k8s.io/kwok/cmd/kwok", "sigs.k8s.io/kwok"),
)


def version(program: Program) -> str:
    """The version that the tree pins."""
    text = (HERE / program.module / "go.mod").read_text()
    found = re.search(rf"^\s*(?:require )?{re.escape(program.versioned_by)} (v\S+)", text, re.M)
    assert found is not None, f"{program.module}/go.mod does not require {program.versioned_by}"
    return found.group(1)


def cache() -> Path:
    """Where programs of these versions are kept."""
    versions = {program.module: version(program) for program in PROGRAMS}
    name = "-".join(("real", *(f"{module}-{pinned}" for module, pinned in versions.items())))
    return Path.home() / ".cache" / "oneco" / name


def ready() -> Mapping[str, Path]:
    """The programs that are there already, by name."""
    places = [Path(os.environ[ASSETS])] if os.environ.get(ASSETS) else []
    found = {}
    for program in PROGRAMS:
        for place in (*places, cache()):
            if os.access(place / program.name, os.X_OK):
                found[program.name] = place / program.name
                break
    return found


def build() -> Mapping[str, Path]:
    """All programs by name; those that are missing are built, which takes minutes the first time.

    Unbuildable where Go is missing or a build fails.
    """
    with _alone():
        missing = [program for program in PROGRAMS if program.name not in ready()]
        for program in missing:
            _build(program)
    return ready()


def _build(program: Program) -> None:
    go = shutil.which("go")
    if go is None:
        raise Unbuildable(
            f"{program.name} is built with Go, and there is no `go` on the PATH.\n"
            f"Install Go 1.26 or newer, or name a folder that has the programs in {ASSETS}."
        )
    began = time.monotonic()
    _say(f"{program.name} {version(program)}: building")
    unfinished = cache() / f"{program.name}.new"
    words = [go, "build", "-trimpath", "-ldflags", _flags(program), "-o", str(unfinished)]
    done = subprocess.run(
        [*words, program.package],
        cwd=HERE / program.module,
        env={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"},
        stdout=sys.stderr,
        check=False,
    )
    if done.returncode != 0:
        raise Unbuildable(f"{program.name} could not be built; what Go said stands above.")
    # A build that was interrupted must never be taken for a program.
    unfinished.replace(cache() / program.name)
    _say(f"{program.name} {version(program)}: built in {time.monotonic() - began:.0f} s")


def _flags(program: Program) -> str:
    flags = ["-s", "-w"]
    if program.module == "kubernetes":
        pinned = version(program)
        major, minor, _ = pinned.removeprefix("v").split(".", 2)
        for name, value in (("gitVersion", pinned), ("gitMajor", major), ("gitMinor", minor)):
            flags += ["-X", f"{_STAMP}.{name}={value}"]
    return " ".join(flags)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Hold off other builds of the same versions; the lock goes with the process."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _say(text: str) -> None:
    print(f"real: {text}", file=sys.stderr, flush=True)


def main() -> int:
    """Build what is missing and say where everything stands."""
    try:
        programs = build()
    except Unbuildable as failure:
        _say(str(failure))
        return 2
    for name, path in programs.items():
        _say(f"{name}: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
