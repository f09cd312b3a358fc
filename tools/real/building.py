"""Builds the programs of a real Kubernetes control plane, once, into a cache outside the tree.

    python -m tools.real.building [PROGRAM ...]

The folders beside this file are Go modules that pin one product each, with `tool` lines; their
`go.mod` is where a version stands, and `tools.real.pinning` makes it. KUBEBUILDER_ASSETS names a
folder whose programs are taken as they are; what it lacks is built.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
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
_KRUISE = "github.com/openkruise/kruise"
_OCM, _OCM_AGENTS = "open-cluster-management.io/ocm", ("registration", "work")
PROGRAMS = (
    *(
        Program(name, "kubernetes", f"k8s.io/kubernetes/cmd/{name}", "k8s.io/kubernetes")
        for name in _KUBERNETES
    ),
    Program("etcd", "etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3"),
    Program("kwok", "kwok", "sigs.k8s.io/kwok/cmd/kwok", "sigs.k8s.io/kwok"),
    Program("kruise-manager", "kruise", _KRUISE, _KRUISE),
    *(Program(f"ocm-{name}", "ocm", f"{_OCM}/cmd/{name}", _OCM) for name in _OCM_AGENTS),
)


CONTROL_PLANE = (*_KUBERNETES, "etcd", "kwok")
"""What every cluster needs."""


def version(program: Program) -> str:
    """The version that the tree pins."""
    text = (HERE / program.module / "go.mod").read_text()
    found = re.search(rf"^\s*(?:require )?{re.escape(program.versioned_by)} (v\S+)", text, re.M)
    assert found is not None, f"{program.module}/go.mod does not require {program.versioned_by}"
    return found.group(1)


def cache(program: Program) -> Path:
    """Where a program of this version is kept: the other versions of other programs are others'."""
    return _kept() / f"real-{program.module}-{version(program)}"


def ready() -> Mapping[str, Path]:
    """The programs that are there already, by name."""
    own = [Path(os.environ[ASSETS])] if os.environ.get(ASSETS) else []
    found = {}
    for program in PROGRAMS:
        for place in (*own, cache(program)):
            if os.access(place / program.name, os.X_OK):
                found[program.name] = place / program.name
                break
    return found


def build(names: Collection[str] = CONTROL_PLANE) -> Mapping[str, Path]:
    """The named programs; those that are missing are built, which takes minutes the first time.

    Unbuildable where Go is missing or a build fails.
    """
    for program in PROGRAMS:
        if program.name in names and program.name not in ready():
            with _alone(program):
                # Whoever held the lock until now may have built it.
                if program.name not in ready():
                    _build(program)
    return {name: path for name, path in ready().items() if name in names}


def source(product: str, module: str = "") -> Path:
    """The folder of a product's own files, or of a module that it needs, in Go's module cache.

    `source("kruise")`; `source("ocm", "open-cluster-management.io/api")`.
    """
    module = module or next(one.versioned_by for one in PROGRAMS if one.module == product)
    words = [_go(f"The files of {module}"), "mod", "download", "-json", module]
    done = subprocess.run(words, cwd=HERE / product, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise Unbuildable(f"the files of {module} could not be had; what Go said stands above.")
    return Path(json.loads(done.stdout)["Dir"])


def _build(program: Program) -> None:
    go = _go(program.name)
    began = time.monotonic()
    _say(f"{program.name} {version(program)}: building")
    unfinished = cache(program) / f"{program.name}.new"
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
    unfinished.replace(cache(program) / program.name)
    _say(f"{program.name} {version(program)}: built in {time.monotonic() - began:.0f} s")


def _go(wanted: str) -> str:
    go = shutil.which("go")
    if go is None:
        raise Unbuildable(
            f"{wanted} is had with Go, and there is no `go` on the PATH.\n"
            f"Install Go 1.26 or newer, or name a folder that has the programs in {ASSETS}."
        )
    return go


def _flags(program: Program) -> str:
    flags = ["-s", "-w"]
    if program.module == "kubernetes":
        pinned = version(program)
        major, minor, _ = pinned.removeprefix("v").split(".", 2)
        for name, value in (("gitVersion", pinned), ("gitMajor", major), ("gitMinor", minor)):
            flags += ["-X", f"{_STAMP}.{name}={value}"]
    return " ".join(flags)


@contextlib.contextmanager
def _alone(program: Program) -> Iterator[None]:
    """Hold off other builds of the same product; the lock goes with the process."""
    cache(program).mkdir(parents=True, exist_ok=True)
    with (cache(program) / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(f"{program.module} is being built by somebody else; waiting")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _kept() -> Path:
    return Path.home() / ".cache" / "oneco"


def _say(text: str) -> None:
    print(f"real: {text}", file=sys.stderr, flush=True)


def main(names: Sequence[str]) -> int:
    """Build what is missing of the named programs, or of all, and say where everything stands."""
    known = [program.name for program in PROGRAMS]
    if unknown := [name for name in names if name not in known]:
        _say(f"no program is called {', '.join(unknown)}; there are: {', '.join(known)}")
        return 2
    try:
        programs = build(names or known)
    except Unbuildable as failure:
        _say(str(failure))
        return 2
    for name, path in programs.items():
        _say(f"{name}: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
